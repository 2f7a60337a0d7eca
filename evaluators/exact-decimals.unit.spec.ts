import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exactOf,
  exactOfDouble,
  exactText,
  floorOf,
  nearestDouble,
  shortest,
  unitsOfDouble,
} from './exact-decimals.ts';

const integers = fc.bigInt({ min: -(10n ** 45n), max: 10n ** 45n });

/** The exact value of a finite double as a fraction. */
function fractionOf(value: number): [bigint, bigint] {
  let denominator = 1n;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

/** |a/b − value|, as a fraction. */
function distance(numerator: bigint, denominator: bigint, value: number): [bigint, bigint] {
  const [top, bottom] = fractionOf(value);
  const difference = numerator * bottom - top * denominator;
  return [difference < 0n ? -difference : difference, denominator * bottom];
}

const bits = new DataView(new ArrayBuffer(8));
function neighbour(value: number, step: bigint): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + step);
  return bits.getFloat64(0);
}

function expectNearest(numerator: bigint, denominator: bigint): void {
  const value = nearestDouble(numerator, denominator);
  if (numerator === 0n) {
    expect(value).toBe(0);
    return;
  }
  const [top, bottom] = distance(numerator, denominator, value);
  for (const step of [1n, -1n]) {
    const [otherTop, otherBottom] = distance(numerator, denominator, neighbour(value, step));
    const order = top * otherBottom - otherTop * bottom;
    expect(order <= 0n).toBe(true);
    bits.setFloat64(0, value);
    // A tie goes to the even one.
    if (order === 0n) expect(bits.getBigUint64(0) & 1n).toBe(0n);
  }
}

describe('nearestDouble', () => {
  it('is the double nearest to a quotient', () => {
    fc.assert(
      fc.property(integers, fc.bigInt({ min: 1n, max: 10n ** 45n }), (numerator, denominator) => {
        expectNearest(numerator, denominator);
      }),
      { numRuns: 2_000 },
    );
  });

  it('rounds a tie to even, and a value just off a tie to its side', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 54n - 1n }),
        fc.bigInt({ min: 1n, max: 10n ** 30n }),
        fc.bigInt({ min: -1n, max: 1n }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 60 }),
        (tie, factor, hair, up, down) => {
          const [top, bottom] = [(tie * factor) << BigInt(up), factor << BigInt(down)];
          expectNearest((top << 70n) + hair, bottom << 70n);
          expectNearest(-(top << 70n) + hair, bottom << 70n);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('exact decimals', () => {
  it('have one text each, which is read back as the same number', () => {
    fc.assert(
      fc.property(integers, fc.nat({ max: 40 }), fc.nat({ max: 9 }), (units, decimals, zeros) => {
        const text = exactText({ units, decimals });
        expect(exactText({ units: units * 10n ** BigInt(zeros), decimals: decimals + zeros })).toBe(text);
        const read = exactOf(text);
        expect(read).toEqual(shortest({ units, decimals }));
        expect(read.units * 10n ** BigInt(decimals - read.decimals)).toBe(units);
      }),
    );
    expect([exactText({ units: -5n, decimals: 3 }), exactText({ units: 0n, decimals: 3 })]).toEqual(['-0.005', '0']);
  });

  it("are a double's value, to the nearest unit", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e18, max: 1e18, noNaN: true }), fc.nat({ max: 20 }), (value, decimals) => {
        const [top, bottom] = distance(unitsOfDouble(value, decimals), 10n ** BigInt(decimals), value);
        expect(2n * top * 10n ** BigInt(decimals) <= bottom).toBe(true);
      }),
    );
    expect([unitsOfDouble(0.5, 0), unitsOfDouble(-0.5, 0), unitsOfDouble(2 ** 70, 1)]).toEqual([
      1n,
      -1n,
      10n * 2n ** 70n,
    ]);
    expect(unitsOfDouble(Number.MIN_VALUE, 12)).toBe(0n);
  });

  it("drop a double's digits beyond the 15th", () => {
    expect(exactText(exactOfDouble(0.1 + 0.2, 12))).toBe('0.3');
    expect(exactText(exactOfDouble(96937.89, 12))).toBe('96937.89');
    expect(exactText(exactOfDouble(1.23456789012345e-9, 12))).toBe('0.000000001235');
    expect(exactOfDouble(2, 30)).toEqual({ units: 200_000_000_000_000n, decimals: 14 });
  });

  it('divide downward', () => {
    expect([floorOf(7n, 2n), floorOf(-7n, 2n), floorOf(-8n, 2n)]).toEqual([3n, -4n, -4n]);
  });
});
