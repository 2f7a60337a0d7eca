import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { createEventReader } from '../projectors/event-reader.adapter.ts';
import type { LatestOperation } from '../projectors/projector.ts';
import { redisLatest } from '../projectors/redis-latest/projector.ts';
import { keepUpToDate } from '../projectors/runner.adapter.ts';
import type { ReadModel } from '../projectors/sink.ts';
import { createMemoryLatest } from './support/memory-store.ts';
import { seedTape, type SeededTape } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const connections = stackConnections();
const registry = createRegistry(connections.registryUrl);
let tape: SeededTape;
let reader: LogReader;
let producer: RecordProducer;

beforeAll(async () => {
  await resetStores();
  reader = createLogReader(connections.kafkaBrokers);
  producer = createRecordProducer(createKafka(connections.kafkaBrokers, 'test-succession'), registry);
  tape = await seedTape(connections);
  await tape.trade(140);
});
afterAll(() => Promise.all([tape.close(), reader.close(), producer.disconnect()]));

it('a projector whose generation is replaced in the middle of a batch continues with the next one, without an error', async () => {
  const store = createMemoryLatest(redisLatest.lags);
  let generation = 0;
  const readModel: ReadModel<LatestOperation> = {
    open: () => {
      generation += 1;
      const isReplaced = generation === 1;
      return Promise.resolve({
        ...store,
        generation,
        apply: (delivery) => (isReplaced ? Promise.resolve({ kind: 'superseded' }) : store.apply(delivery)),
      });
    },
    beginRebuild: () => Promise.reject(new Error('nobody rebuilds')),
    // The runner's own check of the store comes later than the batch.
    status: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
  const lines: Record<string, unknown>[] = [];
  const log = createLog('test', 'info', { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const stop = new AbortController();
  const ended = keepUpToDate({
    ...{ projector: redisLatest, readModel, reader, producer, connections, log, tapeId: tape.tapeId },
    read: createEventReader(registry, redisLatest, DEFAULT_PARTITIONS),
    signal: stop.signal,
    telemetry: noTelemetry(),
  });
  await until('the next generation has trades', () => store.counts().applied > 0);
  stop.abort();
  await ended;
  expect(lines.filter((line) => line['event.action'] === 'generation-changed')).toHaveLength(1);
  expect(lines.filter((line) => line['log.level'] === 'error' || line['log.level'] === 'warn')).toEqual([]);
});
