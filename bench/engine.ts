import { randomUUID } from 'node:crypto';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer } from '../platform/kafka/consumer.ts';
import type { PartitionBatch } from '../platform/kafka/partition-batch.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Log } from '../platform/log.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, type Figure } from './figure.ts';

const MICROSECONDS_PER_SECOND = 1_000_000;
const MEBIBYTE = 1_048_576;

interface EngineRun {
  readonly trades: number;
  readonly events: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/**
 * Consumes the whole tape like the engine, decodes each trade and steps it through its partition's task; derived
 * events are encoded and hashed, but not sent. Runs in a separate process, whose whole CPU time is measured: from the
 * first batch to the last, compiling included.
 */
export async function runEngineOver(connections: Connections, records: number, log: Log): Promise<EngineRun> {
  const decode = createTapeDecoder(createRegistry(connections.registryUrl));
  const tasks = Array.from({ length: DEFAULT_PARTITIONS }, (_, partition) => createPartitionTask(partition));
  const finished = Promise.withResolvers<undefined>();
  let left = records;
  let events = 0;
  let cpuAtStart: NodeJS.CpuUsage | undefined;
  const handle = async (batch: PartitionBatch) => {
    if (cpuAtStart === undefined) {
      cpuAtStart = process.cpuUsage();
    }
    const task = tasks[batch.partition];
    if (task === undefined) throw new Error(`no partition ${batch.partition}`);
    for (const record of batch.records) {
      let content = decode(record);
      if (content instanceof Promise) content = await content;
      events += task.advance({ partition: batch.partition, offset: record.offset, content }).derived.length;
    }
    left -= batch.records.length;
    if (left <= 0) finished.resolve(undefined);
    return { nextOffset: task.nextOffset };
  };
  const consumer = await startConsumer({
    kafka: createKafka(connections.kafkaBrokers, 'tapeproof-bench-engine', log),
    groupId: `tapeproof-bench-engine-${randomUUID()}`,
    topics: [TAPE_TOPIC],
    handle,
    log,
  });
  await Promise.race([finished.promise, consumer.done]);
  const { user, system } = process.cpuUsage(cpuAtStart);
  const residentBytes = process.memoryUsage.rss();
  await consumer.stop();
  const trades = tasks.reduce((sum, task) => sum + task.counts.trades, 0);
  return { trades, events, cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND, residentBytes };
}

/** The engine's rate, each run in a separate process. The tape must be created and filled. */
export async function measureEngine({ connections, runs, trades }: Bench): Promise<Figure[]> {
  const records = trades + DEFAULT_PARTITIONS;
  const results: EngineRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { result } = await startChild({ role: 'engine-over-tape', connections, argument: records }).ended;
    results.push(result as EngineRun);
  }
  const [first] = results;
  const events = first === undefined ? 0 : first.trades / first.events;
  return [
    figureOf(
      'engine',
      'trades per CPU-second',
      results.map((result) => result.trades / result.cpuSeconds),
      `consume, decode, step, encode and hash the events (${events.toFixed(1)} trades per event), without sending them`,
      { atLeast: 300_000 },
    ),
    figureOf(
      'engine, resident memory',
      'MiB',
      results.map((result) => result.residentBytes / MEBIBYTE),
      'of that process at its end',
    ),
  ];
}
