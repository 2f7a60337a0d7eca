import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createPool, inTransaction, withClient, type Pool } from '../platform/postgres.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { listProjectors, projectorStatus } from '../projectors/main.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { startRelay, through, type Relay } from './support/relay.ts';
import { seedTape, type SeededTape } from './support/seeded-tape.ts';
import { postgresAdministratorUrl, redisAdministratorUrl, resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const HISTORY = 'postgres-history';
const LATEST = 'redis-latest';
const TRADES = 1_400;
/** An order to stop is obeyed within ten seconds; a busy machine gets some more. */
const STOP_DEADLINE_MS = 20_000;
/** Sooner than Postgres itself gives up a transaction in which nothing happens. */
const LOCK_DEADLINE_MS = 20_000;

/** Each test leaves the stores as they were: connected, writable, and read up to the end of the log. */
describe('a projector whose store fails', () => {
  const connections = stackConnections();
  let tape: SeededTape;
  let pool: Pool;
  let redis: Redis;
  let reader: LogReader;
  let postgresRelay: Relay;
  let redisRelay: Relay;
  const processes: ObservedProcess[] = [];

  beforeAll(async () => {
    await resetStores();
    pool = createPool(postgresAdministratorUrl(), 'test');
    redis = await connectRedis(redisAdministratorUrl(), 'test');
    reader = createLogReader(connections.kafkaBrokers);
    postgresRelay = await relayTo(connections.postgresUrl);
    redisRelay = await relayTo(connections.redisUrl);
    tape = await seedTape(connections);
    await tape.trade(TRADES);
  });
  afterEach(async () => {
    const ended = processes.splice(0);
    for (const process of ended) if (process.isAlive) await process.kill();
    postgresRelay.heal();
    redisRelay.heal();
    for (const process of ended) {
      // Whatever happened was an outage: it is reported in sentences.
      expect(process.otherLines).toEqual([]);
      expect(process.lines.filter((line) => line['error.stack_trace'] !== undefined)).toEqual([]);
      expect(process.lines.filter((line) => JSON.stringify(line).includes('unexpected'))).toEqual([]);
    }
  });
  afterAll(async () => {
    await Promise.all([tape.close(), pool.end(), reader.close(), postgresRelay.close(), redisRelay.close()]);
    redis.disconnect();
  });

  function relayTo(url: string): Promise<Relay> {
    const { hostname, port } = new URL(url);
    return startRelay(hostname, Number(port));
  }

  function start(words: readonly string[]): ObservedProcess {
    const relayed = {
      ...connections,
      postgresUrl: through(postgresRelay, connections.postgresUrl),
      postgresMigratorUrl: through(postgresRelay, migratorUrlOf(connections)),
      redisUrl: through(redisRelay, connections.redisUrl),
    };
    const process = new ObservedProcess(relayed, words);
    processes.push(process);
    return process;
  }

  /** A projector whose store is reached through the relay, once it has read everything. */
  async function atWork(name: string): Promise<ObservedProcess> {
    const process = start(['projector', 'run', name]);
    await until(`${name} is ready`, () => process.isReady());
    await hasReadAll(name);
    return process;
  }

  async function hasReadAll(name: string): Promise<void> {
    const topics = listProjectors().find((projector) => projector.name === name)?.topics ?? [];
    await until(`${name} has read everything`, async () => {
      let records = 0;
      for (const topic of topics) {
        for (let of = 0; of < DEFAULT_PARTITIONS; of += 1) records += await reader.endOffset(topic, of);
      }
      const status = await projectorStatus(name, connections);
      return status?.positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === records;
    });
  }

  async function sinkOf(process: ObservedProcess): Promise<{ ok: boolean; detail: string }> {
    const { checks } = (await (await process.ask('/ready')).json()) as {
      checks: Record<string, { ok: boolean; detail: string }>;
    };
    return checks['sink'] ?? { ok: false, detail: 'there is no such check' };
  }

  /** Waits with lag until /ready shows the sentence. */
  async function isRefused(process: ObservedProcess, sentence: RegExp): Promise<void> {
    await tape.trade(140);
    let sink = { ok: true, detail: '' };
    await until(`/ready says ${sentence.source}`, async () => {
      sink = await sinkOf(process);
      return !sink.ok && sentence.test(sink.detail) && !(await process.isReady());
    }).catch((error: unknown) => {
      throw new Error(`/ready says of the sink: ${sink.detail}`, { cause: error });
    });
    expect(await process.metric('tapeproof_projector_sink_up')).toBe(0);
  }

  async function recovers(process: ObservedProcess, name: string): Promise<void> {
    await hasReadAll(name);
    await until('it is ready again', () => process.isReady());
    await process.line('sink-recovered');
    expect(await process.metric('tapeproof_projector_sink_up')).toBe(1);
  }

  async function stopsInTime(process: ObservedProcess): Promise<void> {
    const ended = process.stop();
    await until('it has ended', () => !process.isAlive, STOP_DEADLINE_MS);
    expect(await ended).toBe(0);
  }

  describe.each([
    [HISTORY, () => postgresRelay],
    [LATEST, () => redisRelay],
  ])('%s, when packets of its store are swallowed', (name, relayOf) => {
    it('says so, and continues when they flow again', async () => {
      const process = await atWork(name);
      relayOf().swallow();
      await isRefused(process, /does not answer/);
      relayOf().pass();
      await recovers(process, name);
      await stopsInTime(process);
    });

    it('stops on request', async () => {
      const process = await atWork(name);
      relayOf().swallow();
      await tape.trade(140);
      await until('a write is under way', async () => (await process.metric('tapeproof_consumer_lag_records')) > 0);
      await stopsInTime(process);
    });
  });

  it('lets Postgres work on a statement for longer than a silence may last', async () => {
    await withClient(pool, async (client) => {
      const { rowCount } = await client.query('SELECT pg_sleep(16)');
      expect(rowCount).toBe(1);
    });
  });

  it('ends the server session of a connection that broke in a transaction', async () => {
    const relayed = createPool(through(postgresRelay, postgresAdministratorUrl()), 'test-lost');
    try {
      const broken = withClient(relayed, async (client) => {
        await client.query('BEGIN');
        await client.query('LOCK TABLE tapeproof.projector_generations');
        postgresRelay.swallow();
        await client.query('SELECT 1');
      });
      await expect(broken).rejects.toMatchObject({ code: 'UNREACHABLE' });
      postgresRelay.pass();
      await relayed.query('SELECT 1');
      await until(
        'nobody holds the table',
        async () => {
          await inTransaction(pool, (client) => client.query('LOCK TABLE tapeproof.projector_generations NOWAIT'));
          return true;
        },
        LOCK_DEADLINE_MS,
      );
    } finally {
      postgresRelay.pass();
      await relayed.close();
    }
  });

  it.each([
    [HISTORY, () => postgresRelay],
    [LATEST, () => redisRelay],
  ])('a rebuild of %s stops on request while packets are swallowed', async (name, relayOf) => {
    const live = await projectorStatus(name, connections);
    const accepted = relayOf().accepted();
    const process = start(['projector', 'rebuild', name]);
    await until('it is at work', () => relayOf().accepted() > accepted);
    relayOf().swallow();
    const ended = process.stop();
    await until('it has ended', () => !process.isAlive, STOP_DEADLINE_MS);
    expect(await ended).toBeGreaterThan(0);
    expect(process.otherLines.splice(0)).toEqual([expect.stringMatching(/^tapeproof: /)]);
    relayOf().pass();
    expect((await projectorStatus(name, connections))?.generation).toBe(live?.generation);
  });

  it.each([HISTORY, LATEST])(
    'a rebuild of %s causes no error in the process whose generation it replaces',
    async (name) => {
      const process = await atWork(name);
      const rebuild = start(['projector', 'rebuild', name]);
      expect(await rebuild.ended()).toBe(0);
      // Its progress.
      rebuild.otherLines.splice(0);
      await process.line('generation-changed');
      await hasReadAll(name);
      await tape.trade(140);
      await hasReadAll(name);
      await stopsInTime(process);
      expect(process.lines.filter((line) => line['log.level'] === 'error')).toEqual([]);
    },
  );

  it('waits while Postgres is read-only', async () => {
    const process = await atWork(HISTORY);
    await setForDatabase('default_transaction_read_only = on');
    try {
      await isRefused(process, /^Postgres is read-only /);
    } finally {
      await setForDatabase('default_transaction_read_only = off');
    }
    await recovers(process, HISTORY);
    await stopsInTime(process);
  });

  it('waits while a table is locked, says so, and stops on request', async () => {
    const process = await atWork(HISTORY);
    await withClient(pool, async (client) => {
      await client.query('BEGIN');
      const { rows } = await client.query<{ live: number }>(
        'SELECT live FROM tapeproof.projector_generations WHERE projector = $1',
        [HISTORY],
      );
      await client.query(`LOCK TABLE history_${rows[0]?.live ?? 0}.indicator_snapshots`);
      await isRefused(process, /^Another session holds a lock in Postgres /);
      await stopsInTime(process);
      await client.query('ROLLBACK');
    });
  });

  it('reports a refusal of Postgres in one sentence, with what to do', async () => {
    await pool.query(`CREATE ROLE narrow LOGIN CONNECTION LIMIT 1 PASSWORD 'narrow'`);
    await pool.query('GRANT CONNECT ON DATABASE tapeproof TO narrow');
    const as = (change: (url: URL) => void): Pool => {
      const url = new URL(postgresAdministratorUrl());
      change(url);
      return createPool(url.href, 'test-refused');
    };
    const narrow = as((url) => (url.username = url.password = 'narrow'));
    const nowhere = as((url) => (url.pathname = '/nowhere'));
    const ask = (at: Pool, sql: string) => withClient(at, (client) => client.query(sql));
    try {
      await expect(ask(nowhere, 'SELECT 1')).rejects.toThrow(/^Postgres does not have the database .*create it/);
      await expect(ask(narrow, 'TABLE tapeproof.migrations')).rejects.toThrow(
        /^Postgres does not allow this .*grant it/,
      );
      await withClient(narrow, async () => {
        await expect(ask(narrow, 'SELECT 1')).rejects.toThrow(/^Postgres has no connection left /);
      });
      await expect(ask(pool, 'SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow(
        /^Postgres ended the connection /,
      );
      await expect(ask(pool, `DO $$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$`)).rejects.toThrow(
        /^The disk of Postgres is full \(no space\)/,
      );
    } finally {
      await Promise.all([narrow.close(), nowhere.close()]);
      await pool.query('REVOKE CONNECT ON DATABASE tapeproof FROM narrow');
      await pool.query('DROP ROLE narrow');
    }
  });

  it('waits while Redis is a replica, and tries new connections', async () => {
    const process = await atWork(LATEST);
    await redis.replicaof('127.0.0.1', 1);
    try {
      await isRefused(process, /^Redis is a replica and accepts no writes/);
      const accepted = redisRelay.accepted();
      await until('it connects again', () => redisRelay.accepted() > accepted);
    } finally {
      await redis.replicaof('NO', 'ONE');
    }
    await recovers(process, LATEST);
    await stopsInTime(process);
  });

  it('waits while Redis is out of memory', async () => {
    const process = await atWork(LATEST);
    await redis.config('SET', 'maxmemory', '1');
    try {
      await isRefused(process, /^Redis is out of memory/);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    await recovers(process, LATEST);
    await stopsInTime(process);
  });

  it('reports that Redis may evict keys since its policy was changed', async () => {
    const process = await atWork(LATEST);
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await process.line('eviction-on');
      expect(await sinkOf(process)).toMatchObject({
        ok: false,
        detail: expect.stringContaining('allkeys-lru') as unknown,
      });
      expect(await process.isReady()).toBe(false);
      expect(await process.metric('tapeproof_projector_sink_evicts')).toBe(1);
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
    await process.line('eviction-off');
    await until('it is ready again', () => process.isReady());
    expect(await process.metric('tapeproof_projector_sink_evicts')).toBe(0);
    await stopsInTime(process);
  });

  async function setForDatabase(setting: string): Promise<void> {
    await pool.query(`SET default_transaction_read_only = off; ALTER DATABASE tapeproof SET ${setting}`);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tapeproof-%'`,
    );
  }
});
