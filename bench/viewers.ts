import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { runDashboard } from '../dashboard/main.ts';
import { EVENTS_PATH } from '../dashboard/contract/routes.ts';
import type { Connections } from '../platform/connections.ts';
import type { Log } from '../platform/log.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { redisLatest } from '../projectors/redis-latest/projector.ts';
import { generationKeys, projectorKeys } from '../projectors/sinks/redis-keys.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, quantileOf, type Figure } from './figure.ts';

const VIEWERS = 1_000;
const MS_BELOW = 250;
/** Viewers that connect at a time. */
const CONNECTING = 50;
const INSTRUMENTS = Array.from({ length: 50 }, (_, index) => `BENCH${index}-USDT@binance`);
const GENERATION = 1;
const CHANGES = 100;
/** Not a multiple of the time between two looks at Redis, so that changes come at any time between them. */
const CHANGE_INTERVAL_MS = 97;
const START_DEADLINE_MS = 30_000;
const RETRY_MS = 100;
/** The wait after the last change, for events in flight. */
const DRAIN_MS = 2_000;
const PRICE = /"price":"(\d+)"/g;

/** Runs the dashboard until the signal, for a child process. */
export async function runDashboardOn(port: number, connections: Connections, log: Log, signal: AbortSignal) {
  await runDashboard({
    ...{ connections, log, signal, port, host: '127.0.0.1', names: [], token: undefined },
    telemetry: noTelemetry(),
    keys: { logKeys: [], witnessKeys: [] },
    pipelineStatus: () => Promise.reject(new Error('nobody asks here')),
    onListening: () => undefined,
  });
}

/** From a change in Redis to its receipt by every one of a thousand viewers of one dashboard in a separate process. */
export async function measureViewers({ connections, runs }: Bench): Promise<Figure[]> {
  const redis = await connectRedis(connections.redisUrl, 'tapeproof-bench');
  await layStates(redis);
  const port = await freePort();
  const dashboard = startChild({ role: 'dashboard', connections, argument: port });
  const changes = new Changes(redis);
  const viewers = await openViewers(port, changes);
  const delays: number[][] = [];
  try {
    for (let run = 0; run < runs; run += 1) delays.push(await changes.measured());
  } finally {
    for (const viewer of viewers) viewer.destroy();
    redis.disconnect();
    await dashboard.stop();
  }
  const missing = delays.some(({ length }) => length < VIEWERS * CHANGES);
  if (missing) throw new Error('some viewer did not receive every change');
  const how = `from a change in Redis to its receipt, ${VIEWERS} viewers, ${CHANGES} changes a run, one each ${CHANGE_INTERVAL_MS} ms; viewers and dashboard share the machine`;
  const quantile = (share: number): number[] => delays.map((run) => quantileOf(run, share));
  return [
    figureOf('change to viewer, p50', 'ms', quantile(0.5), how),
    figureOf('change to viewer, p99', 'ms', quantile(0.99), how, { below: MS_BELOW }),
    figureOf('change to viewer, the slowest', 'ms', quantile(1), how),
  ];
}

const keys = generationKeys(redisLatest, GENERATION);
const partitionFor = (instrument: string): number => partitionOf(instrument, DEFAULT_PARTITIONS);

/** What the projector would have written. */
async function layStates(redis: Redis): Promise<void> {
  const batch = redis.pipeline().set(projectorKeys(redisLatest).live, String(GENERATION));
  for (const instrument of INSTRUMENTS) {
    const partition = partitionFor(instrument);
    batch.hset(keys.index, instrument, String(partition)).sadd(keys.partitions, String(partition));
    batch.hset(keys.latest(partition, instrument), { price: '0', priceTimeUs: '1', staleAfterMs: '60000' });
    batch.hset(keys.position(partition), 'raw.trades:nextOffset', '1');
  }
  await batch.exec();
}

/** Changes of prices, each price once, and when each one was received. */
class Changes {
  readonly #redis: Redis;
  readonly #sentAt: number[] = [];
  #delays: number[] = [];

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Delays of one run, of every viewer and change, milliseconds. */
  async measured(): Promise<number[]> {
    this.#delays = [];
    for (let change = 0; change < CHANGES; change += 1) {
      await this.#change();
      await wait(CHANGE_INTERVAL_MS);
    }
    await wait(DRAIN_MS);
    return this.#delays;
  }

  async #change(): Promise<void> {
    const number = this.#sentAt.push(performance.now());
    const instrument = INSTRUMENTS[number % INSTRUMENTS.length] ?? '';
    const partition = partitionFor(instrument);
    // The position last, as with the projector's script nothing is seen before its values.
    await this.#redis
      .pipeline()
      .hset(keys.latest(partition, instrument), 'price', String(number))
      .hincrby(keys.position(partition), 'raw.trades:nextOffset', 1)
      .exec();
  }

  received(text: string): void {
    const now = performance.now();
    for (const [, price] of text.matchAll(PRICE)) {
      const sentAt = this.#sentAt[Number(price) - 1];
      if (sentAt !== undefined) this.#delays.push(now - sentAt);
    }
  }
}

async function openViewers(port: number, changes: Changes): Promise<readonly IncomingMessage[]> {
  const viewers: IncomingMessage[] = [await untilOpen(port, changes)];
  while (viewers.length < VIEWERS) {
    const some = Array.from({ length: Math.min(CONNECTING, VIEWERS - viewers.length) }, () =>
      openViewer(port, changes),
    );
    viewers.push(...(await Promise.all(some)));
  }
  return viewers;
}

/** The first viewer waits for the dashboard. */
async function untilOpen(port: number, changes: Changes): Promise<IncomingMessage> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (true) {
    try {
      return await openViewer(port, changes);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(RETRY_MS);
    }
  }
}

async function openViewer(port: number, changes: Changes): Promise<IncomingMessage> {
  const sent = request({ host: '127.0.0.1', port, path: EVENTS_PATH, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`a viewer was refused: ${response.statusCode}`);
  let rest = '';
  response.setEncoding('utf8');
  response.on('error', () => undefined);
  response.on('data', (text: string) => {
    // An event may arrive in pieces: only whole ones are counted.
    const end = text.lastIndexOf('\n\n');
    if (end < 0) rest += text;
    else {
      changes.received(rest + text.slice(0, end));
      rest = text.slice(end);
    }
  });
  return response;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
