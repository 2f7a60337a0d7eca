import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { nearestDouble } from '../exact-decimals.ts';
import { sequenceOf } from '../fixtures/synthetic-market.ts';
import { Vwap } from './vwap.ts';

const decimal = (text: string | number) => Decimal.of(String(text));

/** A price or size with any number of digits, most often with a real market's. */
const digits = fc
  .oneof(
    fc.record({ units: fc.bigInt({ min: 1n, max: 10n ** 7n }), decimals: fc.nat({ max: 8 }) }),
    fc.record({ units: fc.bigInt({ min: 1n, max: 10n ** 15n - 1n }), decimals: fc.constant(0) }),
    fc.record({ units: fc.bigInt({ min: 1n, max: 10n ** 27n - 1n }), decimals: fc.constant(12) }),
  )
  .map(({ units, decimals }) => Decimal.fromUnits(units * 10n ** BigInt(12 - decimals)));
const prices = fc.tuple(digits, fc.boolean()).map(([price, isBelow]) => (isBelow ? price.negated() : price));
/** Trades of one market: at prices near each other. */
const near = fc
  .record({
    base: prices.filter((price) => Math.abs(price.whole) < 1e14),
    decimals: fc.nat({ max: 12 }),
    trades: fc.array(fc.tuple(fc.integer({ min: -(2 ** 27), max: 2 ** 27 }), digits), { minLength: 1, maxLength: 60 }),
  })
  .map(({ base, decimals, trades }) =>
    trades.map(([distance, size]): [Decimal, Decimal] => [
      Decimal.fromUnits(base.toUnits() + BigInt(distance) * 10n ** BigInt(12 - decimals)),
      size,
    ]),
  );
const anywhere = fc.array(fc.tuple(prices, digits), { minLength: 1, maxLength: 60 });
const markets = fc.oneof(near, anywhere);

/** By the book, in integers of 10^-12: Σ q, Σ p·q, Σ p²·q. */
function naiveOf(trades: readonly (readonly [Decimal, Decimal])[]) {
  let [volume, first, second] = [0n, 0n, 0n];
  for (const [price, size] of trades) {
    volume += size.toUnits();
    first += price.toUnits() * size.toUnits();
    second += price.toUnits() * price.toUnits() * size.toUnits();
  }
  const unit = 10n ** 12n;
  return {
    totalVolume: nearestDouble(volume, unit),
    average: nearestDouble(first, volume * unit),
    deviation: Math.sqrt(nearestDouble(second * volume - first * first, volume * volume * unit * unit)),
    tradeCount: trades.length,
  };
}

function measured({ totalVolume, average, deviation, tradeCount }: Vwap) {
  return { totalVolume, average, deviation, tradeCount };
}

function vwapOf(trades: readonly (readonly [Decimal, Decimal])[]): Vwap {
  const vwap = new Vwap();
  for (const [price, size] of trades) vwap.add(price, size);
  return vwap;
}

describe('Vwap', () => {
  it('is Σpq / Σq with the weighted deviation, and undefined without volume', () => {
    const vwap = new Vwap();
    expect([vwap.average, vwap.deviation]).toEqual([undefined, undefined]);
    vwap.add(decimal(100), Decimal.ZERO);
    expect(vwap.average).toBeUndefined();
    vwap.add(decimal(100), decimal(1));
    vwap.add(decimal(103), decimal(2));
    expect(vwap.average).toBe(102);
    expect(vwap.deviation).toBe(Math.sqrt(2));
    expect([vwap.totalVolume, vwap.tradeCount]).toEqual([3, 3]);
  });

  it('keeps the deviation of a small spread at a great price', () => {
    const vwap = new Vwap();
    for (let i = 0; i < 10_000; i += 1) vwap.add(decimal(`1000000000.00${i % 2}`), decimal(1));
    // Σq·p²/Σq − VWAP² in doubles gives 0, or the root of a negative number, here.
    expect(vwap.deviation).toBe(5e-4);
  });

  it('has no deviation at one price, whatever the sizes', () => {
    const vwap = new Vwap();
    for (let i = 1; i <= 40; i += 1) vwap.add(decimal('96937.89'), decimal(`46.${i}05`));
    expect([vwap.average, vwap.deviation]).toEqual([96937.89, 0]);
  });

  it('averages prices below 0 like any others', () => {
    const prices = ['1.25', '0.50', '0.01', '-0.10', '-13.10', '-37.63', '-40.32', '-10.01', '0.02', '1.10'];
    expect(vwapOf(prices.map((price) => [decimal(price), decimal(1)])).average).toBe(-9.828);
  });

  it('is exact for any prices and sizes, in any order', () => {
    fc.assert(
      fc.property(markets, fc.infiniteStream(fc.nat()), (trades, keys) => {
        const vwap = vwapOf(trades);
        expect(measured(vwap)).toEqual(naiveOf(trades));
        const shuffled = trades
          .map((trade) => ({ trade, key: keys.next().value as number }))
          .sort((left, right) => left.key - right.key)
          .map(({ trade }) => trade);
        expect(vwapOf(shuffled).toState()).toEqual(vwap.toState());
      }),
      { numRuns: 1_000 },
    );
  });

  it('forgets without a trace a trade that is taken out', () => {
    fc.assert(
      fc.property(markets, fc.infiniteStream(fc.boolean()), (trades, lots) => {
        const kept = trades.filter(() => lots.next().value as boolean);
        const vwap = vwapOf(trades);
        for (const [price, size] of trades.filter((trade) => !kept.includes(trade))) vwap.remove(price, size);
        expect(vwap.toState()).toEqual(vwapOf(kept).toState());
        if (kept.length > 0) expect(measured(vwap)).toEqual(naiveOf(kept));
        else expect(vwap.average).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
    expect(() => {
      new Vwap().remove(decimal(1), decimal(1));
    }).toThrow('no trade to remove');
  });

  it('continues from its state, and has the same state, wherever it was interrupted', () => {
    fc.assert(
      fc.property(markets, fc.nat(), fc.nat(), (trades, cut, look) => {
        let resumed = new Vwap();
        trades.forEach(([price, size], index) => {
          resumed.add(price, size);
          if (index === look % trades.length) measured(resumed);
          if (index === cut % trades.length) resumed = Vwap.fromState(resumed.toState());
        });
        expect(resumed.toState()).toEqual(vwapOf(trades).toState());
      }),
      { numRuns: 1_000 },
    );
    expect(vwapOf([[decimal('-0.5'), decimal('0.25')]]).toState()).toEqual(['0.25', '-0.125', '0.0625', 1]);
  });

  it('keeps exact sums that are far beyond a double', () => {
    const trades = Array.from({ length: 5_000 }, (_, i): [Decimal, Decimal] => [
      Decimal.fromUnits(BigInt(9_000_000 + 67_108_863 * (i % 2)) * 10n ** 10n),
      Decimal.fromUnits(1_125_899_906_842_623n - BigInt(i)),
    ]);
    expect(measured(vwapOf(trades))).toEqual(naiveOf(trades));
  });
});

/** The method of engine version 2: West's update (1979, doi 10.1145/359146.359153), the weighted form of Welford's. */
function westOf(trades: readonly (readonly [Decimal, Decimal])[]) {
  let [volume, mean, squares] = [0, 0, 0];
  for (const [price, size] of trades) {
    const quantity = size.toNumber();
    volume += quantity;
    const deviation = price.toNumber() - mean;
    mean += (deviation * quantity) / volume;
    squares += quantity * deviation * (price.toNumber() - mean);
  }
  return { volume, mean, squares };
}

function expectClose(actual: number | undefined, expected: number, tolerance = 1e-12): void {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance * Math.abs(expected));
}

/** West's deviation has rounded at each of 100,000 trades, of prices 10,000 times as great. */
const WEST_DEVIATION_TOLERANCE = 1e-10;

describe('Vwap of engine version 2', () => {
  const next = sequenceOf(7);
  let cents = 5_000_000;
  const walk = Array.from({ length: 100_000 }, (): [Decimal, Decimal] => {
    cents += Math.floor(next() * 21) - 10;
    return [decimal((cents / 100).toFixed(2)), decimal((0.00001 + next()).toFixed(8))];
  });

  it('was the same to 12 digits', () => {
    const { volume, mean, squares } = westOf(walk);
    const vwap = vwapOf(walk);
    expectClose(vwap.totalVolume, volume);
    expectClose(vwap.average, mean);
    expectClose(vwap.deviation, Math.sqrt(squares / volume), WEST_DEVIATION_TOLERANCE);
  });

  it('continues from its doubles to 12 digits', () => {
    fc.assert(
      fc.property(
        // A Σ p·q has 24 decimals at most: below 10^-9, they are fewer than 15 digits.
        fc.double({ min: 1e-3, max: 1e12, noNaN: true }),
        fc.double({ min: -1e7, max: 1e7, noNaN: true }).filter((mean) => Math.abs(mean) > 1e-6),
        fc.double({ min: 1e-12, max: 1e18, noNaN: true }),
        (volume, mean, squares) => {
          const vwap = Vwap.fromRounded(volume, mean, squares, 9);
          expectClose(vwap.average! * vwap.totalVolume, mean * volume);
          // If 12 decimals are fewer than 15 digits, a volume is taken to 12 decimals, as it must have been.
          expect(Math.abs(vwap.totalVolume - volume)).toBeLessThanOrEqual(Math.max(1e-12 * volume, 5.1e-13));
          expectClose(vwap.deviation, Math.sqrt(squares / vwap.totalVolume));
          expect(Vwap.fromState(vwap.toState()).toState()).toEqual(vwap.toState());
          expect(vwap.tradeCount).toBe(9);
        },
      ),
      { numRuns: 2_000 },
    );
    const [before, after] = [westOf(walk.slice(0, 50_000)), westOf(walk)];
    const vwap = Vwap.fromRounded(before.volume, before.mean, before.squares, 50_000);
    for (const [price, size] of walk.slice(50_000)) vwap.add(price, size);
    expectClose(vwap.average, after.mean);
    expectClose(vwap.deviation, Math.sqrt(after.squares / after.volume), WEST_DEVIATION_TOLERANCE);
  });

  it('keeps a single price a single price, and an empty sum empty', () => {
    const vwap = Vwap.fromRounded(0.1 + 0.2, 0.00001, 0, 2);
    expect(vwap.toState()).toEqual(['0.3', '0.000003', '0.00000000003', 2]);
    expect([vwap.average, vwap.deviation]).toEqual([0.00001, 0]);
    // Squares too small for the decimals of a sum.
    expect(Vwap.fromRounded(3, 0.1, 1e-40, 2).deviation).toBeLessThan(1e-17);
    expect(Vwap.fromRounded(0, 0, 0, 0).toState()).toEqual(new Vwap().toState());
  });
});
