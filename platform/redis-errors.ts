import { TapeproofError } from './errors.ts';
import { tlsRefusal } from './security/tls.ts';

/**
 * The prefix that Redis before 7 puts before the error that ended a script; Redis 7 and Valkey append a note instead.
 */
const SCRIPT_NOTE = /^ERR Error running script \(call to f_[0-9a-f]+\): (?:@\w+: ?\d+: ?)*-?/;
const CODE = /^([A-Z]+)(?:\s|$)/;
/** Errors that have only the code `ERR`, or none within a script, by their text. */
const UNCODED: readonly (readonly [text: RegExp, code: string])[] = [
  [/^(?:ERR )?The user executing the script/, 'NOPERM'],
  [/^ERR max number of clients/, 'MAXCLIENTS'],
  [/^ERR (?:invalid password|AUTH)/, 'WRONGPASS'],
  [/^ERR Protocol error/, 'NOTREDIS'],
];

/** The code of an error reply, for example `READONLY`, however this version of the server words it. */
export function replyCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const message = error.message.replace(SCRIPT_NOTE, '');
  return UNCODED.find(([text]) => text.test(message))?.[1] ?? CODE.exec(message)?.[1];
}

/** Answers of a server that does not, or no longer, accept writes: a new connection may lead to the one that does. */
const LEADS_ELSEWHERE: ReadonlySet<string | undefined> = new Set(['READONLY', 'MASTERDOWN', 'LOADING']);

export function leadsElsewhere(error: unknown): boolean {
  return LEADS_ELSEWHERE.has(replyCodeOf(error));
}

const CLUSTER =
  'Redis is a cluster, and its keys are on several nodes: set TAPEPROOF_REDIS_URL to a Redis that is not a cluster.';

/** A server's refusals when it cannot do its work, and what to do. A retry succeeds once the cause is gone. */
const REFUSALS: Readonly<Record<string, string>> = {
  READONLY:
    'Redis is a replica and accepts no writes: connecting is retried until it reaches the primary; if that does not happen, set TAPEPROOF_REDIS_URL to the primary.',
  MASTERDOWN:
    'Redis is a replica that lost its primary: wait for the failover, or set TAPEPROOF_REDIS_URL to the primary.',
  LOADING: 'Redis is loading its data: wait until it is done.',
  OOM: 'Redis is out of memory and refuses writes: raise its maxmemory, or delete keys that are not needed; writing then continues without a restart.',
  MISCONF: 'Redis refuses writes because it cannot save to its disk: free space on it, or see its log.',
  NOREPLICAS:
    'Redis refuses writes because too few replicas follow it: bring them back, or lower its min-replicas-to-write.',
  BUSY: 'Redis is busy with a script of another client: wait, or end it with "redis-cli script kill".',
  UNKILLABLE: 'Redis is busy with a script of another client that has written: wait until it ends.',
  NOSCRIPT: 'Redis lost a script between two steps: it is sent again.',
  TRYAGAIN: 'Redis is moving keys between its nodes: wait until that is done.',
  CLUSTERDOWN: 'The Redis cluster is down: see "redis-cli cluster info".',
  MOVED: CLUSTER,
  ASK: CLUSTER,
  CROSSSLOT: CLUSTER,
  NOAUTH:
    'Redis refuses the login without a password: set TAPEPROOF_REDIS_URL to a URL with the user and password that it requires.',
  WRONGPASS: 'Redis refuses the login: set TAPEPROOF_REDIS_URL to a URL with the user and password that it requires.',
  NOPERM:
    'Redis does not allow this user to do this: grant it with ACL SETUSER, or set TAPEPROOF_REDIS_URL to a user that may.',
  DENIED:
    'Redis accepts connections only from its own machine (protected mode): give it a password or an address to listen on.',
  MAXCLIENTS: 'Redis has no connection left: end other clients, or raise its maxclients.',
  WRONGTYPE: 'Redis has a key of another program under one of our names: use a separate Redis or database number.',
  NOTREDIS:
    'The server that answers does not understand Redis commands: set TAPEPROOF_REDIS_URL to the address of Redis.',
};

/** The client's own errors are vague: each of them means that the connection is down. */
const CONNECTION_LOST = /max retries per request|Stream isn't writeable|Connection is closed|connection close/;
const NO_ANSWER = /Command timed out|Socket timeout/;

/** Returns an outage as TapeproofError UNREACHABLE, with what to do; a mistake in the command unchanged. */
export function redisError(error: unknown): unknown {
  if (error instanceof TapeproofError || !(error instanceof Error)) return error;
  const code = replyCodeOf(error);
  if (code !== undefined) {
    const refusal = REFUSALS[code];
    if (refusal === undefined) return error;
    return new TapeproofError('UNREACHABLE', refusal, { cause: error });
  }
  if (error.name === 'ReplyError') return error;
  const refusal = tlsRefusal(error, 'REDIS');
  if (refusal !== undefined) return new TapeproofError('UNREACHABLE', `Redis ${refusal}`, { cause: error });
  return new TapeproofError(
    'UNREACHABLE',
    `Redis does not answer (${connectionReason(error)}): start the services with "npx tapeproof stack up", or set TAPEPROOF_REDIS_URL to its address.`,
    { cause: error },
  );
}

function connectionReason({ message }: Error): string {
  if (NO_ANSWER.test(message)) return 'the connection is silent';
  if (CONNECTION_LOST.test(message)) return 'the connection is lost';
  return message;
}
