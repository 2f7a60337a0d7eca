import { describe, expect, it } from 'vitest';
import { axisTicks, reliabilityBounds } from './reliability-geometry.ts';

const bin = (meanProbability: number, hitRate: number, effectiveN: number) => ({
  ...{
    low: 0,
    high: 1,
    n: 10,
    effectiveN,
    meanProbability,
    hitRate,
    band: { low: hitRate - 0.1, high: hitRate + 0.1 },
  },
});

describe('the axes of a reliability diagram', () => {
  it('show every band of weight', () => {
    const { low, high } = reliabilityBounds([bin(0.5, 0.45, 100), bin(0.6, 0.7, 50)]);
    expect([low, high]).toEqual([expect.closeTo(0.33), expect.closeTo(0.82)]);
  });

  it('are not stretched by a bin with hardly an outcome', () => {
    const { low, high } = reliabilityBounds([bin(0.5, 0.5, 1_000), bin(0.9, 1, 0.5)]);
    expect([low, high]).toEqual([expect.closeTo(0.38), expect.closeTo(0.62)]);
  });

  it('have a least span, stay within 0 and 1, and exist without a bin', () => {
    expect(reliabilityBounds([])).toEqual({ low: 0, high: 1 });
    const narrow = reliabilityBounds([{ ...bin(0.5, 0.5, 10), band: { low: 0.5, high: 0.5 } }]);
    expect(narrow.high - narrow.low).toBeCloseTo(0.14);
    expect(reliabilityBounds([bin(0.02, 0.02, 10)]).low).toBe(0);
  });

  it('have round marks', () => {
    expect(axisTicks({ low: 0.33, high: 0.82 })).toEqual(
      [0.4, 0.5, 0.6, 0.7, 0.8].map((value) => expect.closeTo(value) as number),
    );
    expect(axisTicks({ low: 0, high: 1 }).length).toBeLessThanOrEqual(6);
  });
});
