import { describe, expect, it } from 'vitest';
import { tradeWith } from './fixtures/trade.ts';
import { InstrumentStream, type InstrumentStreamOptions } from './instrument-stream.ts';
import { NO_TELEMETRY } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

const PAGE_MS = 10;

function streamWith(changes: Partial<InstrumentStreamOptions> = {}): InstrumentStream {
  return new InstrumentStream({
    ...{ instrument: 'BTC-USDT@bybit', symbol: 'BTCUSDT', partition: 0, transport: 'stream', tradeIds: 'OPAQUE' },
    ...{ pageTradesMax: 60, asksFrom: false, waitingMax: 100, resumeTradesMax: 1_000, timing: LIVE_TIMING },
    telemetry: NO_TELEMETRY,
    onRefused: () => undefined,
    ...changes,
  });
}

/** A stream that began with trade `a`, connected at 0, its head known. */
function running(changes: Partial<InstrumentStreamOptions> = {}): InstrumentStream {
  const stream = streamWith(changes);
  page(stream, 'a', -100);
  stream.connected(0);
  page(stream, 'a', 1);
  page(stream, 'a', LIVE_TIMING.subscriptionGraceMs);
  expect(takeAll(stream)).toEqual(['a']);
  return stream;
}

/** Requests what is due and answers it at once, or `takesMs` later. */
function page(stream: InstrumentStream, ids: string, nowMs: number, takesMs = 0): void {
  const { ask } = stream.next(nowMs);
  if (ask === undefined) expect.fail(`no request is due at ${nowMs}`);
  stream.asked(ask, nowMs);
  answer(stream, ids, nowMs, nowMs + takesMs);
}

function answer(stream: InstrumentStream, ids: string, askedAtMs: number, nowMs: number): void {
  const trades = Array.from(ids, (id) => tradeWith(id));
  const ask = { kind: 'newest', limit: 60, urgent: true } as const;
  stream.answered(ask, trades, { askedAtMs, askedAtWallMs: 1_790_000_000_000 + askedAtMs, nowMs });
}

function takeAll(stream: InstrumentStream, nowMs = 0): string[] {
  const taken: string[] = [];
  for (let { append } = stream.next(nowMs); append !== undefined; { append } = stream.next(nowMs)) {
    const text =
      append.kind === 'gap' ? `${append.gap.firstTradeId} ${append.gap.lastTradeId} ${append.gap.reason}` : '';
    taken.push(append.kind === 'gap' ? text : append.trade.tradeId);
    stream.appended();
  }
  return taken;
}

describe('where ids have no order, after an interruption', () => {
  it('newer trades wait for a page, which puts the missed ones before them', () => {
    const stream = running();
    stream.disconnected(5_000);
    stream.connected(6_000);
    stream.received(tradeWith('d'), 6_001);
    expect(takeAll(stream)).toEqual([]);
    expect(stream.isInSync).toBe(false);
    page(stream, 'abc', 6_002);
    expect(takeAll(stream)).toEqual(['b', 'c', 'd']);
  });

  it('a page that does not reach back is a gap between the trades around it', () => {
    const stream = running();
    stream.disconnected(5_000);
    stream.connected(6_000);
    stream.received(tradeWith('f'), 6_001);
    page(stream, 'def', 6_002);
    expect(takeAll(stream)).toEqual(['after:a before:d NOT_SERVED', 'd', 'e', 'f']);
  });

  it('without an answer in time the wait ends with a gap, but a forbidden request prolongs it', () => {
    const stream = running();
    stream.disconnected(5_000);
    stream.connected(6_000);
    stream.received(tradeWith('f'), 6_001);
    const overMs = 5_000 + LIVE_TIMING.gapDeadlineMs;
    stream.cannotAsk(overMs - 1);
    stream.advance(overMs);
    expect(takeAll(stream)).toEqual([]);
    stream.advance(overMs - 1 + LIVE_TIMING.gapDeadlineMs);
    expect(takeAll(stream)).toEqual(['after:a before:f NO_ANSWER', 'f']);
  });

  it('pages are requested while no connection is up, so that the next one is reached', () => {
    const stream = running();
    stream.disconnected(5_000);
    page(stream, 'ab', 5_001);
    expect(takeAll(stream)).toEqual(['b']);
    expect(stream.next(5_002).ask).toBeUndefined();
    page(stream, 'bc', 5_001 + LIVE_TIMING.pollIntervalMs);
    stream.connected(9_000);
    page(stream, 'cd', 9_001);
    expect(takeAll(stream)).toEqual(['c', 'd']);
  });

  it('it is asked again once the venue surely has the subscription', () => {
    const stream = running();
    stream.disconnected(5_000);
    stream.connected(6_000);
    page(stream, 'ab', 6_001);
    expect(stream.next(6_500).ask).toBeUndefined();
    expect(stream.isInSync).toBe(false);
    page(stream, 'abc', 6_000 + LIVE_TIMING.subscriptionGraceMs);
    expect(takeAll(stream)).toEqual(['b', 'c']);
    expect(stream.isInSync).toBe(true);
  });
});

describe('where ids have no order, a trade that may have passed unnoticed', () => {
  it('is looked for, and not on a page that was requested before', () => {
    const stream = running();
    const nowMs = 10_000;
    stream.mayHaveMissed(nowMs);
    stream.received(tradeWith('c'), nowMs + 1);
    answer(stream, 'a', nowMs - 1, nowMs + PAGE_MS);
    expect(takeAll(stream)).toEqual([]);
    page(stream, 'abc', nowMs + PAGE_MS);
    expect(takeAll(stream)).toEqual(['b', 'c']);
  });

  it('is a refused one too', () => {
    const stream = running();
    const refusal = { reason: 'MALFORMED', detail: 'no price' } as const;
    stream.received({ refusal, instrument: 'BTC-USDT@bybit', tradeId: undefined, text: '{}' }, 10_000);
    expect(stream.next(10_000).ask).toMatchObject({ kind: 'newest', urgent: true });
  });

  it('is one for which there was no room: a gap, until a page shows it', () => {
    const stream = running({ waitingMax: 2 });
    stream.disconnected(5_000);
    stream.connected(6_000);
    for (const id of ['b', 'c', 'd']) stream.received(tradeWith(id), 6_001);
    expect(takeAll(stream)).toEqual(['after:a before:b NO_ANSWER', 'b', 'c']);
    page(stream, 'bcde', 6_002);
    expect(takeAll(stream)).toEqual(['d', 'e']);
  });

  it('is one that Kafka did not accept', () => {
    const stream = running();
    for (const id of ['b', 'c', 'd']) stream.received(tradeWith(id), 10_000);
    for (let count = 0; count < 2; count += 1) stream.appended();
    stream.resume({ lastId: undefined, lastTime: 1, declaredGaps: [], recentIds: ['a'] });
    expect(takeAll(stream)).toEqual([]);
    page(stream, 'abcd', 10_001);
    expect(takeAll(stream)).toEqual(['b', 'c', 'd']);
  });
});

it('an id too long for both names of a gap is cut off at the bound of an id', () => {
  const stream = streamWith();
  const long = 'x'.repeat(64);
  stream.resume({ lastId: undefined, lastTime: 1, declaredGaps: [], recentIds: [long] });
  stream.connected(0);
  page(stream, 'z', 1);
  const { append } = stream.next(1);
  if (append?.kind !== 'gap') expect.fail('a gap is due');
  expect(append.gap.firstTradeId).toHaveLength(64);
});
