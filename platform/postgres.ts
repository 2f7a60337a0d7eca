import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { TapeproofError } from './errors.ts';
import type { Probe } from './health/probe.ts';
import { postgresConnection } from './postgres-tls.ts';
import { tlsRefusal } from './security/tls.ts';

const CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** A statement of a batch takes milliseconds; building the keys of a rebuilt table may take minutes. */
const STATEMENT_TIMEOUT_MS = 600_000;
const PROBE_TIMEOUT_MS = 2_000;

const MIGRATIONS = new URL('../migrations/', import.meta.url);
const MIGRATION_NAME = /^\d{3}_[a-z0-9_]+\.sql$/;
/** One migration at a time, whoever runs it. */
const MIGRATION_LOCK = 7_370_001;

export type Pool = pg.Pool;
export type Client = pg.PoolClient;

/** @param url `postgres://user:password@host:port/database`; never repeated in a message, it may hold a password. */
export function createPool(url: string, applicationName: string): Pool {
  const pool = new pg.Pool({
    ...postgresConnection(url),
    application_name: applicationName,
    max: CONNECTIONS_MAX,
    min: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: false,
    // One text per value, wherever the server stands.
    options: '-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex -c extra_float_digits=1',
  });
  // An idle connection that breaks is replaced at its next use; without a listener the error would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Asks for nothing, on a connection of its own that is made again after a failure. */
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

/** Runs `work` on one connection, which is thrown away where `work` fails. @throws TapeproofError UNREACHABLE */
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

/** As {@link withClient}, inside one transaction. */
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
  // A server that dies is reported twice: the second time nobody else listens any more.
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

/** SQLSTATE of a server's error. */
export function sqlStateOf(error: unknown): string | undefined {
  const cause = error instanceof TapeproofError ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code) ? cause.code : undefined;
}

/** Outages by SQLSTATE: connection, resources, operator's intervention, and collisions that a repetition mends. */
const TRANSIENT_STATES = /^(08|53|57P|40001|40P01|55P03)/;

/** An outage as TapeproofError UNREACHABLE; anything else as it is. */
function postgresError(error: unknown): unknown {
  if (error instanceof TapeproofError || !(error instanceof Error)) return error;
  const refusal = tlsRefusal(error, 'POSTGRES');
  if (refusal !== undefined) return new TapeproofError('UNREACHABLE', `Postgres ${refusal}`, { cause: error });
  const state = sqlStateOf(error);
  if (state !== undefined && !TRANSIENT_STATES.test(state)) {
    if (state === '28P01' || state === '28000' || state === '3D000') {
      return new TapeproofError(
        'UNREACHABLE',
        `Postgres does not let us in (${error.message}): set TAPEPROOF_POSTGRES_URL to a user and database that exist.`,
        { cause: error },
      );
    }
    return error;
  }
  // Without an SQLSTATE it is no server's answer: the connection broke, or never was.
  if (state === undefined && !isConnectionError(error)) return error;
  return new TapeproofError(
    'UNREACHABLE',
    `Postgres does not answer (${reasonOf(error)}): start the services with "npx tapeproof stack up", or set TAPEPROOF_POSTGRES_URL to where it is.`,
    { cause: error },
  );
}

function isConnectionError(error: Error): boolean {
  return (
    'syscall' in error || error instanceof AggregateError || /connection|timeout|not queryable/i.test(error.message)
  );
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.message;
}

export interface MigrationReport {
  readonly name: string;
  readonly action: 'applied' | 'unchanged';
}

/**
 * Applies the numbered files of migrations/ that are not applied yet, each in its transaction.
 *
 * @throws TapeproofError CHECK_FAILED when a file that was applied has changed since; UNREACHABLE.
 */
export function migrate(pool: Pool): Promise<readonly MigrationReport[]> {
  return withClient(pool, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // In the schema that the migrations make, so that dropping it takes their record along.
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS tapeproof;
      CREATE TABLE IF NOT EXISTS tapeproof.migrations (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const reports: MigrationReport[] = [];
    for (const name of (await readdir(MIGRATIONS)).filter((file) => MIGRATION_NAME.test(file)).sort()) {
      reports.push(await migrateOne(client, name));
    }
    // On an error the connection is thrown away, and the lock with it.
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    return reports;
  });
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
