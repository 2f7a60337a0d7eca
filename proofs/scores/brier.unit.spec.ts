import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScoreSums, type ScoredForecast } from './brier.ts';
import { calibrationError } from './calibration-error.ts';
import { corp, pointsOf, recalibrated } from './corp.ts';
import golden from './fixtures/golden-scores.json' with { type: 'json' };
import { ReliabilityBins } from './reliability-bins.ts';

type Case = (typeof golden.cases)[number];

function forecastsOf({ probabilities, hits, weights }: Case): readonly ScoredForecast[] {
  return probabilities.map((probability, index) => ({
    probability,
    reference: 0.5,
    isHit: hits[index] === 1,
    weight: weights[index]!,
  }));
}

function scoresOf(forecasts: readonly ScoredForecast[]) {
  const sums = new ScoreSums();
  for (const forecast of forecasts) sums.observe(forecast);
  return sums.scores();
}

function binsOf(forecasts: readonly ScoredForecast[], count: number): ReliabilityBins {
  const bins = new ReliabilityBins(count);
  for (const forecast of forecasts) bins.observe(forecast);
  return bins;
}

const VECTOR = forecastsOf(golden.cases[0]!);
const forecast = fc.record({
  probability: fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100),
  reference: fc.constant(0.5),
  isHit: fc.boolean(),
  weight: fc.integer({ min: 1, max: 8 }).map((eighths) => eighths / 8),
});

describe('the vector of the formulas', () => {
  it('has its scores', () => {
    const scores = scoresOf(VECTOR)!;
    expect(scores).toMatchObject({ n: 10, effectiveN: 10, hitRate: 0.6 });
    expect(scores.brier).toBeCloseTo(0.13375, 12);
    expect(scores.uncertainty).toBeCloseTo(0.24, 12);
    expect(scores.logLoss).toBeCloseTo(0.413975, 6);
    expect(scores.climatologySkill).toBeCloseTo(1 - 0.13375 / 0.24, 12);
    expect(scores.referenceSkill).toBeCloseTo(1 - 0.13375 / 0.25, 12);
  });

  it('has its terms by five bins, and its calibration error', () => {
    const bins = binsOf(VECTOR, 5);
    const terms = bins.murphy()!;
    expect(terms.reliability).toBeCloseTo(0.019833, 6);
    expect(terms.resolution).toBeCloseTo(0.09, 12);
    expect(terms.uncertainty).toBeCloseTo(0.24, 12);
    expect(terms.withinVariance).toBeCloseTo(0.0039167, 7);
    expect(terms.withinCovariance).toBeCloseTo(0.04, 12);
    expect(calibrationError(bins.rows())).toBeCloseTo(0.125, 12);
  });

  it('has its terms without bins', () => {
    const terms = corp(pointsOf(VECTOR))!;
    expect(terms.miscalibration).toBeCloseTo(0.03375, 12);
    expect(terms.discrimination).toBeCloseTo(0.14, 12);
  });
});

describe('golden values of other libraries', () => {
  it.each(golden.cases.map((each) => [each.name, each] as const))('%s', (_, each) => {
    const scores = scoresOf(forecastsOf(each))!;
    expect(scores.brier).toBeCloseTo(each.brier, 12);
    expect(scores.logLoss).toBeCloseTo(each.logLoss, 12);
    const points = pointsOf(forecastsOf(each));
    const terms = corp(points)!;
    expect(terms.miscalibration).toBeCloseTo(each.miscalibration, 12);
    expect(terms.discrimination).toBeCloseTo(each.discrimination, 12);
    expect(terms.uncertainty).toBeCloseTo(each.uncertainty, 12);
    const curve = recalibrated(points);
    each.curve.probabilities.forEach((probability, index) => {
      const step = curve.find(({ low, high }) => low <= probability && probability <= high);
      expect(step?.hitRate).toBeCloseTo(each.curve.hitRates[index]!, 10);
    });
  });
});

describe('scores of any forecasts', () => {
  it('add up, both ways', () => {
    fc.assert(
      fc.property(fc.array(forecast, { minLength: 1, maxLength: 80 }), (forecasts) => {
        const { brier } = scoresOf(forecasts)!;
        const murphy = binsOf(forecasts, 10).murphy()!;
        const { reliability, resolution, uncertainty, withinVariance, withinCovariance } = murphy;
        expect(reliability - resolution + uncertainty + withinVariance - withinCovariance).toBeCloseTo(brier, 10);
        const terms = corp(pointsOf(forecasts), brier)!;
        expect(terms.miscalibration - terms.discrimination + terms.uncertainty).toBeCloseTo(brier, 10);
        expect(terms.miscalibration).toBeGreaterThanOrEqual(-1e-12);
        expect(terms.discrimination).toBeGreaterThanOrEqual(-1e-12);
      }),
    );
  });

  it('are the same as with as many copies as the weight', () => {
    fc.assert(
      fc.property(fc.array(forecast, { minLength: 1, maxLength: 20 }), (forecasts) => {
        const copies = forecasts.flatMap((each) =>
          Array.from({ length: each.weight * 8 }, () => ({ ...each, weight: 1 })),
        );
        expect(scoresOf(copies)!.brier).toBeCloseTo(scoresOf(forecasts)!.brier, 10);
        const [one, other] = [corp(pointsOf(copies))!, corp(pointsOf(forecasts))!];
        expect(one.miscalibration).toBeCloseTo(other.miscalibration, 10);
        const [murphy, weighted] = [binsOf(copies, 5).murphy()!, binsOf(forecasts, 5).murphy()!];
        expect(murphy.reliability).toBeCloseTo(weighted.reliability, 10);
        expect(murphy.withinCovariance).toBeCloseTo(weighted.withinCovariance, 10);
      }),
    );
  });

  it('have a curve that never falls', () => {
    fc.assert(
      fc.property(fc.array(forecast, { maxLength: 80 }), (forecasts) => {
        const rates = recalibrated(pointsOf(forecasts)).map(({ hitRate }) => hitRate);
        expect(rates).toEqual(rates.toSorted((left, right) => left - right));
      }),
    );
  });

  it('are undefined without an outcome, and the log score is finite when a certainty failed', () => {
    expect(scoresOf([])).toBeUndefined();
    expect(binsOf([], 5).murphy()).toBeUndefined();
    expect(calibrationError([])).toBeUndefined();
    expect(corp([])).toBeUndefined();
    const failed = scoresOf([
      { probability: 1, reference: 1, isHit: true, weight: 1 },
      { probability: 1, reference: 1, isHit: false, weight: 1 },
    ])!;
    expect(failed.logLoss).toBeCloseTo(-Math.log(1e-6) / 2, 9);
    expect(scoresOf([{ probability: 0.5, reference: 1, isHit: true, weight: 1 }])).toMatchObject({
      referenceSkill: undefined,
      climatologySkill: undefined,
      logScore: 0,
    });
  });

  it('put an edge into the bin that begins there', () => {
    const edges = Array.from({ length: 101 }, (_, percent) => ({
      probability: percent / 100,
      reference: 0.5,
      isHit: true,
      weight: 1,
    }));
    const rows = binsOf(edges, 100).rows();
    expect(rows.map(({ n }) => n)).toEqual([...Array.from({ length: 99 }, () => 1), 2]);
  });
});
