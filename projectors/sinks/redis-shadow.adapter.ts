import { randomUUID } from 'node:crypto';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { askRedis, runScript, script, type Redis } from '../../platform/redis.ts';
import type { LatestOperation, RedisProjector } from '../projector.ts';
import type { Difference, Shadow } from '../sink.ts';
import { overtaken } from './refusals.ts';
import { generationKeys, holdsValues, projectorKeys } from './redis-keys.ts';
import { createRedisSink } from './redis-sink.adapter.ts';
import { storedIn } from './redis-status.adapter.ts';

/** The live writers wait this long for a rebuild that died. */
const FREEZE_MS = 15_000;
const FREEZE_RENEWAL_MS = 3_000;
const SCAN_COUNT = 1_000;

/** Allocates a new generation. */
const BEGIN = script(`
local live, building, newest = unpack(KEYS)
local generation = math.max(tonumber(redis.call('GET', live)), tonumber(redis.call('GET', newest) or '0')) + 1
local text = string.format('%d', generation)
redis.call('SET', newest, text)
redis.call('SET', building, text)
return {redis.call('GET', live), text}
`);

const RENEW = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

const RELEASE = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`);

/** Only while no other rebuild runs and the live writers were held without interruption. */
const SWAP = script(`
local live, building, frozen = unpack(KEYS)
if redis.call('GET', building) ~= ARGV[1] then return 'overtaken' end
if redis.call('GET', frozen) ~= ARGV[2] then return 'thawed' end
redis.call('SET', live, ARGV[1])
redis.call('DEL', building, frozen)
return 'swapped'
`);

/** A new, empty generation beside the live one. */
export async function beginShadow(
  redis: Redis,
  projector: RedisProjector,
  tapeId: string,
): Promise<Shadow<LatestOperation>> {
  const keys = projectorKeys(projector);
  const drawn = (await runScript(redis, BEGIN, [keys.live, keys.building, keys.newest], [])) as string[];
  const [live, generation] = [Number(drawn[0]), Number(drawn[1])];
  await dropOthers(redis, projector, [live, generation]);
  const sink = createRedisSink({ redis, projector, tapeId, generation, role: 'building' });
  const token = randomUUID();
  let renewal: NodeJS.Timeout | undefined;

  return {
    ...sink,
    live,
    livePositions: async () => (await storedIn(redis, projector, live)).positions,
    finishLoad: () => Promise.resolve(true),
    async freeze() {
      await askRedis(() => redis.set(keys.frozen, token, 'PX', FREEZE_MS));
      renewal = setInterval(() => {
        // Where this fails the swap will find that the freeze is over.
        runScript(redis, RENEW, [keys.frozen], [token, String(FREEZE_MS)]).catch(() => undefined);
      }, FREEZE_RENEWAL_MS);
    },
    async release() {
      clearInterval(renewal);
      await runScript(redis, RELEASE, [keys.frozen], [token]);
    },
    differences: () => differencesOf(redis, projector, live, generation),
    async swap() {
      const answer = await runScript(redis, SWAP, [keys.live, keys.building, keys.frozen], [String(generation), token]);
      if (answer === 'overtaken') throw overtaken(projector.name);
      if (answer === 'thawed') {
        throw new TapeproofError(
          'UNREACHABLE',
          `Redis lost the lock for the comparison of ${projector.name}, so nothing was swapped: run the rebuild again.`,
        );
      }
    },
  };
}

async function differencesOf(
  redis: Redis,
  projector: RedisProjector,
  live: number,
  shadow: number,
): Promise<readonly Difference[]> {
  const ofLive = await valuesOf(redis, generationKeys(projector, live).base);
  const ofShadow = await valuesOf(redis, generationKeys(projector, shadow).base);
  const keys = [...new Set([...ofLive.keys(), ...ofShadow.keys()])].sort();
  const first = keys.find((key) => ofLive.get(key) !== ofShadow.get(key));
  if (first === undefined) return [];
  return [{ subject: 'values', liveCount: ofLive.size, shadowCount: ofShadow.size, first }];
}

/** All values of a generation as canonical JSON, by key without the generation: a bounded number of small ones for each instrument. */
async function valuesOf(redis: Redis, base: string): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const suffixes = (await keysUnder(redis, base)).map((key) => key.slice(base.length)).filter(holdsValues);
  for (const suffix of suffixes) {
    const key = base + suffix;
    const value =
      (await askRedis(() => redis.type(key))) === 'set'
        ? (await askRedis(() => redis.smembers(key))).sort()
        : await askRedis(() => redis.hgetall(key));
    values.set(suffix, canonicalJson(value));
  }
  return values;
}

async function keysUnder(redis: Redis, base: string): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = await askRedis(() => redis.scan(cursor, 'MATCH', `${globOf(base)}*`, 'COUNT', SCAN_COUNT));
    for (const key of keys) found.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...found];
}

function globOf(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

async function dropOthers(redis: Redis, projector: RedisProjector, kept: readonly number[]): Promise<void> {
  const base = `${projector.keyspace}:`;
  const doomed = (await keysUnder(redis, base)).filter((key) => {
    const generation = /^(\d+):/.exec(key.slice(base.length))?.[1];
    return generation !== undefined && !kept.includes(Number(generation));
  });
  for (let first = 0; first < doomed.length; first += SCAN_COUNT) {
    await askRedis(() => redis.unlink(...doomed.slice(first, first + SCAN_COUNT)));
  }
}
