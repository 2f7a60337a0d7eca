import { describe, expect, it } from 'vitest';
import { leadsElsewhere, redisError, replyCodeOf } from './redis-errors.ts';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** As Redis 6.2.11 and 7.0.15 sent them. */
const IN_SCRIPT_6 =
  'ERR Error running script (call to f_2ae2f426b03ae41f02e929d3ae3b0efd551930b2): @user_script:2: @user_script: 2: ';
const IN_SCRIPT_7 = ' script: 2ae2f426b03ae41f02e929d3ae3b0efd551930b2, on @user_script:2.';
const REPLIES = {
  READONLY: "READONLY You can't write against a read only replica.",
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  NOREPLICAS: 'NOREPLICAS Not enough good replicas to write.',
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  MISCONF: "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
} as const;

const PLAIN: readonly (readonly [string, string])[] = [
  ['LOADING', 'LOADING Redis is loading the dataset in memory'],
  ['BUSY', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
  ['UNKILLABLE', 'UNKILLABLE Sorry the script already executed write commands against the dataset.'],
  ['NOSCRIPT', 'NOSCRIPT No matching script. Please use EVAL.'],
  ['CLUSTERDOWN', 'CLUSTERDOWN Hash slot not served'],
  ['MOVED', 'MOVED 3999 127.0.0.1:6381'],
  ['CROSSSLOT', "CROSSSLOT Keys in request don't hash to the same slot"],
  ['NOAUTH', 'NOAUTH Authentication required.'],
  ['WRONGPASS', 'WRONGPASS invalid username-password pair or user is disabled.'],
  ['NOPERM', "NOPERM this user has no permissions to run the 'hset' command"],
  ['MAXCLIENTS', 'ERR max number of clients reached'],
  [
    'WRONGTYPE',
    'ERR Error running script (call to f_d1ad8397c172dc0a63e271f0c4c4250ca8d5d1fb): @user_script:1: WRONGTYPE Operation against a key holding the wrong kind of value',
  ],
  [
    'WRONGTYPE',
    'WRONGTYPE Operation against a key holding the wrong kind of value script: d1ad8397c172dc0a63e271f0c4c4250ca8d5d1fb, on @user_script:1.',
  ],
  [
    'NOPERM',
    "ERR Error running script (call to f_41935818d6a567d52fe1beb4a910afd5b1b67615): @user_script:1: @user_script: 1: The user executing the script can't run this command or subcommand",
  ],
  [
    'NOPERM',
    "ERR The user executing the script can't run this command or subcommand script: 41935818d6a567d52fe1beb4a910afd5b1b67615, on @user_script:1.",
  ],
];

describe('error replies of Redis', () => {
  it.each(Object.entries(REPLIES))('knows %s, from a command and from a script of either version', (code, message) => {
    const wordings = [message, `${IN_SCRIPT_6}-${message}`, `${message}${IN_SCRIPT_7}`];
    expect(wordings.map((wording) => replyCodeOf(reply(wording)))).toEqual([code, code, code]);
    for (const wording of wordings) expect(redisError(reply(wording))).toMatchObject({ code: 'UNREACHABLE' });
  });

  it.each(PLAIN)('knows %s: %s', (code, message) => {
    expect(replyCodeOf(reply(message))).toBe(code);
    expect(redisError(reply(message))).toMatchObject({ code: 'UNREACHABLE' });
  });

  it('opens a new connection where that may lead to the primary', () => {
    expect(leadsElsewhere(reply(`${IN_SCRIPT_6}-${REPLIES.READONLY}`))).toBe(true);
    expect(leadsElsewhere(reply(`${REPLIES.READONLY}${IN_SCRIPT_7}`))).toBe(true);
    expect(leadsElsewhere(reply(REPLIES.OOM))).toBe(false);
  });

  it('leaves our own mistake unchanged', () => {
    const mistake = reply("ERR unknown command 'FOO', with args beginning with: ");
    expect(redisError(mistake)).toBe(mistake);
  });

  it('reports a lost connection as no answer, in our own words', () => {
    expect(redisError(new Error("Stream isn't writeable and enableOfflineQueue options is false"))).toMatchObject({
      message: expect.stringMatching(/^Redis does not answer \(the connection is lost\)/) as unknown,
    });
  });
});
