import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLog } from '../platform/log.ts';
import { withTelemetry } from './with-telemetry.ts';

it('logs Node’s warnings as lines, and leaves other warnings unchanged', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('engine', 'info', { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const before = process.listeners('warning');
  const options = { httpHost: '127.0.0.1', httpPort: 0, httpNames: [] };
  const { signal } = new AbortController();
  await withTelemetry({ service: 'engine', dependencies: {}, commit: 'x', log, options, signal }, async () => {
    expect(process.listenerCount('warning')).toBe(1);
    process.emitWarning('11 listeners added', 'MaxListenersExceededWarning');
    process.emitWarning('-5 is a negative number', 'TimeoutNegativeWarning');
    await turn();
  });
  expect(process.listeners('warning')).toEqual(before);
  const warnings = lines.filter((line) => line['log.level'] === 'warn');
  expect(warnings.map((line) => line['message'])).toEqual(['Node warns: 11 listeners added']);
});
