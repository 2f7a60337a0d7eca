import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, frame } from '../contracts/codec.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLog } from '../platform/log.ts';
import { createPool, withClient } from '../platform/postgres.ts';
import { stackStatus } from '../stack/main.ts';
import { World } from './faults/world.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { SEEDED_INSTRUMENTS, tradeNumber } from './support/seeded-tape.ts';
import { stackConnections, stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const HISTORY = 'postgres-history';
const LATEST = 'redis-latest';
const TRADES = 700;
const UNKNOWN_SCHEMA_ID = 987_654;
const PARTITION = partitionOf(SEEDED_INSTRUMENTS[0] ?? '', DEFAULT_PARTITIONS);

interface Check {
  readonly ok: boolean;
  readonly detail: string;
}

/** A relay that can swallow what is sent, both ways, while its connections stay open. */
async function swallowingRelay(target: URL) {
  const sockets = new Set<Socket>();
  let isSwallowing = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        if (!isSwallowing) to.write(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    swallow: (on: boolean) => (isSwallowing = on),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** One stack, in order: the last one leaves a tape that another engine must continue. */
describe('/ready while nothing is committed', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-ready', createLog('test', 'silent'));
  const started: ObservedProcess[] = [];
  let world: World;
  let trades = 0;

  const start = (where: Connections, ...words: string[]): ObservedProcess => {
    const process = new ObservedProcess(where, words);
    started.push(process);
    return process;
  };
  const trade = async (): Promise<void> => {
    await world.trade(trades, TRADES);
    trades += TRADES;
  };
  const checkOf = async (process: ObservedProcess, name: string): Promise<Check | undefined> => {
    const { checks } = (await (await process.ask('/ready')).json()) as { checks: Record<string, Check> };
    return checks[name];
  };
  const untilReady = (process: ObservedProcess): Promise<void> => until('it is ready', async () => process.isReady());
  const untilUnready = async (process: ObservedProcess, name: string): Promise<string> => {
    await until(`the check ${name} fails`, async () => (await checkOf(process, name))?.ok === false);
    expect((await process.ask('/ready')).status).toBe(503);
    expect((await process.ask('/health')).status).toBe(200);
    return (await checkOf(process, name))?.detail ?? '';
  };

  beforeAll(async () => {
    world = new World(connections, `${stackOptions().folder}/../test-logs-ready`);
    await world.connect();
    await world.reset(false);
    await world.activate();
    await trade();
  });
  afterEach(async () => {
    for (const process of started.splice(0)) await process.kill();
  });
  afterAll(() => world.close());

  it('is 200 while there is nothing to do, and says so', async () => {
    const engine = start(connections, 'engine', 'run');
    await untilReady(engine);
    await world.untilEngineCaughtUp();
    await until('it was measured', async () =>
      /^no partition is stalled$/.test((await checkOf(engine, 'progress'))?.detail ?? ''),
    );
    expect(await engine.metric('tapeproof_consumer_stalled')).toBe(0);
    expect(await engine.isReady()).toBe(true);
  });

  it('is 503 with the reason while a projector waits for a table that is locked', async () => {
    const engine = start(connections, 'engine', 'run');
    const history = start(connections, 'projector', 'run', HISTORY);
    await untilReady(history);
    await until('it has read', async () => (await world.lagOf(HISTORY, world.topicsOf(HISTORY))) === 0);
    const pool = createPool(connections.postgresUrl, 'test-ready');
    await withClient(pool, async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE history_1.projector_positions IN ACCESS EXCLUSIVE MODE');
      await trade();
      expect(await untilUnready(history, 'progress')).toMatch(/^stalled: nothing of .* was committed for \d+ s/);
      expect(await history.metric('tapeproof_consumer_stalled')).toBeGreaterThan(0);
      await history.line('stalled');
      expect(await checkOf(engine, 'progress')).toMatchObject({ ok: true });
      await client.query('ROLLBACK');
    });
    await pool.end();
    await history.line('stall-ended');
    await untilReady(history);
    expect(await history.metric('tapeproof_consumer_stalled')).toBe(0);
  });

  it('is 503 while Redis accepts the packets but does not answer', async () => {
    const relay = await swallowingRelay(new URL(connections.redisUrl));
    const engine = start(connections, 'engine', 'run');
    const latest = start({ ...connections, redisUrl: relay.url }, 'projector', 'run', LATEST);
    await untilReady(latest);
    await until('it has read', async () => (await world.lagOf(LATEST, world.topicsOf(LATEST))) === 0);
    relay.swallow(true);
    await trade();
    await untilUnready(latest, 'redis');
    expect(await untilUnready(latest, 'progress')).toMatch(/^stalled: /);
    expect(await engine.isReady()).toBe(true);
    relay.close();
  });

  it('is 503 while Kafka is frozen, and /metrics answers', async () => {
    const engine = start(connections, 'engine', 'run');
    await untilReady(engine);
    const pid = (await stackStatus(stackOptions())).find(({ name }) => name === 'kafka')?.pid;
    if (pid === undefined) throw new Error('Kafka has no pid');
    process.kill(pid, 'SIGSTOP');
    try {
      await untilUnready(engine, 'kafka');
      expect(await engine.metric('tapeproof_check_ready', { check: 'kafka' })).toBe(0);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await untilReady(engine);
  });

  it('is 503 while every record becomes a dead letter, with the reason and how many', async () => {
    const processes = [start(connections, 'engine', 'run'), start(connections, 'projector', 'run', LATEST)];
    for (const process of processes) await untilReady(process);
    const producer = kafka.producer({ createPartitioner: () => () => PARTITION });
    await producer.connect();
    const value = frame(UNKNOWN_SCHEMA_ID, encodeBody('Trade', tradeNumber(0)));
    await producer.send({ topic: TAPE_TOPIC, messages: Array.from({ length: 30 }, () => ({ key: null, value })) });
    await producer.disconnect();
    for (const process of processes) {
      expect(await untilUnready(process, 'dead-letters')).toMatch(/UNKNOWN_SCHEMA \d+\): "npx tapeproof dead-letters"/);
      expect(await process.metric('tapeproof_consumer_refused_ratio')).toBeGreaterThan(0);
    }
    await trade();
    for (const process of processes) await untilReady(process);
  });

  it('is 503 while another engine version is in force, and names it and what to do', async () => {
    const engine = start(connections, 'engine', 'run');
    await untilReady(engine);
    await world.activate('99');
    await trade();
    const detail = await untilUnready(engine, 'activation');
    expect(detail).toMatch(
      /engine version 99 is in force, and this is \d+: stop this engine and run version 99; .*"npx tapeproof activate"/,
    );
    await until('all partitions wait', async () => {
      return (await engine.metric('tapeproof_engine_hand_over_awaited')) === DEFAULT_PARTITIONS;
    });
    expect(await untilUnready(engine, 'progress')).toMatch(/engine version 99 is in force/);
    const later = start(connections, 'engine', 'run');
    await engine.stop();
    expect(await untilUnready(later, 'activation')).toMatch(/version 99/);
  });
});
