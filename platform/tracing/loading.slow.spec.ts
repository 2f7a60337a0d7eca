import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('OpenTelemetry is loaded only where a collector is configured, but for the interface that the Kafka client has of its own', () => {
  const look = `
      import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) { if (/@opentelemetry.(?!api)/.test(url)) console.log(url); return next(url, context); } });
      await import('./bin/with-telemetry.ts');
      const { startTracing } = await import('./platform/tracing/start-tracing.ts');
      const tracing = await startTracing({ service: 'engine', version: '', environment: process.env, log: undefined });
      console.log(tracing === undefined ? 'off' : 'on');`;
  const run = (environment: Readonly<Record<string, string>>): string =>
    spawnSync(process.execPath, ['--input-type=module', '--eval', look], {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    }).stdout;
  expect(run({}).trim()).toBe('off');
  const loaded = run({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(loaded).toContain('@opentelemetry/sdk-trace');
  expect(loaded).toMatch(/\non\n$/);
});
