import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { stepAlong } from '../evaluators/recovery.adapter.ts';
import type { Connections } from '../platform/connections.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { certifyPartition } from '../proofs/certify/partition.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, type Figure } from './figure.ts';

const MICROSECONDS_PER_SECOND = 1_000_000;
const MEBIBYTE = 1_048_576;

/** What is done with each record of the tape: decoded; and stepped over; and all that it causes compared with the log. */
const WORKS = ['read', 'step', 'certify'] as const;
export type TapeWork = (typeof WORKS)[number];

interface TapeRun {
  readonly records: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Goes over the whole tape once, in one thread, one partition after the other. Runs in a process of its own. */
export async function runOverTape(connections: Connections, work: TapeWork): Promise<TapeRun> {
  const reader = createLogReader(connections.kafkaBrokers);
  const registry = createRegistry(connections.registryUrl);
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  try {
    let records = 0;
    const before = process.cpuUsage();
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
      records += await WORK[work](access, partition);
    }
    const { user, system } = process.cpuUsage(before);
    const residentBytes = process.memoryUsage.rss();
    return { records, cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND, residentBytes };
  } finally {
    await reader.close();
  }
}

const WORK: Readonly<Record<TapeWork, (access: LogAccess, partition: number) => Promise<number>>> = {
  async read({ reader, decode }, partition) {
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
  async step(access, partition) {
    const task = createPartitionTask(partition);
    const to = await access.reader.endOffset(TAPE_TOPIC, partition);
    let count = 0;
    for await (const { foreignActivation } of stepAlong(access, task, to)) {
      if (foreignActivation === undefined) count += 1;
    }
    return count;
  },
  async certify(access, partition) {
    const { ranges, difference, notWrittenFrom } = await certifyPartition(access, partition, {});
    if (difference !== undefined || notWrittenFrom !== undefined) throw new Error('the log differs');
    return ranges.reduce((sum, { tape }) => sum + tape.records, 0);
  },
};

/** The speed of `certify` beside that of reading the tape alone. The tape must be derived. */
export async function measureCertify({ connections, runs }: Bench): Promise<Figure[]> {
  const rates: Record<TapeWork, number[]> = { read: [], step: [], certify: [] };
  const residents: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    for (const work of WORKS) {
      const { result } = await startChild({ role: 'over-tape', connections, argument: work }).ended;
      const { records, cpuSeconds, residentBytes } = result as TapeRun;
      rates[work].push(records / cpuSeconds);
      if (work === 'certify') residents.push(residentBytes / MEBIBYTE);
    }
  }
  const ratiosTo = (work: TapeWork): number[] =>
    rates.certify.map((rate, run) => rate / (rates[work][run] ?? Number.NaN));
  return [
    figureOf('reading the tape', 'records per CPU-second', rates.read, 'fetch and decode, one thread'),
    figureOf(
      'stepping over the tape',
      'records per CPU-second',
      rates.step,
      'the same, and derive, encode and hash the events',
    ),
    figureOf(
      'certify',
      'records per CPU-second',
      rates.certify,
      'the same, and compare all outputs, anchors and states',
    ),
    figureOf('certify ÷ reading', 'of the speed', ratiosTo('read'), 'the two of each round', { atLeast: 0.3 }),
    figureOf('certify ÷ stepping', 'of the speed', ratiosTo('step'), 'the two of each round'),
    figureOf('certify, resident memory', 'MiB', residents, 'of that process at its end'),
  ];
}
