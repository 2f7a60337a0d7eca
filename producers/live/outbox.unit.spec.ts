import { describe, expect, it, vi } from 'vitest';
import { decodeBody } from '../../contracts/codec.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { OutgoingRecord, RecordProducer } from '../../platform/kafka/producer.ts';
import { binance } from '../venues/binance/venue.ts';
import { ClockTicks } from './clock-ticks.ts';
import { tradeWith } from './fixtures/trade.ts';
import { Inbox } from './inbox.adapter.ts';
import { Lane } from './lane.ts';
import { SILENT_OBSERVER, type LiveObserver } from './observer.ts';
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
    return this.records.map(({ type, timestampUs }) =>
      type === 'Trade' ? String((timestampUs - ZERO_US) / 1_000) : (WORDS[type] ?? type),
    );
  }

  /** What was refused, as it came. */
  refused(): string[] {
    const letters = this.records.filter(({ type }) => type === 'DeadLetter');
    return letters.map(({ body }) => Buffer.from(decodeBody('DeadLetter', body).payload).toString());
  }
}

const WORDS: Readonly<Record<string, string>> = { ClockTick: 'tick', TradeGap: 'gap', DeadLetter: 'dead letter' };
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
  const told: string[] = [];
  const observer: LiveObserver = {
    ...SILENT_OBSERVER,
    refused: ({ reason, kept }) => told.push(`${reason} ${kept ? 'kept' : 'not kept'}`),
    gapDeclared: ({ instrument, firstTradeId, lastTradeId, missing, reason }) =>
      told.push(`${reason} ${instrument} ${firstTradeId}-${lastTradeId}, ${missing}`),
  };
  const tally = new Tally(observer);
  const inbox = new Inbox(binance, new Map([[lane.options.instrument, lane]]), 1, observer);
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
    deadLetters: inbox,
    readPosition: () => {
      positionsRead += 1;
      const lastId = Number(tape.ids().findLast((id) => /^\d+$/.test(id)) ?? 0);
      const held = { lastId, lastTime: null, openGaps: [], recentIds: [] };
      return Promise.resolve({ held: new Map([[lane.options.instrument, held]]), tickTimes: new Map() });
    },
  });
  return { lane, tape, abort, outbox, tally, inbox, told, positionsRead: () => positionsRead };
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

  it('sends dead letters again that Kafka did not take, before newer ones, and tells them when it has them', async () => {
    const { tape, abort, outbox, inbox, told, positionsRead } = scene();
    for (const text of ['one', 'two', 'three']) inbox.frame(text, 0);
    // The first batch fails, and what was collected meanwhile with it.
    tape.outages.push(0);
    const running = outbox.run();
    await expect.poll(() => tape.outages.length).toBe(0);
    inbox.frame('four', 0);
    expect(told).toEqual([]);
    await expect.poll(positionsRead).toBe(1);
    await expect.poll(() => told.length).toBe(4);
    abort.abort();
    expect(await running).toBe(true);
    inbox.giveUp();
    expect(tape.refused()).toEqual(['one', 'two', 'three', 'four']);
    expect(told).toEqual(Array.from({ length: 4 }, () => 'MALFORMED kept'));
    expect(inbox.deadLettersNotKept).toBe(0);
  });

  it('counts dead letters as not kept that Kafka had not acknowledged at the end', async () => {
    const { tape, abort, outbox, inbox, told } = scene();
    tape.isAway = true;
    inbox.frame('one', 0);
    const running = outbox.run();
    abort.abort();
    expect(await running).toBe(false);
    inbox.giveUp();
    expect([told, inbox.deadLettersNotKept]).toEqual([['MALFORMED not kept'], 1]);
  });

  it('tells a gap when Kafka has it, once, however often it was sent', async () => {
    const { lane, tape, abort, outbox, told, positionsRead } = scene();
    const offerBeyondLimit = (): void => {
      const times = { askedAtMs: 0, askedAtWallMs: 0, nowMs: 0 };
      lane.answered({ kind: 'newest', limit: 1, urgent: true }, [tradeWith(20_002)], times);
      outbox.poke();
    };
    tape.outages.push(0);
    offerBeyondLimit();
    const running = outbox.run();
    await expect.poll(positionsRead).toBe(1);
    expect(told).toEqual([]);
    offerBeyondLimit();
    await expect.poll(() => told.length).toBe(1);
    abort.abort();
    await running;
    expect(tape.ids().filter((id) => id !== 'tick')).toEqual(['gap', '20002']);
    expect(told).toEqual(['BEYOND_LIMIT BTC-USDT@binance 1-20001, 20001']);
  });

  it('throws what is no outage', async () => {
    const { lane, tape, outbox } = scene();
    tape.send = () => Promise.reject(new Error('a mistake'));
    deliver(lane, 1, 10);
    await expect(outbox.run()).rejects.toThrow('a mistake');
  });
});

describe('dead letters that wait for Kafka', () => {
  it('are bounded, those on their way included', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { inbox, told } = scene();
      for (let count = 0; count < 250; count += 1) {
        inbox.frame(`frame ${count}`, 0);
        if (count % 2 === 0) inbox.nextDeadLetter();
        vi.advanceTimersByTime(100);
      }
      expect([told.length, inbox.deadLettersNotKept]).toEqual([50, 50]);
      inbox.putBack();
      inbox.frame('one more', 0);
      expect(inbox.deadLettersNotKept).toBe(51);
    } finally {
      vi.useRealTimers();
    }
  });
});
