import { TapeproofError } from '../../platform/errors.ts';
import {
  inTransaction,
  migrationSql,
  pendingMigrations,
  sqlStateOf,
  takeLock,
  withClient,
  type Client,
  type Pool,
} from '../../platform/postgres.ts';
import type { PostgresProjector } from '../projector.ts';
import type { LedgerEntry, ReadModelStatus, StoredPosition } from '../sink.ts';
import { overtaken } from './refusals.ts';
import {
  createKeys,
  createSequenceIndex,
  createTable,
  grantsOn,
  grantsOnView,
  schemaOf,
  sharedViews,
  viewsOf,
  type GenerationSchema,
  type View,
} from './postgres-schema.ts';

/** Which generation of a projector is live, and the schemas of the generations. */

const FIRST_GENERATION = 1;
/** Held while any projector changes schemas and views. */
const SCHEMA_LOCK = 7_370_002;
/** Created by migrations/generation.sql. */
const FRAME_TABLES = ['projector_positions', 'conflicts', 'root_checks'] as const;
/** A batch of an overtaken rebuild may hold locks on tables being dropped. */
const DROP_ATTEMPTS = 5;
const DEADLOCK_DETECTED = '40P01';
/** Table and schema, which existed when looked up. */
const GONE: readonly (string | undefined)[] = ['42P01', '3F000'];
/** CREATE OR REPLACE VIEW cannot remove a column. */
const INVALID_TABLE_DEFINITION = '42P16';

export interface Generations {
  readonly live: number;
  readonly building: number | null;
}

/** Prepares the live generation: its missing schema, tables and views are created, empty. */
export function ensureLive(pool: Pool, projector: PostgresProjector): Promise<Generations> {
  return inTransaction(pool, async (client) => {
    await lockSchemas(client);
    await client.query(
      `INSERT INTO tapeproof.projector_generations (projector, schema_prefix, live, latest)
       VALUES ($1, $2, $3, $3) ON CONFLICT (projector) DO NOTHING`,
      [projector.name, projector.schema, FIRST_GENERATION],
    );
    const generations = await generationsOf(client, projector.name);
    if (generations === undefined) throw new RangeError('the row was just written');
    await createWhatIsMissing(client, projector, generations.live);
    await grant(client, projector, generations.live);
    await assertColumns(client, projector, generations.live);
    await createAllViews(client, projector, generations.live);
    return generations;
  });
}

/**
 * The live generation as prepared by another role, for a role that may create nothing.
 *
 * @throws TapeproofError CONFIGURATION where something is missing or of another version.
 */
export function findLive(pool: Pool, projector: PostgresProjector): Promise<Generations> {
  return withClient(pool, async (client) => {
    const pending = await pendingMigrations(client);
    const generations = pending.length > 0 ? undefined : await generationsOf(client, projector.name);
    if (generations === undefined || (await missingFrom(client, projector, generations.live)).length > 0) {
      throw new TapeproofError(
        'CONFIGURATION',
        `The tables of ${projector.name} do not exist yet, and the connecting role may not create them: run "npx tapeproof migrate" with TAPEPROOF_POSTGRES_MIGRATOR_URL set to a role that may.`,
      );
    }
    await assertColumns(client, projector, generations.live);
    return generations;
  });
}

export async function generationsOf(client: Client, projector: string): Promise<Generations | undefined> {
  const { rows } = await client.query<Generations>(
    'SELECT live, building FROM tapeproof.projector_generations WHERE projector = $1',
    [projector],
  );
  return rows[0];
}

/**
 * Allocates a new generation and drops every schema of the projector except the live one's. Its tables have no keys
 * yet.
 */
export async function beginGeneration(
  pool: Pool,
  projector: PostgresProjector,
): Promise<{ readonly live: number; readonly shadow: number }> {
  // Committed first: a rebuild under way notices at its next batch that it was overtaken.
  const { live, building } = await withClient(pool, async (client) => {
    const { rows } = await client.query<{ live: number; building: number }>(
      `UPDATE tapeproof.projector_generations SET latest = latest + 1, building = latest + 1
        WHERE projector = $1 RETURNING live, building`,
      [projector.name],
    );
    if (rows[0] === undefined) throw new RangeError('a live generation comes first');
    return rows[0];
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      await dropOthers(pool, projector, live);
      break;
    } catch (error) {
      if (sqlStateOf(error) !== DEADLOCK_DETECTED || attempt === DROP_ATTEMPTS) throw error;
    }
  }
  await inTransaction(pool, async (client) => {
    await lockSchemas(client);
    await createFrame(client, projector, building);
    // Its progress can be read from now on.
    await createSharedViews(client);
  });
  return { live, shadow: building };
}

function dropOthers(pool: Pool, projector: PostgresProjector, live: number): Promise<void> {
  return inTransaction(pool, async (client) => {
    await lockSchemas(client);
    const { rows } = await client.query<{ name: string }>(
      'SELECT nspname AS name FROM pg_namespace WHERE nspname ~ $1 AND nspname <> $2',
      [`^${projector.schema}_[0-9]+$`, schemaOf(projector, live)],
    );
    for (const { name } of rows) await client.query(`DROP SCHEMA ${name} CASCADE`);
  });
}

/** Makes the shadow live, and points the stable views at it. @throws TapeproofError when another rebuild took over. */
export function swapGeneration(pool: Pool, projector: PostgresProjector, shadow: number): Promise<void> {
  return inTransaction(pool, async (client) => {
    await lockSchemas(client);
    const { rowCount } = await client.query(
      'UPDATE tapeproof.projector_generations SET live = $2, building = NULL WHERE projector = $1 AND building = $2',
      [projector.name, shadow],
    );
    if (rowCount !== 1) throw overtaken(projector.name);
    await createAllViews(client, projector, shadow);
  });
}

/** The stored status; undefined where nothing is stored yet. */
export async function statusOf(client: Client, projector: PostgresProjector): Promise<ReadModelStatus | undefined> {
  const { rows: present } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('tapeproof.projector_generations') IS NOT NULL AS present`,
  );
  if (present[0]?.present !== true) return undefined;
  const generations = await generationsOf(client, projector.name);
  if (generations === undefined) return undefined;
  const schema = schemaOf(projector, generations.live);
  const rows = (await mayUse(client, schema))
    ? await positionRows(client, schema)
    : await publicPositionRows(client, projector.name);
  return { generation: generations.live, positions: rows, ledger: rows };
}

/** False for a role that reads only the stable views. */
async function mayUse(client: Client, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT has_schema_privilege(oid, 'USAGE') AS may FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  return rows[0]?.may !== false;
}

/** Like {@link positionRows}, from the stable views. */
async function publicPositionRows(
  client: Client,
  projector: string,
): Promise<readonly (StoredPosition & LedgerEntry)[]> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT topic, partition, tape_id, next_offset, next_sequence, read, applied, duplicate, conflict, dead, ignored
       FROM tapeproof.projector_positions JOIN tapeproof.projector_ledger USING (projector, generation, topic, partition)
      WHERE projector = $1 ORDER BY topic, partition`,
    [projector],
  );
  return rows.map(positionOf);
}

/** Positions and ledger of a generation; empty where its tables are gone, even if they vanish during the query. */
export async function positionRows(client: Client, schema: string): Promise<readonly (StoredPosition & LedgerEntry)[]> {
  try {
    return await presentPositionRows(client, schema);
  } catch (error) {
    if (GONE.includes(sqlStateOf(error))) return [];
    throw error;
  }
}

async function presentPositionRows(client: Client, schema: string): Promise<readonly (StoredPosition & LedgerEntry)[]> {
  const { rows: present } = await client.query<{ present: boolean }>('SELECT to_regclass($1) IS NOT NULL AS present', [
    `${schema}.projector_positions`,
  ]);
  if (present[0]?.present !== true) return [];
  const { rows } = await client.query<Record<string, string>>(
    `SELECT topic, partition, tape_id, next_offset, next_sequence, read, applied, duplicate, conflict, dead, ignored
       FROM ${schema}.projector_positions ORDER BY topic, partition`,
  );
  return rows.map(positionOf);
}

function positionOf(row: Readonly<Record<string, string>>): StoredPosition & LedgerEntry {
  return {
    topic: row['topic'] ?? '',
    partition: Number(row['partition']),
    tapeId: row['tape_id'] ?? '',
    nextOffset: Number(row['next_offset']),
    nextSequence: Number(row['next_sequence']),
    read: Number(row['read']),
    applied: Number(row['applied']),
    duplicate: Number(row['duplicate']),
    conflict: Number(row['conflict']),
    dead: Number(row['dead']),
    ignored: Number(row['ignored']),
  };
}

async function lockSchemas(client: Client): Promise<void> {
  await takeLock(client, SCHEMA_LOCK);
}

async function createFrame(client: Client, projector: PostgresProjector, generation: number): Promise<void> {
  const schema = schemaOf(projector, generation);
  await client.query((await migrationSql('generation.sql')).replaceAll('{schema}', schema));
  for (const table of projector.tables) await client.query(createTable(schema, table));
  await grant(client, projector, generation);
}

/** Grants access to the existing roles, including those created after the tables. */
async function grant(client: Client, projector: PostgresProjector, generation: number): Promise<void> {
  for (const statement of grantsOn(schemaOf(projector, generation), projector)) await client.query(statement);
}

/** Names of a generation's missing tables. */
async function missingFrom(
  client: Client,
  projector: PostgresProjector,
  generation: number,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
    [schemaOf(projector, generation)],
  );
  const present = new Set(rows.map(({ name }) => name));
  return [...FRAME_TABLES, ...projector.tables.map(({ name }) => name)].filter((name) => !present.has(name));
}

async function createWhatIsMissing(client: Client, projector: PostgresProjector, generation: number): Promise<void> {
  const schema = schemaOf(projector, generation);
  const names = await missingFrom(client, projector, generation);
  if (names.length === 0) return;
  const missing = projector.tables.filter(({ name }) => names.includes(name));
  await createFrame(client, projector, generation);
  for (const table of missing) {
    for (const statement of createKeys(schema, table)) await client.query(statement);
  }
  // An earlier version made the tables without it.
  for (const statement of projector.tables.flatMap((table) => createSequenceIndex(schema, table))) {
    await client.query(statement);
  }
  // Positions and comparisons describe the tables' content: a table that begins empty is read from the beginning.
  if (missing.length > 0) await client.query(`TRUNCATE ${schema}.projector_positions, ${schema}.root_checks`);
}

/** A table of another version of the projector cannot be written by this one. */
async function assertColumns(client: Client, projector: PostgresProjector, generation: number): Promise<void> {
  const { rows } = await client.query<{ table_name: string; columns: string[] }>(
    `SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS columns
       FROM information_schema.columns WHERE table_schema = $1 GROUP BY table_name`,
    [schemaOf(projector, generation)],
  );
  for (const table of projector.tables) {
    const actual = rows.find(({ table_name: name }) => name === table.name)?.columns.join(' ');
    if (actual !== Object.keys(table.columns).join(' ')) {
      throw new TapeproofError(
        'CONFIGURATION',
        `Table ${schemaOf(projector, generation)}.${table.name} was created by another version of ${projector.name}: run "npx tapeproof projector rebuild ${projector.name} --approve-difference".`,
      );
    }
  }
}

async function createAllViews(client: Client, projector: PostgresProjector, generation: number): Promise<void> {
  for (const view of viewsOf(projector, generation)) await createView(client, view);
  await createSharedViews(client);
}

async function createSharedViews(client: Client): Promise<void> {
  const present = async (generation: 'live' | 'building'): Promise<readonly GenerationSchema[]> => {
    const { rows } = await client.query<GenerationSchema>(
      `SELECT projector, ${generation} AS generation, schema_prefix || '_' || ${generation} AS schema,
              to_regclass(schema_prefix || '_' || ${generation} || '.root_checks') IS NOT NULL AS "hasRootChecks"
         FROM tapeproof.projector_generations
        WHERE to_regclass(schema_prefix || '_' || ${generation} || '.projector_positions') IS NOT NULL
        ORDER BY projector`,
    );
    return rows;
  };
  for (const view of sharedViews(await present('live'), await present('building'))) await createView(client, view);
}

async function createView(client: Client, view: View): Promise<void> {
  await replaceView(client, view);
  for (const statement of grantsOnView(view.name)) await client.query(statement);
}

async function replaceView(client: Client, { name, query }: View): Promise<void> {
  await client.query('SAVEPOINT before_view');
  try {
    await client.query(`CREATE OR REPLACE VIEW tapeproof.${name} AS ${query}`);
  } catch (error) {
    if (sqlStateOf(error) !== INVALID_TABLE_DEFINITION) throw error;
    await client.query('ROLLBACK TO SAVEPOINT before_view');
    await client.query(`DROP VIEW tapeproof.${name}`);
    await client.query(`CREATE VIEW tapeproof.${name} AS ${query}`);
  }
}
