import { isInstrument } from '../../contracts/instrument-name.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { askRedis, connectRedis, type Redis } from '../../platform/redis.ts';
import { redisLatest } from '../../projectors/redis-latest/projector.ts';
import { generationKeys, projectorKeys } from '../../projectors/sinks/redis-keys.ts';
import type { StoredRebuild } from './pipeline-answer.ts';
import type { LatestStates, StoredState } from './read-models.ts';
import { fromStore, storeDown } from './problems.ts';

/** A look takes milliseconds. */
const READ_DEADLINE_MS = 2_000;
/** Instruments read at a time. */
const PIPELINE_COMMANDS_MAX = 1_000;

export interface RunningLatestStates extends LatestStates {
  /** Its generations, and how far a rebuild has come; undefined before the first. */
  readonly rebuild: () => Promise<StoredRebuild | undefined>;
  close(): Promise<void>;
}

/** Reads the latest states from Redis: GET, HGETALL and SMEMBERS, nothing else. Connects when it is first asked. */
export function readLatestStates(redisUrl: string): RunningLatestStates {
  let connection: Promise<Redis> | undefined;
  const connected = (): Promise<Redis> => {
    const attempt = (connection ??= connectRedis(redisUrl, 'tapeproof-dashboard'));
    // A connection that was up once reconnects by itself; one that never was is opened again.
    attempt.catch(() => {
      if (connection === attempt) connection = undefined;
    });
    return attempt;
  };
  const known = new KnownStates();
  const ask = <Value>(work: (redis: Redis) => Promise<Value>): Promise<Value> =>
    fromStore('redis', READ_DEADLINE_MS, () =>
      withDeadline(
        connected().then((redis) => askRedis(() => work(redis))),
        READ_DEADLINE_MS,
        () => storeDown('redis'),
      ),
    );
  let reading: Promise<ReadonlyMap<string, StoredState>> | undefined;
  return {
    read() {
      reading ??= ask((redis) => known.refreshed(redis)).finally(() => {
        reading = undefined;
      });
      return reading;
    },
    rebuild: () => ask(readRebuild),
    async close() {
      (await connection?.catch(() => undefined))?.disconnect();
    },
  };
}

/** What was read last. A partition's position changes together with its values, so an unchanged one is not read again. */
class KnownStates {
  #generation = '';
  readonly #positions = new Map<number, string>();
  #states: ReadonlyMap<string, StoredState> = new Map();

  async refreshed(redis: Redis): Promise<ReadonlyMap<string, StoredState>> {
    const generation = (await redis.get(projectorKeys(redisLatest).live)) ?? '';
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#positions.clear();
      this.#states = new Map();
    }
    if (generation === '') return this.#states;
    const keys = generationKeys(redisLatest, Number(generation));
    const partitions = (await redis.smembers(keys.partitions)).map(Number);
    const positions = await hashes(redis, partitions.map(keys.position));
    const changed = new Map<number, string>();
    for (const [index, partition] of partitions.entries()) {
      const position = JSON.stringify(positions[index]);
      if (this.#positions.get(partition) !== position) changed.set(partition, position);
    }
    const isWiped = [...this.#positions.keys()].some((partition) => !partitions.includes(partition));
    if (changed.size === 0 && !isWiped) return this.#states;
    await this.#read(redis, keys, isWiped ? new Set(partitions) : new Set(changed.keys()));
    // After the values: where reading them fails, they are read again.
    if (isWiped) this.#positions.clear();
    for (const [partition, position] of changed) this.#positions.set(partition, position);
    return this.#states;
  }

  async #read(redis: Redis, keys: ReturnType<typeof generationKeys>, partitions: ReadonlySet<number>): Promise<void> {
    const index = Object.entries(await redis.hgetall(keys.index)).map(([name, text]) => [name, Number(text)] as const);
    const wanted = index.filter(([, partition]) => partitions.has(partition));
    const states = new Map<string, StoredState>();
    for (const [name, partition] of index) {
      const before = this.#states.get(name);
      if (before !== undefined && !partitions.has(partition)) states.set(name, before);
    }
    for (let from = 0; from < wanted.length; from += PIPELINE_COMMANDS_MAX) {
      const some = wanted.slice(from, from + PIPELINE_COMMANDS_MAX);
      const values = await hashes(
        redis,
        some.map(([name, partition]) => keys.latest(partition, name)),
      );
      for (const [at, [name]] of some.entries()) {
        const [before, now] = [this.#states.get(name), values[at] ?? {}];
        // Another program's key is not an instrument.
        if (isInstrument(name)) states.set(name, before !== undefined && isSame(before, now) ? before : now);
      }
    }
    this.#states = states;
  }
}

async function readRebuild(redis: Redis): Promise<StoredRebuild | undefined> {
  const { live: liveKey, building: buildingKey } = projectorKeys(redisLatest);
  const [live, building] = [await redis.get(liveKey), await redis.get(buildingKey)];
  if (live === null) return undefined;
  const { name: projector } = redisLatest;
  const liveGeneration = Number(live);
  if (building === null) return { projector, liveGeneration, building: null };
  const [recordsDone, recordsWanted] = [
    await recordsRead(redis, Number(building)),
    await recordsRead(redis, liveGeneration),
  ];
  return { projector, liveGeneration, building: { generation: Number(building), recordsDone, recordsWanted } };
}

/** The sum of a generation's positions. */
async function recordsRead(redis: Redis, generation: number): Promise<number> {
  const keys = generationKeys(redisLatest, generation);
  const partitions = (await redis.smembers(keys.partitions)).map(Number);
  const positions = await hashes(redis, partitions.map(keys.position));
  const offsets = positions.flatMap((position) =>
    Object.entries(position).flatMap(([field, value]) => (field.endsWith(':nextOffset') ? [Number(value)] : [])),
  );
  return offsets.reduce((sum, offset) => sum + offset, 0);
}

async function hashes(redis: Redis, keys: readonly string[]): Promise<readonly StoredState[]> {
  if (keys.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, value]) => {
    if (error !== null) throw error;
    return value as StoredState;
  });
}

function isSame(left: StoredState, right: StoredState): boolean {
  const names = Object.keys(right);
  return names.length === Object.keys(left).length && names.every((name) => left[name] === right[name]);
}
