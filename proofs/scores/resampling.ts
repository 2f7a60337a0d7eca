import type { Interval } from '../../evaluators/outcomes/wilson.ts';
import { SeededRandom } from './seeded-random.ts';

/** Even, because neighbours are merged in pairs. */
export const BLOCKS_MAX = 512;
/** Initial overlap weight of a block: one horizon. */
export const FIRST_BLOCK_WEIGHT = 1;
export const BOOTSTRAP_SEED = 20_211_017;
const RESAMPLES = 500;
const LOW_SHARE = 0.025;
const HIGH_SHARE = 0.975;

/** A score with its 95 % band. */
export interface Banded {
  readonly estimate: number;
  readonly band: Interval;
}

/**
 * A score's value in each resample of a circular block bootstrap (Politis & Romano 1992) that joins runs of ⌈n^⅓⌉
 * horizons.
 *
 * @param scoreOf - given how often each block is taken; undefined when the score is not defined.
 */
export function resampled<Score>(
  blocks: number,
  blockWeight: number,
  effectiveN: number,
  seed: number,
  scoreOf: (counts: Float64Array) => Score | undefined,
): readonly Score[] {
  const runLength = Math.max(1, Math.round(Math.cbrt(effectiveN) / blockWeight));
  const random = new SeededRandom(seed);
  const scores: Score[] = [];
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    const score = scoreOf(drawnCounts(random, blocks, runLength));
    if (score !== undefined) scores.push(score);
  }
  return scores;
}

/** How often each block is part of a resample as long as the original. */
function drawnCounts(random: SeededRandom, blocks: number, runLength: number): Float64Array {
  const counts = new Float64Array(blocks);
  let start = 0;
  for (let drawn = 0; drawn < blocks; drawn += 1) {
    if (drawn % runLength === 0) start = random.below(blocks);
    const block = (start + (drawn % runLength)) % blocks;
    counts[block] = (counts[block] ?? 0) + 1;
  }
  return counts;
}

/** The middle 95 % of the resamples. */
export function percentileBand(estimate: number, resamples: readonly number[]): Banded {
  const sorted = [...resamples].sort((left, right) => left - right);
  return { estimate, band: { low: quantile(sorted, LOW_SHARE), high: quantile(sorted, HIGH_SHARE) } };
}

/**
 * The band of a score that chance increases, in a resample once more than in the outcomes: the percentiles minus twice
 * the bias mean(resamples) − estimate (Efron & Tibshirani 1993, chapter 10), not below 0.
 */
export function unbiasedBand(estimate: number, resamples: readonly number[]): Banded {
  const { band } = percentileBand(estimate, resamples);
  const mean = resamples.reduce((sum, score) => sum + score, 0) / resamples.length;
  const shift = 2 * Math.max(mean - estimate, 0);
  return { estimate, band: { low: Math.max(band.low - shift, 0), high: Math.max(band.high - shift, 0) } };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}
