import { ln } from '../../evaluators/arithmetic.ts';
import type { ReliabilityBin } from './reliability-bins.ts';
import { SeededRandom } from './seeded-random.ts';

/** Perfect forecasters simulated for a null. */
const SIMULATIONS = 1_000;
/** The middle 95 % of them. */
const LOW_SHARE = 0.025;
const HIGH_SHARE = 0.975;
/** From this variance on, a bin's hits are drawn as one normal number, not one by one. */
const NORMAL_VARIANCE_MIN = 25;
const NULL_SEED = 20_170_604;

/** The calibration error that a perfect forecaster with the same probabilities would show by chance. */
export interface CalibrationErrorNull {
  readonly mean: number;
  /** 95 % of perfect forecasters are between this and `high`. */
  readonly low: number;
  readonly high: number;
}

/**
 * Expected calibration error `Σ w_k |ō_k − p̄_k| / W` (Guo et al. 2017, arXiv 1706.04599). Biased upward: judge it only
 * beside {@link calibrationErrorNull}. Undefined without bins.
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number | undefined {
  const total = bins.reduce((sum, { effectiveN }) => sum + effectiveN, 0);
  if (total <= 0) return undefined;
  return bins.reduce((sum, bin) => sum + bin.effectiveN * Math.abs(bin.hitRate - bin.meanProbability), 0) / total;
}

/**
 * Distribution of the calibration error of a perfect forecaster, by simulation with a fixed seed (consistency resampling:
 * Bröcker & Smith 2007, doi 10.1175/WAF993.1): in each bin as many independent outcomes as it has overlap weight, each a
 * hit with the bin's mean probability. Where horizons overlap, this is at least as wide as the truth: outcomes that
 * share only part of a horizon contain more information than their weight. Undefined without bins.
 *
 * At most about 50 draws for each bin and simulation, whatever the number of outcomes.
 */
export function calibrationErrorNull(
  bins: readonly ReliabilityBin[],
  seed = NULL_SEED,
): CalibrationErrorNull | undefined {
  const total = bins.reduce((sum, { effectiveN }) => sum + effectiveN, 0);
  if (total <= 0) return undefined;
  const random = new SeededRandom(seed);
  const errors = Array.from(
    { length: SIMULATIONS },
    () => bins.reduce((sum, bin) => sum + bin.effectiveN * simulatedGap(random, bin), 0) / total,
  ).sort((left, right) => left - right);
  return {
    mean: errors.reduce((sum, error) => sum + error, 0) / SIMULATIONS,
    low: errors[Math.ceil(SIMULATIONS * LOW_SHARE) - 1] ?? 0,
    high: errors[Math.ceil(SIMULATIONS * HIGH_SHARE) - 1] ?? 0,
  };
}

/** Whether the calibration error is above the null, as it is for 2.5 % of perfect forecasters. Undefined without bins. */
export function isMiscalibrated(bins: readonly ReliabilityBin[], seed = NULL_SEED): boolean | undefined {
  const error = calibrationError(bins);
  const expected = calibrationErrorNull(bins, seed);
  return error === undefined || expected === undefined ? undefined : error > expected.high;
}

/** |ō − p̄| of a bin whose outcomes a perfect forecaster made. */
function simulatedGap(random: SeededRandom, { effectiveN, meanProbability }: ReliabilityBin): number {
  const outcomes = Math.max(Math.round(effectiveN), 1);
  const variance = meanProbability * (1 - meanProbability);
  if (outcomes * variance >= NORMAL_VARIANCE_MIN) {
    return Math.abs(random.normal()) * Math.sqrt(variance / outcomes);
  }
  if (variance <= 0) return 0;
  // |ō − p̄| is the same for hits and for misses: the rarer of the two are drawn.
  const rarer = Math.min(meanProbability, 1 - meanProbability);
  return Math.abs(simulatedHits(random, outcomes, rarer) / outcomes - rarer);
}

/** Hits in the given number of trials. Draws the misses between two hits, so that rare hits cost little. */
function simulatedHits(random: SeededRandom, trials: number, probability: number): number {
  const logMiss = ln(1 - probability);
  let hits = 0;
  let trial = -1;
  while (true) {
    trial += 1 + Math.floor(ln(1 - random.uniform()) / logMiss);
    if (trial >= trials) return hits;
    hits += 1;
  }
}
