import { beforeEach, describe, expect, it } from 'vitest';
import type { Trade } from '../../contracts/generated/events.ts';
import type { HistoryPlace, RefusedTrade } from '../venue.ts';
import { refusedWith, tradeWith } from './fixtures/trade.ts';
import { Lane, type LaneOptions, type Need } from './lane.ts';
import { NOT_SERVED_ANSWERS } from './pending-gap.ts';
import { SILENT_OBSERVER, type LiveObserver } from './observer.ts';
import { LIVE_TIMING } from './timing.ts';

const WALL_MS = 1_790_000_000_000;

let told: string[];
let refused: RefusedTrade[];

beforeEach(() => {
  told = [];
  refused = [];
});

function laneWith(changes: Partial<LaneOptions> = {}): Lane {
  const observer: LiveObserver = {
    ...SILENT_OBSERVER,
    gapOpened: ({ firstTradeId, lastTradeId }) => told.push(`opened ${firstTradeId}..${lastTradeId}`),
    gapFilled: ({ missing }) => told.push(`filled ${missing}`),
  };
  return new Lane({
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
    observer,
    onRefused: (item) => refused.push(item),
    ...changes,
  });
}

/** A lane that goes on behind this id, its stream up. */
function running(lastId: number, changes: Partial<LaneOptions> = {}): Lane {
  const lane = laneWith(changes);
  lane.resume({ lastId, lastTime: null, openGaps: [], recentIds: [] });
  if (lane.options.transport === 'stream') lane.connected(0);
  return lane;
}

function answer(lane: Lane, page: readonly (Trade | RefusedTrade)[], nowMs: number): void {
  const need = lane.need(nowMs);
  if (need === undefined) expect.fail('nothing is needed');
  lane.answered(need, page, { askedAtMs: nowMs, askedAtWallMs: WALL_MS + nowMs, nowMs });
  lane.review(nowMs);
}

function takeAll(lane: Lane): string[] {
  const taken: string[] = [];
  for (let next = lane.next(); next !== undefined; next = lane.next()) {
    taken.push(next.kind === 'gap' ? `gap ${next.gap.first}..${next.gap.last} ${next.gap.reason}` : next.trade.tradeId);
  }
  return taken;
}

function from(firstTradeId: number): Partial<Need> {
  return { kind: 'from', place: expect.objectContaining({ firstTradeId }) as HistoryPlace, urgent: true };
}

describe('a lane that is new to the tape', () => {
  it('begins with the newest trade that REST shows', () => {
    const lane = laneWith();
    expect(lane.need(0)).toEqual({ kind: 'newest', limit: 1, urgent: true });
    answer(lane, [tradeWith(7)], 0);
    lane.connected(1);
    lane.fromStream(tradeWith(6), 2);
    lane.fromStream(tradeWith(8), 2);
    expect(takeAll(lane)).toEqual(['7', '8']);
  });

  it('begins with the first trade of a market that has none yet', () => {
    const lane = laneWith();
    answer(lane, [], 0);
    lane.connected(1);
    lane.fromStream(tradeWith(0), 2);
    expect(takeAll(lane)).toEqual(['0']);
  });

  it('remembers of a page of opaque ids what it does not want', () => {
    const lane = laneWith({ tradeIds: 'OPAQUE' });
    expect(lane.need(0)).toMatchObject({ kind: 'newest', limit: 1_000 });
    answer(lane, [tradeWith('a'), tradeWith('b')], 0);
    lane.connected(1);
    answer(lane, [tradeWith('a'), tradeWith('b'), tradeWith('c')], 2);
    expect(takeAll(lane)).toEqual(['b', 'c']);
  });
});

describe('missing trades', () => {
  it('are asked for when their time to come by themselves is over', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 5);
    lane.fromStream(tradeWith(13), 5);
    expect(takeAll(lane)).toEqual(['10']);
    lane.review(5);
    expect(lane.need(5)).toBeUndefined();
    const nowMs = 5 + LIVE_TIMING.gapGraceMs;
    expect(lane.need(nowMs)).toMatchObject(from(11));
    answer(lane, [tradeWith(11), tradeWith(12), tradeWith(13)], nowMs);
    expect(takeAll(lane)).toEqual(['11', '12', '13']);
    lane.review(nowMs);
    expect(told).toEqual(['opened 11..12', 'filled 2']);
  });

  it('that come by themselves are no gap', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(11), 5);
    lane.review(5);
    lane.fromStream(tradeWith(10), 6);
    expect(takeAll(lane)).toEqual(['10', '11']);
    lane.review(6);
    expect(told).toEqual([]);
  });

  it('are a gap when pages answer beyond them, again and again', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(12), 0);
    lane.review(0);
    let nowMs = LIVE_TIMING.gapGraceMs;
    for (let answers = 1; answers < NOT_SERVED_ANSWERS; answers += 1) {
      answer(lane, [tradeWith(12)], nowMs);
      nowMs += LIVE_TIMING.gapRetryMs;
    }
    expect(takeAll(lane)).toEqual([]);
    answer(lane, [tradeWith(12)], nowMs);
    expect(takeAll(lane)).toEqual(['gap 10..11 NOT_SERVED', '12']);
    expect(told).toEqual(['opened 10..11']);
  });

  it('are not given up because REST is behind the stream, but when their time is over', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(11), 0);
    lane.review(0);
    let asked = 0;
    for (let nowMs = 0; nowMs < LIVE_TIMING.gapDeadlineMs; nowMs += 100) {
      if (lane.need(nowMs) === undefined) continue;
      asked += 1;
      answer(lane, [], nowMs);
    }
    expect(asked).toBeGreaterThan(NOT_SERVED_ANSWERS);
    // Less and less often.
    expect(asked).toBeLessThan(LIVE_TIMING.gapDeadlineMs / LIVE_TIMING.gapRetryMs / 4);
    expect(takeAll(lane)).toEqual([]);
    lane.review(LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(lane)).toEqual(['gap 10..10 NO_ANSWER', '11']);
    expect(told).toEqual(['opened 10..10']);
  });

  it('have as long again whenever some of them came', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(12), 0);
    lane.review(0);
    const late = LIVE_TIMING.gapDeadlineMs - 1;
    answer(lane, [tradeWith(10)], late);
    expect(takeAll(lane)).toEqual(['10']);
    lane.review(late);
    lane.review(LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(lane)).toEqual([]);
    lane.review(late + LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(lane)).toEqual(['gap 11..11 NO_ANSWER', '12']);
    expect(told).toEqual(['opened 10..11']);
  });

  it('are a gap at once where they are more than may be asked for', () => {
    const lane = running(9, { resumeTradesMax: 3 });
    lane.fromStream(tradeWith(13), 0);
    lane.review(0);
    expect(lane.missingTrades).toBe(3);
    expect(told).toEqual([]);
    const other = running(9, { resumeTradesMax: 2 });
    other.fromStream(tradeWith(13), 0);
    other.review(0);
    expect(takeAll(other)).toEqual(['gap 10..12 BEYOND_LIMIT', '13']);
    expect(told).toEqual(['opened 10..12']);
  });
});

describe('a refused trade', () => {
  it('is missing until REST serves it', () => {
    const lane = running(9);
    lane.fromStream(refusedWith(10), 0);
    lane.fromStream(refusedWith(10), 0);
    lane.fromStream(tradeWith(11), 0);
    lane.review(0);
    answer(lane, [tradeWith(10)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(lane)).toEqual(['10', '11']);
    expect(refused).toHaveLength(1);
  });

  it('is nothing that is missing where REST refuses it too, and one dead letter', () => {
    const lane = running(9);
    lane.fromStream(refusedWith(10), 0);
    lane.fromStream(tradeWith(11), 0);
    lane.review(0);
    answer(lane, [refusedWith(10)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(lane)).toEqual(['11']);
    expect(refused).toHaveLength(1);
  });
});

describe('a stream that is silent', () => {
  const probeAtMs = LIVE_TIMING.probeAfterMs + 1;

  it('is asked for by REST, and is deaf when it keeps back what REST shows', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 1);
    expect(lane.need(probeAtMs - 1)).toBeUndefined();
    expect(lane.need(probeAtMs)).toEqual({ kind: 'newest', limit: 1, urgent: false });
    answer(lane, [tradeWith(12)], probeAtMs);
    const dueMs = probeAtMs + LIVE_TIMING.probeGraceMs;
    expect(lane.foundDeaf(dueMs - 1)).toBe(false);
    expect(lane.isInSync).toBe(false);
    expect(lane.foundDeaf(dueMs)).toBe(true);
    expect(takeAll(lane)).toEqual(['10']);
    expect(lane.missingTrades).toBe(1);
  });

  it('is not deaf where it delivers in time, nor where REST shows nothing new', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 1);
    answer(lane, [tradeWith(11)], probeAtMs);
    lane.fromStream(tradeWith(11), probeAtMs + 10);
    expect(lane.foundDeaf(probeAtMs + LIVE_TIMING.probeGraceMs)).toBe(false);
    answer(lane, [tradeWith(11)], 3 * probeAtMs);
    expect(lane.foundDeaf(5 * probeAtMs)).toBe(false);
  });
});

describe('an instrument is in sync', () => {
  it('up to the last trade, and up to an answer of REST that shows none newer', () => {
    const lane = running(9);
    expect(lane.completeUntilMs).toBeUndefined();
    lane.fromStream(tradeWith(10), 1);
    expect(lane.completeUntilMs).toBeUndefined();
    expect(takeAll(lane)).toEqual(['10']);
    expect(lane.completeUntilMs).toBe(tradeWith(10).eventTime / 1_000);
    answer(lane, [tradeWith(10)], 10_000);
    expect(lane.completeUntilMs).toBe(WALL_MS + 10_000);
  });

  it('after a new connection only when a trade or REST has told the head', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 1);
    takeAll(lane);
    lane.disconnected();
    expect(lane.isInSync).toBe(false);
    lane.connected(100);
    expect(lane.isInSync).toBe(false);
    expect(lane.need(100)).toEqual({ kind: 'newest', limit: 1, urgent: true });
    // Sent before the connection was up: what came in between is not known.
    lane.answered({ kind: 'newest', limit: 1, urgent: true }, [tradeWith(10)], {
      askedAtMs: 99,
      askedAtWallMs: WALL_MS,
      nowMs: 101,
    });
    expect(lane.isInSync).toBe(false);
    answer(lane, [tradeWith(10)], 102);
    expect(lane.isInSync).toBe(true);
  });

  it('not while trades are missing', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(11), 1);
    expect(lane.isInSync).toBe(false);
  });
});

describe('a lane without a stream', () => {
  it('polls from the next id on, at once again after a full page, and is in sync after one that is not', () => {
    const lane = running(9, { transport: 'poll', pageTradesMax: 2 });
    expect(lane.need(0)).toEqual({ kind: 'newest', limit: 1, urgent: false });
    answer(lane, [tradeWith(9)], 0);
    const { pollIntervalMs } = LIVE_TIMING;
    expect(lane.need(pollIntervalMs)).toMatchObject({ ...from(10), urgent: false });
    answer(lane, [tradeWith(10), tradeWith(11)], pollIntervalMs);
    expect(takeAll(lane)).toEqual(['10', '11']);
    expect(lane.completeUntilMs).toBe(WALL_MS);
    expect(lane.need(pollIntervalMs)).toMatchObject({ place: { firstTradeId: 12 } });
    answer(lane, [tradeWith(12)], pollIntervalMs);
    expect(takeAll(lane)).toEqual(['12']);
    expect(lane.completeUntilMs).toBe(WALL_MS + pollIntervalMs);
    expect(lane.need(2 * pollIntervalMs - 1)).toBeUndefined();
    expect(lane.need(2 * pollIntervalMs)).toMatchObject({ place: { firstTradeId: 13 } });
  });

  it('asks for nothing while there is no room', () => {
    const lane = running(9, { transport: 'poll', waitingMax: 2 });
    answer(lane, [tradeWith(10), tradeWith(11), tradeWith(12)], 0);
    expect(lane.need(LIVE_TIMING.pollIntervalMs)).toBeUndefined();
    expect(takeAll(lane)).toEqual(['10', '11']);
    lane.review(LIVE_TIMING.pollIntervalMs);
    expect(lane.missingTrades).toBe(1);
  });

  it('takes the newest page where the venue cannot be asked from an id on', () => {
    const lane = running(9, { transport: 'poll', asksFrom: false });
    answer(lane, [tradeWith(9)], 0);
    expect(lane.need(LIVE_TIMING.pollIntervalMs)).toEqual({ kind: 'newest', limit: 1_000, urgent: false });
  });
});

describe('a lane that meets an id far ahead', () => {
  it('asks REST before it believes it, refuses it where the venue is not so far, and goes on as if nothing had been', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 0);
    lane.fromStream(tradeWith(900_000_000), 0);
    lane.review(0);
    expect(told).toEqual([]);
    expect(lane.isInSync).toBe(false);
    expect(lane.need(0)).toEqual({ kind: 'newest', limit: 1, urgent: true });
    answer(lane, [tradeWith(11)], 0);
    expect(refused.map(({ tradeId, refusal }) => [tradeId, refusal.reason])).toEqual([
      ['900000000', 'TRADE_ID_MALFORMED'],
    ]);
    lane.fromStream(tradeWith(12), 1);
    lane.review(1);
    expect(takeAll(lane)).toEqual(['10', '11', '12']);
    expect(lane.isInSync).toBe(true);
  });

  it('takes what REST shows where the venue is that far, and asks for what is missing', () => {
    const lane = running(9, { resumeTradesMax: 100_000 });
    lane.fromStream(tradeWith(60_010), 0);
    answer(lane, [tradeWith(60_012)], 0);
    expect(refused).toEqual([]);
    lane.fromStream(tradeWith(60_013), 1);
    expect(lane.missingTrades).toBe(60_002);
    expect(lane.need(LIVE_TIMING.gapGraceMs)).toMatchObject(from(10));
  });

  it('does not ask for each of a flood of them', () => {
    const lane = running(9);
    lane.fromStream(tradeWith(10), 0);
    lane.fromStream(tradeWith(900_000_000), 0);
    answer(lane, [tradeWith(10)], 0);
    lane.fromStream(tradeWith(900_000_001), 1);
    expect(lane.need(1)).toBeUndefined();
    expect(lane.need(LIVE_TIMING.probeAfterMs)).toMatchObject({ kind: 'newest', urgent: true });
  });
});

describe('a lane whose venue answers with ids far below those on the tape', () => {
  const behind = (newestUs: number): Lane => {
    const lane = laneWith();
    const { eventTime } = tradeWith(1);
    lane.resume({ lastId: 60_000, lastTime: eventTime, openGaps: [], recentIds: [] });
    lane.connected(0);
    answer(lane, [{ ...tradeWith(17), eventTime: eventTime + newestUs }], 0);
    return lane;
  };

  it('says so where they are later all the same', () => {
    expect(behind(1).foreignNewest?.tradeId).toBe('17');
  });

  it('says nothing where REST is only behind', () => {
    expect(behind(-1).foreignNewest).toBeUndefined();
  });
});

describe('a gap while the venue forbids to ask', () => {
  it('is not given up for that, but not kept for ever either', () => {
    const { gapDeadlineMs, gapBlockedMaxMs } = LIVE_TIMING;
    const lane = running(9);
    lane.fromStream(tradeWith(12), 0);
    lane.review(0);
    let nowMs = 0;
    for (; nowMs < gapBlockedMaxMs; nowMs += 1_000) {
      lane.cannotAsk(nowMs);
      lane.review(nowMs);
    }
    expect(takeAll(lane)).toEqual([]);
    for (; nowMs < gapBlockedMaxMs + gapDeadlineMs + 1_000; nowMs += 1_000) {
      lane.cannotAsk(nowMs);
      lane.review(nowMs);
    }
    expect(takeAll(lane)).toEqual(['gap 10..11 NO_ANSWER', '12']);
  });
});

describe('after Kafka did not take what was released', () => {
  it('a lane goes on behind what the tape holds', () => {
    const lane = running(9);
    for (const id of [10, 11, 12]) lane.fromStream(tradeWith(id), 0);
    expect(takeAll(lane)).toEqual(['10', '11', '12']);
    lane.resume({ lastId: 10, lastTime: null, openGaps: [], recentIds: [] });
    lane.review(0);
    answer(lane, [tradeWith(11), tradeWith(12)], LIVE_TIMING.gapGraceMs);
    expect(takeAll(lane)).toEqual(['11', '12']);
  });
});
