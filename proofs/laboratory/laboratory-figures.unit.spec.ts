import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockBootstrap } from '../scores/block-bootstrap.ts';
import { normalDistribution, normalQuantile } from '../scores/normal.ts';
import { PairedDifference } from '../scores/paired-difference.ts';
import { SkillMoments } from '../scores/skill-moments.ts';
import { deflatedSkill, expectedMaximum } from './deflated-skill.ts';
import { overfittingOf } from './overfitting.ts';
import { inStretches, PeriodSums } from './period-sums.ts';

interface Golden {
  readonly distribution: readonly (readonly [number, number])[];
  readonly quantile: readonly (readonly [number, number])[];
  readonly deflated: readonly {
    readonly ratios: readonly number[];
    readonly tries: number;
    readonly skewness: number;
    readonly kurtosis: number;
    readonly effectiveN: number;
    readonly ratioByLuck: number;
    readonly probability: number;
  }[];
  readonly moments: readonly {
    readonly forecasts: readonly (readonly [number, number, boolean, number])[];
    readonly effectiveN: number;
    readonly skillRatio: number;
    readonly skewness: number;
    readonly kurtosis: number;
  }[];
  readonly overfitting: readonly {
    readonly matrix: readonly (readonly number[])[];
    readonly probability: number;
    readonly splits: number;
  }[];
}

/** Computed independently: see golden-laboratory.py beside it. */
const golden = JSON.parse(readFileSync(new URL('fixtures/golden-laboratory.json', import.meta.url), 'utf8')) as Golden;

describe('the normal distribution', () => {
  it.each(golden.distribution)('at %d has the value of an independent computation', (deviations, probability) => {
    expect(normalDistribution(deviations)).toBeCloseTo(probability, 14);
  });

  it.each(golden.quantile)('has that of the quantile %d', (probability, deviations) => {
    expect(normalQuantile(probability)).toBeCloseTo(deviations, 9);
  });

  it('ends at 0 and 1', () => {
    expect([normalDistribution(-40), normalDistribution(40)]).toEqual([0, 1]);
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});

describe('the deflated skill', () => {
  const chosenOf = (one: Golden['deflated'][number]) => ({
    ...{ n: 1_000, brier: 0.25, referenceBrier: 0.25, skill: 0, skillRatio: one.ratios[0] ?? null },
    ...{ effectiveN: one.effectiveN, skewness: one.skewness, kurtosis: one.kurtosis },
  });

  it.each(golden.deflated)('of the best of $tries tries is that of an independent computation', (one) => {
    const { tries, ratioByLuck, probability } = deflatedSkill(chosenOf(one), one.ratios, one.tries);
    expect(tries).toBe(one.tries);
    expect(ratioByLuck).toBeCloseTo(one.ratioByLuck, 12);
    expect(probability).toBeCloseTo(one.probability, 12);
  });

  it('gives the figures of its source', () => {
    const example = golden.deflated[3]!;
    const { ratioByLuck, probability } = deflatedSkill(chosenOf(example), example.ratios, example.tries);
    expect(ratioByLuck.toFixed(4)).toBe('0.1132');
    expect(probability?.toFixed(4)).toBe('0.9004');
  });

  it('falls with the number of tries, for nothing else changes', () => {
    const one = golden.deflated[1]!;
    const probabilities = [2, 10, 100, 10_000].map(
      (tries) => deflatedSkill(chosenOf(one), one.ratios, tries).probability ?? 0,
    );
    expect(probabilities).toEqual(probabilities.toSorted((left, right) => right - left));
    expect(new Set(probabilities).size).toBe(4);
  });

  it('is not defined without a variation of the loss avoided', () => {
    const chosen = { ...chosenOf(golden.deflated[0]!), skillRatio: null };
    expect(deflatedSkill(chosen, [], 3)).toEqual({ tries: 3, ratioByLuck: 0, probability: null });
    expect(expectedMaximum(1, 5)).toBe(0);
  });
});

describe('the moments of the loss avoided', () => {
  it.each(golden.moments)('are those of an independent computation', ({ forecasts, ...expected }) => {
    const moments = new SkillMoments();
    for (const [probability, reference, isHit, weight] of forecasts) {
      moments.observe({ probability, reference, isHit, weight });
    }
    const figures = moments.figures();
    expect(figures.n).toBe(forecasts.length);
    for (const key of ['effectiveN', 'skillRatio', 'skewness', 'kurtosis'] as const) {
      expect(figures[key]).toBeCloseTo(expected[key], 9);
    }
  });

  it('are not defined where the loss avoided is always the same', () => {
    const moments = new SkillMoments();
    for (let count = 0; count < 5; count += 1) {
      moments.observe({ probability: 0.6, reference: 0.3, isHit: true, weight: 1 });
    }
    expect(moments.figures()).toMatchObject({ n: 5, effectiveN: 5, skillRatio: null, skewness: null, kurtosis: null });
    expect(new SkillMoments().figures()).toMatchObject({ n: 0, brier: null, skill: null, skillRatio: null });
  });
});

describe('the probability of backtest overfitting', () => {
  const SECOND_US = 1_000_000;
  const periodsOf = (row: readonly number[]) =>
    row.map((avoided, index) => ({ lengthUs: SECOND_US, index, weight: 1, avoided }));

  it.each(golden.overfitting)(
    'is that of an independent count of $splits splits',
    ({ matrix, probability, splits }) => {
      const stretches = matrix[0]!.length;
      expect(overfittingOf(matrix.map(periodsOf), stretches)).toEqual({ probability, splits });
    },
  );

  it('is not known for one configuration, or with fewer periods than stretches', () => {
    const [first, second] = golden.overfitting[0]!.matrix.map(periodsOf);
    expect(overfittingOf([first!], 8)).toBeNull();
    expect(overfittingOf([first!, second!])).toBeNull();
  });

  it('keeps sums by period within their bound, and in common stretches whatever their lengths', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 600, maxLength: 1_500 }), (seconds) => {
        const [long, short] = [new PeriodSums(), new PeriodSums()];
        for (const second of seconds) long.observe(second * SECOND_US, 1, 0.5);
        for (const second of seconds.slice(0, 20)) short.observe(second * SECOND_US, 1, 0.5);
        expect(long.list().length).toBeLessThanOrEqual(512);
        const both = inStretches([long.list(), short.list()], 4);
        const total = (sums: readonly { readonly weight: number }[]) =>
          sums.reduce((sum, { weight }) => sum + weight, 0);
        expect(both?.map(total)).toEqual([seconds.length, 20]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a paired difference', () => {
  it('has the mean by weight, and a band from an effective n of 90 on', () => {
    const paired = new PairedDifference();
    expect([paired.mean, paired.banded()]).toEqual([null, null]);
    for (let index = 0; index < 89; index += 1) paired.observe(index % 2 === 0 ? 0.1 : -0.05, 1);
    expect(paired.banded()).toBeNull();
    paired.observe(-0.05, 1);
    paired.observe(7, 0);
    expect(paired.effectiveN).toBe(90);
    expect(paired.mean).toBeCloseTo(0.025, 12);
    const { estimate, band } = paired.banded()!;
    expect(estimate).toBe(paired.mean);
    expect(band.low).toBeLessThan(0.025);
    expect(band.high).toBeGreaterThan(0.025);
  });

  it('has the band of the Brier score when the other score is 0, for it is the same bootstrap', () => {
    const [paired, bootstrap] = [new PairedDifference(), new BlockBootstrap()];
    for (let index = 0; index < 2_000; index += 1) {
      const [probability, isHit, weight] = [0.3 + (index % 5) / 10, index % 3 === 0, index % 2 === 0 ? 1 : 0.5];
      bootstrap.observe({ probability, reference: 0.5, isHit, weight });
      paired.observe((probability - (isHit ? 1 : 0)) ** 2, weight);
    }
    const [mine, theirs] = [paired.banded(), bootstrap.bands()?.brier];
    expect(mine?.band.low).toBeCloseTo(theirs!.band.low, 12);
    expect(mine?.band.high).toBeCloseTo(theirs!.band.high, 12);
  });
});
