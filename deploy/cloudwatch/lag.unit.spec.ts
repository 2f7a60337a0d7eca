import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Metrics } from '../../platform/metrics/metrics.ts';
import { LAG_METRIC } from '../services.ts';
import { CLOUDWATCH_NAMESPACE, lagLine, SERVICE_DIMENSION } from './lag-line.ts';

/** The metrics of an engine with two partitions, one of them behind. */
async function exposition(): Promise<string> {
  const metrics = new Metrics('engine');
  metrics.includeProcess();
  const labels = { group: 'tapeproof.engine.5', topic: 'raw.trades' };
  metrics.set(LAG_METRIC, { ...labels, partition: 0 }, 0.25);
  metrics.set(LAG_METRIC, { ...labels, partition: 1 }, 12.5);
  metrics.set('tapeproof_consumer_lag_records', { ...labels, partition: 1 }, 9_000);
  return metrics.text();
}

it('the longest lag of the partitions is a metric by CloudWatch’s embedded metric format', async () => {
  const line = lagLine(await exposition(), LAG_METRIC, 'engine', 1_742_943_600_000);
  expect(JSON.parse(line ?? '')).toEqual({
    _aws: {
      Timestamp: 1_742_943_600_000,
      CloudWatchMetrics: [
        {
          Namespace: CLOUDWATCH_NAMESPACE,
          Dimensions: [[SERVICE_DIMENSION]],
          Metrics: [{ Name: LAG_METRIC, Unit: 'Seconds' }],
        },
      ],
    },
    [SERVICE_DIMENSION]: 'engine',
    [LAG_METRIC]: 12.5,
  });
});

it('an unknown lag is no metric, and not 0', async () => {
  expect(lagLine(await new Metrics('engine').text(), LAG_METRIC, 'engine', 0)).toBeUndefined();
  expect(lagLine('', LAG_METRIC, 'engine', 0)).toBeUndefined();
  expect(lagLine(`${LAG_METRIC}{partition="0"} NaN\n`, LAG_METRIC, 'engine', 0)).toBeUndefined();
});

it('is printed by a process beside the engine, which ends when it is asked to', async () => {
  const text = await exposition();
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const program = join(import.meta.dirname, 'lag.ts');
  const beside = spawn(process.execPath, [program, 'engine', LAG_METRIC, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: beside.stdout }), 'line')) as [string];
  expect(JSON.parse(line)).toMatchObject({ [SERVICE_DIMENSION]: 'engine', [LAG_METRIC]: 12.5 });
  beside.kill('SIGTERM');
  expect(await once(beside, 'exit')).toEqual([0, null]);
  server.close();
});
