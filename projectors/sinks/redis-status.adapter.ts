import { askRedis, type Redis } from '../../platform/redis.ts';
import type { RedisProjector } from '../projector.ts';
import type { LedgerEntry, StoredPosition } from '../sink.ts';
import { generationKeys } from './redis-keys.ts';

const COUNTED = ['read', 'applied', 'duplicate', 'conflict', 'dead', 'ignored'] as const;

/** A generation's positions and ledger. */
export async function storedIn(
  redis: Redis,
  projector: RedisProjector,
  generation: number,
): Promise<{ positions: readonly StoredPosition[]; ledger: readonly LedgerEntry[] }> {
  const keys = generationKeys(projector, generation);
  const positions: StoredPosition[] = [];
  const ledger: LedgerEntry[] = [];
  const partitions = (await askRedis(() => redis.smembers(keys.partitions))).map(Number).sort((a, b) => a - b);
  for (const partition of partitions) {
    const stored = await askRedis(() => redis.hgetall(keys.position(partition)));
    const counts = await askRedis(() => redis.hgetall(keys.ledger(partition)));
    for (const topic of projector.topics) {
      if (stored[`${topic}:nextOffset`] === undefined) continue;
      positions.push({
        topic,
        partition,
        tapeId: stored['tapeId'] ?? '',
        nextOffset: Number(stored[`${topic}:nextOffset`]),
        nextSequence: Number(stored[`${topic}:nextSequence`]),
      });
      const entry = Object.fromEntries(COUNTED.map((name) => [name, Number(counts[`${topic}:${name}`] ?? 0)]));
      ledger.push({ topic, partition, ...(entry as Record<(typeof COUNTED)[number], number>) });
    }
  }
  return { positions, ledger };
}
