import { setTimeout as wait } from 'node:timers/promises';
import { migratorUrlOf, type Connections } from '../platform/connections.ts';
import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createPool, migrate, sqlStateOf, type Pool } from '../platform/postgres.ts';
import {
  listProjectors,
  projectorGroup,
  projectorStatus,
  rebuildProjector,
  type RebuildReport,
} from '../projectors/main.ts';
import type { Log } from '../platform/log.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import type { Bench } from './bench.ts';
import { startChild, type Usage } from './child.ts';
import { figureOf, type Figure } from './figure.ts';
import { measureRawRedis, rawWritesOf } from './raw-redis.ts';
import { copyTable } from './table-copy.ts';

const HISTORY = 'postgres-history';
const LATEST = 'redis-latest';
const MEBIBYTE = 1_048_576;
const MICROSECONDS_PER_SECOND = 1_000_000;
const UNDEFINED_TABLE = '42P01';
const POLL_MS = 50;
/** Ten million events on a busy machine. */
const CATCH_UP_DEADLINE_MS = 3_600_000;

/** The read models' work on a complete log: the derived topics must be filled. */
export async function measureReadModels({ connections, log, runs }: Bench): Promise<Figure[]> {
  const live: CatchUp[] = [];
  const shared: CatchUp[] = [];
  const copied: number[] = [];
  const rebuilt: Rebuilt[] = [];
  const redis: number[] = [];
  // The three compared figures are measured in succession: the machine's speed drifts.
  for (let run = 0; run < runs; run += 1) {
    live.push(await measureLive(connections, log, 1));
    copied.push(await measureCopy(connections));
    rebuilt.push(await measureRebuild(connections, log));
    shared.push(await measureLive(connections, log, 2));
  }
  await catchUpOnce(LATEST, connections);
  const raw: number[] = [];
  const writes = await rawWritesOf(connections);
  for (let run = 0; run < runs; run += 1) {
    redis.push(await measureRedisRebuild(connections, log));
    raw.push(await measureRawRedis(connections, writes));
  }
  const ofCopy = (values: readonly number[]) => values.map((value, run) => value / (copied[run] ?? Number.NaN));
  return [
    figureOf(
      'COPY',
      'rows/s',
      copied,
      'the same rows as text into equal tables, keys and indexes included, from memory',
    ),
    ...liveFigures(live, ofCopy),
    ...sharedFigures(shared, ofCopy),
    ...rebuildFigures(rebuilt, ofCopy),
    figureOf(`${LATEST}, rebuild`, 'records/s', redis, 'tape and events read, values written, compared and swapped'),
    figureOf('raw pipelined writes', 'commands/s', raw, 'the same values to as many keys, an HSET each, from memory'),
    figureOf(
      `${LATEST}, rebuild, of raw writes`,
      'times',
      redis.map((value, run) => value / (raw[run] ?? Number.NaN)),
      'the two above; raw writes read, decode and check nothing',
      { atLeast: 0.7 },
    ),
  ];
}

type OfCopy = (values: readonly number[]) => readonly number[];

function liveFigures(live: readonly CatchUp[], ofCopy: OfCopy): Figure[] {
  const rates = live.map(({ rowsPerSecond }) => rowsPerSecond);
  const cpu = live.map(({ cpuMicrosecondsPerRow }) => cpuMicrosecondsPerRow);
  const memory = live.map(({ peakResidentBytes }) => peakResidentBytes / MEBIBYTE);
  const rows = Math.round(live[0]?.rows ?? 0);
  return [
    figureOf(`${HISTORY}, live`, 'rows/s', rates, `a process reads the log from its beginning, ${rows} rows`),
    figureOf(`${HISTORY}, live, of COPY`, 'times', ofCopy(rates), 'the two above', { atLeast: 0.8 }),
    figureOf(`${HISTORY}, live, CPU`, 'µs a row', cpu, 'of the whole process, including its start, without Postgres'),
    figureOf(`${HISTORY}, peak resident memory`, 'MiB', memory, 'of the process'),
  ];
}

function sharedFigures(shared: readonly CatchUp[], ofCopy: OfCopy): Figure[] {
  const rates = shared.map(({ rowsPerSecond }) => rowsPerSecond);
  const name = `${HISTORY}, live, two processes`;
  return [
    figureOf(name, 'rows/s', rates, 'the same log, its partitions shared'),
    figureOf(`${name}, of COPY`, 'times', ofCopy(rates), 'COPY writes by one connection', { atLeast: 0.8 }),
  ];
}

function rebuildFigures(rebuilt: readonly Rebuilt[], ofCopy: OfCopy): Figure[] {
  const name = `${HISTORY}, rebuild`;
  const rates = rebuilt.map(({ rows, seconds }) => rows / seconds);
  const loads = rebuilt.map(({ rows, phases }) => rows / (phases.load + phases.keys));
  const phase = (label: string, of: keyof RebuildReport['seconds'], how: string): Figure =>
    figureOf(
      `${name}, ${label}`,
      's',
      rebuilt.map(({ phases }) => phases[of]),
      how,
    );
  return [
    figureOf(name, 'rows/s', rates, 'the whole: connect, load, keys and indexes, comparison with the live one, swap'),
    figureOf(`${name}, of COPY`, 'times', ofCopy(rates), 'COPY compares nothing', { atLeast: 0.8 }),
    figureOf(`${name}, load and keys`, 'rows/s', loads, 'the work of COPY, plus reading, decoding and hashing the log'),
    figureOf(`${name}, load and keys, of COPY`, 'times', ofCopy(loads), 'neither compares anything'),
    phase('load', 'load', 'log read, events decoded, rows written without keys, and keys of what is loaded'),
    phase('keys', 'keys', 'the other keys and indexes built, tables analyzed'),
    phase('comparison', 'comparison', 'live writers held, each value of both generations compared'),
    phase('swap', 'swap', 'views replaced in one transaction'),
  ];
}

/** A projector's measurements on a complete log. */
interface CatchUp {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly cpuMicrosecondsPerRow: number;
  /** Of the largest process. */
  readonly peakResidentBytes: number;
}

/** Empties Postgres and runs the projector's processes over the whole log: rows a second between the first and last. */
async function measureLive(connections: Connections, log: Log, processes: number): Promise<CatchUp> {
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench');
  try {
    const group = await projectorGroup(HISTORY, connections).catch(() => undefined);
    await emptyPostgres(pool);
    await migrate(pool);
    if (group !== undefined) await deleteGroup(connections, group, log);
    const children = Array.from({ length: processes }, () =>
      startChild({ role: 'projector', connections, argument: HISTORY }),
    );
    const ended = Promise.race(children.map((child) => child.ended));
    const { seconds, shareSeen } = await untilCaughtUp(pool, connections, ended);
    const usages = await Promise.all(children.map((child) => child.stop()));
    const cpuSeconds = usages.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
    const peakResidentBytes = Math.max(...usages.map((usage) => usage.peakResidentBytes));
    const all = await countRows(pool);
    const rows = all * (1 - shareSeen);
    const cpuMicrosecondsPerRow = (cpuSeconds / all) * MICROSECONDS_PER_SECOND;
    return { rows, rowsPerSecond: rows / seconds, cpuMicrosecondsPerRow, peakResidentBytes };
  } finally {
    await pool.end();
  }
}

interface Rebuilt {
  readonly rows: number;
  readonly seconds: number;
  readonly phases: RebuildReport['seconds'];
}

/** A whole rebuild in this process, with the duration of its phases. */
async function measureRebuild(connections: Connections, log: Log): Promise<Rebuilt> {
  const startedAt = performance.now();
  const signal = new AbortController().signal;
  const { seconds: phases } = await rebuildProjector({ name: HISTORY, connections, log, signal });
  const seconds = (performance.now() - startedAt) / 1000;
  return { rows: await withPool(connections, countRows), seconds, phases };
}

/** Rows a second of COPY: the live generation's own rows, from memory, into equal tables, keys and indexes included. */
async function measureCopy(connections: Connections): Promise<number> {
  return await withPool(connections, async (pool) => {
    const schema = await liveSchema(pool);
    let rows = 0;
    let milliseconds = 0;
    for (const table of await tablesOf(pool, schema)) {
      const copied = await copyTable(pool, `${schema}.${table}`);
      rows += copied.rows;
      milliseconds += copied.milliseconds;
    }
    return rows / (milliseconds / 1000);
  });
}

/** Records a second of a whole rebuild of the latest values in Redis. */
async function measureRedisRebuild(connections: Connections, log: Log): Promise<number> {
  const startedAt = performance.now();
  const { records } = await rebuildProjector({
    name: LATEST,
    connections,
    log,
    signal: new AbortController().signal,
  });
  return records / ((performance.now() - startedAt) / 1000);
}

/** Runs a projector's process until it has read everything. */
export async function catchUpOnce(name: string, connections: Connections): Promise<Usage> {
  const child = startChild({ role: 'projector', connections, argument: name });
  const progress = async () => sumOf((await projectorStatus(name, connections))?.positions ?? []);
  await untilRead(name, connections, progress, child.ended);
  return await child.stop();
}

async function untilCaughtUp(pool: Pool, connections: Connections, ended: Promise<unknown>) {
  let first: { at: number; done: number } | undefined;
  // On a lasting connection: one for each query would be a tenth of Postgres's work meanwhile.
  const progress = async (): Promise<number> => {
    const done = await positionsIn(pool);
    if (done > 0) first ??= { at: performance.now(), done };
    return done;
  };
  const total = await untilRead(HISTORY, connections, progress, ended);
  if (first === undefined) throw new Error('the projector was never seen at work');
  return { seconds: (performance.now() - first.at) / 1000, shareSeen: first.done / total };
}

/** Records that the history has read; 0 while its tables are being created. */
async function positionsIn(pool: Pool): Promise<number> {
  const question = `SELECT sum(next_offset) AS done FROM tapeproof.projector_positions WHERE projector = $1`;
  try {
    const { rows } = await pool.query<{ done: string | null }>(question, [HISTORY]);
    return Number(rows[0]?.done ?? 0);
  } catch (error) {
    if (sqlStateOf(error) === UNDEFINED_TABLE) return 0;
    throw error;
  }
}

/** Asks until all records of a projector's topics are read. @returns their number */
async function untilRead(
  name: string,
  connections: Connections,
  progress: () => Promise<number>,
  ended: Promise<unknown>,
): Promise<number> {
  const total = await recordsOf(name, connections);
  const deadline = performance.now() + CATCH_UP_DEADLINE_MS;
  while (performance.now() < deadline) {
    if ((await progress()) >= total) return total;
    await Promise.race([wait(POLL_MS), ended]);
  }
  throw new Error(`${name} did not catch up in ${CATCH_UP_DEADLINE_MS} ms`);
}

function sumOf(positions: readonly { readonly nextOffset: number }[]): number {
  return positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0);
}

async function recordsOf(name: string, connections: Connections): Promise<number> {
  const reader = createLogReader(connections.kafkaBrokers);
  const topics = listProjectors().find((projector) => projector.name === name)?.topics ?? [];
  try {
    let records = 0;
    for (const topic of topics) {
      for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
        records += await reader.endOffset(topic, partition);
      }
    }
    return records;
  } finally {
    await reader.close();
  }
}

async function deleteGroup(connections: Connections, group: string, log: Log): Promise<void> {
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench', log);
  await withAdmin(kafka, async (admin) => {
    await admin.deleteGroups([group]).catch(() => undefined);
  });
}

async function emptyPostgres(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname = 'tapeproof' OR nspname ~ '^history_'`,
  );
  for (const { name } of rows) await pool.query(`DROP SCHEMA "${name}" CASCADE`);
  await pool.query('DROP TABLE IF EXISTS public.tapeproof_migrations');
}

async function liveSchema(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ schema: string }>(
    `SELECT schema_prefix || '_' || live AS schema FROM tapeproof.projector_generations WHERE projector = $1`,
    [HISTORY],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`${HISTORY} has no generation`);
  return row.schema;
}

/** Tables of rows, without the projector's own records. */
async function tablesOf(pool: Pool, schema: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename NOT IN ('projector_positions', 'conflicts') ORDER BY 1`,
    [schema],
  );
  return rows.map(({ name }) => name);
}

async function countRows(pool: Pool): Promise<number> {
  const schema = await liveSchema(pool);
  let count = 0;
  for (const table of await tablesOf(pool, schema)) {
    const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${schema}.${table}`);
    count += Number(rows[0]?.count);
  }
  return count;
}

async function withPool<Result>(connections: Connections, work: (pool: Pool) => Promise<Result>): Promise<Result> {
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench');
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
