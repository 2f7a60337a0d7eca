import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate, reweighted } from '../../evaluators/calibration/aggregation.ts';
import { SeededRandom } from '../scores/seeded-random.ts';
import type { KeptOutcome } from './outcome-columns.ts';
import { Regret, type RegretTerms } from './regret.ts';

const LEARNING_RATE = 2;

interface Game {
  readonly forecasts: number;
  /** Number of forecasts made before the outcome of one is known. */
  readonly delay: number;
  /** The greatest difference between the experts. */
  readonly spread: number;
  readonly seed: number;
}

/** Plays the Brier game like the engine: a forecast knows the outcomes that were settled before it. */
function playedRegret({ forecasts, delay, spread, seed }: Game): RegretTerms {
  const random = new SeededRandom(seed);
  const regret = new Regret();
  let weights: readonly number[] = [1 / 3, 1 / 3, 1 / 3];
  const weight = 1 / Math.max(delay, 1);
  const pending: { experts: readonly number[]; outcome: KeptOutcome }[] = [];
  const settle = () => {
    const settled = pending.shift();
    if (settled === undefined) return;
    regret.observe(settled.outcome);
    weights = reweighted(weights, settled.experts, settled.outcome.verdict === 'HIT', LEARNING_RATE, weight);
  };
  for (let index = 0; index < forecasts; index += 1) {
    if (pending.length > delay) settle();
    const centre = 0.3 + 0.4 * random.uniform();
    const [reference, raw, calibrated] = [0, 1, 2].map(() => centre + spread * (random.uniform() - 0.5)) as [
      number,
      number,
      number,
    ];
    const experts = [reference, raw, calibrated];
    const verdict = random.uniform() < 0.5 ? 'HIT' : 'MISS';
    const published = aggregate(weights, experts, LEARNING_RATE);
    const outcome: KeptOutcome = {
      ...{ forecastTime: index, eventTime: index + delay, verdict, direction: 'LONG', level: 'HIGH' },
      ...{ weight, published, reference, raw, calibrated },
    };
    pending.push({ experts, outcome });
  }
  while (pending.length > 0) settle();
  return regret.terms()!;
}

describe('the regret', () => {
  it('is measured against the best expert in hindsight', () => {
    const regret = new Regret();
    const outcome = { eventTime: 1, forecastTime: 0, verdict: 'HIT', direction: 'LONG', level: 'LOW' } as const;
    regret.observe({ ...outcome, weight: 1, published: 0.5, reference: 0.4, raw: 0.9, calibrated: 0.6 });
    regret.observe({
      ...outcome,
      verdict: 'MISS',
      weight: 0.5,
      published: 0.5,
      reference: 0.4,
      raw: 0.9,
      calibrated: 0.6,
    });
    const terms = regret.terms()!;
    expect(terms.best).toBe('CALIBRATED');
    expect(terms.publishedLoss).toBeCloseTo(0.25 + 0.125, 12);
    expect(terms.bestLoss).toBeCloseTo(0.16 + 0.5 * 0.36, 12);
    expect(terms.regret).toBeCloseTo(0.375 - 0.34, 12);
    expect(new Regret().terms()).toBeUndefined();
  });

  it('is within ln(3)/2 when outcomes are known at once, whatever they are', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 0.6, noNaN: true }), (seed, spread) => {
        const { regret, boundWithoutDelay } = playedRegret({ forecasts: 300, delay: 0, spread, seed });
        expect(boundWithoutDelay).toBeCloseTo(Math.log(3) / 2, 12);
        expect(regret).toBeLessThanOrEqual(boundWithoutDelay);
      }),
    );
  });

  it("is within the bound with delay, which grows with the experts' difference", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 0.6, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (seed, spread, delay) => {
          const { regret, boundWithoutDelay, delayBound } = playedRegret({ forecasts: 400, delay, spread, seed });
          expect(regret).toBeLessThanOrEqual(boundWithoutDelay + delayBound);
        },
      ),
    );
    const delayBound = (spread: number) => playedRegret({ forecasts: 400, delay: 20, spread, seed: 1 }).delayBound;
    expect(delayBound(0)).toBeLessThan(0.01);
    expect(delayBound(0.02)).toBeLessThan(delayBound(0.2));
  });

  it('can exceed ln(3)/2 when outcomes come late: the delay must be counted', () => {
    // Each expert is right as long as that is unknown, and wrong once it is believed.
    const regret = new Regret();
    const delay = 40;
    const experts = (index: number) =>
      [0, 1, 2].map((expert) => (Math.floor(index / delay) % 3 === expert ? 0.99 : 0.01)) as [number, number, number];
    let weights: readonly number[] = [1 / 3, 1 / 3, 1 / 3];
    for (let index = 0; index < 60 * delay; index += 1) {
      const known = index - delay - 1;
      if (known >= 0) weights = reweighted(weights, experts(known), true, LEARNING_RATE, 1);
      const [reference, raw, calibrated] = experts(index);
      const published = aggregate(weights, [reference, raw, calibrated], LEARNING_RATE);
      regret.observe({
        ...{ forecastTime: index, eventTime: index + delay, verdict: 'HIT', direction: 'LONG', level: 'LOW' },
        ...{ weight: 1, published, reference, raw, calibrated },
      });
    }
    const terms = regret.terms()!;
    expect(terms.regret).toBeGreaterThan(terms.boundWithoutDelay);
    expect(terms.regret).toBeLessThanOrEqual(terms.boundWithoutDelay + terms.delayBound);
  });
});
