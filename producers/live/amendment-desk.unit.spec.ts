import { afterEach, describe, expect, it } from 'vitest';
import { decodeBody } from '../../contracts/codec.ts';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { until } from '../../tests/support/until.ts';
import type { HeldAmendment } from '../tape-amendments.ts';
import { isAmendment, isTrades, type RefusedTrade, type VenueAmendment } from '../venue.ts';
import { alpaca } from '../venues/alpaca/venue.ts';
import { AmendmentDesk } from './amendment-desk.adapter.ts';
import { routeFrame } from './frame-router.ts';
import { recordOfTrade, type LiveRecord } from './live-records.ts';
import type { LiveEvent } from './telemetry.ts';

const TIME = '2023-04-06T13:15:42.835409Z';
const TIME_US = Date.UTC(2023, 3, 6, 13, 15, 42) * 1_000 + 835_409;
const DAY_US = 86_400_000_000;
const ended: AbortController[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end.abort();
});

/** A tape in memory: of one instrument, the trades and amendments in the order of the log. */
class MemoryTape {
  readonly trades: Trade[] = [];
  readonly amendments: HeldAmendment[] = [];
  looks = 0;
  outages = 0;

  lookUp(ids: ReadonlySet<string>) {
    this.looks += 1;
    if (this.outages > 0) {
      this.outages -= 1;
      return Promise.reject(new TapeproofError('UNREACHABLE', 'Kafka does not answer.'));
    }
    // Like the tape's own look-up: whatever names the id, in its own fields or in the reason.
    const names = (text: string): boolean => [...ids].some((id) => text.includes(id));
    return Promise.resolve({
      trades: this.trades.filter(({ tradeId }) => names(tradeId)),
      amendments: this.amendments.filter(({ amendment }) => names(`${amendment.tradeId} ${amendment.reason}`)),
    });
  }

  lines(): string[] {
    return this.amendments.map(({ name, amendment }) => {
      const { tradeId, eventTime, price, size } = amendment;
      const isFirst = this.trades.some((trade) => trade.eventTime === eventTime && trade.tradeId === tradeId);
      expect([isFirst, amendment.actor, amendment.source]).toEqual([true, 'alpaca', 'live:alpaca']);
      const now =
        'correctedPrice' in amendment
          ? ` → ${amendment.correctedPrice.toString()} × ${amendment.correctedSize.toString()}`
          : '';
      return `${name} ${tradeId} ${price.toString()} × ${size.toString()}${now}`;
    });
  }
}

function scene({ waitMs = 3_600_000 } = {}) {
  const tape = new MemoryTape();
  const refused: RefusedTrade[] = [];
  const events: LiveEvent[] = [];
  const renamed: string[] = [];
  const end = new AbortController();
  ended.push(end);
  const stream = {
    waiting: 0,
    renamed: (id: string) => renamed.push(id),
    received: () => undefined,
    mayHaveMissed: () => undefined,
    options: { partition: 3 } as never,
  };
  const streams = new Map([['AAPL@alpaca', stream]]);
  const telemetry = (event: LiveEvent): void => void events.push(event);
  const onRefused = (item: RefusedTrade): void => void refused.push(item);
  const desk = new AmendmentDesk({
    ...{ streams, partitions: 6, timing: { amendmentWaitMs: waitMs, appendPauseMs: 1 }, telemetry, signal: end.signal },
    lookUp: async ({ sought, besides }) => {
      const ids = new Set([...(sought.get('AAPL@alpaca') ?? []), ...besides]);
      return new Map([['AAPL@alpaca', await tape.lookUp(ids)]]);
    },
    ...{ onRefused, onReady: () => undefined },
  });
  const running = desk.run();
  const written: LiveRecord[] = [];
  const routing = {
    ...{ venue: alpaca, streams, telemetry, onRefused, clockOffset: { measured: () => undefined } },
    onAmendment: (amendment: VenueAmendment, nowMs: number) => {
      desk.add(amendment, nowMs);
    },
    onNotice: () => undefined,
  };
  return {
    ...{ tape, refused, events, renamed, stream, desk, end, running },
    /** The tape accepts a trade. */
    append: (trade: Trade): void => {
      tape.trades.push(trade);
      desk.acknowledged([recordOfTrade(trade, 'stream', 3)]);
    },
    /** The venue sends messages in one frame. */
    hear: (...messages: object[]): void => {
      routeFrame(routing, JSON.stringify(messages), TIME_US + 5, performance.now());
    },
    page: (...rows: object[]): void => {
      const page = alpaca.history.parsePage(JSON.stringify({ trades: rows }), 'AAPL', TIME_US + 5);
      if (!isTrades(page)) throw new RangeError('not a page');
      for (const item of page) if (isAmendment(item)) desk.add(item, performance.now());
    },
    outcomes: () => events.flatMap((event) => (event.kind === 'amendment' ? [event.outcome] : [])),
    /** As the writer does: what is ready goes to the tape. */
    settled: async (count: number): Promise<void> => {
      await until(`${count} settled`, () => {
        for (let next = desk.first; next !== undefined; next = desk.first) {
          desk.sent();
          written.push(next);
          const name = next.type as 'TradeCancelled' | 'TradeCorrected';
          tape.amendments.push({ name, amendment: decodeBody(name, next.body) });
          expect([next.partition, next.key, next.timestampUs]).toEqual([
            expect.any(Number),
            'AAPL@alpaca',
            tape.amendments.at(-1)?.amendment.eventTime,
          ]);
          desk.acknowledged([next]);
        }
        return written.length + events.filter(({ kind }) => kind === 'amendment').length >= count;
      });
    },
  };
}

function trade(id: number, price = '126.55', size = '100', eventTime = TIME_US): Trade {
  return {
    ...{ venue: 'alpaca', instrument: 'AAPL@alpaca', tradeId: `V-${id}`, eventTime, side: 'UNKNOWN' },
    ...{ price: Decimal.of(price), size: Decimal.of(size), receivedAt: eventTime, source: 'live:alpaca' },
    ...{ suspicious: false, conditions: [] },
  };
}

function cancel(id: number, changes: object = {}) {
  return { T: 'x', S: 'AAPL', i: id, x: 'V', p: 126.55, s: 100, a: 'C', z: 'C', t: TIME, ...changes };
}

function correction(from: number, to: number, [op, cp]: readonly [number, number], changes: object = {}) {
  const known = { T: 'c', S: 'AAPL', x: 'V', z: 'C', t: TIME };
  return { ...known, oi: from, op, os: 100, oc: ['@'], ci: to, cp, cs: 100, cc: ['@'], ...changes };
}

describe("a venue's amendments", () => {
  it("are on the tape with the trade's own figures and time, once, however often they are repeated", async () => {
    const { append, hear, settled, tape, outcomes, refused } = scene();
    append(trade(1));
    append(trade(2));
    hear(cancel(1), correction(2, 20, [126.55, 126.5]));
    await settled(2);
    hear(cancel(1), correction(2, 20, [126.55, 126.5]));
    await settled(4);
    expect(tape.lines()).toEqual(['TradeCancelled V-1 126.55 × 100', 'TradeCorrected V-2 126.55 × 100 → 126.5 × 100']);
    expect([outcomes(), refused]).toEqual([['already', 'already'], []]);
  });

  it('wait for their trade, and look again only when it is on the tape', async () => {
    const { append, hear, settled, tape } = scene();
    hear(cancel(1));
    await until('it was looked for', () => tape.looks > 0);
    append(trade(2));
    append(trade(1));
    await settled(1);
    expect(tape.lines()).toEqual(['TradeCancelled V-1 126.55 × 100']);
    expect(tape.looks).toBe(2);
  });

  it('follow a trade through its corrections, in any order', async () => {
    const { append, hear, settled, tape, renamed, outcomes } = scene();
    append(trade(1));
    // The second correction names the id that the first one gives.
    hear(correction(10, 11, [126.5, 126.4]));
    await until('it was looked for', () => tape.looks > 0);
    hear(correction(1, 10, [126.55, 126.5]));
    await settled(2);
    expect(tape.lines()).toEqual([
      'TradeCorrected V-1 126.55 × 100 → 126.5 × 100',
      'TradeCorrected V-1 126.55 × 100 → 126.4 × 100',
    ]);
    // A page that shows the new ids has no further trades.
    expect(renamed).toEqual(['V-10', 'V-11']);
    // Repeated, the first one does not undo the second.
    hear(correction(1, 10, [126.55, 126.5]));
    await settled(3);
    hear(correction(11, 12, [126.4, 126.3]));
    await settled(4);
    hear(correction(10, 11, [126.5, 126.4]));
    await settled(5);
    hear(cancel(12, { p: 126.3 }));
    await settled(6);
    expect(tape.lines().slice(2)).toEqual([
      'TradeCorrected V-1 126.55 × 100 → 126.3 × 100',
      'TradeCancelled V-1 126.55 × 100',
    ]);
    expect(outcomes()).toEqual(['already', 'already']);
  });

  it.each([
    ['never seen', cancel(9), 'the tape holds no trade V-9 of AAPL@alpaca'],
    ['of another exchange', cancel(1, { x: 'D' }), 'holds no trade D-1'],
    ['of other figures', cancel(1, { p: 126.56 }), "the tape's trade V-1 of AAPL@alpaca is not that of 126.56 × 100"],
    ['of another day', cancel(1, { t: '2023-04-07T13:15:42Z' }), 'or is of another day'],
  ])('are dead letters with the command to give, for a trade %s', async (_what, message, words) => {
    const { append, hear, settled, tape, refused, outcomes, stream } = scene({ waitMs: 0 });
    append(trade(1));
    hear(message);
    await settled(1);
    expect([tape.lines(), outcomes()]).toEqual([[], ['unmatched']]);
    expect(refused[0]?.refusal.detail).toContain(words);
    expect(refused[0]?.refusal.detail).toContain('"tape cancel" does so on the tape');
    expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({ T: 'x', S: 'AAPL' });
    expect(stream.waiting).toBe(0);
  });

  it('are not given up while trades of their instrument wait', async () => {
    const { append, hear, settled, stream, tape, outcomes } = scene({ waitMs: 0 });
    stream.waiting = 1;
    hear(cancel(1));
    await until('it was looked for', () => tape.looks > 0);
    hear(cancel(2));
    await until('both were', () => tape.looks > 1);
    expect(outcomes()).toEqual([]);
    append(trade(1));
    await settled(1);
    stream.waiting = 0;
    await settled(2);
    expect([tape.lines().length, outcomes()]).toEqual([1, ['unmatched']]);
  });

  it('mean the trade of their day, where an id is used again', async () => {
    const { append, hear, settled, tape } = scene();
    append(trade(1, '126.55', '100', TIME_US - DAY_US));
    append(trade(1));
    append(trade(1, '126.55', '100', TIME_US + DAY_US));
    hear(cancel(1));
    await settled(1);
    expect(tape.amendments[0]?.amendment.eventTime).toBe(TIME_US);
  });

  it('of another instrument are counted like its trades', () => {
    const { hear, events, refused } = scene();
    hear(cancel(1, { S: 'MSFT' }));
    expect([events, refused]).toEqual([[{ kind: 'not-asked-for', instrument: 'MSFT@alpaca' }], []]);
  });

  it('correct nothing that was taken back', async () => {
    const { append, hear, settled, tape, refused } = scene({ waitMs: 0 });
    append(trade(1));
    hear(cancel(1));
    await settled(1);
    hear(correction(1, 10, [126.55, 126.5]));
    await settled(2);
    expect(tape.lines()).toEqual(['TradeCancelled V-1 126.55 × 100']);
    expect(refused[0]?.refusal.detail).toContain('was taken back before');
  });

  it('are looked up again after an outage', async () => {
    const { append, hear, settled, tape } = scene();
    append(trade(1));
    tape.outages = 3;
    hear(cancel(1));
    await settled(1);
    expect([tape.lines().length, tape.looks]).toEqual([1, 4]);
  });

  it('that wait at the end are dead letters, before the writer sends the rest', async () => {
    const { hear, end, running, refused, tape } = scene();
    hear(cancel(1));
    await until('it was looked for', () => tape.looks > 0);
    end.abort();
    expect(refused.map(({ refusal }) => refusal.detail)).toEqual([
      expect.stringContaining('the process ended before its trade was found'),
    ]);
    hear(cancel(2));
    expect(refused).toHaveLength(2);
    await running;
  });
});

describe('the marks of a page', () => {
  const row = { i: 1, x: 'V', p: 126.55, s: 100, c: ['@'], t: TIME, z: 'C' };

  it('take back a trade that the stream showed before, and ask once', async () => {
    const { append, hear, page, settled, tape, outcomes } = scene();
    append(trade(1));
    page({ ...row, u: 'canceled' });
    await settled(1);
    page({ ...row, u: 'canceled' });
    page({ ...row, u: 'canceled' });
    expect(tape.lines()).toEqual(['TradeCancelled V-1 126.55 × 100']);
    expect([tape.looks, outcomes()]).toEqual([1, []]);
    append(trade(2));
    hear(cancel(2));
    await settled(2);
    expect([tape.looks, outcomes()]).toEqual([2, []]);
  });

  it('leave a trade that the stream corrected', async () => {
    const { append, hear, page, settled, tape } = scene();
    append(trade(1));
    hear(correction(1, 10, [126.55, 126.5]));
    await settled(1);
    page({ ...row, u: 'incorrect' });
    await settled(2);
    expect(tape.lines()).toEqual(['TradeCorrected V-1 126.55 × 100 → 126.5 × 100']);
  });

  it('and a correction whose new trade a page showed first count it once', async () => {
    const { append, hear, settled, tape } = scene();
    append(trade(1));
    append(trade(10, '126.5'));
    hear(correction(1, 10, [126.55, 126.5]));
    await settled(1);
    expect(tape.lines()).toEqual(['TradeCancelled V-1 126.55 × 100']);
    expect(tape.amendments[0]?.amendment.reason).toBe('replaced by the venue with its trade V-10');
  });

  it('on a trade before the beginning of the tape concern nothing', async () => {
    const { page, tape, refused, desk } = scene({ waitMs: 0 });
    page({ ...row, u: 'canceled' });
    await until('it was looked for', () => tape.looks > 0);
    await until('it is settled', () => desk.isIdle);
    expect([tape.lines(), refused]).toEqual([[], []]);
  });
});
