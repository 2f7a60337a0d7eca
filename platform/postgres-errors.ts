import pg from 'pg';
import { TapeproofError } from './errors.ts';
import { tlsRefusal } from './security/tls.ts';

/** SQLSTATE of a server's error; undefined for what is not an answer of the server. */
export function sqlStateOf(error: unknown): string | undefined {
  const cause = error instanceof TapeproofError ? error.cause : error;
  // Not by its form alone: EPIPE is five capitals, too.
  return cause instanceof pg.DatabaseError ? cause.code : undefined;
}

/**
 * What the server says when it cannot do its work, by the beginning of the SQLSTATE, and what to do about it. A repetition
 * mends each of them once its cause is gone. What is missing here is a mistake in what was asked.
 */
const REFUSALS: readonly (readonly [state: string, sentence: (reason: string) => string])[] = [
  [
    '28',
    (reason) =>
      `Postgres does not let us in (${reason}): set TAPEPROOF_POSTGRES_URL to a user and password that it knows.`,
  ],
  [
    '3D000',
    (reason) =>
      `Postgres does not have the database (${reason}): create it, or set TAPEPROOF_POSTGRES_URL to one that exists.`,
  ],
  [
    '42501',
    (reason) =>
      `Postgres does not allow this to its user (${reason}): grant it; for schemas and tables run "npx tapeproof migrate" with TAPEPROOF_POSTGRES_MIGRATOR_URL set to a role that may. docs/security.md lists what each role needs.`,
  ],
  [
    '25006',
    (reason) =>
      `Postgres is read-only (${reason}): set TAPEPROOF_POSTGRES_URL to the primary, or end its recovery or default_transaction_read_only.`,
  ],
  ['53100', (reason) => `The disk of Postgres is full (${reason}): free space on it; writing then goes on by itself.`],
  ['53200', (reason) => `Postgres is out of memory (${reason}): give it more, or end other work on it.`],
  ['53300', (reason) => `Postgres has no connection left (${reason}): end other clients, or raise max_connections.`],
  ['53', (reason) => `Postgres is at one of its limits (${reason}): raise it, or end other work on it.`],
  [
    '55P03',
    (reason) =>
      `Another session holds a lock in Postgres (${reason}): it is tried again; "SELECT pid, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE granted)" names who.`,
  ],
  ['57014', (reason) => `Postgres gave up a statement (${reason}): see what slows it down in pg_stat_activity.`],
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
  ['25P', (reason) => `Postgres gave up a transaction (${reason}): it is tried again.`],
  ['40', (reason) => `Postgres gave up a transaction for another one (${reason}): it is tried again.`],
  ['55006', (reason) => `Postgres cannot change what another session uses (${reason}): it is tried again.`],
  ['58', (reason) => `Postgres cannot read or write its files (${reason}): see its log and its disk.`],
  ['XX', (reason) => `Postgres met a fault of its own (${reason}): see its log.`],
  ['08', (reason) => `The connection to Postgres broke (${reason}): it is tried again.`],
];

/** An outage as TapeproofError UNREACHABLE, with what to do; anything else as it is. */
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
  // Not the server's answer: the connection broke, or never was.
  if (!isConnectionError(error)) return error;
  return new TapeproofError(
    'UNREACHABLE',
    `Postgres does not answer (${reasonOf(error)}): start the services with "npx tapeproof stack up", or set TAPEPROOF_POSTGRES_URL to where it is.`,
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
