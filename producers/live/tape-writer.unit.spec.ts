import { describe, expect, it, vi } from 'vitest';
import { decodeBody } from '../../contracts/codec.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import { Watermarks } from './watermarks.ts';
import { tradeWith } from './fixtures/trade.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { InstrumentStream } from './instrument-stream.ts';
import { NO_TELEMETRY, type LiveTelemetry } from './telemetry.ts';
import { TapeWriter } from './tape-writer.adapter.ts';
import { AppendCounts } from './append-counts.ts';
import { LIVE_TIMING } from './timing.ts';

const TIMING = { ...LIVE_TIMING, flushMs: 1, appendPauseMs: 1, drainMs: 100, gapGraceMs: 0 };

/** A tape in memory, whose sends can be held up or fail. */
class MemoryTape implements RecordProducer {
  readonly records: OutgoingRecord[] = [];
  /** The fate of a send: how many of its records arrive, then an error; or all. */
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

  /** The refusals, in order. */
  refused(): string[] {
    const letters = this.records.filter(({ type }) => type === 'DeadLetter');
    return letters.map(({ body }) => Buffer.from(decodeBody('DeadLetter', body).payload).toString());
  }
}

const WORDS: Readonly<Record<string, string>> = { Watermark: 'watermark', TradeGap: 'gap', DeadLetter: 'dead letter' };
const ZERO_US = tradeWith(0).eventTime;

function scene() {
  const stream = new InstrumentStream({
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
    telemetry: NO_TELEMETRY,
    onRefused: () => undefined,
  });
  stream.resume({ lastId: 0, lastTime: null, declaredGaps: [], recentIds: [] });
  stream.connected(0);
  const tape = new MemoryTape();
  const abort = new AbortController();
  const reported: string[] = [];
  const telemetry: LiveTelemetry = (event) => {
    if (event.kind === 'refused') reported.push(`${event.reason} ${event.kept ? 'kept' : 'not kept'}`);
    else if (event.kind === 'gap-declared') {
      const { reason, instrument, firstTradeId, lastTradeId, missing } = event;
      reported.push(`${reason} ${instrument} ${firstTradeId}-${lastTradeId}, ${missing}`);
    }
  };
  const counts = new AppendCounts(telemetry);
  const deadLetters = new DeadLetterQueue('binance', 1, telemetry);
  let positionsRead = 0;
  const writer = new TapeWriter({
    venue: 'binance',
    streams: [stream],
    producer: tape,
    watermarks: new Watermarks('binance', 0, 0),
    counts,
    timing: TIMING,
    telemetry: NO_TELEMETRY,
    signal: abort.signal,
    queues: [deadLetters],
    readPosition: () => {
      positionsRead += 1;
      const lastId = Number(tape.ids().findLast((id) => /^\d+$/.test(id)) ?? 0);
      const held = { lastId, lastTime: null, declaredGaps: [], recentIds: [] };
      return Promise.resolve({ held: new Map([[stream.options.instrument, held]]), watermarkTimes: new Map() });
    },
  });
  return { stream, tape, abort, writer, counts, deadLetters, reported, positionsRead: () => positionsRead };
}

function refuse(deadLetters: DeadLetterQueue, text: string): void {
  const refusal = { reason: 'MALFORMED', detail: 'why' } as const;
  deadLetters.add({ refusal, instrument: undefined, tradeId: undefined, text }, performance.now(), Date.now() * 1_000);
}

function deliver(stream: InstrumentStream, first: number, last: number): void {
  for (let id = first; id <= last; id += 1) stream.received(tradeWith(id), 0);
}

function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

describe('the writer', () => {
  it('sends released records in order, and the rest when it ends', async () => {
    const { stream, tape, abort, writer, counts } = scene();
    deliver(stream, 1, 9_000);
    stream.received(tradeWith(9_002), 0);
    abort.abort();
    expect(await writer.run()).toBe(true);
    expect(tape.ids()).toEqual(numbers(1, 9_000));
    expect(counts.trades).toBe(9_000);
  });

  it('writes a watermark only after the trades that it covers', async () => {
    const { stream, tape, abort, writer } = scene();
    deliver(stream, 1, 100);
    const running = writer.run();
    await expect.poll(() => tape.records.length).toBeGreaterThan(100);
    abort.abort();
    await running;
    expect(tape.ids().slice(0, 101)).toEqual([...numbers(1, 100), 'watermark']);
  });

  it('continues after the end of the tape after sends that failed half way, each trade once', async () => {
    const { stream, tape, abort, writer, positionsRead } = scene();
    tape.outages.push(30, 0);
    deliver(stream, 1, 100);
    const running = writer.run();
    await expect.poll(positionsRead).toBe(1);
    // Trades in flight are missing now, and REST serves them.
    for (let nowMs = 0; nowMs < 2; nowMs += 1) {
      await expect.poll(() => stream.next(performance.now()).ask?.kind).toBe('from');
      const page = numbers(1, 100).map((id) => tradeWith(Number(id)));
      const { ask } = stream.next(performance.now());
      if (ask === undefined) expect.fail('no request is due');
      stream.answered(ask, page, { askedAtMs: 0, askedAtWallMs: 0, nowMs: performance.now() });
      writer.poke();
      await expect.poll(() => positionsRead() + tape.ids().filter((id) => id === '100').length).toBe(2 + nowMs);
    }
    abort.abort();
    await running;
    expect(positionsRead()).toBe(2);
    expect(tape.ids().filter((id) => id !== 'watermark')).toEqual(numbers(1, 100));
  });

  it('ends in time while Kafka is down, and reports that something is left', async () => {
    const { stream, tape, abort, writer } = scene();
    tape.isAway = true;
    deliver(stream, 1, 10);
    const running = writer.run();
    await expect.poll(() => stream.waiting).toBe(0);
    abort.abort();
    expect(await running).toBe(false);
  });

  it('resends dead letters that Kafka did not accept, before newer ones, and reports them when it has them', async () => {
    const { tape, abort, writer, deadLetters, reported, positionsRead } = scene();
    for (const text of ['one', 'two', 'three']) refuse(deadLetters, text);
    // The first batch fails, and what was collected meanwhile with it.
    tape.outages.push(0);
    const running = writer.run();
    await expect.poll(() => tape.outages.length).toBe(0);
    refuse(deadLetters, 'four');
    expect(reported).toEqual([]);
    await expect.poll(positionsRead).toBe(1);
    await expect.poll(() => reported.length).toBe(4);
    abort.abort();
    expect(await running).toBe(true);
    deadLetters.giveUp();
    expect(tape.refused()).toEqual(['one', 'two', 'three', 'four']);
    expect(reported).toEqual(Array.from({ length: 4 }, () => 'MALFORMED kept'));
    expect(deadLetters.deadLettersNotKept).toBe(0);
  });

  it('counts dead letters as not kept that Kafka had not acknowledged at the end', async () => {
    const { tape, abort, writer, deadLetters, reported } = scene();
    tape.isAway = true;
    refuse(deadLetters, 'one');
    const running = writer.run();
    abort.abort();
    expect(await running).toBe(false);
    deadLetters.giveUp();
    expect([reported, deadLetters.deadLettersNotKept]).toEqual([['MALFORMED not kept'], 1]);
  });

  it('reports a gap when Kafka has it, once, however often it was sent', async () => {
    const { stream, tape, abort, writer, reported, positionsRead } = scene();
    const offerBeyondLimit = (): void => {
      const times = { askedAtMs: 0, askedAtWallMs: 0, nowMs: 0 };
      stream.answered({ kind: 'newest', limit: 1, urgent: true }, [tradeWith(20_002)], times);
      writer.poke();
    };
    tape.outages.push(0);
    offerBeyondLimit();
    const running = writer.run();
    await expect.poll(positionsRead).toBe(1);
    expect(reported).toEqual([]);
    offerBeyondLimit();
    await expect.poll(() => reported.length).toBe(1);
    abort.abort();
    await running;
    expect(tape.ids().filter((id) => id !== 'watermark')).toEqual(['gap', '20002']);
    expect(reported).toEqual(['BEYOND_LIMIT BTC-USDT@binance 1-20001, 20001']);
  });

  it('throws errors that are not outages', async () => {
    const { stream, tape, writer } = scene();
    tape.send = () => Promise.reject(new Error('a mistake'));
    deliver(stream, 1, 10);
    await expect(writer.run()).rejects.toThrow('a mistake');
  });
});

describe('dead letters that wait for Kafka', () => {
  it('are bounded, those on their way included', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const { deadLetters, reported } = scene();
      for (let count = 0; count < 250; count += 1) {
        refuse(deadLetters, `frame ${count}`);
        if (count % 2 === 0) deadLetters.sent();
        vi.advanceTimersByTime(100);
      }
      expect([reported.length, deadLetters.deadLettersNotKept]).toEqual([50, 50]);
      deadLetters.putBack();
      refuse(deadLetters, 'one more');
      expect(deadLetters.deadLettersNotKept).toBe(51);
    } finally {
      vi.useRealTimers();
    }
  });
});
