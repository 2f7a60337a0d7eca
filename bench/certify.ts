import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { stepAlong } from '../evaluators/recovery.adapter.ts';
import type { Connections } from '../platform/connections.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { certifyInParallel } from '../bin/certify/workers.ts';
import { certifyPartition, type PartitionResult } from '../proofs/certify/partition.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, type Figure } from './figure.ts';

const MICROSECONDS_PER_SECOND = 1_000_000;
const MILLISECONDS_PER_SECOND = 1_000;
const MEBIBYTE = 1_048_576;

/** What is done with each record of the tape: decoded; and stepped over; and all that it causes compared; by all threads. */
const WORKS = ['read', 'step', 'certify', 'certify in threads'] as const;
export type TapeWork = (typeof WORKS)[number];

interface TapeRun {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Goes over the whole tape once. Runs in a process of its own. */
export async function runOverTape(connections: Connections, work: TapeWork): Promise<TapeRun> {
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  const records =
    work === 'certify in threads' ? await certifyInThreads(connections) : await inOneThread(connections, work);
  const { user, system } = process.cpuUsage(before);
  return {
    ...{ records, seconds: (performance.now() - startedAt) / MILLISECONDS_PER_SECOND },
    cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND,
    residentBytes: process.memoryUsage.rss(),
  };
}

/** As the command does it. */
async function certifyInThreads({ kafkaBrokers, registryUrl, postgresUrl, redisUrl }: Connections): Promise<number> {
  Object.assign(process.env, {
    ...{ TAPEPROOF_KAFKA_BROKERS: kafkaBrokers.join(','), TAPEPROOF_REGISTRY_URL: registryUrl },
    ...{ TAPEPROOF_POSTGRES_URL: postgresUrl, TAPEPROOF_REDIS_URL: redisUrl },
  });
  const orders = Array.from({ length: DEFAULT_PARTITIONS }, (_, partition) => {
    return { partition, from: undefined, to: undefined, after: undefined };
  });
  const results = await certifyInParallel(orders, new AbortController().signal, () => undefined);
  return results.reduce((sum, result) => sum + recordsIn(result), 0);
}

async function inOneThread(connections: Connections, work: keyof typeof WORK): Promise<number> {
  const reader = createLogReader(connections.kafkaBrokers);
  const registry = createRegistry(connections.registryUrl);
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  try {
    let records = 0;
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
      records += await WORK[work](access, partition);
    }
    return records;
  } finally {
    await reader.close();
  }
}

function recordsIn({ ranges, difference, notWrittenFrom }: PartitionResult): number {
  if (difference !== undefined || notWrittenFrom !== undefined) throw new Error('the log differs');
  return ranges.reduce((sum, { tape }) => sum + tape.records, 0);
}

const WORK = {
  async read({ reader, decode }: LogAccess, partition: number): Promise<number> {
    let count = 0;
    const to = await reader.endOffset(TAPE_TOPIC, partition);
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: 0, to })) {
      for (const record of records) {
        const content = decode(record);
        if (content instanceof Promise) await content;
      }
      count += records.length;
    }
    return count;
  },
  async step(access: LogAccess, partition: number): Promise<number> {
    const task = createPartitionTask(partition);
    const to = await access.reader.endOffset(TAPE_TOPIC, partition);
    let count = 0;
    for await (const { foreignActivation } of stepAlong(access, task, to)) {
      if (foreignActivation === undefined) count += 1;
    }
    return count;
  },
  async certify(access: LogAccess, partition: number): Promise<number> {
    return recordsIn(await certifyPartition(access, partition, {}));
  },
};

/** The speed of `certify` beside that of reading the tape alone. The tape must be derived. */
export async function measureCertify({ connections, runs }: Bench): Promise<Figure[]> {
  const done = Object.fromEntries(WORKS.map((work) => [work, []])) as unknown as Record<TapeWork, TapeRun[]>;
  for (let run = 0; run < runs; run += 1) {
    for (const work of WORKS) {
      const { result } = await startChild({ role: 'over-tape', connections, argument: work }).ended;
      done[work].push(result as TapeRun);
    }
  }
  const perCpu = (work: TapeWork): number[] => done[work].map(({ records, cpuSeconds }) => records / cpuSeconds);
  const perSecond = (work: TapeWork): number[] => done[work].map(({ records, seconds }) => records / seconds);
  const ratios = (rates: readonly number[], others: readonly number[]): number[] =>
    rates.map((rate, run) => rate / (others[run] ?? Number.NaN));
  const unit = 'records per CPU-second';
  const [reading, certifying] = [perCpu('read'), perCpu('certify')];
  const inThreads = ratios(perSecond('certify in threads'), perSecond('read'));
  return [
    figureOf('reading the tape', unit, reading, 'fetch and decode, one thread'),
    figureOf('stepping over the tape', unit, perCpu('step'), 'the same, and derive, encode and hash the events'),
    figureOf('certify', unit, certifying, 'the same, and compare all outputs, anchors and states'),
    figureOf('certify ÷ reading, CPU', 'of the speed', ratios(certifying, reading), 'one thread each'),
    figureOf('certify ÷ stepping, CPU', 'of the speed', ratios(certifying, perCpu('step')), 'one thread each'),
    figureOf('certify ÷ reading, wall clock', 'of the speed', inThreads, 'all threads against one', { atLeast: 0.3 }),
    figureOf(
      'certify, resident memory',
      'MiB',
      done['certify in threads'].map(({ residentBytes }) => residentBytes / MEBIBYTE),
      'of the process with all threads, at its end',
    ),
  ];
}
