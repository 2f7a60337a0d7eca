import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestDouble } from './nearest-double.ts';

describe('nearestDouble', () => {
  it('is the literal that JavaScript reads from the same decimal', () => {
    const units = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    fc.assert(
      fc.property(units, fc.integer({ min: 0, max: 24 }), (value, scale) => {
        expect(nearestDouble(value, 10n ** BigInt(scale)) + 0).toBe(Number(`${value}e-${scale}`) + 0);
      }),
    );
  });

  it('rounds a tie to the even neighbour, and anything beyond it up', () => {
    const odd = 2n ** 53n + 1n;
    expect(nearestDouble(odd, 1n)).toBe(2 ** 53);
    expect(nearestDouble(odd * 10n ** 40n + 1n, 10n ** 40n)).toBe(2 ** 53 + 2);
    expect(nearestDouble(-odd * 10n ** 40n - 1n, 10n ** 40n)).toBe(-(2 ** 53) - 2);
  });

  it('is exact when the quotient is', () => {
    expect(nearestDouble(0n, 7n)).toBe(0);
    expect(nearestDouble(-3n, 4n)).toBe(-0.75);
    expect(nearestDouble(1n, 3n)).toBe(1 / 3);
  });
});
