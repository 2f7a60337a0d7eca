import { describe, expect, it } from 'vitest';
import { BatchMeans } from './batch-means.ts';
import { BlockBootstrap } from './block-bootstrap.ts';
import { squaredError } from './brier.ts';
import { calibrationErrorNull, isMiscalibrated } from './calibration-error.ts';
import { DriftAlarm, HORIZONS_TO_FALSE_ALARM, type Drift } from './drift-alarm.ts';
import { RANDOM_WALK, risesOf, weightAt } from './fixtures/simulated-market.ts';
import { ReliabilityBins } from './reliability-bins.ts';
import { SeededRandom } from './seeded-random.ts';

const RUNS = 400;
const SEED = 20_261_126;
const BINS = 10;

interface Forecaster {
  /** A published probability, from a random number in [0, 1). */
  readonly published: (uniform: number) => number;
  /** How frequently forecasts published so come true. */
  readonly trueRate: (probability: number) => number;
}

const spread = (uniform: number) => 0.3 + 0.4 * uniform;
const PERFECT: Forecaster = { published: spread, trueRate: (probability) => probability };
const TEN_POINTS_HIGH: Forecaster = { published: spread, trueRate: (probability) => probability - 0.1 };
const OVERCONFIDENT: Forecaster = { published: (uniform) => (uniform < 0.5 ? 0.4 : 0.6), trueRate: () => 0.5 };

function binsOf(random: SeededRandom, { published, trueRate }: Forecaster, outcomes: number): ReliabilityBins {
  const bins = new ReliabilityBins(BINS);
  for (let index = 0; index < outcomes; index += 1) {
    const probability = published(random.uniform());
    bins.observe({ probability, isHit: random.uniform() < trueRate(probability), weight: 1 });
  }
  return bins;
}

function bandsOf(random: SeededRandom, { published, trueRate }: Forecaster, outcomes: number) {
  const bootstrap = new BlockBootstrap();
  for (let index = 0; index < outcomes; index += 1) {
    const probability = published(random.uniform());
    const isHit = random.uniform() < trueRate(probability);
    bootstrap.observe({ probability, reference: 0.5, isHit, weight: 1 });
  }
  return bootstrap.bands()!;
}

function shareOf(runs: number, isSo: () => boolean): number {
  return Array.from({ length: runs }, isSo).filter((so) => so).length / runs;
}

describe('the calibration error', () => {
  it.each([
    [100, 0.1],
    [200, 0.07],
    [1_000, 0.031],
    [10_000, 0.01],
  ])('of a perfect forecaster with %i outcomes is %d on average', (outcomes, expected) => {
    const random = new SeededRandom(SEED);
    const perfect = { published: (uniform: number) => uniform, trueRate: (probability: number) => probability };
    const means = Array.from(
      { length: 10 },
      () => calibrationErrorNull(binsOf(random, perfect, outcomes).rows())!.mean,
    );
    expect(Math.abs(means.reduce((sum, mean) => sum + mean, 0) / means.length - expected)).toBeLessThan(0.0025);
  });

  it.each([200, 2_000])('flags a perfect forecaster with %i outcomes in at most 5 of 100 cases', (outcomes) => {
    const random = new SeededRandom(SEED);
    const flagged = shareOf(RUNS, () => isMiscalibrated(binsOf(random, PERFECT, outcomes).rows()) === true);
    expect(flagged).toBeLessThanOrEqual(0.05);
  });

  it('does not flag more when horizons overlap', () => {
    const random = new SeededRandom(SEED);
    const flagged = shareOf(RUNS, () => {
      const bins = new ReliabilityBins(BINS);
      risesOf(random, { ...RANDOM_WALK, stepsPerHorizon: 12, horizons: 200 }).forEach((rises, index) => {
        bins.observe({ probability: 0.5, isHit: rises, weight: weightAt(index, 12) });
      });
      return isMiscalibrated(bins.rows()) === true;
    });
    expect(flagged).toBeLessThanOrEqual(0.05);
  });

  it.each([
    ['too high', TEN_POINTS_HIGH],
    ['over-confident', OVERCONFIDENT],
  ])('finds ten points with 2,000 outcomes in at least 95 of 100 cases: %s', (_, forecaster) => {
    const random = new SeededRandom(SEED);
    expect(
      shareOf(RUNS, () => isMiscalibrated(binsOf(random, forecaster, 2_000).rows()) === true),
    ).toBeGreaterThanOrEqual(0.95);
  });
});

describe('the bands of a block bootstrap', () => {
  /** Mean square of the distance of probabilities spread over [.3, .7] from .5. */
  const SPREAD = 0.16 / 12;

  it('begin above a miscalibration of 0 for at most 5 of 100 perfect forecasters, and contain the discrimination', () => {
    const random = new SeededRandom(SEED);
    let held = 0;
    const flagged = shareOf(100, () => {
      const { miscalibration, discrimination } = bandsOf(random, PERFECT, 1_000);
      if (discrimination!.band.low <= SPREAD && SPREAD <= discrimination!.band.high) held += 1;
      return miscalibration!.band.low > 0;
    });
    expect(flagged).toBeLessThanOrEqual(0.05);
    expect(held / 100).toBeGreaterThanOrEqual(0.9);
  });

  it('detect ten points with 2,000 outcomes, and contain the miscalibration', () => {
    const random = new SeededRandom(SEED);
    let held = 0;
    const found = shareOf(100, () => {
      const { low, high } = bandsOf(random, TEN_POINTS_HIGH, 2_000).miscalibration!.band;
      if (low <= 0.01 && 0.01 <= high) held += 1;
      return low > 0;
    });
    expect(found).toBeGreaterThanOrEqual(0.95);
    expect(held / 100).toBeGreaterThanOrEqual(0.88);
  });

  it('contain the hit rate of a random walk', () => {
    const random = new SeededRandom(SEED);
    const held = shareOf(100, () => {
      const bootstrap = new BlockBootstrap();
      risesOf(random, { ...RANDOM_WALK, stepsPerHorizon: 12, horizons: 250 }).forEach((isHit, index) => {
        bootstrap.observe({ probability: 0.5, reference: 0.5, isHit, weight: weightAt(index, 12) });
      });
      const { low, high } = bootstrap.bands()!.hitRate!.band;
      return low <= 0.5 && 0.5 <= high;
    });
    expect(held).toBeGreaterThanOrEqual(0.88);
  });

  it('are the same for the same outcomes, and undefined for few', () => {
    const bands = () => bandsOf(new SeededRandom(1), PERFECT, 300);
    expect(bands()).toEqual(bands());
    expect(bandsOf(new SeededRandom(1), PERFECT, 89)).toBeUndefined();
    expect(bandsOf(new SeededRandom(1), { published: () => 0.6, trueRate: () => 1 }, 100)).toMatchObject({
      climatologySkill: null,
      brier: { estimate: expect.closeTo(0.16, 12) as number },
    });
  });
});

describe('a skill on a random walk', () => {
  it('has an interval above 0 in at most 5 of 100 cases', () => {
    const random = new SeededRandom(SEED);
    const [stepsPerHorizon, horizons] = [12, 200];
    const skilled = shareOf(RUNS, () => {
      const batches = new BatchMeans();
      let isLong = true;
      risesOf(random, { ...RANDOM_WALK, stepsPerHorizon, horizons }).forEach((rises, index) => {
        if (index % 30 === 0) isLong = random.uniform() < 0.5;
        const isHit = rises === isLong;
        const referenceLoss = squaredError(0.5, isHit);
        batches.observe(weightAt(index, stepsPerHorizon), referenceLoss - squaredError(0.52, isHit), referenceLoss);
      });
      return batches.estimate().interval!.low > 0;
    });
    expect(skilled).toBeLessThanOrEqual(0.05);
  });
});

describe('the drift alarm', () => {
  function runLength(random: SeededRandom, probability: number, trueRate: number): [outcomes: number, drift: Drift] {
    const alarm = new DriftAlarm();
    for (let outcomes = 1; ; outcomes += 1) {
      const drift = alarm.observe({ probability, isHit: random.uniform() < trueRate, weight: 1 });
      if (drift !== undefined) return [outcomes, drift];
    }
  }

  const meanRunLength = (probability: number, trueRate: number) => {
    const random = new SeededRandom(SEED);
    return Array.from({ length: RUNS }, () => runLength(random, probability, trueRate)[0] / RUNS).reduce(
      (a, b) => a + b,
    );
  };

  it('is false once in the stated number of horizons, or less frequently', () => {
    const even = meanRunLength(0.5, 0.5);
    expect(even).toBeGreaterThanOrEqual(HORIZONS_TO_FALSE_ALARM);
    expect(even).toBeLessThanOrEqual(1.3 * HORIZONS_TO_FALSE_ALARM);
    expect(meanRunLength(0.3, 0.3)).toBeGreaterThanOrEqual(HORIZONS_TO_FALSE_ALARM);
  });

  it('is not more frequently false when horizons overlap', () => {
    const random = new SeededRandom(SEED);
    const alarm = new DriftAlarm();
    let [alarms, horizons] = [0, 0];
    risesOf(random, { ...RANDOM_WALK, stepsPerHorizon: 12, horizons: 100_000 }).forEach((isHit, index) => {
      const weight = weightAt(index, 12);
      horizons += weight;
      if (alarm.observe({ probability: 0.5, isHit, weight }) !== undefined) alarms += 1;
    });
    expect(alarms).toBeLessThanOrEqual(horizons / HORIZONS_TO_FALSE_ALARM);
  });

  it('detects ten points, and their direction', () => {
    expect(meanRunLength(0.5, 0.6)).toBeLessThan(300);
    expect(meanRunLength(0.5, 0.4)).toBeLessThan(300);
    expect(runLength(new SeededRandom(1), 0.5, 0.6)[1]).toBe('PROBABILITIES_TOO_LOW');
    expect(runLength(new SeededRandom(1), 0.5, 0.4)[1]).toBe('PROBABILITIES_TOO_HIGH');
  });

  it('continues from its state', () => {
    const [whole, random] = [new DriftAlarm(), new SeededRandom(SEED)];
    let resumed = new DriftAlarm();
    for (let index = 0; index < 2_000; index += 1) {
      const forecast = { probability: 0.5, isHit: random.uniform() < 0.6, weight: 0.5 };
      resumed = new DriftAlarm(resumed.toState());
      expect(resumed.observe(forecast)).toBe(whole.observe(forecast));
    }
  });
});
