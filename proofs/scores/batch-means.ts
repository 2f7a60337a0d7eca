import { clamp } from '../../evaluators/arithmetic.ts';
import type { Interval } from '../../evaluators/outcomes/wilson.ts';

/** Below this many outcomes, by overlap weight, no interval is given: the batches would be too short. */
export const EFFECTIVE_N_MIN = 90;
/** Number of hits or of misses, by overlap weight: with fewer, a rate is too near 0 or 1 for a symmetric interval. */
export const RARER_VERDICT_MIN = 5;
/** A batch holds at least this many horizons if there are enough, so that regimes of that length even out in it. */
const BATCH_WEIGHT = 20;
const BATCHES_MIN = 5;
const BATCHES_MAX = 10;
/** Even, because neighbours are merged in pairs. */
const BLOCKS_MAX = 64;
/** Overlap weight a block begins with: one horizon. */
const FIRST_BLOCK_WEIGHT = 1;
/** Student's t, the 0.975 quantile, by degrees of freedom from BATCHES_MIN − 1 to BATCHES_MAX − 1. */
const T_975: Readonly<Record<number, number>> = {
  4: 2.7764451051977987,
  5: 2.5705818366147395,
  6: 2.4469118511449692,
  7: 2.3646242510102993,
  8: 2.306004135204166,
  9: 2.2621571628540993,
};

/** Why an interval is withheld. */
export type Withheld = 'TOO_FEW' | 'ONE_SIDED' | 'NO_VARIATION';

/** A mean with its 95 % interval, or with the reason for its absence. */
export interface BatchedMean {
  /** Undefined before the first outcome, and when the denominators sum to 0. */
  readonly mean: number | undefined;
  /** Sum of the overlap weights. */
  readonly effectiveN: number;
  readonly interval: Interval | undefined;
  /** Null when there is an interval. */
  readonly withheld: Withheld | null;
}

/** Sums over consecutive outcomes: overlap weight, weighted numerators, weighted denominators. */
type Block = readonly [weight: number, numerator: number, denominator: number];

/** State of {@link BatchMeans}: of bounded size. */
export interface BatchMeansState {
  readonly blockWeight: number;
  /** The last one may still be filling. */
  readonly blocks: readonly Block[];
}

const NO_OUTCOMES: BatchMeansState = { blockWeight: FIRST_BLOCK_WEIGHT, blocks: [] };

/**
 * An overlap-weighted mean, or a ratio of two, with an interval that has its coverage although neighbours overlap and
 * markets have regimes: the method of non-overlapping batch means with Student's t (Schmeiser 1982, doi
 * 10.1287/opre.30.3.556; for ratios: linearised, Cochran 1977, Sampling Techniques, chapter 6).
 *
 * `θ = Σ w·y / Σ w·z`. The outcomes, in recorded order, are cut into `B = clamp(⌊effective n / 20⌋, 5, 10)` batches of
 * nearly equal overlap weight; with `e_b = Σ_batch w·(y − θz)`,
 * `θ ± t(0.975, B − 1) · √(B/(B − 1) · Σ e_b²) / Σ w·z`. A batch is much longer than a horizon, so batches are almost
 * independent of each other, whatever happens within them.
 *
 * Takes O(1) time for each outcome and at most 64 blocks of memory: blocks begin at one horizon's weight and are merged
 * in pairs when there are too many; batches are joined from them.
 */
export class BatchMeans {
  private blockWeight: number;
  private blocks: Block[];

  constructor(state: BatchMeansState = NO_OUTCOMES) {
    this.blockWeight = state.blockWeight;
    this.blocks = [...state.blocks];
  }

  toState(): BatchMeansState {
    return { blockWeight: this.blockWeight, blocks: [...this.blocks] };
  }

  /**
   * Counts an outcome, in recorded order.
   *
   * @param weight - overlap weight, 0 to 1.
   * @param numerator - the averaged value: 1 or 0 for a hit rate, a loss avoided for a skill.
   * @param denominator - 1 for a mean, the reference's loss for a skill.
   */
  observe(weight: number, numerator: number, denominator = 1): void {
    const last = this.blocks.at(-1);
    if (last !== undefined && last[0] < this.blockWeight) {
      this.blocks[this.blocks.length - 1] = [
        last[0] + weight,
        last[1] + weight * numerator,
        last[2] + weight * denominator,
      ];
      return;
    }
    if (this.blocks.length === BLOCKS_MAX) this.mergeInPairs();
    this.blocks.push([weight, weight * numerator, weight * denominator]);
  }

  /** θ with its 95 % interval, or the reason why it is withheld. */
  estimate(): BatchedMean {
    const [effectiveN, numerator, denominator] = this.totals();
    const mean = denominator > 0 ? numerator / denominator : undefined;
    if (mean === undefined || effectiveN < EFFECTIVE_N_MIN) {
      return { mean, effectiveN, interval: undefined, withheld: 'TOO_FEW' };
    }
    const residuals = this.batchResiduals(mean, effectiveN);
    const batches = residuals.length;
    const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0);
    if (squares === 0) return { mean, effectiveN, interval: undefined, withheld: 'NO_VARIATION' };
    const deviation = Math.sqrt((squares * batches) / (batches - 1)) / denominator;
    const margin = (T_975[batches - 1] ?? Number.NaN) * deviation;
    return { mean, effectiveN, interval: { low: mean - margin, high: mean + margin }, withheld: null };
  }

  private totals(): Block {
    return this.blocks.reduce<Block>(joined, [0, 0, 0]);
  }

  private batchResiduals(mean: number, effectiveN: number): readonly number[] {
    const batches = clamp(Math.floor(effectiveN / BATCH_WEIGHT), BATCHES_MIN, BATCHES_MAX);
    const residuals = Array.from({ length: batches }, () => 0);
    let before = 0;
    for (const [weight, numerator, denominator] of this.blocks) {
      const middle = before + weight / 2;
      const batch = Math.min(Math.floor((middle / effectiveN) * batches), batches - 1);
      residuals[batch] = (residuals[batch] ?? 0) + numerator - mean * denominator;
      before += weight;
    }
    return residuals;
  }

  private mergeInPairs(): void {
    const merged: Block[] = [];
    for (let index = 0; index < this.blocks.length; index += 2) {
      merged.push(joined(this.blocks[index] ?? [0, 0, 0], this.blocks[index + 1] ?? [0, 0, 0]));
    }
    this.blocks = merged;
    this.blockWeight *= 2;
  }
}

/**
 * The estimate of a hit rate, whose numerators were 1 or 0: its interval is kept within [0, 1], and withheld when hits
 * or misses are so rare that batches cannot measure how rare.
 */
export function rateEstimate(batchMeans: BatchMeans): BatchedMean {
  const estimate = batchMeans.estimate();
  const { mean, effectiveN, interval } = estimate;
  if (mean === undefined || effectiveN < EFFECTIVE_N_MIN) return estimate;
  if (Math.min(mean, 1 - mean) * effectiveN < RARER_VERDICT_MIN) {
    return { ...estimate, interval: undefined, withheld: 'ONE_SIDED' };
  }
  if (interval === undefined) return estimate;
  return { ...estimate, interval: { low: Math.max(interval.low, 0), high: Math.min(interval.high, 1) } };
}

function joined(left: Block, right: Block): Block {
  return [left[0] + right[0], left[1] + right[1], left[2] + right[2]];
}
