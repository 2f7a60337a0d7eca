import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { connectRedis } from '../platform/redis.ts';
import { createEventReader } from '../projectors/event-reader.adapter.ts';
import { redisLatest } from '../projectors/redis-latest/projector.ts';
import type { LatestOperation } from '../projectors/projector.ts';

/** Commands sent at once, as many as a projector's batch has records. */
const PIPELINE_COMMANDS = 5_000;
const MILLISECONDS_PER_SECOND = 1_000;

/** One HSET, with nothing that makes it safe: no order by time, no duplicates, no position. */
interface RawWrite {
  readonly key: string;
  readonly fields: readonly string[];
}

/** What redis-latest would write for the whole log, one command for each operation, from memory. */
export async function rawWritesOf(connections: Connections): Promise<readonly RawWrite[]> {
  const reader = createLogReader(connections.kafkaBrokers);
  const read = createEventReader(createRegistry(connections.registryUrl), redisLatest, DEFAULT_PARTITIONS);
  const writes: RawWrite[] = [];
  try {
    for (const topic of redisLatest.topics) {
      for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
        const to = await reader.endOffset(topic, partition);
        for await (const records of reader.read({ topic, partition, from: 0, to })) {
          for (const record of records) {
            const found = await read(record);
            if (found.kind === 'event') writes.push(...redisLatest.project(found.source).map(rawWriteOf));
          }
        }
      }
    }
  } finally {
    await reader.close();
  }
  return writes;
}

function rawWriteOf(operation: LatestOperation): RawWrite {
  const fields = operation.kind === 'advance' ? [] : Object.entries(operation.fields).flat();
  const time = operation.kind === 'set' ? [] : [operation.timeField, String(operation.timeUs)];
  return { key: `bench:raw:${operation.entity}`, fields: [...fields, ...time] };
}

/** Writes a second of these commands, pipelined. */
export async function measureRawRedis(connections: Connections, writes: readonly RawWrite[]): Promise<number> {
  const redis = await connectRedis(connections.redisUrl, 'tapeproof-bench-raw');
  try {
    const startedAt = performance.now();
    for (let first = 0; first < writes.length; first += PIPELINE_COMMANDS) {
      const pipeline = redis.pipeline();
      for (const { key, fields } of writes.slice(first, first + PIPELINE_COMMANDS)) pipeline.hset(key, ...fields);
      await pipeline.exec();
    }
    return writes.length / ((performance.now() - startedAt) / MILLISECONDS_PER_SECOND);
  } finally {
    redis.disconnect();
  }
}
