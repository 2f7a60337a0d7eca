import { createHash } from 'node:crypto';
import { pipeline } from '../../pipeline.ts';
import type { Pool } from '../../platform/postgres.ts';
import type { Redis } from '../../platform/redis.ts';
import { generationKeys, holdsValues, projectorKeys } from '../../projectors/sinks/redis-keys.ts';

const SCAN_COUNT = 1_000;

/** SHA-256 (hex) over every row of every view of the Postgres projectors, in byte order. */
export async function postgresDigest(pool: Pool): Promise<string> {
  const hash = createHash('sha256');
  for (const projector of pipeline.projectors.all) {
    if (projector.sink !== 'postgres') continue;
    for (const { name } of projector.tables) {
      const { rows } = await pool.query<{ digest: string | null }>(
        `SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS digest FROM (SELECT md5(v::text) AS line FROM tapeproof.${name} v) lines`,
      );
      hash.update(`${name} ${rows[0]?.digest ?? 'empty'}\n`);
    }
  }
  return hash.digest('hex');
}

/** SHA-256 (hex) over every key of the Redis projectors with its values, in byte order; generations are left out. */
export async function redisDigest(redis: Redis): Promise<string> {
  const hash = createHash('sha256');
  for (const projector of pipeline.projectors.all) {
    if (projector.sink !== 'redis') continue;
    const live = Number(await redis.get(projectorKeys(projector).live));
    const { base } = generationKeys(projector, live);
    for (const key of await keysUnder(redis, base)) {
      const suffix = key.slice(base.length);
      if (holdsValues(suffix)) hash.update(`${suffix} ${JSON.stringify(await valueOf(redis, key))}\n`);
    }
  }
  return hash.digest('hex');
}

/** A hash's fields or a set's members, in byte order. */
async function valueOf(redis: Redis, key: string): Promise<unknown> {
  if ((await redis.type(key)) === 'set') return (await redis.smembers(key)).sort();
  return Object.entries(await redis.hgetall(key)).sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Keys with this prefix, sorted. */
export async function keysUnder(redis: Redis, prefix: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys].sort();
}
