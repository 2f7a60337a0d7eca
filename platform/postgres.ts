import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { TapeproofError } from './errors.ts';
import type { Probe } from './health/probe.ts';
import { postgresError } from './postgres-errors.ts';
import { WatchedPool } from './postgres-pool.ts';
import { postgresConnection } from './postgres-tls.ts';

export { sqlStateOf } from './postgres-errors.ts';

const CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** A statement of a batch takes milliseconds; building the keys of a rebuilt table may take minutes. */
const STATEMENT_TIMEOUT_MS = 600_000;
/** Longer than any of our processes holds a table: a longer holder is reported, and the write is retried. */
const LOCK_TIMEOUT_MS = 5_000;
/** For locks of our own processes: one waits while another migrates, or drops a generation. */
const QUEUE_TIMEOUT_MS = 60_000;
/** A transaction in which nothing happens was left by a connection that broke. */
const IDLE_TRANSACTION_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Whatever the server's settings are. */
const ONE_TEXT_PER_VALUE = [
  'TimeZone=UTC',
  'DateStyle=ISO',
  'IntervalStyle=postgres',
  'bytea_output=hex',
  'extra_float_digits=1',
];
/**
 * Seconds, except the count: if our machine is gone, the server releases our locks within half a minute, not two hours.
 */
const SERVER_KEEPALIVE = ['tcp_keepalives_idle=10', 'tcp_keepalives_interval=5', 'tcp_keepalives_count=3'];

const MIGRATIONS = new URL('../migrations/', import.meta.url);
const MIGRATION_NAME = /^\d{3}_[a-z0-9_]+\.sql$/;
/** Allows one migration at a time, whoever runs it. */
const MIGRATION_LOCK = 7_370_001;

export type Pool = WatchedPool;
export type Client = pg.PoolClient;

/** @param url `postgres://user:password@host:port/database`; never repeated in a message, it may hold a password. */
export function createPool(url: string, applicationName: string): Pool {
  return new WatchedPool(poolOptions(url, applicationName, STATEMENT_TIMEOUT_MS, ONE_TEXT_PER_VALUE));
}

/**
 * A pool whose sessions only read, whatever their role may do.
 *
 * @param statementTimeoutMs - the server gives up a statement that takes longer.
 */
export function createReaderPool(url: string, applicationName: string, statementTimeoutMs: number): Pool {
  const session = [...ONE_TEXT_PER_VALUE, 'default_transaction_read_only=on'];
  return new WatchedPool(poolOptions(url, applicationName, statementTimeoutMs, session));
}

function poolOptions(
  url: string,
  applicationName: string,
  statementTimeoutMs: number,
  session: readonly string[],
): pg.PoolConfig {
  return {
    ...postgresConnection(url),
    application_name: applicationName,
    max: CONNECTIONS_MAX,
    min: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: false,
    options: [...session, ...SERVER_KEEPALIVE].map((setting) => `-c ${setting}`).join(' '),
  };
}

/** An empty query, on a separate connection that is remade after a failure. */
export function postgresProbe(url: string, applicationName: string): Probe {
  let client: pg.Client | undefined;
  const discard = async (): Promise<void> => {
    const broken = client;
    client = undefined;
    await broken?.end().catch(() => undefined);
  };
  return {
    dependency: 'postgres',
    async check() {
      try {
        if (client === undefined) {
          client = new pg.Client({
            ...postgresConnection(url),
            application_name: applicationName,
            connectionTimeoutMillis: PROBE_TIMEOUT_MS,
            query_timeout: PROBE_TIMEOUT_MS,
            keepAlive: true,
          });
          client.on('error', () => undefined);
          await client.connect();
        }
        await client.query('SELECT');
      } catch (error) {
        void discard();
        throw error;
      }
    },
    close: discard,
  };
}

/** Runs `work` on one connection, which is discarded if `work` fails. @throws TapeproofError UNREACHABLE */
export async function withClient<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  let client: Client;
  try {
    client = await pool.connect();
  } catch (error) {
    throw postgresError(error);
  }
  let failure: Error | undefined;
  const onError = (error: Error): void => {
    failure ??= error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    failure ??= error instanceof Error ? error : new Error(String(error));
    throw postgresError(error);
  } finally {
    client.off('error', onError);
    client.release(failure);
  }
}

/** In a transaction: waits for locks of our own processes, within a time limit. */
export async function takeLock(client: Client, lock: number): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${QUEUE_TIMEOUT_MS}`);
  await client.query('SELECT pg_advisory_xact_lock($1)', [lock]);
}

/** Like {@link withClient}, inside one transaction. */
export function inTransaction<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(pool, async (client) => {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });
}

/** Appends rows in one of COPY's formats. @returns number of rows. */
export async function copyRows(
  client: Client,
  table: string,
  columns: readonly string[],
  rows: Buffer,
  format: 'text' | 'binary' = 'binary',
): Promise<number> {
  const stream = client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN (FORMAT ${format})`));
  // A server that dies is reported twice: the second time no other listener is left.
  stream.on('error', () => undefined);
  const written = finished(stream);
  stream.end(rows);
  await written;
  return stream.rowCount;
}

/** The rows of a query in COPY's text format, in chunks. */
export function copyOut(client: Client, query: string): AsyncIterable<Buffer> {
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT`));
  stream.on('error', () => undefined);
  return stream;
}

export interface MigrationReport {
  readonly name: string;
  readonly action: 'applied' | 'unchanged';
}

/**
 * Applies the numbered files of migrations/ that are not yet applied, each in its own transaction.
 *
 * @throws TapeproofError CHECK_FAILED when a file that was applied has changed since; UNREACHABLE.
 */
export function migrate(pool: Pool): Promise<readonly MigrationReport[]> {
  return withClient(pool, async (client) => {
    await client.query(`SET lock_timeout = ${QUEUE_TIMEOUT_MS}`);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // In the schema that the migrations create, so that dropping it drops their record too.
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS tapeproof;
      CREATE TABLE IF NOT EXISTS tapeproof.migrations (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const reports: MigrationReport[] = [];
    for (const name of (await readdir(MIGRATIONS)).filter((file) => MIGRATION_NAME.test(file)).sort()) {
      reports.push(await migrateOne(client, name));
    }
    await client.query(await migrationSql('access.sql'));
    // On an error the connection is discarded, and the lock with it.
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await client.query('RESET lock_timeout');
    return reports;
  });
}

/** Whether the connecting role may create schemas in this database. */
export function mayDefine(pool: Pool): Promise<boolean> {
  return withClient(pool, async (client) => {
    const { rows } = await client.query<{ may: boolean }>(
      `SELECT has_database_privilege(current_database(), 'CREATE') AS may`,
    );
    return rows[0]?.may === true;
  });
}

/** The numbered files of migrations/ that are not yet applied; all of them where the migrations table is missing. */
export async function pendingMigrations(client: Client): Promise<readonly string[]> {
  const names = (await readdir(MIGRATIONS)).filter((file) => MIGRATION_NAME.test(file)).sort();
  const { rows: present } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('tapeproof.migrations') IS NOT NULL AS present`,
  );
  if (present[0]?.present !== true) return names;
  const { rows } = await client.query<{ name: string }>('SELECT name FROM tapeproof.migrations');
  return names.filter((name) => !rows.some((row) => row.name === name));
}

async function migrateOne(client: Client, name: string): Promise<MigrationReport> {
  const sql = await migrationSql(name);
  const checksum = createHash('sha256').update(sql).digest('hex');
  const { rows } = await client.query<{ checksum: string }>(
    'SELECT checksum FROM tapeproof.migrations WHERE name = $1',
    [name],
  );
  const applied = rows[0];
  if (applied !== undefined) {
    if (applied.checksum === checksum) return { name, action: 'unchanged' };
    throw new TapeproofError(
      'CHECK_FAILED',
      `migrations/${name} was changed after it was applied to this database: restore the file and put the change into a new one.`,
    );
  }
  await client.query('BEGIN');
  await client.query(sql);
  await client.query('INSERT INTO tapeproof.migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
  await client.query('COMMIT');
  return { name, action: 'applied' };
}

/** Text of a file in migrations/. */
export function migrationSql(name: string): Promise<string> {
  return readFile(new URL(name, MIGRATIONS), 'utf8');
}
