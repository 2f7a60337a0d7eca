import { describe, expect, it } from 'vitest';
import { TapeproofError } from '../../platform/errors.ts';
import type { OutgoingRecord, RecordProducer } from '../../platform/kafka/producer.ts';
import { ClockTicks } from './clock-ticks.ts';
import { tradeWith } from './fixtures/trade.ts';
import { Lane } from './lane.ts';
import { SILENT_OBSERVER } from './observer.ts';
import { Outbox } from './outbox.adapter.ts';
import { Tally } from './tally.ts';
import { LIVE_TIMING } from './timing.ts';

const TIMING = { ...LIVE_TIMING, flushMs: 1, appendPauseMs: 1, drainMs: 100, gapGraceMs: 0 };

/** A tape in memory, whose sends can be held up or fail. */
class MemoryTape implements RecordProducer {
  readonly records: OutgoingRecord[] = [];
  /** What becomes of a send: how many of its records arrive, then an error; or all. */
  readonly outages: number[] = [];
  isAway = false;

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.isAway) await new Promise(() => undefined);
    const arrive = this.outages.shift();
    this.records.push(...records.slice(0, arrive ?? records.length));
    if (arrive !== undefined) throw new TapeproofError('UNREACHABLE', 'Kafka does not answer.');
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  ids(): string[] {
    return this.records.map(({ key, timestampUs }) =>
      key === null ? 'tick' : String((timestampUs - ZERO_US) / 1_000),
    );
  }
}

const ZERO_US = tradeWith(0).eventTime;

function scene() {
  const lane = new Lane({
    instrument: 'BTC-USDT@binance',
    symbol: 'BTCUSDT',
    partition: 0,
    transport: 'stream',
    tradeIds: 'DENSE',
    pageTradesMax: 1_000,
    asksFrom: true,
    waitingMax: 10_000,
    resumeTradesMax: 10_000,
    timing: TIMING,
    observer: SILENT_OBSERVER,
    onRefused: () => undefined,
  });
  lane.resume({ lastId: 0, lastTime: null, openGaps: [], recentIds: [] });
  lane.connected(0);
  const tape = new MemoryTape();
  const abort = new AbortController();
  const tally = new Tally(SILENT_OBSERVER);
  let positionsRead = 0;
  const outbox = new Outbox({
    venue: 'binance',
    lanes: [lane],
    producer: tape,
    ticks: new ClockTicks('binance', 0, 0),
    tally,
    timing: TIMING,
    observer: SILENT_OBSERVER,
    signal: abort.signal,
    nextDeadLetter: () => undefined,
    readPosition: () => {
      positionsRead += 1;
      const lastId = Number(tape.ids().findLast((id) => id !== 'tick') ?? 0);
      const held = { lastId, lastTime: null, openGaps: [], recentIds: [] };
      return Promise.resolve({ held: new Map([[lane.options.instrument, held]]), tickTimes: new Map() });
    },
  });
  return { lane, tape, abort, outbox, tally, positionsRead: () => positionsRead };
}

function deliver(lane: Lane, first: number, last: number): void {
  for (let id = first; id <= last; id += 1) lane.fromStream(tradeWith(id), 0);
}

function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

describe('the outbox', () => {
  it('sends what may go on in its order, and the rest when it ends', async () => {
    const { lane, tape, abort, outbox, tally } = scene();
    deliver(lane, 1, 9_000);
    lane.fromStream(tradeWith(9_002), 0);
    abort.abort();
    expect(await outbox.run()).toBe(true);
    expect(tape.ids()).toEqual(numbers(1, 9_000));
    expect(tally.trades).toBe(9_000);
  });

  it('writes a tick only behind the trades that it speaks for', async () => {
    const { lane, tape, abort, outbox } = scene();
    deliver(lane, 1, 100);
    const running = outbox.run();
    await expect.poll(() => tape.records.length).toBeGreaterThan(100);
    abort.abort();
    await running;
    expect(tape.ids().slice(0, 101)).toEqual([...numbers(1, 100), 'tick']);
  });

  it('goes on behind what the tape holds after sends that failed half way, each trade once', async () => {
    const { lane, tape, abort, outbox, positionsRead } = scene();
    tape.outages.push(30, 0);
    deliver(lane, 1, 100);
    const running = outbox.run();
    await expect.poll(positionsRead).toBe(1);
    // What was on its way is missing now, and REST serves it.
    for (let nowMs = 0; nowMs < 2; nowMs += 1) {
      await expect.poll(() => lane.need(performance.now())?.kind).toBe('from');
      const page = numbers(1, 100).map((id) => tradeWith(Number(id)));
      const need = lane.need(performance.now());
      if (need === undefined) expect.fail('nothing is needed');
      lane.answered(need, page, { askedAtMs: 0, askedAtWallMs: 0, nowMs: performance.now() });
      outbox.poke();
      await expect.poll(() => positionsRead() + tape.ids().filter((id) => id === '100').length).toBe(2 + nowMs);
    }
    abort.abort();
    await running;
    expect(positionsRead()).toBe(2);
    expect(tape.ids().filter((id) => id !== 'tick')).toEqual(numbers(1, 100));
  });

  it('ends in time while Kafka is away, and says that something is left', async () => {
    const { lane, tape, abort, outbox } = scene();
    tape.isAway = true;
    deliver(lane, 1, 10);
    const running = outbox.run();
    await expect.poll(() => lane.waiting).toBe(0);
    abort.abort();
    expect(await running).toBe(false);
  });

  it('throws what is no outage', async () => {
    const { lane, tape, outbox } = scene();
    tape.send = () => Promise.reject(new Error('a mistake'));
    deliver(lane, 1, 10);
    await expect(outbox.run()).rejects.toThrow('a mistake');
  });
});
