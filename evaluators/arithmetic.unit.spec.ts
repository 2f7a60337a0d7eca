import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, ln, logit, sigmoid, toNineDecimals, toSixDecimals } from './arithmetic.ts';

/** Difference in units in the last place of `expected`. */
function ulps(actual: number, expected: number): number {
  if (actual === expected) return 0;
  const magnitude = Math.max(Math.abs(expected), 2.3e-308);
  const unit = 2 ** (Math.floor(Math.log2(magnitude)) - 52);
  return Math.abs(actual - expected) / unit;
}

const positive = fc
  .tuple(fc.double({ min: 1, max: 2, noNaN: true }), fc.integer({ min: -1060, max: 1020 }))
  .map(([mantissa, exponent]) => mantissa * 2 ** exponent);

describe('ln and exp', () => {
  it('agree with the platform within two units in the last place', () => {
    fc.assert(
      fc.property(positive, (value) => {
        expect(ulps(ln(value), Math.log(value))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 20_000 },
    );
    fc.assert(
      fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (value) => {
        expect(ulps(exp(value), Math.exp(value))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 20_000 },
    );
  });

  it('agree near 1 and near 0, where cancellation would show', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (value) => {
        expect(ulps(ln(value), Math.log(value))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 20_000 },
    );
    expect(ln(1)).toBe(0);
    expect(exp(0)).toBe(1);
    expect(ulps(exp(1), Math.E)).toBeLessThanOrEqual(1);
    expect(ln(2)).toBe(Math.LN2);
  });

  it('are right at the edges', () => {
    expect(ln(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(ln(-1)).toBeNaN();
    expect(ln(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(ulps(ln(Number.MIN_VALUE), Math.log(Number.MIN_VALUE))).toBeLessThanOrEqual(2);
    expect(ulps(ln(2 ** -1022), Math.log(2 ** -1022))).toBeLessThanOrEqual(2);
    expect(exp(710)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(-746)).toBe(0);
    expect(exp(-745)).toBe(Math.exp(-745));
    expect(ulps(exp(709.78), Math.exp(709.78))).toBeLessThanOrEqual(2);
    expect(exp(Number.NaN)).toBeNaN();
  });

  it('have these bits on every machine', () => {
    const hex = (value: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return bytes.toString('hex');
    };
    expect([0.1, 0.6, 3, 1e10].map((value) => hex(ln(value)))).toMatchInlineSnapshot(`
      [
        "c0026bb1bbb55515",
        "bfe058aefa811452",
        "3ff193ea7aad030a",
        "4037069e2aa2aa5b",
      ]
    `);
    expect([0.1, -0.6, 3, -20].map((value) => hex(exp(value)))).toMatchInlineSnapshot(`
      [
        "3ff1aec7b35a00d4",
        "3fe18fdd6b9604e4",
        "403415e5bf6fb106",
        "3e21b48655f37267",
      ]
    `);
  });
});

describe('logit and sigmoid', () => {
  it('are inverse', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), (probability) => {
        expect(sigmoid(logit(probability))).toBeCloseTo(probability, 12);
      }),
    );
    expect(sigmoid(0)).toBe(0.5);
    expect(sigmoid(-800)).toBe(0);
    expect(sigmoid(800)).toBe(1);
  });
});

describe('quantisation', () => {
  it('rounds to the nearest, ties upward, without −0', () => {
    expect(toSixDecimals(0.7101020514433644)).toBe(0.710102);
    expect(toSixDecimals(0.0000005)).toBe(0.000001);
    expect(toSixDecimals(-0.0000001)).toBe(0);
    expect(Object.is(toSixDecimals(-0.0000001), 0)).toBe(true);
    expect(toNineDecimals(0.4054651081081644)).toBe(0.405465108);
  });
});
