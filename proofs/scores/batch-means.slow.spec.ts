import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchMeans, rateEstimate } from './batch-means.ts';
import { RANDOM_WALK, risesOf, weightAt, type SimulatedMarket } from './fixtures/simulated-market.ts';
import { SeededRandom } from './seeded-random.ts';

const RUNS = 600;
const SEED = 20_261_126;
/** A forecast of LONG comes true at a rate of .5 in the long run: drifts of both signs are equally frequent. */
const TRUE_RATE = 0.5;

function measured(rises: readonly boolean[], stepsPerHorizon: number): BatchMeans {
  const batches = new BatchMeans();
  rises.forEach((isHit, index) => {
    batches.observe(weightAt(index, stepsPerHorizon), isHit ? 1 : 0);
  });
  return batches;
}

function coverage(market: SimulatedMarket): number {
  const random = new SeededRandom(SEED);
  let covered = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const { interval } = rateEstimate(measured(risesOf(random, market), market.stepsPerHorizon));
    if (interval === undefined) throw new Error('Withheld.');
    if (interval.low <= TRUE_RATE && TRUE_RATE <= interval.high) covered += 1;
  }
  return covered / RUNS;
}

describe('batch means', () => {
  it.each([
    [12, 100],
    [12, 250],
    [12, 1_000],
    [60, 100],
    [60, 250],
  ])(
    'cover a random walk of %i forecasts in each horizon and %i horizons as often as stated',
    (stepsPerHorizon, horizons) => {
      const share = coverage({ ...RANDOM_WALK, stepsPerHorizon, horizons });
      expect(share).toBeGreaterThanOrEqual(0.93);
      expect(share).toBeLessThanOrEqual(0.97);
    },
  );

  it.each([
    [100, true],
    [200, false],
    [200, true],
    [300, false],
    [300, true],
    [1_000, false],
    [1_000, true],
  ])('cover %i horizons whose drift may flip each 20, its sign drawn: %s', (horizons, isRegimeDrawn) => {
    const market = { stepsPerHorizon: 12, horizons, drift: 0.15, regimeHorizons: 20, isRegimeDrawn };
    expect(coverage(market)).toBeGreaterThanOrEqual(0.9);
  });

  it('cover a skill, a ratio of two means', () => {
    // p = .6 against a reference of .5 where .55 is true: skill = 1 − (.55·.16 + .45·.36) / .25 = 0.
    const random = new SeededRandom(SEED);
    let covered = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const batches = new BatchMeans();
      for (let index = 0; index < 200; index += 1) {
        const loss = random.uniform() < 0.55 ? 0.16 : 0.36;
        batches.observe(1, 0.25 - loss, 0.25);
      }
      const { interval } = batches.estimate();
      if (interval!.low <= 0 && 0 <= interval!.high) covered += 1;
    }
    expect(covered / RUNS).toBeGreaterThanOrEqual(0.93);
    expect(covered / RUNS).toBeLessThanOrEqual(0.97);
  });

  it('are withheld below an effective n of 90, and when a verdict is too rare', () => {
    const estimateOf = (hits: number, misses: number) => {
      const batches = new BatchMeans();
      for (let index = 0; index < hits + misses; index += 1) batches.observe(1, index < hits ? 1 : 0);
      return rateEstimate(batches);
    };
    expect(rateEstimate(new BatchMeans())).toMatchObject({ mean: undefined, withheld: 'TOO_FEW' });
    expect(estimateOf(40, 49)).toMatchObject({ mean: 40 / 89, withheld: 'TOO_FEW', interval: undefined });
    expect(estimateOf(40, 50)).toMatchObject({ withheld: null });
    expect(estimateOf(100, 4)).toMatchObject({ withheld: 'ONE_SIDED', interval: undefined });
    expect(estimateOf(100, 0)).toMatchObject({ mean: 1, withheld: 'ONE_SIDED' });
    const constant = new BatchMeans();
    for (let index = 0; index < 100; index += 1) constant.observe(1, 0.25);
    expect(constant.estimate()).toMatchObject({ mean: 0.25, withheld: 'NO_VARIATION' });
  });

  it('keep the exact weighted mean, in bounded memory, also when continued from a state', () => {
    const outcome = fc.record({ weight: fc.integer({ min: 0, max: 8 }), isHit: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(outcome, { minLength: 1, maxLength: 600, size: 'max' }),
        fc.nat({ max: 600 }),
        (outcomes, cut) => {
          let batches = new BatchMeans();
          let [weights, hits] = [0, 0];
          outcomes.forEach(({ weight, isHit }, index) => {
            if (index === cut) batches = new BatchMeans(batches.toState());
            batches.observe(weight / 8, isHit ? 1 : 0);
            weights += weight / 8;
            hits += isHit ? weight / 8 : 0;
          });
          expect(batches.toState().blocks.length).toBeLessThanOrEqual(64);
          expect(batches.estimate().effectiveN).toBe(weights);
          expect(batches.estimate().mean).toBe(weights > 0 ? hits / weights : undefined);
        },
      ),
    );
  });
});
