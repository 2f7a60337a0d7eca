import { pipeline } from '../../pipeline.ts';
import { migratorUrlOf, type Connections } from '../../platform/connections.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { createPool, type Pool } from '../../platform/postgres.ts';
import { connectRedis, type Redis } from '../../platform/redis.ts';
import { projectorStatus, rebuildProjector } from '../../projectors/main.ts';
import { rebuildText } from '../actions/projector.ts';
import { progressBar } from '../progress.ts';
import { keysUnder, postgresDigest, redisDigest } from './store-digest.ts';

const DIGITS = 16;

/**
 * Wipes both stores, as an operator's mistake would, and restores them from Kafka.
 *
 * @throws TapeproofError CHECK_FAILED when the restored content differs from the lost one.
 */
export async function loseAndReplay(
  where: Connections,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  const pool = createPool(migratorUrlOf(where), 'tapeproof-demo');
  const redis = await connectRedis(where.redisUrl, 'tapeproof-demo');
  try {
    const before = await digests(pool, redis);
    say(`Before: Postgres ${before.postgres.slice(0, DIGITS)}, Redis ${before.redis.slice(0, DIGITS)}`);
    await lose(where, pool, redis);
    const empty = await digests(pool, redis);
    say(`Wiped:  Postgres ${empty.postgres.slice(0, DIGITS)}, Redis ${empty.redis.slice(0, DIGITS)}`);
    for (const { name } of pipeline.projectors.all) {
      const bar = progressBar(`rebuild ${name}`);
      const report = await rebuildProjector({
        name,
        connections: where,
        log: createLog(name, 'warn'),
        signal,
        progress: (progress) => {
          bar.update(progress);
        },
      });
      bar.stop();
      say(rebuildText(name, report));
    }
    const after = await digests(pool, redis);
    say(`After:  Postgres ${after.postgres.slice(0, DIGITS)}, Redis ${after.redis.slice(0, DIGITS)}`);
    if (after.postgres !== before.postgres || after.redis !== before.redis) {
      throw new TapeproofError(
        'CHECK_FAILED',
        'The replayed content differs from the lost one: "npx tapeproof projector list" shows the ledgers.',
      );
    }
    say('The same bytes.');
  } finally {
    redis.disconnect();
    await pool.end();
  }
}

async function digests(pool: Pool, redis: Redis): Promise<{ readonly postgres: string; readonly redis: string }> {
  return { postgres: await postgresDigest(pool), redis: await redisDigest(redis) };
}

/** Empties every table of the Postgres projectors, positions too, and every key of the Redis projectors. */
async function lose(where: Connections, pool: Pool, redis: Redis): Promise<void> {
  for (const projector of pipeline.projectors.all) {
    if (projector.sink === 'postgres') {
      const generation = (await projectorStatus(projector.name, where))?.generation;
      const schema = `${projector.schema}_${generation ?? ''}`;
      // The positions first, as the writers lock them.
      const names = ['projector_positions', ...projector.tables.map((table) => table.name), 'conflicts'];
      await pool.query(`TRUNCATE ${names.map((name) => `${schema}.${name}`).join(', ')}`);
    } else {
      const keys = await keysUnder(redis, `${projector.keyspace}:`);
      if (keys.length > 0) await redis.unlink(...keys);
    }
  }
}
