import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { postgresError, sqlStateOf } from './postgres-errors.ts';

function answer(state: string, message: string): Error {
  return Object.assign(new pg.DatabaseError(message, message.length, 'error'), { code: state });
}

const SENTENCES: readonly (readonly [state: string, message: string, sentence: RegExp])[] = [
  ['25006', 'cannot execute INSERT in a read-only transaction', /^Postgres is read-only .*primary/],
  ['28P01', 'password authentication failed for user "x"', /^Postgres refuses the login .*user and password/],
  ['28000', 'no pg_hba.conf entry for host', /^Postgres refuses the login /],
  ['3D000', 'database "x" does not exist', /^Postgres does not have the database .*create it/],
  ['42501', 'permission denied for schema tapeproof', /^Postgres does not allow this user to do this .*grant it/],
  ['53100', 'could not extend file: No space left on device', /^The disk of Postgres is full .*free space/],
  ['53200', 'out of memory', /^Postgres is out of memory /],
  ['53300', 'sorry, too many clients already', /^Postgres has no connection left .*max_connections/],
  ['55P03', 'canceling statement due to lock timeout', /^Another session holds a lock in Postgres /],
  ['57014', 'canceling statement due to statement timeout', /^Postgres gave up a statement /],
  ['57P01', 'terminating connection due to administrator command', /^Postgres ended the connection /],
  ['57P02', 'terminating connection because of crash', /^Postgres ended the connection /],
  ['57P03', 'the database system is starting up', /^Postgres does not take connections yet .*wait/],
  ['40P01', 'deadlock detected', /^Postgres gave up a transaction in favour of another one /],
  ['58030', 'could not write to file: Input\/output error', /^Postgres cannot read or write its files /],
  ['08006', 'connection failure', /^The connection to Postgres broke /],
];

describe('an answer of Postgres', () => {
  it.each(SENTENCES)('is one sentence for %s: %s', (state, message, sentence) => {
    const error = postgresError(answer(state, message));
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(sentence) as unknown });
    expect((error as Error).message).toContain(`(${message})`);
    expect(sqlStateOf(error)).toBe(state);
  });

  it('stays unchanged if the statement was wrong', () => {
    const mistake = answer('42601', 'syntax error at or near "FOO"');
    expect(postgresError(mistake)).toBe(mistake);
  });

  it('is absent if the connection broke, whatever the length of the error code', () => {
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    expect(sqlStateOf(broken)).toBeUndefined();
    expect(postgresError(broken)).toMatchObject({
      message: expect.stringMatching(/^Postgres does not answer /) as unknown,
    });
  });
});
