import { beforeEach, describe, expect, it } from 'vitest';
import type { Trade } from '../../contracts/generated/events.ts';
import type { BackfillStart, RefusedTrade } from '../venue.ts';
import { refusedWith, tradeWith } from './fixtures/trade.ts';
import { InstrumentStream, type InstrumentStreamOptions } from './instrument-stream.ts';
import type { PageRequest } from './wanted-page.ts';
import { NOT_SERVED_ANSWERS } from './gap.ts';
import type { LiveTelemetry } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

const WALL_MS = 1_790_000_000_000;

let reported: string[];
let refused: RefusedTrade[];

beforeEach(() => {
  reported = [];
  refused = [];
});

function streamWith(changes: Partial<InstrumentStreamOptions> = {}): InstrumentStream {
  const telemetry: LiveTelemetry = (event) => {
    if (event.kind === 'gap-opened') reported.push(`opened ${event.firstTradeId}..${event.lastTradeId}`);
    else if (event.kind === 'gap-filled') reported.push(`filled ${event.missing}`);
  };
  return new InstrumentStream({
    instrument: 'BTC-USDT@binance',
    symbol: 'BTCUSDT',
    partition: 0,
    transport: 'stream',
    tradeIds: 'DENSE',
    pageTradesMax: 1_000,
    asksFrom: true,
    waitingMax: 100,
    resumeTradesMax: 1_000,
    timing: LIVE_TIMING,
    telemetry,
    onRefused: (item) => refused.push(item),
    ...changes,
  });
}

/** A stream that continues after this id, its connection up. */
function running(lastId: number, changes: Partial<InstrumentStreamOptions> = {}): InstrumentStream {
  const stream = streamWith(changes);
  stream.resume({ lastId, lastTime: null, declaredGaps: [], recentIds: [] });
  if (stream.options.transport === 'stream') stream.connected(0);
  return stream;
}

function answer(stream: InstrumentStream, page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
  const { ask } = stream.next(nowMs);
  if (ask === undefined) expect.fail('no request is due');
  stream.asked(ask, nowMs);
  stream.answered(ask, page, { askedAtMs: nowMs, askedAtWallMs: WALL_MS + nowMs, nowMs });
  stream.advance(nowMs);
}

function takeAll(stream: InstrumentStream): string[] {
  const taken: string[] = [];
  while (true) {
    const { append: next } = stream.next(0);
    if (next === undefined) return taken;
    taken.push(
      next.kind === 'gap'
        ? `gap ${next.gap.firstTradeId}..${next.gap.lastTradeId} ${next.gap.reason}`
        : next.trade.tradeId,
    );
    stream.appended();
  }
}

function from(firstTradeId: number): Partial<PageRequest> {
  return { kind: 'from', place: expect.objectContaining({ firstTradeId }) as BackfillStart, urgent: true };
}

describe('a stream that is new to the tape', () => {
  it('begins with the newest trade that REST shows', () => {
    const stream = streamWith();
    expect(stream.next(0).ask).toEqual({ kind: 'newest', limit: 1, urgent: true });
    answer(stream, [tradeWith(7)], 0);
    stream.connected(1);
    stream.received(tradeWith(6), 2);
    stream.received(tradeWith(8), 2);
    expect(takeAll(stream)).toEqual(['7', '8']);
  });

  it('begins with the first trade of a market that has none yet', () => {
    const stream = streamWith();
    answer(stream, [], 0);
    stream.connected(1);
    stream.received(tradeWith(0), 2);
    expect(takeAll(stream)).toEqual(['0']);
  });

  it('remembers the unwanted trades of a page of opaque ids', () => {
    const stream = streamWith({ tradeIds: 'OPAQUE' });
    expect(stream.next(0).ask).toMatchObject({ kind: 'newest', limit: 1_000 });
    answer(stream, [tradeWith('a'), tradeWith('b')], 0);
    stream.connected(1);
    answer(stream, [tradeWith('a'), tradeWith('b'), tradeWith('c')], 2);
    expect(takeAll(stream)).toEqual(['b', 'c']);
  });
});

describe('missing trades', () => {
  it('are requested when their time to arrive unrequested is over', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 5);
    stream.received(tradeWith(13), 5);
    expect(takeAll(stream)).toEqual(['10']);
    stream.advance(5);
    expect(stream.next(5).ask).toBeUndefined();
    const nowMs = 5 + LIVE_TIMING.gapGraceMs;
    expect(stream.next(nowMs).ask).toMatchObject(from(11));
    answer(stream, [tradeWith(11), tradeWith(12), tradeWith(13)], nowMs);
    expect(takeAll(stream)).toEqual(['11', '12', '13']);
    stream.advance(nowMs);
    expect(reported).toEqual(['opened 11..12', 'filled 2']);
  });

  it('that arrive unrequested are not a gap', () => {
    const stream = running(9);
    stream.received(tradeWith(11), 5);
    stream.advance(5);
    stream.received(tradeWith(10), 6);
    expect(takeAll(stream)).toEqual(['10', '11']);
    stream.advance(6);
    expect(reported).toEqual([]);
  });

  it('are a gap when pages repeatedly continue past them', () => {
    const stream = running(9);
    stream.received(tradeWith(12), 0);
    stream.advance(0);
    let nowMs = LIVE_TIMING.gapGraceMs;
    for (let answers = 1; answers < NOT_SERVED_ANSWERS; answers += 1) {
      answer(stream, [tradeWith(12)], nowMs);
      nowMs += LIVE_TIMING.gapRetryMs;
    }
    expect(takeAll(stream)).toEqual([]);
    answer(stream, [tradeWith(12)], nowMs);
    expect(takeAll(stream)).toEqual(['gap 10..11 NOT_SERVED', '12']);
    expect(reported).toEqual(['opened 10..11']);
  });

  it('are not given up because REST is behind the stream, but when their time is over', () => {
    const stream = running(9);
    stream.received(tradeWith(11), 0);
    stream.advance(0);
    let asked = 0;
    for (let nowMs = 0; nowMs < LIVE_TIMING.gapDeadlineMs; nowMs += 100) {
      if (stream.next(nowMs).ask === undefined) continue;
      asked += 1;
      answer(stream, [], nowMs);
    }
    expect(asked).toBeGreaterThan(NOT_SERVED_ANSWERS);
    // Less and less often.
    expect(asked).toBeLessThan(LIVE_TIMING.gapDeadlineMs / LIVE_TIMING.gapRetryMs / 4);
    expect(takeAll(stream)).toEqual([]);
    stream.advance(LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(stream)).toEqual(['gap 10..10 NO_ANSWER', '11']);
    expect(reported).toEqual(['opened 10..10']);
  });

  it('have the full time again whenever some of them arrived', () => {
    const stream = running(9);
    stream.received(tradeWith(12), 0);
    stream.advance(0);
    const late = LIVE_TIMING.gapDeadlineMs - 1;
    answer(stream, [tradeWith(10)], late);
    expect(takeAll(stream)).toEqual(['10']);
    stream.advance(late);
    stream.advance(LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(stream)).toEqual([]);
    stream.advance(late + LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(stream)).toEqual(['gap 11..11 NO_ANSWER', '12']);
    expect(reported).toEqual(['opened 10..11']);
  });

  it('are a gap at once if more than may be requested', () => {
    const stream = running(9, { resumeTradesMax: 3 });
    stream.received(tradeWith(13), 0);
    stream.advance(0);
    expect(stream.missingTrades).toBe(3);
    expect(reported).toEqual([]);
    const other = running(9, { resumeTradesMax: 2 });
    other.received(tradeWith(13), 0);
    other.advance(0);
    expect(takeAll(other)).toEqual(['gap 10..12 BEYOND_LIMIT', '13']);
    expect(reported).toEqual(['opened 10..12']);
  });
});

describe('a refused trade', () => {
  it('is missing until REST serves it', () => {
    const stream = running(9);
    stream.received(refusedWith(10), 0);
    stream.received(refusedWith(10), 0);
    stream.received(tradeWith(11), 0);
    stream.advance(0);
    answer(stream, [tradeWith(10)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(stream)).toEqual(['10', '11']);
    expect(refused).toHaveLength(1);
  });

  it('does not count as missing if REST refuses it too, and is one dead letter', () => {
    const stream = running(9);
    stream.received(refusedWith(10), 0);
    stream.received(tradeWith(11), 0);
    stream.advance(0);
    answer(stream, [refusedWith(10)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(stream)).toEqual(['11']);
    expect(refused).toHaveLength(1);
  });
});

describe('a stream that is silent', () => {
  const probeAtMs = LIVE_TIMING.probeAfterMs + 1;

  it('is checked by REST, and is deaf when it withholds trades that REST shows', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 1);
    expect(stream.next(probeAtMs - 1).ask).toBeUndefined();
    expect(stream.next(probeAtMs).ask).toEqual({ kind: 'newest', limit: 1, urgent: false });
    answer(stream, [tradeWith(12)], probeAtMs);
    const dueMs = probeAtMs + LIVE_TIMING.probeGraceMs;
    expect(stream.next(dueMs - 1).replaceConnection).toBe(false);
    stream.takeWithheld(dueMs - 1);
    expect(stream.isInSync).toBe(false);
    expect(stream.next(dueMs).replaceConnection).toBe(true);
    stream.takeWithheld(dueMs);
    expect(stream.next(dueMs).replaceConnection).toBe(false);
    expect(takeAll(stream)).toEqual(['10']);
    expect(stream.missingTrades).toBe(1);
  });

  it('is not deaf where it delivers in time, nor where REST shows nothing new', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 1);
    answer(stream, [tradeWith(11)], probeAtMs);
    stream.received(tradeWith(11), probeAtMs + 10);
    expect(stream.next(probeAtMs + LIVE_TIMING.probeGraceMs).replaceConnection).toBe(false);
    stream.takeWithheld(probeAtMs + LIVE_TIMING.probeGraceMs);
    answer(stream, [tradeWith(11)], 3 * probeAtMs);
    expect(stream.next(5 * probeAtMs).replaceConnection).toBe(false);
    stream.takeWithheld(5 * probeAtMs);
  });
});

describe('an instrument is in sync', () => {
  it('up to the last trade, and up to an answer of REST that shows none newer', () => {
    const stream = running(9);
    expect(stream.completeUntilMs).toBeUndefined();
    stream.received(tradeWith(10), 1);
    expect(stream.completeUntilMs).toBeUndefined();
    expect(takeAll(stream)).toEqual(['10']);
    expect(stream.completeUntilMs).toBe(tradeWith(10).eventTime / 1_000);
    answer(stream, [tradeWith(10)], 10_000);
    expect(stream.completeUntilMs).toBe(WALL_MS + 10_000);
  });

  it('after a new connection only when a trade or REST has shown the head', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 1);
    takeAll(stream);
    stream.disconnected(2);
    expect(stream.isInSync).toBe(false);
    stream.connected(100);
    expect(stream.isInSync).toBe(false);
    expect(stream.next(100).ask).toEqual({ kind: 'newest', limit: 1, urgent: true });
    // Sent before the connection was up: trades in between are not known.
    stream.answered({ kind: 'newest', limit: 1, urgent: true }, [tradeWith(10)], {
      askedAtMs: 99,
      askedAtWallMs: WALL_MS,
      nowMs: 101,
    });
    expect(stream.isInSync).toBe(false);
    answer(stream, [tradeWith(10)], 102);
    expect(stream.isInSync).toBe(true);
  });

  it('not while trades are missing', () => {
    const stream = running(9);
    stream.received(tradeWith(11), 1);
    expect(stream.isInSync).toBe(false);
  });
});

describe('a stream without a stream', () => {
  it('polls from the next id on, at once again after a full page, and is in sync after one that is not', () => {
    const stream = running(9, { transport: 'poll', pageTradesMax: 2 });
    expect(stream.next(0).ask).toEqual({ kind: 'newest', limit: 1, urgent: false });
    answer(stream, [tradeWith(9)], 0);
    const { pollIntervalMs } = LIVE_TIMING;
    expect(stream.next(pollIntervalMs).ask).toMatchObject({ ...from(10), urgent: false });
    answer(stream, [tradeWith(10), tradeWith(11)], pollIntervalMs);
    expect(takeAll(stream)).toEqual(['10', '11']);
    expect(stream.completeUntilMs).toBe(WALL_MS);
    expect(stream.next(pollIntervalMs).ask).toMatchObject({ place: { firstTradeId: 12 } });
    answer(stream, [tradeWith(12)], pollIntervalMs);
    expect(takeAll(stream)).toEqual(['12']);
    expect(stream.completeUntilMs).toBe(WALL_MS + pollIntervalMs);
    expect(stream.next(2 * pollIntervalMs - 1).ask).toBeUndefined();
    expect(stream.next(2 * pollIntervalMs).ask).toMatchObject({ place: { firstTradeId: 13 } });
  });

  it('requests nothing while there is no room', () => {
    const stream = running(9, { transport: 'poll', waitingMax: 2 });
    answer(stream, [tradeWith(10), tradeWith(11), tradeWith(12)], 0);
    expect(stream.next(LIVE_TIMING.pollIntervalMs).ask).toBeUndefined();
    expect(takeAll(stream)).toEqual(['10', '11']);
    stream.advance(LIVE_TIMING.pollIntervalMs);
    expect(stream.missingTrades).toBe(1);
  });

  it('takes the newest page where the venue cannot be asked from an id on', () => {
    const stream = running(9, { transport: 'poll', asksFrom: false });
    answer(stream, [tradeWith(9)], 0);
    expect(stream.next(LIVE_TIMING.pollIntervalMs).ask).toEqual({ kind: 'newest', limit: 1_000, urgent: false });
  });
});

describe('a stream that meets an id far ahead', () => {
  it('asks REST before believing it, refuses it if the venue is not that far, and continues as if nothing had happened', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 0);
    stream.received(tradeWith(900_000_000), 0);
    stream.advance(0);
    expect(reported).toEqual([]);
    expect(stream.isInSync).toBe(false);
    expect(stream.next(0).ask).toEqual({ kind: 'newest', limit: 1, urgent: true });
    answer(stream, [tradeWith(11)], 0);
    expect(refused.map(({ tradeId, refusal }) => [tradeId, refusal.reason])).toEqual([
      ['900000000', 'TRADE_ID_MALFORMED'],
    ]);
    stream.received(tradeWith(12), 1);
    stream.advance(1);
    expect(takeAll(stream)).toEqual(['10', '11', '12']);
    expect(stream.isInSync).toBe(true);
  });

  it('accepts the trades that REST shows if the venue is that far, and requests the missing ones', () => {
    const stream = running(9, { resumeTradesMax: 100_000 });
    stream.received(tradeWith(60_010), 0);
    answer(stream, [tradeWith(60_012)], 0);
    expect(refused).toEqual([]);
    stream.received(tradeWith(60_013), 1);
    expect(stream.missingTrades).toBe(60_002);
    expect(stream.next(LIVE_TIMING.gapGraceMs).ask).toMatchObject(from(10));
  });

  it('does not ask for each of a flood of them', () => {
    const stream = running(9);
    stream.received(tradeWith(10), 0);
    stream.received(tradeWith(900_000_000), 0);
    answer(stream, [tradeWith(10)], 0);
    stream.received(tradeWith(900_000_001), 1);
    expect(stream.next(1).ask).toBeUndefined();
    expect(stream.next(LIVE_TIMING.probeAfterMs).ask).toMatchObject({ kind: 'newest', urgent: true });
  });
});

describe('a stream whose venue answers with ids far below those on the tape', () => {
  const behind = (newestUs: number): InstrumentStream => {
    const stream = streamWith();
    const { eventTime } = tradeWith(1);
    stream.resume({ lastId: 60_000, lastTime: eventTime, declaredGaps: [], recentIds: [] });
    stream.connected(0);
    answer(stream, [{ ...tradeWith(17), eventTime: eventTime + newestUs }], 0);
    return stream;
  };

  it('reports it if they are nevertheless later', () => {
    expect(behind(1).foreignNewest?.tradeId).toBe('17');
  });

  it('reports nothing where trades wait far ahead, because there was no room for those between', () => {
    const stream = streamWith();
    stream.resume({ lastId: 100, lastTime: tradeWith(100).eventTime, declaredGaps: [], recentIds: [] });
    stream.connected(0);
    for (const id of [102, 40_000, 80_000]) stream.received(tradeWith(id), 0);
    const times = { askedAtMs: 0, askedAtWallMs: WALL_MS, nowMs: 0 };
    stream.answered({ kind: 'newest', limit: 1, urgent: true }, [tradeWith(20_000)], times);
    expect(stream.foreignNewest).toBeUndefined();
  });

  it('reports nothing if REST is only behind', () => {
    expect(behind(-1).foreignNewest).toBeUndefined();
  });
});

describe('a gap while the venue forbids to ask', () => {
  it('is not given up because of that, but not kept for ever either', () => {
    const { gapDeadlineMs, gapBlockedMaxMs } = LIVE_TIMING;
    const stream = running(9);
    stream.received(tradeWith(12), 0);
    stream.advance(0);
    let nowMs = 0;
    for (; nowMs < gapBlockedMaxMs; nowMs += 1_000) {
      stream.cannotAsk(nowMs);
      stream.advance(nowMs);
    }
    expect(takeAll(stream)).toEqual([]);
    for (; nowMs < gapBlockedMaxMs + gapDeadlineMs + 1_000; nowMs += 1_000) {
      stream.cannotAsk(nowMs);
      stream.advance(nowMs);
    }
    expect(takeAll(stream)).toEqual(['gap 10..11 NO_ANSWER', '12']);
  });
});

describe('after Kafka did not accept released records', () => {
  it('a stream continues after the end of the tape', () => {
    const stream = running(9);
    for (const id of [10, 11, 12]) stream.received(tradeWith(id), 0);
    expect(takeAll(stream)).toEqual(['10', '11', '12']);
    stream.resume({ lastId: 10, lastTime: null, declaredGaps: [], recentIds: [] });
    stream.advance(0);
    answer(stream, [tradeWith(11), tradeWith(12)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(stream)).toEqual(['11', '12']);
  });
});

describe('the next actions', () => {
  /** Asks repeatedly, at all future times, and returns whether that changed nothing. */
  function expectNothingChanged(stream: InstrumentStream, nowMs: number): void {
    const seen = () => ({
      next: stream.next(nowMs),
      isInSync: stream.isInSync,
      missingTrades: stream.missingTrades,
      waiting: stream.waiting,
      completeUntilMs: stream.completeUntilMs,
      reported: [...reported],
      refused: [...refused],
    });
    const before = seen();
    for (const laterMs of [0, 1, 200, 5_000, 100_000, 1_000_000]) stream.next(nowMs + laterMs);
    expect(seen()).toEqual(before);
  }

  it('are a question that changes nothing, however often it is asked', () => {
    const fresh = streamWith();
    expectNothingChanged(fresh, 0);
    const stream = running(9);
    for (const id of [10, 13]) stream.received(tradeWith(id), 1);
    stream.advance(1);
    expectNothingChanged(stream, 1);
    expect(takeAll(stream)).toEqual(['10']);
    stream.advance(2);
    expectNothingChanged(stream, 2);
    answer(stream, [refusedWith(11), tradeWith(12)], 500);
    expectNothingChanged(stream, 500);
    expect(takeAll(stream)).toEqual(['12', '13']);
    stream.advance(501);
    answer(stream, [tradeWith(20)], 5_000);
    expectNothingChanged(stream, 10_000);
    expect(stream.next(10_000).replaceConnection).toBe(true);
  });
});
