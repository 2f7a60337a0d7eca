import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate, reweighted } from './aggregation.ts';
import { ForecastSeries, NO_EVIDENCE, referenceOf, type CalibrationParameters } from './forecast-series.ts';
import { overlapWeight, ReferenceRate } from './reference-rate.ts';

const PARAMETERS: CalibrationParameters = {
  publish: 'AGGREGATED',
  priorSlope: 1,
  priorPrecision: 1,
  // So certain that it stays 0: each test names where it learns.
  interceptPrecision: 1e9,
  learningRate: 2,
  epsilon: 0.001,
};
const HORIZON_US = 300_000_000;
const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true });

describe('overlapWeight', () => {
  it('is the time since the last counted forecast, in horizons, at most 1', () => {
    expect(overlapWeight(null, 5, HORIZON_US)).toBe(1);
    expect(overlapWeight(0, 1_000_000, HORIZON_US)).toBe(0.003333333);
    expect(overlapWeight(0, 2 * HORIZON_US, HORIZON_US)).toBe(1);
    // A clock that went back adds no weight, and subtracts none.
    expect(overlapWeight(5, 0, HORIZON_US)).toBe(0);
  });

  it('lets all outcomes of one horizon together count as one', () => {
    let total = 0;
    for (let second = 1; second <= 300; second += 1) {
      total += overlapWeight((second - 1) * 1e6, second * 1e6, HORIZON_US);
    }
    expect(total).toBeCloseTo(1, 6);
  });
});

describe('ReferenceRate', () => {
  const parameters = { priorTieRate: 0, priorWeight: 4, halfLife: 0 };

  it('is half of the share that is not a tie', () => {
    const rate = new ReferenceRate(parameters);
    expect(rate.rate).toBe(0.5);
    for (let index = 0; index < 8; index += 1) rate.learn(index % 2 === 0, index * HORIZON_US, HORIZON_US);
    // 4 ties of 8, and the prior's 4 outcomes without a tie.
    expect(rate.rate).toBeCloseTo((1 - 4 / 12) / 2, 9);
    expect(new ReferenceRate(parameters, rate.toState()).rate).toBe(rate.rate);
  });

  it('forgets by its half-life', () => {
    const rate = new ReferenceRate({ ...parameters, halfLife: 10 });
    for (let index = 0; index < 100; index += 1) rate.learn(true, index * HORIZON_US, HORIZON_US);
    expect(rate.rate).toBeLessThan(0.01);
    for (let index = 100; index < 200; index += 1) rate.learn(false, index * HORIZON_US, HORIZON_US);
    expect(rate.rate).toBeGreaterThan(0.49);
  });
});

describe('the aggregating forecaster', () => {
  it('returns the value on which its experts agree', () => {
    expect(aggregate([0.2, 0.3, 0.5], [0.7, 0.7, 0.7], 2)).toBeCloseTo(0.7, 12);
  });

  it('is between its experts', () => {
    fc.assert(
      fc.property(probability, probability, probability, (left, middle, right) => {
        const pooled = aggregate([1 / 3, 1 / 3, 1 / 3], [left, middle, right], 2);
        expect(pooled).toBeGreaterThanOrEqual(Math.min(left, middle, right) - 1e-12);
        expect(pooled).toBeLessThanOrEqual(Math.max(left, middle, right) + 1e-12);
      }),
    );
  });

  it('loses at most ln(3) / 2 more than the best expert, whatever the outcomes, if each is known at once', () => {
    const round = fc.record({ experts: fc.tuple(probability, probability, probability), isHit: fc.boolean() });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 200 }), (rounds) => {
        let weights: readonly number[] = [1 / 3, 1 / 3, 1 / 3];
        const losses = [0, 0, 0];
        let loss = 0;
        for (const { experts, isHit } of rounds) {
          const outcome = isHit ? 1 : 0;
          loss += (aggregate(weights, experts, 2) - outcome) ** 2;
          experts.forEach((expert, index) => (losses[index]! += (expert - outcome) ** 2));
          weights = reweighted(weights, experts, isHit, 2, 1);
        }
        expect(loss).toBeLessThanOrEqual(Math.min(...losses) + Math.log(3) / 2 + 1e-3);
      }),
    );
  });
});

describe('ForecastSeries', () => {
  const half = referenceOf(0.5);
  const slopeOf = (series: ForecastSeries) => series.publish(half, NO_EVIDENCE).calibration.slope;
  const learn = (series: ForecastSeries, isHit: boolean, index: number, reference = half) => {
    const { calibration } = series.publish(reference, { evidence: 0.5, rawEvidence: 0.5 });
    return series.learn(calibration, reference, isHit, index * HORIZON_US, HORIZON_US, index);
  };

  it('uses evidence unscaled before the first outcome', () => {
    const { probability: published, calibration } = new ForecastSeries(PARAMETERS).publish(referenceOf(0.36), {
      evidence: 0.5,
      rawEvidence: 0.5,
    });
    expect(calibration).toMatchObject({ slope: 1, effectiveN: 0, lastOutcomeOffset: null, referenceRate: 0.36 });
    // σ(logit 0.36 + 0.5)
    expect(calibration.rawProbability).toBe(0.481168);
    expect(calibration.calibratedProbability).toBe(0.481168);
    expect(published).toBeGreaterThan(0.36);
    expect(published).toBeLessThan(0.481168);
  });

  it('moves the slope by the sequential Laplace step', () => {
    const series = new ForecastSeries(PARAMETERS);
    learn(series, true, 0);
    const p = 1 / (1 + Math.exp(-0.5));
    const precision = 1 + p * (1 - p) * 0.25;
    expect(slopeOf(series)).toBeCloseTo(1 + ((1 - p) * 0.5) / precision, 9);
  });

  it('learns by the intercept that every forecast does better than its evidence suggests, and keeps it in its state', () => {
    const parameters = { ...PARAMETERS, publish: 'CALIBRATED', priorPrecision: 1e9, interceptPrecision: 4 } as const;
    let series = new ForecastSeries(parameters);
    learn(series, true, 0);
    const p = 1 / (1 + Math.exp(-0.5));
    const said = { evidence: 0.5, rawEvidence: 0.5 };
    expect(series.publish(half, said).calibration.intercept).toBeCloseTo((1 - p) / (4 + p * (1 - p)), 9);
    for (let index = 1; index < 2_000; index += 1) {
      learn(series, (index * 0.618034) % 1 < 0.8, index);
      series = new ForecastSeries(parameters, series.toState());
    }
    expect(series.publish(half, said).probability).toBeCloseTo(0.8, 2);
    // A NEUTRAL forecast has the reference rate, whatever is known about directed ones.
    expect(series.publish(half, NO_EVIDENCE).probability).toBe(0.5);
  });

  it('fades to 0 when outcomes contradict it, and returns', () => {
    const series = new ForecastSeries(PARAMETERS);
    for (let index = 0; index < 200; index += 1) learn(series, index % 4 === 0, index);
    expect(slopeOf(series)).toBeLessThan(0);
    expect(series.publish(half, { evidence: 0.5, rawEvidence: 0.5 }).calibration.calibratedProbability).toBe(0.5);
    for (let index = 200; index < 3_000; index += 1) learn(series, index % 4 !== 0, index);
    expect(slopeOf(series)).toBeGreaterThan(0.5);
  });

  it('finds the slope at which evidence is calibrated', () => {
    const series = new ForecastSeries(PARAMETERS);
    // Evidence of 1 that should be a quarter: σ(0.25) of the forecasts hit.
    for (let index = 0; index < 4_000; index += 1) {
      const isHit = (index * 0.618034) % 1 < 1 / (1 + Math.exp(-0.25));
      const { calibration } = series.publish(half, { evidence: 1, rawEvidence: 1 });
      series.learn(calibration, half, isHit, index * HORIZON_US, HORIZON_US, index);
    }
    expect(slopeOf(series)).toBeCloseTo(0.25, 1);
    expect(series.publish(half, { evidence: 1, rawEvidence: 1 }).probability).toBeCloseTo(0.562, 1);
  });

  it('publishes the probability that the configuration names', () => {
    const said = { evidence: 0.5, rawEvidence: 0.3 };
    const published = (publish: CalibrationParameters['publish']) =>
      new ForecastSeries({ ...PARAMETERS, publish }).publish(half, said);
    const { calibration } = published('RAW');
    expect(published('RAW').probability).toBe(calibration.rawProbability);
    expect(published('CALIBRATED').probability).toBe(calibration.calibratedProbability);
    expect(published('AGGREGATED').probability).not.toBe(calibration.calibratedProbability);
    expect(published('AGGREGATED').calibration).toEqual(calibration);
  });

  it('publishes the reference rate for a NEUTRAL forecast', () => {
    const { probability: published, calibration } = new ForecastSeries(PARAMETERS).publish(
      referenceOf(0.36),
      NO_EVIDENCE,
    );
    expect([published, calibration.rawProbability, calibration.calibratedProbability]).toEqual([0.36, 0.36, 0.36]);
  });

  it('continues from its state as if without interruption', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (hits) => {
        const whole = new ForecastSeries(PARAMETERS);
        let cut = new ForecastSeries(PARAMETERS);
        hits.forEach((isHit, index) => {
          learn(whole, isHit, index);
          learn(cut, isHit, index);
          cut = new ForecastSeries(PARAMETERS, JSON.parse(JSON.stringify(cut.toState())) as never);
        });
        expect(cut.toState()).toEqual(whole.toState());
        expect(cut.publish(half, { evidence: 0.2, rawEvidence: 0.2 })).toEqual(
          whole.publish(half, { evidence: 0.2, rawEvidence: 0.2 }),
        );
      }),
    );
  });
});
