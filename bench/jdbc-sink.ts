import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { bodyOf, decodeBody } from '../contracts/codec.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { migratorUrlOf, type Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createPool, sqlStateOf, type Pool } from '../platform/postgres.ts';
import { migratePostgres } from '../projectors/main.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { DECISION_ROW, DECISIONS_GROUP, DECISIONS_TABLE } from './decisions-projector.ts';
import { figureOf, type Figure } from './figure.ts';
import { startConnect, type SinkMode } from './peers/connect-process.ts';
import { cpuSecondsOf, peakResidentBytesOf } from './peers/process-usage.ts';
import type { RunningProcess } from './peers/measurement.ts';
import { cpuSecondsOfTree } from './process-tree.ts';
import { copyTable } from './table-copy.ts';
import { differenceOf, digestOf, type TableDigest } from './table-equality.ts';

const TOPIC = 'probability.decisions';
/** Left as the last round has filled it. */
export const SINK_TABLE = 'public.bench_sink';
/** Of one batch: six times the connector's default, for fewer statements and commits. */
const BATCH_ROWS = 3_000;
const POLL_MS = 50;
const STATUS_INTERVAL_MS = 1_000;
const DEADLINE_MS = 60 * 60_000;
const UNDEFINED_TABLE = '42P01';
const MEBIBYTE = 1_048_576;
const MILLISECONDS_PER_SECOND = 1_000;

/** Who writes the decisions into a table. */
interface Contender {
  readonly name: string;
  readonly table: string;
  /** Makes its table empty, or leaves none. */
  reset(): Promise<void>;
  start(): Promise<Watched>;
}

interface Watched extends RunningProcess {
  /** Why it has stopped working, if its process alone does not tell. */
  failure?(): Promise<string | undefined>;
}

interface Sample {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly postgresCpuSeconds: number;
  readonly rows: number;
}

/** A contender's way over the topic. */
interface SinkRun {
  /** At the first rows, from half of the decisions on, and at the last row. */
  readonly first: Sample;
  readonly middle: Sample;
  readonly last: Sample;
  readonly peakResidentBytes: number;
}

interface SinkSettings {
  /** Process id of Postgres. */
  readonly postgres: number;
  /** Of Kafka Connect. */
  readonly classPath: string;
  readonly modes: readonly SinkMode[];
}

/** Decisions by which progress shows, one of each partition that has any. */
interface Marks {
  readonly middle: readonly string[];
  readonly last: readonly string[];
}

interface Place {
  readonly bench: Bench;
  readonly pool: Pool;
  readonly marks: Marks;
  /** Process id. */
  readonly postgres: number;
}

/**
 * The same decisions from the same topic into equal tables: by postgres-history's process with this topic and table
 * alone, by Kafka Connect with Debezium's JDBC sink, and by COPY from memory. All values are compared before a ratio is
 * reported. The topic must be filled.
 *
 * @throws TapeproofError CHECK_FAILED when the sink's rows are not ours.
 */
export async function measureJdbcSink(
  bench: Bench,
  { postgres, classPath, modes }: SinkSettings,
  tell: (progress: string) => void,
): Promise<Figure[]> {
  const { connections } = bench;
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-connect-'));
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench-sink');
  try {
    await migratePostgres(connections);
    const marks = await marksOf(connections);
    const place = { bench, pool, marks, postgres };
    const ours = oursOf(place);
    const sinks = modes.map((mode) => sinkOf(place, mode, classPath, folder));
    const copies: CopyRun[] = [];
    const runs = new Map([ours, ...sinks].map((contender) => [contender, [] as SinkRun[]]));
    for (let round = 1; round <= bench.runs; round += 1) {
      let expected: TableDigest | undefined;
      for (const [contender, done] of runs) {
        tell(`jdbc-sink: round ${round} of ${bench.runs}, ${contender.name} …`);
        done.push(await runOf(contender, place));
        const found = await digestOf(pool, contender.table, DECISION_ROW.table);
        const difference = differenceOf((expected ??= found), found);
        if (difference !== undefined) throw differing(contender.name, difference);
      }
      tell(`jdbc-sink: round ${round} of ${bench.runs}, COPY …`);
      copies.push(await copyOf(place));
    }
    return figuresOf(copies, ours.name, new Map([...runs].map(([{ name }, done]) => [name, done])));
  } finally {
    await pool.end();
    await rm(folder, { recursive: true, force: true });
  }
}

function differing(name: string, difference: string): TapeproofError {
  const sentence = `${name} writes other rows than ours, so nothing is compared: ${difference}.`;
  return new TapeproofError('CHECK_FAILED', sentence);
}

function oursOf({ bench: { connections, log }, pool }: Place): Contender {
  const [schema] = DECISIONS_TABLE.split('.');
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench', log);
  return {
    name: 'postgres-history, decisions',
    table: DECISIONS_TABLE,
    async reset() {
      await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await pool.query('DELETE FROM tapeproof.projector_generations');
      await withAdmin(kafka, (admin) => admin.deleteGroups([DECISIONS_GROUP]).catch(() => undefined));
    },
    start: () => Promise.resolve(startChild({ role: 'decisions-projector', connections, argument: '' })),
  };
}

function sinkOf({ bench, pool }: Place, mode: SinkMode, classPath: string, folder: string): Contender {
  let started = 0;
  return {
    name: `JDBC sink, ${mode}`,
    table: SINK_TABLE,
    async reset() {
      await pool.query(`DROP TABLE IF EXISTS ${SINK_TABLE}`);
      await pool.query(`CREATE TABLE ${SINK_TABLE} (LIKE ${DECISIONS_TABLE} INCLUDING ALL)`);
    },
    start() {
      started += 1;
      const name = `bench-${mode}-${started}`;
      const settings = {
        name,
        topic: TOPIC,
        row: DECISION_ROW,
        table: SINK_TABLE,
        mode,
        batchRows: BATCH_ROWS,
      } as const;
      return startConnect(classPath, bench.connections, { ...settings, folder: join(folder, name) });
    },
  };
}

async function runOf(contender: Contender, { pool, marks, postgres }: Place): Promise<SinkRun> {
  await contender.reset();
  const postgresBefore = cpuSecondsOfTree(postgres);
  const running = await contender.start();
  const sample = async (): Promise<Sample> => {
    const [atMs, cpuSeconds] = [performance.now(), cpuSecondsOf(running.pid)];
    const postgresCpuSeconds = cpuSecondsOfTree(postgres) - postgresBefore;
    return { atMs, cpuSeconds, postgresCpuSeconds, rows: await rowsIn(pool, contender.table) };
  };
  const until = (isReached: () => Promise<boolean>) => untilReached(isReached, running, contender.name);
  try {
    await until(() => hasAny(pool, contender.table));
    const first = await sample();
    await until(() => hasAll(pool, contender.table, marks.middle));
    const middle = await sample();
    await until(() => hasAll(pool, contender.table, marks.last));
    const last = await sample();
    return { first, middle, last, peakResidentBytes: peakResidentBytesOf(running.pid) };
  } finally {
    // Why it was not observed to its end says more than how it ended.
    await running.stop().catch(() => undefined);
  }
}

async function untilReached(isReached: () => Promise<boolean>, running: Watched, name: string): Promise<void> {
  const ended = running.ended.then(() => Promise.reject(new Error(`${name} ended early`)));
  ended.catch(() => undefined);
  const deadlineMs = performance.now() + DEADLINE_MS;
  let askedAtMs = performance.now();
  while (!(await isReached())) {
    if (performance.now() > deadlineMs)
      throw new Error(`${name} has not written all rows in ${DEADLINE_MS / 60_000} minutes`);
    await Promise.race([wait(POLL_MS), ended]);
    if (performance.now() - askedAtMs < STATUS_INTERVAL_MS) continue;
    askedAtMs = performance.now();
    const failure = await running.failure?.();
    if (failure !== undefined) throw new Error(`${name} has stopped: ${failure}`);
  }
}

async function hasAny(pool: Pool, table: string): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ exists: boolean }>(`SELECT EXISTS (SELECT FROM ${table}) AS exists`);
    return rows[0]?.exists === true;
  } catch (error) {
    if (sqlStateOf(error) === UNDEFINED_TABLE) return false;
    throw error;
  }
}

async function hasAll(pool: Pool, table: string, ids: readonly string[]): Promise<boolean> {
  const question = `SELECT count(*) AS count FROM ${table} WHERE event_id = ANY($1)`;
  const { rows } = await pool.query<{ count: string }>(question, [ids]);
  return Number(rows[0]?.count) === ids.length;
}

async function rowsIn(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) AS count FROM ${table}`);
  return Number(rows[0]?.count);
}

async function marksOf({ kafkaBrokers }: Connections): Promise<Marks> {
  const reader = createLogReader(kafkaBrokers);
  const [middle, last]: [string[], string[]] = [[], []];
  try {
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
      const end = await reader.endOffset(TOPIC, partition);
      const idAt = async (offset: number): Promise<string> => {
        for await (const [record] of reader.read({ topic: TOPIC, partition, from: offset, to: offset + 1 })) {
          if (record?.value != null) return decodeBody('ProbabilityDecision', bodyOf(record.value)).eventId;
        }
        throw new Error(`${TOPIC} has no decision at offset ${offset} of partition ${partition}`);
      };
      if (end === 0) continue;
      middle.push(await idAt(Math.floor(end / 2)));
      last.push(await idAt(end - 1));
    }
  } finally {
    await reader.close();
  }
  return { middle, last };
}

interface CopyRun {
  readonly rowsPerSecond: number;
  readonly rowsPerPostgresCpuSecond: number;
}

async function copyOf({ pool, postgres }: Place): Promise<CopyRun> {
  let cpuSeconds = 0;
  const { rows, milliseconds } = await copyTable(pool, DECISIONS_TABLE, async (write) => {
    const before = cpuSecondsOfTree(postgres);
    const written = await write();
    cpuSeconds = cpuSecondsOfTree(postgres) - before;
    return written;
  });
  return {
    rowsPerSecond: (rows * MILLISECONDS_PER_SECOND) / milliseconds,
    rowsPerPostgresCpuSecond: rows / cpuSeconds,
  };
}

/** The figures of each contender, and of the others the ratio to ours, round by round. */
function figuresOf(copies: readonly CopyRun[], ours: string, runs: ReadonlyMap<string, readonly SinkRun[]>): Figure[] {
  const figures = [
    figureOf(
      'COPY',
      'rows/s',
      copies.map(({ rowsPerSecond }) => rowsPerSecond),
      'the same rows as text into an equal table, keys and indexes included, from memory',
    ),
    figureOf(
      'COPY, Postgres',
      'rows per CPU-second',
      copies.map(({ rowsPerPostgresCpuSecond }) => rowsPerPostgresCpuSecond),
      'of Postgres alone',
    ),
  ];
  for (const [name, done] of runs) {
    for (const { label, unit, of, how } of MEASURES) {
      figures.push(figureOf(`${name}, ${label}`, unit, done.map(of), how));
      const ratios = (runs.get(ours) ?? []).map((run, round) => of(run) / of(done[round] ?? run));
      if (name !== ours) figures.push(figureOf(`ours ÷ ${name}, ${label}`, 'times', ratios, 'round by round'));
    }
  }
  // Rows that were written at once have no rate, and no second half.
  return figures.filter(({ values }) => values.every(Number.isFinite));
}

const rate = (from: Sample, to: Sample, seconds: (sample: Sample) => number): number =>
  (to.rows - from.rows) / (seconds(to) - seconds(from));
const clock = ({ atMs }: Sample): number => atMs / MILLISECONDS_PER_SECOND;
const alone = ({ cpuSeconds }: Sample): number => cpuSeconds;
const withPostgres = ({ cpuSeconds, postgresCpuSeconds }: Sample): number => cpuSeconds + postgresCpuSeconds;

interface Measure {
  readonly label: string;
  readonly unit: string;
  readonly of: (run: SinkRun) => number;
  readonly how: string;
}

const PER_CPU = 'rows per CPU-second';
const MEASURES: readonly Measure[] = [
  {
    label: 'by the clock',
    unit: 'rows/s',
    of: ({ first, last }) => rate(first, last, clock),
    how: 'from its first rows to its last',
  },
  {
    label: 'process',
    unit: PER_CPU,
    of: ({ first, last }) => rate(first, last, alone),
    how: 'from its first rows to its last, without Postgres',
  },
  {
    label: 'process, second half',
    unit: PER_CPU,
    of: ({ middle, last }) => rate(middle, last, alone),
    how: 'from half of the decisions of each partition to its last, when its code is compiled',
  },
  {
    label: 'process, start included',
    unit: PER_CPU,
    of: ({ last }) => last.rows / last.cpuSeconds,
    how: 'from the start of the process to its last rows, without Postgres',
  },
  {
    label: 'process and Postgres',
    unit: PER_CPU,
    of: ({ first, last }) => rate(first, last, withPostgres),
    how: 'from its first rows to its last',
  },
  {
    label: 'peak resident memory',
    unit: 'MiB',
    of: ({ peakResidentBytes }) => peakResidentBytes / MEBIBYTE,
    how: 'of the process',
  },
];
