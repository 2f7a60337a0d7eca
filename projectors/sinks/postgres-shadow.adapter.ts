import { createHash } from 'node:crypto';
import { copyOut, inTransaction, sqlStateOf, withClient, type Client, type Pool } from '../../platform/postgres.ts';
import type { PostgresProjector, RowInsert, Table } from '../projector.ts';
import type { Difference, Shadow } from '../sink.ts';
import { beginGeneration, positionRows, swapGeneration } from './postgres-generation.adapter.ts';
import { createKeys, orderedRows, schemaOf } from './postgres-schema.ts';
import { overtaken } from './refusals.adapter.ts';
import { createPostgresSink, liveLockName } from './postgres-sink.adapter.ts';
import { RowPack } from './row-pack.ts';

/** The live writers finish a batch within this time. */
const FREEZE_TIMEOUT_MS = 60_000;
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';
const UNIQUE_VIOLATION = '23505';

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
  await withClient(pool, (client) =>
    keysFirst ? createAllKeys(client, projector, schema) : createUnsettled(client, schema),
  );

  return {
    generation: shadow,
    live,
    position: (topic, partition) => sink.position(topic, partition),
    pack: () => new RowPack(),
    apply: (delivery) => sink.apply(delivery),
    livePositions: () => withClient(pool, (client) => positionRows(client, schemaOf(projector, live))),
    async finishLoad() {
      if (keysFirst) return true;
      try {
        await withClient(pool, (client) => createAllKeys(client, projector, schema));
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
    differences: () => withClient(pool, (client) => differencesOf(client, projector, live, shadow)),
    swap: () => swapGeneration(pool, projector, shadow),
  };
}

async function createUnsettled(client: Client, schema: string): Promise<void> {
  await client.query(
    `CREATE TABLE ${schema}.unsettled (
       topic text COLLATE "C", partition integer, log_offset bigint, table_name text, event_id text COLLATE "C", found_hash bytea)`,
  );
}

async function createAllKeys(client: Client, projector: PostgresProjector, schema: string): Promise<void> {
  // A key is built by sorting: in memory where it can be.
  await client.query(`SET maintenance_work_mem = '256MB'`);
  for (const table of projector.tables) {
    for (const statement of createKeys(schema, table)) await client.query(statement);
    await client.query(`ANALYZE ${schema}.${table.name}`);
  }
}

/** Compares the repeated records that were put off, now that there are keys. Until here they counted as duplicates. */
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

/** Held by a connection of its own: it ends with this process, whatever happens. @returns what releases it. */
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
  client: Client,
  projector: PostgresProjector,
  live: number,
  shadow: number,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  for (const table of [...projector.tables, CONFLICTS]) {
    const ofLive = await digestOf(client, schemaOf(projector, live), table);
    const ofShadow = await digestOf(client, schemaOf(projector, shadow), table);
    if (ofShadow === undefined) throw overtaken(projector.name);
    if (ofLive?.digest !== ofShadow.digest) {
      differences.push({ subject: table.name, liveCount: ofLive?.count ?? 0, shadowCount: ofShadow.count });
    }
  }
  return differences;
}

/** SHA-256 over all rows in the order of their key; undefined where the table or a column is missing. */
async function digestOf(
  client: Client,
  schema: string,
  table: Pick<Table, 'name' | 'key' | 'columns'>,
): Promise<{ digest: string; count: number } | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of copyOut(client, orderedRows(schema, table, Object.keys(table.columns)))) {
      hash.update(chunk);
    }
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${schema}.${table.name}`);
    return { digest: hash.digest('hex'), count: Number(rows[0]?.count) };
  } catch (error) {
    if ([UNDEFINED_TABLE, UNDEFINED_COLUMN].includes(sqlStateOf(error) ?? '')) return undefined;
    throw error;
  }
}
