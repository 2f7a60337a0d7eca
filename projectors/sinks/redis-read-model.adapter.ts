import { TapeproofError } from '../../platform/errors.ts';
import { askRedis, connectRedis, evictionPolicy, type Redis } from '../../platform/redis.ts';
import type { LatestOperation, RedisProjector } from '../projector.ts';
import type { ReadModel } from '../sink.ts';
import { assertTape } from './refusals.ts';
import { projectorKeys } from './redis-keys.ts';
import { beginShadow } from './redis-shadow.adapter.ts';
import { createRedisSink } from './redis-sink.adapter.ts';
import { storedIn } from './redis-status.adapter.ts';

const FIRST_GENERATION = 1;

/** A projector's read model in Redis. */
export function createRedisReadModel(projector: RedisProjector, url: string): ReadModel<LatestOperation> {
  let connection: Promise<Redis> | undefined;
  const connect = async (): Promise<Redis> => {
    connection ??= connectRedis(url, `tapeproof-${projector.name}`);
    try {
      return await connection;
    } catch (error) {
      connection = undefined;
      throw error;
    }
  };
  return {
    async open(tapeId) {
      const redis = await connect();
      await assertNoHazard(redis);
      const generation = await ensureLive(redis, projector);
      assertTape(projector.name, tapeId, (await storedIn(redis, projector, generation)).positions);
      return createRedisSink({ redis, projector, tapeId, generation, role: 'live' });
    },
    async beginRebuild(tapeId) {
      const redis = await connect();
      await assertNoHazard(redis);
      await ensureLive(redis, projector);
      return beginShadow(redis, projector, tapeId);
    },
    async status() {
      const redis = await connect();
      const live = await askRedis(() => redis.get(projectorKeys(projector).live));
      if (live === null) return undefined;
      return { generation: Number(live), ...(await storedIn(redis, projector, Number(live))) };
    },
    async hazard() {
      return hazardOf(await connect());
    },
    close() {
      // Not awaited: a connection being opened may hang.
      connection?.then(
        (redis) => {
          redis.disconnect();
        },
        () => undefined,
      );
      return Promise.resolve();
    },
  };
}

/** A read model with holes would go unnoticed. */
async function hazardOf(redis: Redis): Promise<string | undefined> {
  const policy = await evictionPolicy(redis);
  if (policy === undefined) return undefined;
  return `Redis may evict keys (maxmemory-policy is ${policy}), and an incomplete read model would go unnoticed: run "redis-cli config set maxmemory-policy noeviction", or use a separate Redis.`;
}

/** @throws TapeproofError CONFIGURATION when Redis may evict keys; UNREACHABLE. */
async function assertNoHazard(redis: Redis): Promise<void> {
  const hazard = await hazardOf(redis);
  if (hazard !== undefined) throw new TapeproofError('CONFIGURATION', hazard);
}

async function ensureLive(redis: Redis, projector: RedisProjector): Promise<number> {
  const { live } = projectorKeys(projector);
  await askRedis(() => redis.setnx(live, FIRST_GENERATION));
  return Number(await askRedis(() => redis.get(live)));
}
