import { EFFECTIVE_N_MIN } from './batch-means.ts';
import type { ScoredForecast } from './brier.ts';
import { ReliabilityBins, type MurphyTerms, type ReliabilityBinsState } from './reliability-bins.ts';
import {
  BLOCKS_MAX,
  BOOTSTRAP_SEED,
  FIRST_BLOCK_WEIGHT,
  percentileBand,
  resampled,
  unbiasedBand,
  type Banded,
} from './resampling.ts';

export type MurphyBands = { readonly [Term in keyof MurphyTerms]: Banded };

interface Block {
  weight: number;
  readonly bins: ReliabilityBins;
}

/**
 * 95 % bands of the binned decomposition, by the block bootstrap of `resampling.ts`. Reliability and resolution are biased
 * upward by chance, like MCB and DSC, and their bands come from `unbiasedBand`; the others are the percentiles.
 *
 * O(1) for each outcome on average; at most 512 blocks.
 */
export class BinnedBootstrap {
  private readonly binCount: number;
  private blockWeight = FIRST_BLOCK_WEIGHT;
  private blocks: Block[] = [];

  constructor(binCount: number) {
    this.binCount = binCount;
  }

  /** Counts an outcome, in recorded order. */
  observe(forecast: Omit<ScoredForecast, 'reference'>): void {
    if (forecast.weight <= 0) return;
    const block = this.openBlock();
    block.weight += forecast.weight;
    block.bins.observe(forecast);
  }

  /** Undefined below an effective n of 90. */
  bands(seed = BOOTSTRAP_SEED): MurphyBands | undefined {
    const effectiveN = this.blocks.reduce((sum, { weight }) => sum + weight, 0);
    if (effectiveN < EFFECTIVE_N_MIN) return undefined;
    const blocks = this.blocks.map(({ bins }) => flat(bins.toState()));
    const termsOf = (counts: Float64Array) => new ReliabilityBins(summed(blocks, counts, this.binCount)).murphy();
    const estimate = termsOf(new Float64Array(blocks.length).fill(1));
    if (estimate === undefined) return undefined;
    const resamples = resampled(blocks.length, this.blockWeight, effectiveN, seed, termsOf);
    const of = (term: keyof MurphyTerms) => resamples.map((terms) => terms[term]);
    return {
      reliability: unbiasedBand(estimate.reliability, of('reliability')),
      resolution: unbiasedBand(estimate.resolution, of('resolution')),
      uncertainty: percentileBand(estimate.uncertainty, of('uncertainty')),
      withinVariance: percentileBand(estimate.withinVariance, of('withinVariance')),
      withinCovariance: percentileBand(estimate.withinCovariance, of('withinCovariance')),
    };
  }

  private openBlock(): Block {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.weight < this.blockWeight) return last;
    if (this.blocks.length === BLOCKS_MAX) this.mergeInPairs();
    const block = { weight: 0, bins: new ReliabilityBins(this.binCount) };
    this.blocks.push(block);
    return block;
  }

  private mergeInPairs(): void {
    const pairs = this.blocks.filter((_, index) => index % 2 === 0);
    this.blocks = pairs.map((block, index) => {
      const other = this.blocks[2 * index + 1] ?? block;
      const both = [flat(block.bins.toState()), flat(other.bins.toState())];
      const bins = new ReliabilityBins(summed(both, new Float64Array(both.length).fill(1), this.binCount));
      return { weight: block.weight + other.weight, bins };
    });
    this.blockWeight *= 2;
  }
}

/** Sums of a bin. */
const SUMS = 6;

/** The sums of all bins one after another. */
function flat(state: ReliabilityBinsState): Float64Array {
  return Float64Array.from(state.flat());
}

/** The sums of blocks, each taken as often as its count. */
function summed(blocks: readonly Float64Array[], counts: Float64Array, binCount: number): ReliabilityBinsState {
  const sums = new Float64Array(binCount * SUMS);
  for (let bin = 0; bin < sums.length; bin += SUMS) {
    for (let block = 0; block < blocks.length; block += 1) {
      const [of, count = 0] = [blocks[block], counts[block]];
      if (of === undefined || count === 0 || of[bin] === 0) continue;
      for (let at = bin; at < bin + SUMS; at += 1) sums[at] = (sums[at] ?? 0) + count * (of[at] ?? 0);
    }
  }
  const at = (index: number) => sums[index] ?? 0;
  return Array.from({ length: binCount }, (_, bin) => {
    const from = bin * SUMS;
    return [at(from), at(from + 1), at(from + 2), at(from + 3), at(from + 4), at(from + 5)] as const;
  });
}
