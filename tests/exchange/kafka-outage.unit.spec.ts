import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { kafkaUnreachable } from '../../platform/kafka/client.ts';
import type { OutgoingRecord, RecordProducer } from '../../platform/kafka/producer.ts';
import { decodeBody } from '../../contracts/codec.ts';
import { ClockTicks } from '../../producers/live/clock-ticks.ts';
import { Lane } from '../../producers/live/lane.ts';
import { SILENT_OBSERVER } from '../../producers/live/observer.ts';
import { Outbox } from '../../producers/live/outbox.adapter.ts';
import type { HeldByTape } from '../../producers/live/sequencer.ts';
import { Tally } from '../../producers/live/tally.ts';
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

/** A tape in memory whose broker now and then says that it is away: after it has taken all, a part or none of a batch. */
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
    return new Map([[INSTRUMENT, { lastId: Number(last), lastTime: null, openGaps: [], recentIds: [] }]]);
  }
}

function laneOfTest(): Lane {
  return new Lane({
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
    observer: SILENT_OBSERVER,
    onRefused: () => undefined,
  });
}

describe('while Kafka says that it is away', () => {
  it('what it took and what it did not take is each on the tape once, in order', async () => {
    const trades = Array.from({ length: TRADES }, (_, index) => tradeAt(index));
    const tape = new ForgetfulTape();
    const lane = laneOfTest();
    const end = new AbortController();
    const outbox = new Outbox({
      venue: 'binance',
      lanes: [lane],
      producer: tape,
      ticks: new ClockTicks('binance', TIMING.tickIntervalMs, TIMING.tickAllowanceMs),
      tally: new Tally(SILENT_OBSERVER),
      timing: TIMING,
      observer: SILENT_OBSERVER,
      signal: end.signal,
      deadLetters: { nextDeadLetter: () => undefined, acknowledged: () => undefined, putBack: () => undefined },
      readPosition: () => Promise.resolve({ held: tape.held(), tickTimes: new Map() }),
    });
    const ended = outbox.run();
    const answerNeeds = (known: number): void => {
      const nowMs = performance.now();
      const need = lane.need(nowMs);
      if (need === undefined) return;
      const from = need.kind === 'from' ? need.place.firstTradeId - FIRST : known - 1;
      const times = { askedAtMs: nowMs, askedAtWallMs: Date.now(), nowMs };
      lane.answered(need, trades.slice(from, Math.min(from + 1_000, known)), times);
      outbox.poke();
    };
    answerNeeds(1);
    lane.connected(performance.now());
    for (let known = 0; known < TRADES; known += PIECE) {
      for (const trade of trades.slice(known, known + PIECE)) lane.fromStream(trade, performance.now());
      outbox.poke();
      answerNeeds(known + PIECE);
      await turn();
    }
    await until('all trades are on the tape', () => {
      answerNeeds(TRADES);
      return tape.ids.length >= TRADES;
    });
    end.abort();
    await ended;
    expect(tape.failures).toBeGreaterThan(2);
    expect(tape.ids).toEqual(trades.map(({ tradeId }) => tradeId));
  });
});
