import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { instrumentsEvent, pipelineEvent } from '../contract/events.ts';
import { fakeModels, NOW_US, storedState } from './fixtures/read-models.ts';
import { LiveFeed, VIEWERS_MAX, type Viewer } from './live-feed.ts';
import { storeDown } from './problems.ts';
import type { StoredState } from './read-models.ts';

const LOOK_MS = 100;
const HEARTBEAT_MS = 5_000;

interface Received {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

/** A client that takes everything, unless its backlog is set. */
class TestViewer implements Viewer {
  readonly received: Received[] = [];
  backlogBytes = 0;
  isCut = false;
  write(bytes: Buffer): void {
    for (const part of bytes
      .toString()
      .split('\n\n')
      .filter((event) => event !== '')) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
      this.received.push({ id: field('id'), name: field('event'), data: JSON.parse(field('data')) });
    }
  }
  cut(): void {
    this.isCut = true;
  }
  /** Instruments of the events so far, in order; `*` begins a complete list. */
  get instruments(): string[] {
    return this.received
      .filter(({ name }) => name === 'instruments')
      .flatMap(({ data }) => {
        const { isComplete, instruments } = instrumentsEvent.parse(data);
        return [...(isComplete ? ['*'] : []), ...instruments.map(({ instrument }) => instrument)];
      });
  }
  get lastId(): string {
    return this.received.at(-1)?.id ?? '';
  }
}

class TestRedis {
  states: ReadonlyMap<string, StoredState> = new Map([
    ['A@x', storedState()],
    ['B@x', storedState()],
  ]);
  reads = 0;
  isDown = false;
  read(): Promise<ReadonlyMap<string, StoredState>> {
    this.reads += 1;
    return this.isDown ? Promise.reject(storeDown('redis')) : Promise.resolve(this.states);
  }
  change(...names: string[]): void {
    this.states = new Map([...this.states, ...names.map((name) => [name, storedState()] as const)]);
  }
}

let redis: TestRedis;
let feed: LiveFeed;
const telemetry = noTelemetry();

function feedOver(latest: TestRedis): LiveFeed {
  const models = fakeModels({ latest: { read: () => latest.read() } });
  return new LiveFeed({ models, telemetry, log: createLog('dashboard', 'silent'), nowUs: () => NOW_US });
}

async function opened(lastEventId?: string, viewer = new TestViewer()): Promise<TestViewer> {
  await feed.open(viewer, lastEventId);
  return viewer;
}

beforeEach(() => {
  vi.useFakeTimers();
  redis = new TestRedis();
  feed = feedOver(redis);
});
afterEach(() => {
  feed.close();
  vi.useRealTimers();
});
const look = () => vi.advanceTimersByTimeAsync(LOOK_MS + 1);

describe('the stream of events', () => {
  it('begins with all instruments, and goes on with those that changed', async () => {
    const viewer = await opened();
    expect(viewer.instruments).toEqual(['*', 'A@x', 'B@x']);
    redis.change('B@x');
    await look();
    await look();
    expect(viewer.instruments).toEqual(['*', 'A@x', 'B@x', 'B@x']);
  });

  it('reads once for all viewers, and not at all for none', async () => {
    const viewers = await Promise.all(Array.from({ length: 50 }, () => opened()));
    const before = redis.reads;
    redis.change('A@x');
    await look();
    expect(redis.reads).toBe(before + 1);
    expect(viewers.every(({ instruments }) => instruments.at(-1) === 'A@x' && instruments.length === 4)).toBe(true);
    for (const viewer of viewers) feed.leave(viewer);
    await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
    expect(redis.reads).toBe(before + 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not go on after all left during a look', async () => {
    const viewer = await opened();
    let answer: (() => void) | undefined;
    vi.spyOn(redis, 'read').mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          answer = () => {
            resolve(redis.states);
          };
        }),
    );
    await look();
    feed.leave(viewer);
    answer?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('resumes after the last event that a viewer had', async () => {
    const viewer = await opened();
    redis.change('A@x');
    await look();
    feed.leave(viewer);
    const other = await opened();
    redis.change('B@x');
    await look();
    redis.change('C@x');
    await look();
    expect((await opened(viewer.lastId)).instruments).toEqual(['B@x', 'C@x']);
    expect((await opened(other.lastId)).received).toEqual([]);
  });

  it('begins anew where it cannot resume', async () => {
    const viewer = await opened();
    const [start = ''] = viewer.lastId.split('-');
    const ids = ['', 'x', `${start}-`, `${start}-1e1`, `${start}-999`, `other-0`];
    for (const id of ids) expect([id, (await opened(id)).instruments[0]]).toEqual([id, '*']);
    const { lastId } = viewer;
    for (let change = 0; change < 1_100; change += 1) {
      redis.change('A@x');
      await look();
    }
    expect((await opened(lastId)).instruments[0]).toBe('*');
  });

  it('cuts off a viewer that does not read, and nobody else', async () => {
    const [slow, quick] = [await opened(), await opened()];
    slow.backlogBytes = 3_000_000;
    redis.change('A@x');
    await look();
    expect([slow.isCut, quick.isCut]).toEqual([true, false]);
    expect([slow.instruments.length, quick.instruments.length]).toEqual([3, 4]);
    expect(feed.viewers).toBe(1);
    expect(await telemetry.metrics.text()).toMatch(/^tapeproof_dashboard_viewers_cut_total 1$/m);
  });

  it('says in a heartbeat what is down, and goes on when Redis is back', async () => {
    redis.isDown = true;
    const viewer = await opened();
    expect(viewer.instruments).toEqual(['*']);
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    const heartbeat = viewer.received.find(({ name }) => name === 'pipeline');
    expect(pipelineEvent.parse(heartbeat?.data)).toMatchObject({ viewers: 1, services: [{ name: 'redis' }] });
    redis.isDown = false;
    await look();
    expect(viewer.instruments).toEqual(['*', 'A@x', 'B@x']);
  });

  it('sends all instruments where one is gone, as after a rebuild', async () => {
    const viewer = await opened();
    redis.states = new Map([['B@x', storedState()]]);
    await look();
    expect(viewer.instruments).toEqual(['*', 'A@x', 'B@x', '*', 'B@x']);
  });

  it('has room for so many viewers, also for those that come at the same time', async () => {
    const [first] = await Promise.allSettled(Array.from({ length: VIEWERS_MAX }, () => opened()));
    expect(first?.status).toBe('fulfilled');
    await expect(opened()).rejects.toMatchObject({ kind: 'BUSY', statusCode: 503 });
    expect(feed.viewers).toBe(VIEWERS_MAX);
  });

  it('ends with the process', async () => {
    const viewer = await opened();
    feed.close();
    expect(viewer.isCut).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
