import pg from 'pg';
import { TapeproofError } from './errors.ts';
import { tlsRefusal } from './security/tls.ts';

/** The SQLSTATE of a server's error; undefined for any error that is not the server's answer. */
export function sqlStateOf(error: unknown): string | undefined {
  const cause = error instanceof TapeproofError ? error.cause : error;
  // The form alone does not decide: EPIPE is five capitals, too.
  return cause instanceof pg.DatabaseError ? cause.code : undefined;
}

/**
 * The server's refusals when it cannot do its work, by the beginning of the SQLSTATE, and what to do. A retry succeeds
 * once the cause is gone. Errors missing here are mistakes in the statement.
 */
const REFUSALS: readonly (readonly [state: string, sentence: (reason: string) => string])[] = [
  [
    '28',
    (reason) =>
      `Postgres refuses the login (${reason}): set TAPEPROOF_POSTGRES_URL to a user and password that it knows.`,
  ],
  [
    '3D000',
    (reason) =>
      `Postgres does not have the database (${reason}): create it, or set TAPEPROOF_POSTGRES_URL to one that exists.`,
  ],
  [
    '42501',
    (reason) =>
      `Postgres does not allow this user to do this (${reason}): grant it; for schemas and tables run "npx tapeproof migrate" with TAPEPROOF_POSTGRES_MIGRATOR_URL set to a role that may. docs/security.md lists what each role needs.`,
  ],
  [
    '25006',
    (reason) =>
      `Postgres is read-only (${reason}): set TAPEPROOF_POSTGRES_URL to the primary, or end its recovery or default_transaction_read_only.`,
  ],
  [
    '53100',
    (reason) => `The disk of Postgres is full (${reason}): free space on it; writing then continues without a restart.`,
  ],
  ['53200', (reason) => `Postgres is out of memory (${reason}): give it more, or end other work on it.`],
  ['53300', (reason) => `Postgres has no connection left (${reason}): end other clients, or raise max_connections.`],
  ['53', (reason) => `Postgres is at one of its limits (${reason}): raise it, or end other work on it.`],
  [
    '55P03',
    (reason) =>
      `Another session holds a lock in Postgres (${reason}): it is retried; "SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE granted)" shows which.`,
  ],
  ['57014', (reason) => `Postgres gave up a statement (${reason}): look in pg_stat_activity for what slows it down.`],
  [
    '57P03',
    (reason) => `Postgres does not take connections yet (${reason}): it is starting or stopping; wait, or see its log.`,
  ],
  ['57P04', (reason) => `The database was dropped in Postgres (${reason}): create it and run "npx tapeproof migrate".`],
  [
    '57P',
    (reason) =>
      `Postgres ended the connection (${reason}): it is shut down or restarted; start it again if it stays away.`,
  ],
  ['25P', (reason) => `Postgres gave up a transaction (${reason}): it is retried.`],
  ['40', (reason) => `Postgres gave up a transaction in favour of another one (${reason}): it is retried.`],
  ['55006', (reason) => `Postgres cannot change an object that another session uses (${reason}): it is retried.`],
  ['58', (reason) => `Postgres cannot read or write its files (${reason}): see its log and its disk.`],
  ['XX', (reason) => `Postgres had an internal error (${reason}): see its log.`],
  ['08', (reason) => `The connection to Postgres broke (${reason}): it is retried.`],
];

/** Returns an outage as TapeproofError UNREACHABLE, with what to do; any other error unchanged. */
export function postgresError(error: unknown): unknown {
  if (error instanceof TapeproofError || !(error instanceof Error)) return error;
  const state = sqlStateOf(error);
  if (state !== undefined) {
    const refusal = REFUSALS.find(([beginning]) => state.startsWith(beginning));
    if (refusal === undefined) return error;
    const [, sentence] = refusal;
    return new TapeproofError('UNREACHABLE', sentence(error.message), { cause: error });
  }
  const refusal = tlsRefusal(error, 'POSTGRES');
  if (refusal !== undefined) return new TapeproofError('UNREACHABLE', `Postgres ${refusal}`, { cause: error });
  // Not the server's answer: the connection broke, or was never made.
  if (!isConnectionError(error)) return error;
  return new TapeproofError(
    'UNREACHABLE',
    `Postgres does not answer (${reasonOf(error)}): start the services with "npx tapeproof stack up", or set TAPEPROOF_POSTGRES_URL to its address.`,
    { cause: error },
  );
}

function isConnectionError(error: Error): boolean {
  return (
    'syscall' in error ||
    ('code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code)) ||
    error instanceof AggregateError ||
    /connection|timeout|not queryable|pool after calling end/i.test(error.message)
  );
}

function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.message;
}
