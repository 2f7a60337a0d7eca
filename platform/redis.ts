import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { TapeproofError } from './errors.ts';
import type { Probe } from './health/probe.ts';
import { leadsElsewhere, redisError, replyCodeOf } from './redis-errors.ts';
import { settings } from './security/settings.ts';
import { serverNameOf, tlsFrom, type TlsOptions } from './security/tls.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * A connection that owes an answer and is silent for this long is broken off and remade: a later answer would be
 * treated as the next command's. Our commands take milliseconds.
 */
const SOCKET_TIMEOUT_MS = 8_000;
/** For a command that the limit above does not end. */
const COMMAND_TIMEOUT_MS = 10_000;
const RECONNECT_DELAY_MS_MIN = 100;
const RECONNECT_DELAY_MS_MAX = 2_000;

export type { Redis };

/**
 * A connection that fails at once while Redis is down, and reconnects automatically: the caller decides when to retry.
 * Nothing is queued and nothing is sent twice without the caller's knowledge.
 *
 * @param url `redis://…` or `rediss://…`; never repeated in a message, it may hold a password.
 * @throws TapeproofError UNREACHABLE
 */
export async function connectRedis(url: string, connectionName: string): Promise<Redis> {
  const tls = redisTls(url);
  const redis = new Redis(url, {
    ...(tls === undefined ? {} : { tls }),
    connectionName,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // The command still fails: its sender decides when to retry.
    reconnectOnError: leadsElsewhere,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableAutoPipelining: false,
    keepAlive: 30_000,
    noDelay: true,
    protocol: 2,
    retryStrategy: (times) => Math.min(RECONNECT_DELAY_MS_MIN * times, RECONNECT_DELAY_MS_MAX),
  });
  // Without a listener a broken connection would end the process; each command reports its own failure.
  let connectionError: Error | undefined;
  redis.on('error', (error) => {
    connectionError = error;
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    // The client's own error says only that the connection is closed.
    throw redisError(connectionError ?? error);
  }
  return redis;
}

/** @throws TapeproofError CONFIGURATION where certificates are set for a connection in plain text. */
function redisTls(url: string): TlsOptions | undefined {
  const { protocol, hostname } = new URL(url);
  const tls = tlsFrom(settings(), 'REDIS');
  if (protocol === 'rediss:') return { ...serverNameOf(hostname), ...tls };
  if (tls === undefined) return undefined;
  throw new TapeproofError(
    'CONFIGURATION',
    'A certificate is set for Redis and TAPEPROOF_REDIS_URL begins with redis://: begin it with rediss://.',
  );
}

/** Pings, on a separate connection. */
export function redisProbe(url: string, connectionName: string): Probe {
  let connection: Promise<Redis> | undefined;
  /** Why the connection is down: a command's error says only that it is. */
  let connectionError: Error | undefined;
  const connect = async (): Promise<Redis> => {
    const redis = await connectRedis(url, connectionName);
    redis.on('error', (error) => {
      connectionError = error;
    });
    redis.on('ready', () => {
      connectionError = undefined;
    });
    return redis;
  };
  return {
    dependency: 'redis',
    async check() {
      connection ??= connect();
      const attempt = connection;
      try {
        await (await attempt).ping();
      } catch (error) {
        // A connection that was up once reconnects automatically; one that never was is opened again.
        attempt.catch(() => {
          if (connection === attempt) connection = undefined;
        });
        throw connectionError ?? error;
      }
    },
    async close() {
      (await connection?.catch(() => undefined))?.disconnect();
    },
  };
}

/** Runs `work`, with outages as TapeproofError UNREACHABLE. */
export async function askRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw redisError(error);
  }
}

/** A Lua script that runs atomically; all keys it touches are named. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export function script(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/** Runs a script by its hash; sends its text where the server does not have it. @throws TapeproofError UNREACHABLE */
export function runScript(
  redis: Redis,
  { lua, sha1 }: Script,
  keys: readonly string[],
  values: readonly string[],
): Promise<unknown> {
  return askRedis(async () => {
    try {
      return await redis.evalsha(sha1, keys.length, ...keys, ...values);
    } catch (error) {
      if (replyCodeOf(error) !== 'NOSCRIPT') throw error;
      return redis.eval(lua, keys.length, ...keys, ...values);
    }
  });
}

/** The policy by which Redis may evict keys; undefined where it never does. @throws TapeproofError UNREACHABLE */
export async function evictionPolicy(redis: Redis): Promise<string | undefined> {
  const memory = await askRedis(() => redis.info('memory'));
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  return policy === 'noeviction' ? undefined : policy;
}
