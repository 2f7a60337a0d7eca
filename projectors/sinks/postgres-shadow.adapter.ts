import type { TopicName } from '../../contracts/topics.ts';
import { inTransaction, sqlStateOf, withClient, type Client, type Pool } from '../../platform/postgres.ts';
import type { PostgresProjector, RowInsert, Table } from '../projector.ts';
import type { Difference, Shadow } from '../sink.ts';
import { beginGeneration, positionRows, swapGeneration } from './postgres-generation.adapter.ts';
import { createKeys, firstDifference, schemaOf } from './postgres-schema.ts';
import { overtaken } from './refusals.ts';
import { createPostgresSink, liveLockName } from './postgres-sink.adapter.ts';

/** The live writers finish a batch within this time. */
const FREEZE_TIMEOUT_MS = 60_000;
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';
const UNIQUE_VIOLATION = '23505';
/** A column whose type differs from the projector's, because another version created it. */
const OTHER_TYPE: readonly (string | undefined)[] = ['42804', '42883'];
/** How many tables have keys built, or generations compared, in parallel. */
const CONNECTIONS = 2;
/** For sorting a key, and for joining two generations of a table: in memory where possible. */
const SORT_MEMORY = '256MB';
const JOIN_MEMORY = '32MB';

const CONFLICTS: Pick<Table, 'name' | 'key' | 'columns'> = {
  name: 'conflicts',
  key: ['topic', 'partition', 'log_offset'],
  columns: {
    topic: 'text',
    partition: 'integer',
    log_offset: 'bigint',
    event_id: 'text',
    stored_hash: 'bytea null',
    found_hash: 'bytea',
  },
};

/** A new, empty generation beside the live one. Loading is quicker without keys; see `finishLoad`. */
export async function beginShadow(
  pool: Pool,
  projector: PostgresProjector,
  tapeId: string,
  keysFirst: boolean,
): Promise<Shadow<RowInsert>> {
  const { live, shadow } = await beginGeneration(pool, projector);
  const schema = schemaOf(projector, shadow);
  const settings = { pool, projector, tapeId, generation: shadow, role: 'building' } as const;
  let sink = createPostgresSink({ ...settings, withKeys: keysFirst });
  let release: (() => Promise<void>) | undefined;
  const keys = new KeyBuilder(pool, projector.tables, schema);
  if (keysFirst) await keys.finish();
  else await withClient(pool, (client) => createUnsettled(client, schema));

  return {
    generation: shadow,
    live,
    position: (topic, partition) => sink.position(topic, partition),
    pack: () => sink.pack(),
    apply: (sinkBatch) => sink.apply(sinkBatch),
    livePositions: () => withClient(pool, (client) => positionRows(client, schemaOf(projector, live))),
    loaded(topic) {
      keys.begin(topic);
    },
    async finishLoad() {
      if (keysFirst) return true;
      try {
        await keys.finish();
      } catch (error) {
        if (sqlStateOf(error) === UNIQUE_VIOLATION) return false;
        throw sqlStateOf(error) === UNDEFINED_TABLE ? overtaken(projector.name) : error;
      }
      await inTransaction(pool, (client) => settle(client, projector, schema));
      sink = createPostgresSink({ ...settings, withKeys: true });
      return true;
    },
    async freeze() {
      release = await holdLiveLock(pool, projector.name);
    },
    async release() {
      await release?.();
      release = undefined;
    },
    differences: () => differencesOf(pool, projector, live, shadow),
    swap: () => swapGeneration(pool, projector, shadow),
  };
}

async function createUnsettled(client: Client, schema: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${schema}.unsettled (
       topic text COLLATE "C", partition integer, log_offset bigint, table_name text, event_id text COLLATE "C", found_hash bytea)`,
  );
}

/** Builds the keys of a generation's tables, each once. */
class KeyBuilder {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #left: Set<Table>;
  /** Of the tables that were loaded before others: one at a time, since loading needs a processor too. */
  #begun = Promise.resolve();

  constructor(pool: Pool, tables: readonly Table[], schema: string) {
    this.#pool = pool;
    this.#schema = schema;
    this.#left = new Set(tables);
  }

  /** Begins with the tables that have rows of this topic only. */
  begin(topic: TopicName): void {
    for (const table of this.#left) {
      if ((table.topic ?? table.output) !== topic) continue;
      this.#left.delete(table);
      this.#begun = this.#begun.then(() => withClient(this.#pool, (client) => this.#build(client, table)));
    }
    // For `finish`, which may never come.
    this.#begun.catch(() => undefined);
  }

  /** Builds the others, and waits for all. @throws the first error, also of what was begun before */
  async finish(): Promise<void> {
    const left = [...this.#left];
    this.#left.clear();
    const rest = sideBySide(this.#pool, left, (client, table) => this.#build(client, table));
    const ends = await Promise.allSettled([this.#begun, rest]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #build(client: Client, table: Table): Promise<void> {
    await client.query(`SET maintenance_work_mem = '${SORT_MEMORY}'`);
    for (const statement of createKeys(this.#schema, table)) await client.query(statement);
    await client.query(`ANALYZE ${this.#schema}.${table.name}`);
  }
}

/** Works on tables over a few connections; results are in the order of the tables. */
async function sideBySide<Of, Result>(
  pool: Pool,
  tables: readonly Of[],
  work: (client: Client, table: Of) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = tables.entries();
  const worker = async (client: Client): Promise<void> => {
    for (const [index, table] of waiting) results[index] = await work(client, table);
  };
  const ends = await Promise.allSettled(Array.from({ length: CONNECTIONS }, () => withClient(pool, worker)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}

/** Compares the deferred repeated records, now that keys exist. Until now they counted as duplicates. */
async function settle(client: Client, projector: PostgresProjector, schema: string): Promise<void> {
  for (const table of projector.tables) {
    if (table.columns['body_hash'] === undefined) continue;
    await client.query(
      `INSERT INTO ${schema}.conflicts (topic, partition, log_offset, event_id, stored_hash, found_hash)
       SELECT u.topic, u.partition, u.log_offset, u.event_id, stored.body_hash, u.found_hash
         FROM ${schema}.unsettled AS u LEFT JOIN ${schema}.${table.name} AS stored ON stored.${table.key[0] ?? ''} = u.event_id
        WHERE u.table_name = $1 AND stored.body_hash IS DISTINCT FROM u.found_hash`,
      [table.name],
    );
  }
  await client.query(
    `UPDATE ${schema}.projector_positions AS p
        SET conflict = conflict + c.found, duplicate = duplicate - c.found
       FROM (SELECT topic, partition, count(*) AS found FROM ${schema}.conflicts GROUP BY topic, partition) AS c
      WHERE c.topic = p.topic AND c.partition = p.partition`,
  );
  await client.query(`DROP TABLE ${schema}.unsettled`);
}

/**
 * Held by a separate connection, so it ends with this process, whatever happens. @returns the function that releases
 * it.
 */
async function holdLiveLock(pool: Pool, projector: string): Promise<() => Promise<void>> {
  const released = Promise.withResolvers<undefined>();
  const held = Promise.withResolvers<undefined>();
  const holding = withClient(pool, async (client) => {
    await client.query(`SET lock_timeout = ${FREEZE_TIMEOUT_MS}`);
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [liveLockName(projector)]);
    held.resolve(undefined);
    await released.promise;
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [liveLockName(projector)]);
    await client.query('RESET lock_timeout');
  });
  holding.catch(held.reject);
  await held.promise;
  return () => {
    released.resolve(undefined);
    return holding;
  };
}

async function differencesOf(
  pool: Pool,
  projector: PostgresProjector,
  live: number,
  shadow: number,
): Promise<readonly Difference[]> {
  const [ofLive, ofShadow] = [schemaOf(projector, live), schemaOf(projector, shadow)];
  const found = await sideBySide(pool, [...projector.tables, CONFLICTS], async (client, table) => {
    const first = await firstDifferenceOf(client, table, ofLive, ofShadow);
    if (first === null) return undefined;
    const shadowCount = await rowsOf(client, ofShadow, table);
    if (shadowCount === undefined) throw overtaken(projector.name);
    return { subject: table.name, liveCount: (await rowsOf(client, ofLive, table)) ?? 0, shadowCount, first };
  });
  return found.filter((difference) => difference !== undefined);
}

/**
 * Null where two generations of a table have the same rows, byte for byte; else the key of the first that differs, or
 * undefined where they cannot be compared.
 */
async function firstDifferenceOf(
  client: Client,
  table: Pick<Table, 'name' | 'key' | 'columns'>,
  live: string,
  shadow: string,
): Promise<string | null | undefined> {
  await client.query(`SET work_mem = '${JOIN_MEMORY}'`);
  try {
    const { rows } = await client.query<{ first: string | null }>(firstDifference(table, live, shadow));
    return rows[0]?.first;
  } catch (error) {
    const state = sqlStateOf(error) ?? '';
    if ([UNDEFINED_TABLE, UNDEFINED_COLUMN, ...OTHER_TYPE].includes(state)) return undefined;
    throw error;
  }
}

/** Number of a table's rows; undefined where the table or a column is missing. */
async function rowsOf(
  client: Client,
  schema: string,
  { name, columns }: Pick<Table, 'name' | 'columns'>,
): Promise<number | undefined> {
  const all = Object.keys(columns).join(', ');
  try {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) AS count FROM (SELECT ${all} FROM ${schema}.${name}) AS present`,
    );
    return Number(rows[0]?.count);
  } catch (error) {
    if ([UNDEFINED_TABLE, UNDEFINED_COLUMN].includes(sqlStateOf(error) ?? '')) return undefined;
    throw error;
  }
}
