import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { kafkaUnreachable } from '../../platform/kafka/client.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import { decodeBody } from '../../contracts/codec.ts';
import { Watermarks } from '../../producers/live/watermarks.ts';
import { InstrumentStream } from '../../producers/live/instrument-stream.ts';
import { NO_TELEMETRY } from '../../producers/live/telemetry.ts';
import { TapeWriter } from '../../producers/live/tape-writer.adapter.ts';
import type { HeldByTape } from '../../producers/live/reorder-buffer.ts';
import { AppendCounts } from '../../producers/live/append-counts.ts';
import { LIVE_TIMING } from '../../producers/live/timing.ts';
import { until } from '../support/until.ts';
import { drawsOf, oneOf } from './draws.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const FIRST = 4_711_000_001;
const TRADES = 3_000;
const PIECE = 100;
const TIMING = { ...LIVE_TIMING, flushMs: 0, appendPauseMs: 1, gapGraceMs: 0, gapRetryMs: 1, gapDeadlineMs: 60_000 };

function tradeAt(index: number): Trade {
  const eventTime = 1_742_943_600_000_000 + index * 1_000;
  const amounts = { price: Decimal.of('87000.01'), size: Decimal.of('0.5') };
  const place = { venue: 'binance', instrument: INSTRUMENT, source: 'live:binance', suspicious: false, conditions: [] };
  return { ...place, ...amounts, tradeId: String(FIRST + index), eventTime, side: 'BUY', receivedAt: eventTime };
}

/** A tape in memory whose broker sometimes reports an outage: after accepting all, a part or none of a batch. */
class ForgetfulTape implements RecordProducer {
  readonly ids: string[] = [];
  failures = 0;
  private readonly draw = drawsOf(3);
  private sends = 0;

  send(records: readonly OutgoingRecord[]): Promise<void> {
    this.sends += 1;
    const isAway = this.draw('away', this.sends) < 0.4;
    const share = isAway ? oneOf(this.draw('share', this.sends), [0, 0.5, 1]) : 1;
    const trades = records.filter(({ type }) => type === 'Trade').slice(0, Math.ceil(records.length * share));
    for (const { body } of trades) this.ids.push(decodeBody('Trade', body).tradeId);
    if (!isAway) return Promise.resolve();
    this.failures += 1;
    return Promise.reject(kafkaUnreachable());
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  held(): ReadonlyMap<string, HeldByTape> {
    const last = this.ids.at(-1);
    if (last === undefined) return new Map();
    return new Map([[INSTRUMENT, { lastId: Number(last), lastTime: null, declaredGaps: [], recentIds: [] }]]);
  }
}

function streamOfTest(): InstrumentStream {
  return new InstrumentStream({
    instrument: INSTRUMENT,
    symbol: 'BTCUSDT',
    partition: 0,
    transport: 'stream',
    tradeIds: 'DENSE',
    pageTradesMax: 1_000,
    asksFrom: true,
    waitingMax: 500,
    resumeTradesMax: 500_000,
    timing: TIMING,
    telemetry: NO_TELEMETRY,
    onRefused: () => undefined,
  });
}

describe('while Kafka reports an outage', () => {
  it('accepted and unaccepted trades are each on the tape once, in order', async () => {
    const trades = Array.from({ length: TRADES }, (_, index) => tradeAt(index));
    const tape = new ForgetfulTape();
    const stream = streamOfTest();
    const end = new AbortController();
    const writer = new TapeWriter({
      venue: 'binance',
      streams: [stream],
      producer: tape,
      watermarks: new Watermarks('binance', TIMING.watermarkIntervalMs, TIMING.watermarkAllowanceMs),
      counts: new AppendCounts(NO_TELEMETRY),
      timing: TIMING,
      telemetry: NO_TELEMETRY,
      signal: end.signal,
      queues: [],
      readPosition: () => Promise.resolve({ held: tape.held(), watermarkTimes: new Map() }),
    });
    const ended = writer.run();
    const answerAsked = (known: number): void => {
      const nowMs = performance.now();
      const { ask } = stream.next(nowMs);
      if (ask === undefined) return;
      const from = ask.kind === 'from' ? ask.place.firstTradeId - FIRST : known - 1;
      const times = { askedAtMs: nowMs, askedAtWallMs: Date.now(), nowMs };
      stream.answered(ask, trades.slice(from, Math.min(from + 1_000, known)), times);
      writer.poke();
    };
    answerAsked(1);
    stream.connected(performance.now());
    for (let known = 0; known < TRADES; known += PIECE) {
      for (const trade of trades.slice(known, known + PIECE)) stream.received(trade, performance.now());
      writer.poke();
      answerAsked(known + PIECE);
      await turn();
    }
    await until('all trades are on the tape', () => {
      answerAsked(TRADES);
      return tape.ids.length >= TRADES;
    });
    end.abort();
    await ended;
    expect(tape.failures).toBeGreaterThan(2);
    expect(tape.ids).toEqual(trades.map(({ tradeId }) => tradeId));
  });
});
