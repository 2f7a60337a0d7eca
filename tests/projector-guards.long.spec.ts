import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody } from '../contracts/codec.ts';
import type { DeadLetter, ProbabilityDecision } from '../contracts/generated/events.ts';
import { DEAD_LETTERS_TOPIC, DEFAULT_PARTITIONS, type TopicName } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { createPool, migrate, type Pool } from '../platform/postgres.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { listProjectors, projectorGroup, projectorStatus, rebuildProjector } from '../projectors/main.ts';
import { killService, startService } from '../stack/main.ts';
import { startProjector, type RunningProjector } from './support/running-projector.ts';
import { seedTape, type SeededTape } from './support/seeded-tape.ts';
import { redisAdministratorUrl, resetStores, stackConnections, stackOptions } from './support/stack.ts';
import { append, memberCount } from './support/topics.ts';
import { until } from './support/until.ts';

const HISTORY = 'postgres-history';
const DECISIONS: TopicName = 'probability.decisions';
const TRADES = 4_200;

/** Each test leaves records in the log that the next ones find: they run in this order. */
describe('a projector that meets a faulty log', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-guards', createLog('test', 'silent'));
  let tape: SeededTape;
  let pool: Pool;
  let redis: Redis;
  let reader: LogReader;
  let producer: RecordProducer;
  let partition: number;
  let decisions: readonly ProbabilityDecision[];
  const started: RunningProjector[] = [];

  beforeAll(async () => {
    await resetStores();
    pool = createPool(migratorUrlOf(connections), 'test');
    redis = await connectRedis(redisAdministratorUrl(), 'test');
    reader = createLogReader(connections.kafkaBrokers);
    producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
    tape = await seedTape(connections);
    await tape.trade(TRADES);
    for (partition = 0; (await reader.endOffset(DECISIONS, partition)) < 200;) partition += 1;
    decisions = await decisionsIn(partition);
  });
  afterEach(async () => {
    for (const running of started.splice(0)) await running.stop().catch(() => undefined);
  });
  afterAll(async () => {
    await Promise.all([tape.close(), pool.end(), reader.close(), producer.disconnect()]);
    redis.disconnect();
  });

  async function decisionsIn(from: number): Promise<ProbabilityDecision[]> {
    const found: ProbabilityDecision[] = [];
    for await (const records of reader.read({ topic: DECISIONS, partition: from, from: 0, to: 1_000_000 })) {
      for (const { value } of records) {
        if (value !== null) found.push(decodeBody('ProbabilityDecision', bodyOf(value)));
      }
    }
    return found;
  }

  function emit(...events: readonly ProbabilityDecision[]): Promise<void> {
    return producer.send(
      events.map((event) => ({
        topic: DECISIONS,
        partition,
        key: event.instrument,
        type: 'ProbabilityDecision',
        body: encodeBody('ProbabilityDecision', event),
        timestampUs: event.eventTime,
      })),
    );
  }

  async function run(name: string): Promise<void> {
    const running = startProjector(name);
    started.push(running);
    await Promise.race([running.ended, read(name)]);
    await running.stop();
  }

  /** Until all of its topics are read to their ends. */
  async function read(name: string): Promise<void> {
    const topics = listProjectors().find((projector) => projector.name === name)?.topics ?? [];
    let records = 0;
    for (const topic of topics) {
      for (let of = 0; of < DEFAULT_PARTITIONS; of += 1) records += await reader.endOffset(topic, of);
    }
    await until(`${name} has read ${records} records`, async () => {
      const status = await projectorStatus(name, connections);
      return status?.positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === records;
    });
  }

  async function entry(name: string) {
    const status = await projectorStatus(name, connections);
    const isIt = (one: { topic: string; partition: number }) => one.topic === DECISIONS && one.partition === partition;
    const [position, counts] = [status?.positions.find(isIt), status?.ledger.find(isIt)];
    return position === undefined || counts === undefined ? undefined : { ...position, ...counts };
  }

  function rebuild(name: string, approveDifference = false) {
    return rebuildProjector({
      name,
      connections,
      log: createLog('test', 'silent'),
      signal: new AbortController().signal,
      approveDifference,
    });
  }

  const last = (): ProbabilityDecision => decisions.at(-1) ?? never();
  const conflicts = async () =>
    (
      await pool.query<{ log_offset: string; stored: boolean }>(
        'SELECT log_offset, stored_hash IS NOT NULL AS stored FROM tapeproof.conflicts ORDER BY log_offset',
      )
    ).rows;

  it('counts events emitted again as duplicates', async () => {
    await run(HISTORY);
    await emit(...decisions.slice(-50));
    await run(HISTORY);
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, duplicate: 50, conflict: 0 });
    expect((await rebuild(HISTORY)).comparison).toBe('equal');
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, duplicate: 50, conflict: 0 });
  });

  it('records a conflict where a repeated event has other bytes, and where its place is taken', async () => {
    await emit({ ...last(), probability: 0.123 }, { ...last(), eventId: 'decision-0-999999-0' });
    await run(HISTORY);
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, duplicate: 50, conflict: 2 });
    expect((await conflicts()).map(({ stored }) => stored)).toEqual([true, false]);
    const { rows } = await pool.query<{ probability: number }>(
      'SELECT probability FROM tapeproof.decisions WHERE event_id = $1',
      [last().eventId],
    );
    expect(rows[0]?.probability).toBe(last().probability);
    expect((await rebuild(HISTORY)).comparison).toBe('equal');
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, duplicate: 50, conflict: 2 });
  });

  it('records a conflict where a new place claims an old identity, and rebuilds with keys from the start', async () => {
    await emit({ ...last(), sequence: last().sequence + 1, probability: 0.321 });
    await run(HISTORY);
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, conflict: 3 });
    expect((await rebuild(HISTORY)).comparison).toBe('equal');
    expect(await entry(HISTORY)).toMatchObject({ applied: decisions.length, duplicate: 50, conflict: 3 });
  });

  it('finds everything already stored where only its positions were lost', async () => {
    const generation = (await projectorStatus(HISTORY, connections))?.generation ?? 0;
    await pool.query(`TRUNCATE history_${generation}.projector_positions`);
    await run(HISTORY);
    expect(await entry(HISTORY)).toMatchObject({ applied: 0, duplicate: decisions.length + 50, conflict: 3 });
    expect((await rebuild(HISTORY)).comparison).toBe('equal');
  });

  it('keeps an unreadable record as a dead letter, and continues', async () => {
    await append(kafka, DECISIONS, partition, ['no frame at all']);
    await run(HISTORY);
    expect(await entry(HISTORY)).toMatchObject({ dead: 1 });
    const letters: DeadLetter[] = [];
    for await (const records of reader.read({ topic: DEAD_LETTERS_TOPIC, partition, from: 0, to: 1_000 })) {
      for (const { value } of records) if (value !== null) letters.push(decodeBody('DeadLetter', bodyOf(value)));
    }
    expect(letters).toMatchObject([{ reader: HISTORY, reason: 'UNDECODABLE', source: { name: DECISIONS, partition } }]);
    expect(letters[0]?.payload.toString()).toBe('no frame at all');
  });

  it('rides out a Postgres that is killed', async () => {
    const running = startProjector(HISTORY);
    started.push(running);
    const group = await projectorGroup(HISTORY, connections);
    await until('it is a member of its group', async () => (await memberCount(kafka, group)) === 1);
    await killService(stackOptions(), 'postgres');
    await tape.append({ ...(tape.trades.at(-1) ?? never()), tradeId: 'after-the-kill' });
    await startService(stackOptions(), 'postgres');
    const end = await reader.endOffset('raw.trades', 0);
    await until('the tape is read on', async () => {
      const status = await projectorStatus(HISTORY, connections);
      return (
        status?.positions.find(({ topic, partition: of }) => topic === 'raw.trades' && of === 0)?.nextOffset === end
      );
    });
    await running.stop();
  });

  it('refuses a Redis that may evict keys', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(startProjector('redis-latest').ended).rejects.toMatchObject({ code: 'CONFIGURATION' });
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it.each(['redis-latest', HISTORY])('%s stops at a gap, and applies nothing from there on', async (name) => {
    if (name === 'redis-latest') {
      await run(name);
      await emit({ ...last(), eventId: 'decision-0-888888-0', sequence: last().sequence + 7 });
    }
    const before = await entry(name);
    await expect(run(name)).rejects.toMatchObject({ code: 'SEQUENCE_GAP' });
    expect(await entry(name)).toEqual(before);
  });

  it.each(['redis-latest', HISTORY])('of two rebuilds of %s at once the later one counts', async (name) => {
    const outcomes = await Promise.allSettled([rebuild(name), rebuild(name)]);
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(reasons.length).toBeLessThan(2);
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'GENERATION_CHANGED' });
    expect((await rebuild(name)).comparison).toBe('equal');
  });

  it('refuses a migration that was changed after it was applied', async () => {
    expect((await migrate(pool)).every(({ action }) => action === 'unchanged')).toBe(true);
    await pool.query(`UPDATE tapeproof.migrations SET checksum = 'x' || checksum`);
    await expect(migrate(pool)).rejects.toMatchObject({ code: 'CHECK_FAILED' });
    await pool.query('UPDATE tapeproof.migrations SET checksum = substr(checksum, 2)');
  });

  it('stops at positions of another tape, and replaces them only with approval', async () => {
    const generation = (await projectorStatus('candles', connections))?.generation ?? 0;
    expect(generation).toBe(0);
    expect((await rebuild('candles')).comparison).toBe('restored');
    await pool.query(`UPDATE candles_2.projector_positions SET tape_id = 'another'`);
    await expect(startProjector('candles').ended).rejects.toMatchObject({ code: 'FOREIGN_TAPE' });
    await expect(rebuild('candles')).rejects.toMatchObject({ code: 'FOREIGN_TAPE' });
    expect((await rebuild('candles', true)).comparison).toBe('approved');
    expect((await rebuild('candles')).comparison).toBe('equal');
  });
});

function never(): never {
  throw new Error('the tape is empty');
}
