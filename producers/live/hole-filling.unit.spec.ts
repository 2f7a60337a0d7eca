import { describe, expect, it } from 'vitest';
import { refusedWith, tradeWith } from './fixtures/trade.ts';
import { NOT_SERVED_ANSWERS } from './gap.ts';
import { InstrumentStream, type InstrumentStreamOptions } from './instrument-stream.ts';
import type { PageRequest } from './wanted-page.ts';
import { NO_TELEMETRY } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

const WALL_MS = 1_790_000_000_000;

/** A stream of unnumbered trades at a venue that serves past ones. It began with trade 1, and its head is known. */
function running(changes: Partial<InstrumentStreamOptions> = {}): InstrumentStream {
  const stream = new InstrumentStream({
    ...{ instrument: 'BTC-USDT@bybit', symbol: 'BTCUSDT', partition: 0, transport: 'stream', tradeIds: 'OPAQUE' },
    ...{ pageTradesMax: 10, asksFrom: false, asksSince: true, waitingMax: 100, resumeTradesMax: 50 },
    ...{ timing: LIVE_TIMING, telemetry: NO_TELEMETRY, onRefused: () => undefined },
    ...changes,
  });
  page(stream, [1], -100);
  if (changes.transport !== 'poll') {
    stream.connected(0);
    page(stream, [1], 1);
    page(stream, [1], LIVE_TIMING.subscriptionGraceMs);
  }
  expect(takeAll(stream)).toEqual(['1']);
  return stream;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function page(stream: InstrumentStream, ids: readonly number[], nowMs: number, pageToken?: string): PageRequest {
  const { ask } = stream.next(nowMs);
  if (ask === undefined) expect.fail(`no request is due at ${nowMs}`);
  stream.asked(ask, nowMs);
  const times = { askedAtMs: nowMs, askedAtWallMs: WALL_MS + nowMs, nowMs };
  stream.answered(
    ask,
    ids.map((id) => tradeWith(id)),
    times,
    pageToken,
  );
  return ask;
}

function takeAll(stream: InstrumentStream): string[] {
  const taken: string[] = [];
  for (let { append } = stream.next(0); append !== undefined; { append } = stream.next(0)) {
    const { firstTradeId, lastTradeId, reason } = append.kind === 'gap' ? append.gap : { ...EMPTY };
    taken.push(append.kind === 'gap' ? `${firstTradeId} ${lastTradeId} ${reason}` : append.trade.tradeId);
    stream.appended();
  }
  return taken;
}
const EMPTY = { firstTradeId: '', lastTradeId: '', reason: '' };

/** Interrupted at 5 s, up again at 6 s; the newest page does not reach back to trade 1. */
function withHole(changes: Partial<InstrumentStreamOptions> = {}, newest = range(31, 40)): InstrumentStream {
  const stream = running(changes);
  stream.disconnected(5_000);
  stream.connected(6_000);
  expect(page(stream, newest, 6_001).kind).toBe('newest');
  return stream;
}

const texts = (ids: readonly number[]): string[] => ids.map(String);

describe('the hole before a page of the newest trades', () => {
  it('is filled from the last known trade on, in order, and nothing passes it meanwhile', () => {
    const stream = withHole();
    stream.received(tradeWith(41), 6_002);
    expect(takeAll(stream)).toEqual([]);
    expect([stream.isInSync, stream.completeUntilMs]).toEqual([false, undefined]);
    expect(page(stream, range(1, 10), 6_003)).toEqual({
      ...{ kind: 'since', urgent: true },
      period: { sinceUs: tradeWith(1).eventTime, untilUs: undefined, pageToken: undefined },
    });
    expect(takeAll(stream)).toEqual(texts(range(2, 10)));
    expect(page(stream, range(10, 19), 6_004)).toMatchObject({ period: { sinceUs: tradeWith(10).eventTime } });
    expect(takeAll(stream)).toEqual(texts(range(11, 19)));
    page(stream, range(19, 28), 6_005);
    expect(takeAll(stream)).toEqual(texts(range(20, 28)));
    page(stream, range(28, 37), 6_006);
    expect(takeAll(stream)).toEqual(texts(range(29, 41)));
    page(stream, range(32, 41), 6_000 + LIVE_TIMING.subscriptionGraceMs);
    expect(stream.isInSync).toBe(true);
  });

  it('is filled by the tokens of the venue, whose pages follow each other', () => {
    const stream = withHole();
    expect(page(stream, range(1, 10), 6_003, 'two')).toMatchObject({ period: { pageToken: undefined } });
    takeAll(stream);
    const period = { sinceUs: tradeWith(1).eventTime, untilUs: undefined, pageToken: 'two' };
    expect(page(stream, range(11, 20), 6_004, 'three')).toMatchObject({ period });
    takeAll(stream);
    expect(page(stream, range(21, 40), 6_005)).toMatchObject({ period: { ...period, pageToken: 'three' } });
    expect(takeAll(stream)).toEqual(texts(range(21, 40)));
  });

  it('is filled while polling, and nothing counts as complete before', () => {
    const stream = running({ transport: 'poll' });
    const proven = stream.completeUntilMs;
    page(stream, range(31, 40), 10_000);
    expect(stream.next(10_001).ask?.kind).toBe('since');
    page(stream, range(1, 35), 10_001);
    expect(takeAll(stream)).toEqual(texts(range(2, 40)));
    expect(stream.completeUntilMs).toBe(proven);
    page(stream, range(36, 40), 20_000);
    expect(stream.completeUntilMs).toBe(WALL_MS + 20_000);
  });

  it('stays open before what arrives after another interruption', () => {
    const stream = withHole();
    stream.received(tradeWith(41), 6_002);
    stream.disconnected(7_000);
    stream.connected(8_000);
    stream.received(tradeWith(50), 8_001);
    page(stream, range(1, 35), 8_002);
    expect(takeAll(stream)).toEqual(texts(range(2, 41)));
    expect(page(stream, range(45, 52), 8_003).kind).toBe('newest');
    expect(takeAll(stream)).toEqual([]);
    page(stream, range(41, 47), 8_004);
    expect(takeAll(stream)).toEqual(texts(range(42, 52)));
  });

  it('may be one of several: each is filled', () => {
    const stream = running();
    stream.disconnected(5_000);
    stream.connected(6_000);
    stream.received(tradeWith(20), 6_001);
    page(stream, range(31, 40), 6_002);
    page(stream, range(1, 22), 6_003);
    expect(takeAll(stream)).toEqual(texts(range(2, 22)));
    expect(page(stream, range(31, 40), 6_004).kind).toBe('newest');
    page(stream, range(22, 31), 6_005);
    expect(takeAll(stream)).toEqual(texts(range(23, 40)));
  });

  it('keeps nothing beyond its room, which a later page shows again', () => {
    const stream = running({ waitingMax: 3 });
    stream.disconnected(5_000);
    stream.connected(6_000);
    for (const id of range(20, 29)) stream.received(tradeWith(id), 6_001);
    expect(stream.waiting).toBe(3);
    expect(takeAll(stream)).toEqual([]);
    page(stream, range(26, 30), 6_002);
    page(stream, range(1, 22), 6_003);
    expect(takeAll(stream)).toEqual(texts(range(2, 22)));
    page(stream, range(26, 30), 6_004);
    page(stream, range(22, 28), 6_005);
    expect(takeAll(stream)).toEqual(texts(range(23, 30)));
  });

  it('is not fetched faster than Kafka takes it', () => {
    const stream = withHole();
    page(stream, range(1, 10), 6_003);
    expect(stream.next(6_004).ask).toBeUndefined();
    takeAll(stream);
    expect(stream.next(6_004).ask?.kind).toBe('since');
  });
});

describe('a hole that cannot be filled is a gap', () => {
  it('where pages do not show the last known trade', () => {
    const stream = withHole();
    for (let count = 0; count < NOT_SERVED_ANSWERS; count += 1) {
      expect(takeAll(stream)).toEqual([]);
      page(stream, range(31, 40), 7_000 + count * LIVE_TIMING.gapRetryMs);
    }
    expect(takeAll(stream)).toEqual(['after:1 before:31 NOT_SERVED', ...texts(range(31, 40))]);
  });

  it('where a full page shows nothing new', () => {
    const stream = withHole();
    page(stream, range(1, 10), 6_003);
    takeAll(stream);
    for (let count = 0; count < NOT_SERVED_ANSWERS; count += 1) {
      page(stream, range(1, 10), 7_000 + count * LIVE_TIMING.gapRetryMs);
    }
    expect(takeAll(stream)[0]).toBe('after:10 before:31 NOT_SERVED');
  });

  it('where the venue refuses the request', () => {
    const stream = withHole();
    stream.cannotFill();
    expect(takeAll(stream)[0]).toBe('after:1 before:31 NOT_SERVED');
  });

  it('where it has more trades than are requested', () => {
    const stream = withHole({}, range(90, 99));
    const taken: string[] = [];
    for (let first = 1; first <= 51; first += 10) {
      page(stream, range(first, first + 9), 6_003, 'more');
      taken.push(...takeAll(stream));
    }
    expect(taken).toEqual([...texts(range(2, 60)), 'after:60 before:90 BEYOND_LIMIT', ...texts(range(90, 99))]);
  });

  it('where no page comes in time', () => {
    const stream = withHole();
    stream.advance(6_001 + LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(stream)[0]).toBe('after:1 before:31 NO_ANSWER');
    expect(stream.next(6_001 + LIVE_TIMING.gapDeadlineMs).ask?.kind).toBe('newest');
  });

  it('where the time of the last known trade is not known', () => {
    const stream = running();
    stream.resume({ lastId: undefined, lastTime: null, declaredGaps: [], recentIds: ['1'] });
    page(stream, range(31, 40), 7_000);
    expect(takeAll(stream)[0]).toBe('after:1 before:31 NOT_SERVED');
  });
});

it('a refused trade of a page that fills a hole is kept, and is no gap', () => {
  const refused: unknown[] = [];
  const stream = withHole({ onRefused: (each) => refused.push(each) });
  const { ask } = stream.next(6_003);
  if (ask === undefined) expect.fail('a request is due');
  const trades = [
    ...range(1, 19).map((id) => tradeWith(id)),
    refusedWith(20),
    ...range(21, 31).map((id) => tradeWith(id)),
  ];
  stream.answered(ask, trades, { askedAtMs: 6_003, askedAtWallMs: WALL_MS, nowMs: 6_004 });
  expect(takeAll(stream)).toEqual(texts([...range(2, 19), ...range(21, 40)]));
  expect(refused).toHaveLength(1);
});
