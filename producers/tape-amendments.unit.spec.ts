import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { refusalOfAmendment } from '../contracts/trade-rules.ts';
import { Revocation } from './tape-amendments-revocation.ts';
import {
  cancellationOf,
  planOf,
  recordOfAmendment,
  TradesOfId,
  type AmendableTrade,
  type PlannedAmendment,
  type Wish,
} from './tape-amendments.ts';

const TIME_US = 1_742_943_600_000_125;
const SOURCE = 'file:0011223344556677';
const by = { reason: 'busted', actor: 'ann', receivedAt: TIME_US + 1 };
const trade: Trade = {
  venue: 'binance',
  instrument: 'BTC-USDT@binance',
  tradeId: '4611',
  eventTime: TIME_US,
  price: Decimal.of('61837.63'),
  size: Decimal.of('0.02'),
  side: 'BUY',
  receivedAt: 0,
  source: SOURCE,
  suspicious: false,
  conditions: [],
};

/** One trade and its amendments, in the order of the tape. */
function after(...said: PlannedAmendment[]): AmendableTrade {
  const found = new TradesOfId();
  found.addTrade(trade);
  for (const amendment of said) found.addAmendment(amendment);
  return found.all()[0]!;
}

function planned(wish: Wish, of = after()): PlannedAmendment {
  const plan = planOf(wish, of, by);
  if (plan.kind !== 'append') throw new RangeError(`nothing to append: ${plan.kind}`);
  return plan.planned;
}
const correction = (price?: string, size?: string): Wish => ({
  kind: 'correct',
  price: price === undefined ? undefined : Decimal.of(price),
  size: size === undefined ? undefined : Decimal.of(size),
});
const cancel: Wish = { kind: 'cancel' };
const release: Wish = { kind: 'release' };

describe('planOf', () => {
  it("takes a trade back with the tape's own figures, and once", () => {
    const cancelled = planned(cancel);
    expect(cancelled).toEqual({
      name: 'TradeCancelled',
      amendment: {
        ...{ venue: 'binance', instrument: 'BTC-USDT@binance', tradeId: '4611', eventTime: TIME_US },
        ...{ price: trade.price, size: trade.size, ...by, source: 'operator' },
      },
    });
    expect(planOf(cancel, after(cancelled), by)).toEqual({ kind: 'already' });
  });

  it("keeps the tape's first figures in every amendment, whatever corrected the trade before", () => {
    const corrected = planned(correction('61837.6'));
    const { amendment } = planned(cancel, after(corrected));
    expect([amendment.price.toString(), amendment.size.toString()]).toEqual(['61837.63', '0.02']);
  });

  it('corrects the named figure, and keeps the present value of the other', () => {
    const first = planned(correction('61837.6'));
    expect(first.amendment).toMatchObject({ correctedPrice: Decimal.of('61837.6'), correctedSize: trade.size });
    const second = planned(correction(undefined, '0.03'), after(first));
    expect(second.amendment).toMatchObject({
      correctedPrice: Decimal.of('61837.6'),
      correctedSize: Decimal.of('0.03'),
    });
  });

  it('reports that a correction changes nothing if the figures are already in force', () => {
    expect(planOf(correction('61837.63', '0.02'), after(), by)).toEqual({ kind: 'already' });
    const corrected = after(planned(correction('1')));
    expect(planOf(correction('1'), corrected, by)).toEqual({ kind: 'already' });
    expect(planOf(correction('61837.63'), corrected, by)).toMatchObject({ kind: 'append' });
  });

  it('vouches for a trade once', () => {
    const released = planned(release);
    expect(released.name).toBe('TradeReleased');
    expect(planOf(release, after(released), by)).toEqual({ kind: 'already' });
  });

  it('reports that a trade that was taken back cannot be amended', () => {
    const gone = after(planned(cancel));
    expect(planOf(correction('1'), gone, by)).toEqual({ kind: 'moot' });
    expect(planOf(release, gone, by)).toEqual({ kind: 'moot' });
  });
});

describe('TradesOfId', () => {
  it('distinguishes trades with one id by their times, and uses the first record of a repeated one', () => {
    const found = new TradesOfId();
    found.addTrade({ ...trade, eventTime: TIME_US + 5 });
    found.addTrade(trade);
    found.addTrade({ ...trade, price: Decimal.of('1') });
    found.addAmendment(cancellationOf(trade, by));
    expect(found.all().map(({ trade: { eventTime }, isCancelled }) => [eventTime, isCancelled])).toEqual([
      [TIME_US, true],
      [TIME_US + 5, false],
    ]);
    expect(found.all()[0]?.trade.price).toBe(trade.price);
  });

  it('ignores a correction before the trade or after it was taken back', () => {
    const corrected = planned(correction('1'));
    const found = new TradesOfId();
    found.addAmendment(corrected);
    found.addTrade(trade);
    expect(found.all()[0]?.figures.price).toBe(trade.price);
    expect(after(planned(cancel), corrected).figures.price).toBe(trade.price);
  });
});

describe('recordOfAmendment', () => {
  it.each([cancel, release, correction('5')])('is in its trade’s partition, and is well-formed: %j', (wish) => {
    const amendment = planned(wish);
    const record = recordOfAmendment(amendment, 6);
    expect(record).toMatchObject({
      topic: 'raw.trades',
      partition: partitionOf(trade.instrument, 6),
      key: trade.instrument,
      type: amendment.name,
      timestampUs: TIME_US,
    });
    const read = decodeBody(amendment.name, record.body);
    expect(read).toEqual(amendment.amendment);
    expect(refusalOfAmendment(read)).toBeUndefined();
  });
});

describe('Revocation', () => {
  /** Reads a tape twice, as the adapter does. */
  function revoked(tape: readonly Trade[], held: readonly PlannedAmendment[] = []) {
    const revocation = new Revocation(SOURCE);
    for (const one of tape) revocation.note(one);
    for (const amendment of held) revocation.noteAmendment(amendment);
    return { taken: tape.filter((one) => revocation.takes(one)), counts: revocation.counts() };
  }
  const other = { ...trade, source: 'file:ffffffffffffffff' };

  it("takes each of the file's trades back once, and no other", () => {
    const later = { ...trade, eventTime: TIME_US + 1 };
    const { taken, counts } = revoked([trade, trade, later, { ...other, tradeId: 'x' }]);
    expect(taken).toEqual([trade, later]);
    expect(counts.get(trade.instrument)).toEqual({ cancelled: 2, alreadyCancelled: 0, heldFromElsewhere: 0 });
  });

  it('leaves a trade that another source appended first, although it is also in the file', () => {
    const { taken, counts } = revoked([other, trade]);
    expect(taken).toEqual([]);
    expect(counts.get(trade.instrument)).toEqual({ cancelled: 0, alreadyCancelled: 0, heldFromElsewhere: 1 });
    expect(revoked([trade, other]).taken).toEqual([trade]);
  });

  it('continues where another run was killed, and does nothing when all is taken back', () => {
    const ids = fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(ids, fc.nat({ max: 60 }), (numbers, killedAfter) => {
        const tape = numbers.map((number) => ({ ...trade, tradeId: String(number) }));
        const first = revoked(tape).taken.slice(0, killedAfter);
        const held = first.map((one) => cancellationOf(one, by));
        const second = revoked(tape, held);
        expect([...first, ...second.taken]).toEqual(tape);
        expect(second.counts.get(trade.instrument)?.alreadyCancelled).toBe(first.length);
        const all = tape.map((one) => cancellationOf(one, by));
        expect(revoked(tape, all).taken).toEqual([]);
      }),
    );
  });

  it('does not treat a correction as a cancellation', () => {
    expect(revoked([trade], [planned(correction('1'))]).taken).toEqual([trade]);
  });
});
