import type { TopicName } from '../../contracts/topics.ts';
import { askRedis, runScript, script, type Redis } from '../../platform/redis.ts';
import type { LatestOperation, RedisProjector } from '../projector.ts';
import type { Application, Counts, SinkBatch, Position, Sink } from '../sink.ts';
import { assertTape } from './refusals.ts';
import { foldOperations } from './redis-batch.ts';
import { generationKeys, projectorKeys } from './redis-keys.ts';

/** Ids remembered at one microsecond; a duplicate of a further one may set its values again. */
const TIES_MAX = 1_024;

/**
 * One batch: values and position together, if the position is where the batch begins. Numbers are passed as text: Lua
 * would print microseconds with exponents.
 */
const APPLY = script(`
local given = cjson.decode(ARGV[1])
local live, building, frozen, position, ledger, index, partitions = unpack(KEYS, 1, 7)
if given.role == 'live' then
  local generation = redis.call('GET', live)
  if generation and generation ~= given.generation then return {'superseded'} end
  if redis.call('EXISTS', frozen) == 1 then return {'frozen'} end
elseif redis.call('GET', building) ~= given.generation then
  return {'superseded'}
end

local offset_field, sequence_field = given.topic .. ':nextOffset', given.topic .. ':nextSequence'
local stored = redis.call('HMGET', position, 'tapeId', offset_field, sequence_field)
local offset, sequence = stored[2] or '0', stored[3] or '0'
if (stored[1] and stored[1] ~= given.tapeId) or offset ~= given.from[1] or sequence ~= given.from[2] then
  return {'moved'}
end

if given.role == 'live' then redis.call('SETNX', live, given.generation) end
for _, change in ipairs(given.changes) do
  local latest = KEYS[change.key]
  redis.call('HSET', index, change.entity, given.partition)
  if #change.fields > 0 then redis.call('HSET', latest, unpack(change.fields)) end
  for _, later in ipairs(change.later) do
    local ties = KEYS[later.key]
    local known = redis.call('HGET', latest, later.timeField)
    if not known or tonumber(later.timeUs) > tonumber(known) then
      redis.call('DEL', ties)
      redis.call('HSET', latest, later.timeField, later.timeUs)
      known = later.timeUs
    end
    if tonumber(later.timeUs) == tonumber(known) then
      for _, candidate in ipairs(later.candidates) do
        if redis.call('SISMEMBER', ties, candidate.id) == 0 then
          redis.call('HSET', latest, unpack(candidate.fields))
          if redis.call('SCARD', ties) < tonumber(given.tiesMax) then redis.call('SADD', ties, candidate.id) end
        end
      end
    end
  end
  for _, lag in ipairs(given.lags) do
    local times = redis.call('HMGET', latest, lag.aheadField, lag.behindField)
    if times[1] and times[2] then
      local is_behind = tonumber(times[1]) - tonumber(times[2]) > tonumber(lag.moreThanUs)
      redis.call('HSET', latest, lag.field, is_behind and '1' or '0')
    end
  end
end
for name, count in pairs(given.counts) do redis.call('HINCRBY', ledger, given.topic .. ':' .. name, count) end
redis.call('SADD', partitions, given.partition)
redis.call('HSET', position, 'tapeId', given.tapeId, offset_field, given.to[1], sequence_field, given.to[2])
return {'applied'}
`);

export interface RedisSinkSettings {
  readonly redis: Redis;
  readonly projector: RedisProjector;
  readonly tapeId: string;
  readonly generation: number;
  readonly role: 'live' | 'building';
}

export function createRedisSink(settings: RedisSinkSettings): Sink<LatestOperation> {
  return {
    generation: settings.generation,
    position: (topic, partition) => readPosition(settings, topic, partition),
    async apply(sinkBatch): Promise<Application> {
      const { topic, partition, admitted, repeated, dead, ignored } = sinkBatch;
      const counts: Counts = {
        read: admitted.length + repeated.length + dead + ignored,
        applied: admitted.length,
        // Latest values keep no hashes: records below the sequence check can only be counted.
        duplicate: repeated.length,
        conflict: 0,
        dead,
        ignored,
      };
      const { keys, values } = requestOf(settings, sinkBatch, counts);
      const [kind] = (await runScript(settings.redis, APPLY, keys, values)) as [Application['kind']];
      if (kind === 'applied') return { kind, counts };
      if (kind === 'moved') return { kind, position: await readPosition(settings, topic, partition) };
      return { kind };
    },
  };
}

async function readPosition(
  { redis, projector, tapeId, generation }: RedisSinkSettings,
  topic: TopicName,
  partition: number,
): Promise<Position> {
  const key = generationKeys(projector, generation).position(partition);
  const [stored, offset, sequence] = await askRedis(() =>
    redis.hmget(key, 'tapeId', `${topic}:nextOffset`, `${topic}:nextSequence`),
  );
  const position = { nextOffset: Number(offset ?? 0), nextSequence: Number(sequence ?? 0) };
  if (typeof stored === 'string')
    assertTape(projector.name, tapeId, [{ topic, partition, tapeId: stored, ...position }]);
  return position;
}

function requestOf(
  { projector, tapeId, generation, role }: RedisSinkSettings,
  { topic, partition, from, to, admitted }: SinkBatch<LatestOperation>,
  counts: Counts,
): { keys: string[]; values: string[] } {
  const ofProjector = projectorKeys(projector);
  const ofGeneration = generationKeys(projector, generation);
  const keys = [
    ...[ofProjector.live, ofProjector.building, ofProjector.frozen],
    ...[ofGeneration.position(partition), ofGeneration.ledger(partition), ofGeneration.index, ofGeneration.partitions],
  ];
  /** Lua counts from 1: the new length is the index of the key just added. */
  const place = (key: string): number => keys.push(key);
  const changes = foldOperations(admitted).map(({ entity, fields, later }) => ({
    entity,
    key: place(ofGeneration.latest(partition, entity)),
    fields: Object.entries(fields).flat(),
    later: [...later].map(([timeField, { timeUs, candidates }]) => ({
      timeField,
      key: place(ofGeneration.ties(partition, timeField, entity)),
      timeUs: String(timeUs),
      candidates: candidates.map(({ id, fields: values }) => ({ id, fields: Object.entries(values).flat() })),
    })),
  }));
  const request = {
    role,
    generation: String(generation),
    tapeId,
    topic,
    partition: String(partition),
    from: [String(from.nextOffset), String(from.nextSequence)],
    to: [String(to.nextOffset), String(to.nextSequence)],
    counts: Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)])),
    tiesMax: String(TIES_MAX),
    lags: (projector.lags ?? []).map((lag) => ({ ...lag, moreThanUs: String(lag.moreThanUs) })),
    changes,
  };
  return { keys, values: [JSON.stringify(request)] };
}
