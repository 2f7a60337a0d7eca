import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBody } from '../contracts/codec.ts';
import type { IndicatorSnapshot, Trade } from '../contracts/generated/events.ts';
import { TOPIC_OF_DERIVED } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { eventIn } from '../platform/kafka/framed-record.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createPool, type Pool } from '../platform/postgres.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { createLog } from '../platform/log.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { listProjectors, projectorGroup, projectorStatus, rebuildProjector } from '../projectors/main.ts';
import { PROJECTORS } from '../projectors/catalogue.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { startProjector, type RunningProjector } from './support/running-projector.ts';
import { seedTape, type SeededTape } from './support/seeded-tape.ts';
import { redisAdministratorUrl, resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES = 9_000;

describe('projectors on the real stores', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-projectors', createLog('test', 'silent'));
  let tape: SeededTape;
  let pool: Pool;
  let redis: Redis;
  let reader: LogReader;
  const started: RunningProjector[] = [];

  beforeAll(async () => {
    await resetStores();
    pool = createPool(migratorUrlOf(connections), 'test');
    redis = await connectRedis(redisAdministratorUrl(), 'test');
    reader = createLogReader(connections.kafkaBrokers);
    tape = await seedTape(connections);
    await tape.trade(TRADES);
  });
  beforeEach(async () => {
    await stopAll();
  });
  afterAll(async () => {
    await stopAll();
    await Promise.all([tape.close(), pool.end(), reader.close()]);
    redis.disconnect();
  });

  function start(name: string): RunningProjector {
    const running = startProjector(name);
    started.push(running);
    return running;
  }

  async function stopAll(): Promise<void> {
    for (const running of started.splice(0)) await running.stop().catch(() => undefined);
  }

  async function recordsOf(name: string): Promise<number> {
    const topics = listProjectors().find((projector) => projector.name === name)?.topics ?? [];
    let records = 0;
    for (const topic of topics) {
      for (let partition = 0; partition < 6; partition += 1) records += await reader.endOffset(topic, partition);
    }
    return records;
  }

  async function caughtUp(name: string): Promise<void> {
    const records = await recordsOf(name);
    await until(`${name} has read ${records} records`, async () => {
      const status = await projectorStatus(name, connections);
      return status?.positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === records;
    });
  }

  /** A started process has shown that it works once it has written a record that arrived after its start. */
  async function atWork(name: string): Promise<void> {
    start(name);
    await tape.trade(70);
    await caughtUp(name);
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

  const generationOf = async (name: string): Promise<number> =>
    (await projectorStatus(name, connections))?.generation ?? 0;

  describe.each(PROJECTORS.map(({ name }) => name))('%s', (name) => {
    it('reads all of its topics, and accounts for every record', async () => {
      start(name);
      await caughtUp(name);
      const status = await projectorStatus(name, connections);
      for (const { read, applied, duplicate, conflict, dead, ignored } of status?.ledger ?? []) {
        expect(read).toBe(applied + duplicate + conflict + dead + ignored);
        expect([duplicate, conflict, dead]).toEqual([0, 0, 0]);
      }
    });

    it('is the same byte for byte after a rebuild without a running process', async () => {
      const before = await generationOf(name);
      const report = await rebuild(name);
      expect(report.comparison).toBe('equal');
      expect(await generationOf(name)).toBe(report.generation);
      expect(report.replaced).toBe(before);
      expect(report.records).toBe(await recordsOf(name));
    });

    it('is rebuilt under a running process, which continues with the new generation', async () => {
      await atWork(name);
      const report = await rebuild(name);
      expect(report.comparison).toBe('equal');
      await tape.trade(70);
      await caughtUp(name);
      expect(await generationOf(name)).toBe(report.generation);
    });

    it('reports its true lag after a rebuild, although nothing is new', async () => {
      await rebuild(name);
      start(name);
      const group = await projectorGroup(name, connections);
      const topics = listProjectors().find((projector) => projector.name === name)?.topics ?? [];
      await until('the group has no lag', async () => (await groupLag(kafka, group, topics)).lag === 0);
    });

    it('recovers while a process is running and nothing arrives', async () => {
      await atWork(name);
      await wipe(name);
      await caughtUp(name);
      expect((await rebuild(name)).comparison).toBe('equal');
    });

    it('is restored by a rebuild where the live one was wiped', async () => {
      await wipe(name);
      const report = await rebuild(name);
      expect(report.comparison).toBe('restored');
      expect(report.records).toBe(await recordsOf(name));
      expect((await rebuild(name)).comparison).toBe('equal');
    });

    it('starts a rebuild cleanly where another one was killed', async () => {
      const interrupted = new AbortController();
      const killed = rebuildProjector({
        name,
        connections,
        log: createLog('test', 'silent'),
        signal: interrupted.signal,
        progress: () => {
          interrupted.abort();
        },
      });
      await expect(killed).rejects.toMatchObject({ code: 'CHECK_FAILED' });
      expect((await rebuild(name)).comparison).toBe('equal');
    });
  });

  async function wipe(name: string): Promise<void> {
    const projector = PROJECTORS.find((candidate) => candidate.name === name);
    if (projector?.sink === 'redis') {
      await redis.flushall();
      return;
    }
    const schema = `${projector?.schema ?? ''}_${await generationOf(name)}`;
    const { rows } = await pool.query<{ name: string }>(
      // The positions first, as the writers lock them: in another order each could wait for the other.
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY tablename <> 'projector_positions', 1`,
      [schema],
    );
    await pool.query(`TRUNCATE ${rows.map((row) => `${schema}.${row.name}`).join(', ')}`);
  }

  it('keeps the live one where the rebuilt one differs, until that is approved', async () => {
    const schema = `history_${await generationOf('postgres-history')}`;
    await pool.query(
      `UPDATE ${schema}.decisions SET probability = 0.99 WHERE event_id = (SELECT min(event_id) FROM ${schema}.decisions)`,
    );
    await expect(rebuild('postgres-history')).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      message: expect.stringMatching(/decisions \(live \d+, rebuilt \d+, first at decision-\d+-\d+-0\)/) as string,
    });
    expect(`history_${await generationOf('postgres-history')}`).toBe(schema);
    const report = await rebuild('postgres-history', true);
    expect(report.comparison).toBe('approved');
    expect(report.differences.map(({ subject }) => subject)).toEqual(['decisions']);
    expect((await rebuild('postgres-history')).comparison).toBe('equal');
  });

  it('restores a table that was emptied behind its back', async () => {
    await pool.query(`TRUNCATE history_${await generationOf('postgres-history')}.outcomes`);
    const report = await rebuild('postgres-history');
    expect(report.comparison).toBe('restored');
    const { rows } = await pool.query<{ count: string }>('SELECT count(*) AS count FROM tapeproof.outcomes');
    expect(Number(rows[0]?.count)).toBe(report.differences[0]?.shadowCount);
  });

  it('recreates its tables where they were dropped under a running process', async () => {
    await atWork('postgres-history');
    await pool.query(`DROP SCHEMA history_${await generationOf('postgres-history')} CASCADE`);
    await caughtUp('postgres-history');
    expect((await rebuild('postgres-history')).comparison).toBe('equal');
  });

  it('shows strategy results with their outcomes', async () => {
    const { rows } = await pool.query<{ results: string; settled: string; outcomes: string }>(
      `SELECT count(*) AS results, count(outcome) AS settled,
              (SELECT count(*) FROM tapeproof.outcomes WHERE forecast_kind = 'STRATEGY') AS outcomes
         FROM tapeproof.strategy_results`,
    );
    expect(Number(rows[0]?.settled)).toBeGreaterThan(0);
    expect(rows[0]?.settled).toBe(rows[0]?.outcomes);
  });

  it('shows trades missing on the tape, and passes over its watermarks', async () => {
    await tape.quiet(1);
    start('postgres-history');
    await caughtUp('postgres-history');
    const { rows } = await pool.query<{ gaps: string; missing: string; ignored: string }>(
      `SELECT count(*) AS gaps, sum(missing_trades) AS missing,
              (SELECT sum(ignored) FROM tapeproof.projector_ledger
                WHERE projector = 'postgres-history' AND topic = 'raw.trades') AS ignored
         FROM tapeproof.trade_gaps`,
    );
    const [{ gaps, missing, ignored } = { gaps: '0', missing: '0', ignored: '0' }] = rows;
    expect(Number(gaps)).toBe(tape.contents('gap'));
    expect(Number(missing)).toBe(3 * Number(gaps));
    expect(Number(ignored)).toBe(tape.trades.length + tape.contents('watermark'));
  });

  it('marks a price stale once its market is known to be quiet, until the next trade', async () => {
    const last = tape.trades.at(-1);
    if (last === undefined) throw new Error('no trades');
    start('redis-latest');
    const latest = async (): Promise<Record<string, string>> => {
      await caughtUp('redis-latest');
      const generation = await generationOf('redis-latest');
      const partition = await redis.hget(`tp:${generation}:instruments`, last.instrument);
      return redis.hgetall(`tp:${generation}:{${partition ?? ''}}:latest:${last.instrument}`);
    };
    await tape.quiet(59);
    expect(await latest()).toMatchObject({ stale: '0', staleAfterMs: '60000' });
    await tape.quiet(62);
    const stale = await latest();
    expect(stale).toMatchObject({ stale: '1', priceTimeUs: String(last.eventTime) });
    const eventTime = Number(stale['clockUs']) + 1;
    await tape.append({ ...last, tradeId: 'after-the-quiet', eventTime, receivedAt: eventTime });
    expect(await latest()).toMatchObject({ stale: '0', clockUs: stale['clockUs'], priceTimeUs: String(eventTime) });
    await stopAll();
    expect((await rebuild('redis-latest')).comparison).toBe('equal');
  });

  it('gives Redis the latest trade by event time, and candles every trade once', async () => {
    const before = tape.trades.at(-1);
    if (before === undefined) throw new Error('no trades');
    const newest: Trade = { ...before, tradeId: 'newest', eventTime: before.eventTime + 1_000_000 };
    const late: Trade = { ...before, tradeId: 'late', eventTime: before.eventTime - 30_000_000 };
    for (const trade of [newest, late, before, newest]) {
      await tape.append({ ...trade, receivedAt: Math.max(trade.receivedAt, trade.eventTime) });
    }
    start('redis-latest');
    start('candles');
    await Promise.all([caughtUp('redis-latest'), caughtUp('candles')]);
    const generation = await generationOf('redis-latest');
    const partition = await redis.hget(`tp:${generation}:instruments`, before.instrument);
    const latest = await redis.hgetall(`tp:${generation}:{${partition ?? ''}}:latest:${before.instrument}`);
    expect(latest).toMatchObject({
      tradeId: 'newest',
      priceTimeUs: String(newest.eventTime),
      price: newest.price.toString(),
    });
    expect(await redis.get('tp:redis-latest:live')).toBe(String(generation));
    const distinct = new Set(tape.trades.map(({ instrument, tradeId }) => `${instrument} ${tradeId}`));
    const { rows } = await pool.query<{ trades: string }>('SELECT sum(trades) AS trades FROM tapeproof.candles');
    expect(Number(rows[0]?.trades)).toBe(distinct.size);
  });

  it('prints what the oracle found, a forged snapshot included', async () => {
    const oracle = (...words: readonly string[]) => runCommand(['oracle', ...words], environmentOf(connections));
    const topic = TOPIC_OF_DERIVED.IndicatorSnapshot;
    start('oracle-check');
    await caughtUp('oracle-check');
    const before = await oracle();
    expect(before.stdout).toMatch(/^[\d,]+ snapshots recomputed from the trades and equal, 0 divergent, 0 not checked/);
    expect(before.exitCode).toBe(0);
    // Of a short range, which is always drawn. It is the last test here: the log is not the engine's after it.
    const registry = createRegistry(connections.registryUrl);
    const producer = createRecordProducer(kafka, registry);
    let forged: IndicatorSnapshot | undefined;
    for (let partition = 0; forged === undefined; partition += 1) {
      const end = await reader.endOffset(topic, partition);
      if (end === 0) continue;
      const [first, last] = await Promise.all([0, end - 1].map((offset) => snapshotAt(registry, partition, offset)));
      const eventId = `snapshot-${partition}-${first!.tape.offset}-77`;
      forged = { ...first!, eventId, sequence: last!.sequence + 1, vwap: first!.vwap + 1 };
      const body = encodeBody('IndicatorSnapshot', forged);
      await producer.send([{ topic, partition, key: null, type: 'IndicatorSnapshot', body, timestampUs: 0 }]);
    }
    await producer.disconnect();
    await caughtUp('oracle-check');
    const after = await oracle();
    expect(after.exitCode).toBe(1);
    expect(after.stdout).toContain(`✗ ${forged.eventId}: vwap ${forged.vwap} is published, `);
    const json = JSON.parse((await oracle('--json')).stdout) as { readonly divergences: readonly object[] };
    expect(json.divergences).toMatchObject([{ eventId: forged.eventId, field: 'vwap', divergent: ['vwap'] }]);
    await until('status says so', async () => {
      const { stdout } = await runCommand(['status'], environmentOf(connections));
      return stdout.includes('the trades do not confirm 1 published snapshot') && stdout.includes('1 DIVERGE');
    });
    await stopAll();
    await pool.query('DROP VIEW tapeproof.oracle_results');
    const never = await oracle();
    expect([never.exitCode, never.stderr]).toEqual([1, expect.stringContaining('No snapshot was checked yet')]);
  });

  async function snapshotAt(registry: Registry, partition: number, offset: number): Promise<IndicatorSnapshot> {
    const topic = TOPIC_OF_DERIVED.IndicatorSnapshot;
    for await (const [record] of reader.read({ topic, partition, from: offset, to: offset + 1 })) {
      const snapshot = await eventIn(registry, record!, 'IndicatorSnapshot');
      if (snapshot !== undefined) return snapshot;
    }
    throw new Error(`there is no snapshot at offset ${offset}`);
  }
});
