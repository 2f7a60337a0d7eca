import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { DERIVED_TOPICS, TAPE_TOPIC } from '../contracts/topics.ts';
import { migratorUrlOf, type Connections } from '../platform/connections.ts';
import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import { connectRedis } from '../platform/redis.ts';
import { createPool } from '../platform/postgres.ts';
import { migratePostgres } from '../projectors/main.ts';
import { custodyOf } from '../stack/custody.ts';
import { stackStatus, type StackOptions } from '../stack/main.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { medianOf, quantileOf } from './figure.ts';
import { measureDelays } from './latency.ts';
import { cpuSecondsOfTree } from './process-tree.ts';
import { catchUpOnce } from './read-models.ts';
import { CADENCE_MS, deriveTape, fillTape, layTape } from './tape.ts';
import { INSTRUMENTS } from './trades.ts';

const KEYS_AT_ONCE = 1_000;

/** How the broker stores the tape and the derived topics; `producer` leaves the batches as they were sent. */
export const COMPRESSIONS = ['producer', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export function nameOfCompression(compression: Compression): string {
  return compression === 'producer' ? 'not compressed' : compression;
}

/** What one trade costs each process, processor time in microseconds; measured with all of them on one machine. */
export interface Costs {
  readonly compression: Compression;
  readonly trades: number;
  readonly tradesPerSnapshot: number;
  /** Of the derived topics together. */
  readonly eventsPerTrade: number;
  readonly cpuUsPerTrade: {
    readonly brokerWhileFilling: number;
    readonly engine: number;
    readonly brokerWhileDeriving: number;
    readonly history: number;
    readonly postgres: number;
    readonly brokerWhileHistoryReads: number;
    readonly latest: number;
    readonly redis: number;
  };
  readonly bytesPerTrade: { readonly tape: number; readonly derived: number; readonly postgres: number };
  readonly redisBytesPerInstrument: number;
  readonly engineResidentBytes: number;
  /** From a trade's due time to its decision, at 5,000 trades a second. */
  readonly p99Ms: number;
}

const MICROSECONDS_PER_SECOND = 1_000_000;
/** Of one instrument in a second, with a snapshot each second: 100,000 instruments of 1,000,000 trades a second. */
const TRADES_PER_SNAPSHOT = 10;
const LATENCY_RUNS = 3;
/** The broker deletes and flushes in the background: sizes are read after this. */
const SETTLE_MS = 2_000;

/** What each trade costs, everything measured once, on services that begin empty. */
export async function measureCosts(bench: Bench, options: StackOptions, compression: Compression): Promise<Costs> {
  const { connections, log, trades } = bench;
  const services = await servicesOf(options);
  await layTape(bench, CADENCE_MS);
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench-costs', log);
  await withAdmin(kafka, (admin) => compressTopics(admin, compression));

  const filling = await usedBy(services, () => fillTape(bench, TRADES_PER_SNAPSHOT));
  const deriving = await usedBy(services, () => deriveTape(bench));
  await migratePostgres(connections);
  const history = await usedBy(services, () => catchUpOnce('postgres-history', connections));
  const latest = await usedBy(services, () => catchUpOnce('redis-latest', connections));
  await wait(SETTLE_MS);

  const perTrade = (seconds: number): number => (seconds * MICROSECONDS_PER_SECOND) / trades;
  const [engine] = deriving.result.usages;
  const costs = {
    ...{ compression, trades, tradesPerSnapshot: TRADES_PER_SNAPSHOT },
    eventsPerTrade: (await withAdmin(kafka, recordsOfDerivedTopics)) / trades,
    cpuUsPerTrade: {
      brokerWhileFilling: perTrade(filling.kafka),
      engine: perTrade(engine?.cpuSeconds ?? Number.NaN),
      brokerWhileDeriving: perTrade(deriving.kafka),
      history: perTrade(history.result.cpuSeconds),
      postgres: perTrade(history.postgres),
      brokerWhileHistoryReads: perTrade(history.kafka),
      latest: perTrade(latest.result.cpuSeconds),
      redis: perTrade(latest.redis),
    },
    bytesPerTrade: {
      tape: (await topicBytes(options, [TAPE_TOPIC])) / trades,
      derived: (await topicBytes(options, DERIVED_TOPICS)) / trades,
      postgres: (await postgresBytes(connections)) / trades,
    },
    redisBytesPerInstrument: await redisBytesPerInstrument(connections),
    engineResidentBytes: engine?.peakResidentBytes ?? Number.NaN,
  };
  // Last: it adds trades of its own to the tape.
  return { ...costs, p99Ms: await p99Of(bench) };
}

type Services = Readonly<Record<'kafka' | 'postgres' | 'redis', number>>;

/** Process ids. */
export async function servicesOf(options: StackOptions): Promise<Services> {
  const status = await stackStatus(options);
  const pidOf = (name: keyof Services): number => status.find((service) => service.name === name)?.pid ?? Number.NaN;
  return { kafka: pidOf('kafka'), postgres: pidOf('postgres'), redis: pidOf('redis') };
}

/** Processor seconds of each service during a piece of work. */
async function usedBy<Result>(services: Services, work: () => Promise<Result>) {
  const now = () => ({
    kafka: cpuSecondsOfTree(services.kafka),
    postgres: cpuSecondsOfTree(services.postgres),
    redis: cpuSecondsOfTree(services.redis),
  });
  const before = now();
  const result = await work();
  const after = now();
  const { kafka, postgres, redis } = after;
  return { result, kafka: kafka - before.kafka, postgres: postgres - before.postgres, redis: redis - before.redis };
}

/** Has the broker store the tape and the derived topics so from now on. */
export async function compressTopics(admin: Admin, compression: Compression): Promise<void> {
  await admin.alterConfigs({
    validateOnly: false,
    resources: [TAPE_TOPIC, ...DERIVED_TOPICS].map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      // What applyTopics() has set is replaced: only what keeps records stamped long ago matters here.
      configEntries: [
        { name: 'compression.type', value: compression },
        { name: 'retention.ms', value: '-1' },
      ],
    })),
  });
}

async function recordsOfDerivedTopics(admin: Admin): Promise<number> {
  const offsets = await Promise.all(DERIVED_TOPICS.map((topic) => admin.fetchTopicOffsets(topic)));
  return offsets.flat().reduce((sum, { high }) => sum + Number(high), 0);
}

/** Bytes of the log segments of topics; indexes, which the broker allocates ahead, are left out. */
async function topicBytes({ folder }: StackOptions, topics: readonly string[]): Promise<number> {
  // Not in the stack's folder where root has started it.
  const data = join(await (await custodyOf(folder)).folder('kafka'), 'data');
  let bytes = 0;
  for (const name of await readdir(data)) {
    if (!topics.some((topic) => name.startsWith(`${topic}-`) && /^\d+$/.test(name.slice(topic.length + 1)))) continue;
    for (const file of await readdir(join(data, name))) {
      if (file.endsWith('.log')) bytes += (await stat(join(data, name, file))).size;
    }
  }
  return bytes;
}

/** Tables and indexes of the history. */
async function postgresBytes(connections: Connections): Promise<number> {
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench-costs');
  try {
    const { rows } = await pool.query<{ bytes: string }>(
      `SELECT sum(pg_total_relation_size(format('%I.%I', schemaname, tablename))) AS bytes
         FROM pg_tables WHERE schemaname LIKE 'history_%'`,
    );
    return Number(rows[0]?.bytes);
  } finally {
    await pool.end();
  }
}

async function redisBytesPerInstrument(connections: Connections): Promise<number> {
  const redis = await connectRedis(connections.redisUrl, 'tapeproof-bench-costs');
  try {
    let bytes = 0;
    for (const match of ['tp:*:latest:*', 'tp:*:ties:*']) {
      for await (const keys of redis.scanStream({ match, count: KEYS_AT_ONCE }) as AsyncIterable<string[]>) {
        for (const key of keys) bytes += Number(await redis.memory('USAGE', key));
      }
    }
    return bytes / INSTRUMENTS.length;
  } finally {
    redis.disconnect();
  }
}

/** The median of a few runs, after one that warms the engine up. */
async function p99Of({ connections, log }: Bench): Promise<number> {
  const engine = startChild({ role: 'engine', connections, argument: '' });
  try {
    await Promise.race([measureDelays(connections, log), engine.ended]);
    const runs: number[] = [];
    for (let run = 0; run < LATENCY_RUNS; run += 1) runs.push(quantileOf(await measureDelays(connections, log), 0.99));
    return medianOf(runs);
  } finally {
    await engine.stop();
  }
}
