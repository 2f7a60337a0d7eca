import { describe, expect, it } from 'vitest';
import { TapeproofError } from './errors.ts';
import { createLog, type Log } from './log.ts';

function logged(write: (log: Log) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog('engine', 'info', { write: (line) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('createLog', () => {
  it('writes a line of JSON with the names of the Elastic Common Schema', () => {
    const [line] = logged((log) => {
      log.debug('not at this level');
      log.info({ partition: 3 }, 'joined');
    });
    expect(line).toMatchObject({ 'log.level': 'info', 'service.name': 'engine', message: 'joined', partition: 3 });
    expect(line?.['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('writes an error with its code and its causes', () => {
    const cause = new Error('refused');
    const [line] = logged((log) => {
      log.error({ error: new TapeproofError('UNREACHABLE', 'Kafka does not answer', { cause }) }, 'stopped');
    });
    expect(line?.['error']).toMatchObject({
      type: 'TapeproofError',
      code: 'UNREACHABLE',
      message: 'Kafka does not answer',
      cause: { type: 'Error', message: 'refused' },
    });
  });
});
