import { EFFECTIVE_N_MIN } from './batch-means.ts';
import {
  BLOCKS_MAX,
  BOOTSTRAP_SEED,
  FIRST_BLOCK_WEIGHT,
  percentileBand,
  resampled,
  type Banded,
} from './resampling.ts';

/** Consecutive pairs. */
interface Block {
  weight: number;
  sum: number;
}

/**
 * The mean of a difference between two scores of the same outcomes, by overlap weight, with its 95 % band by the
 * circular block bootstrap of `resampling.ts`. Differences of a pair take out what both share, the market's luck: their
 * band is far narrower than the bands of two scores beside each other.
 *
 * O(1) for each pair on average; at most 512 blocks.
 */
export class PairedDifference {
  private blockWeight = FIRST_BLOCK_WEIGHT;
  private blocks: Block[] = [];

  /** Counts a pair, in recorded order. */
  observe(difference: number, weight: number): void {
    if (weight <= 0) return;
    const block = this.openBlock();
    block.weight += weight;
    block.sum += weight * difference;
  }

  /** Sum of the overlap weights. */
  get effectiveN(): number {
    return this.blocks.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Null before the first pair. */
  get mean(): number | null {
    return this.meanOf(undefined);
  }

  /** Null below an effective n of 90. */
  banded(seed = BOOTSTRAP_SEED): Banded | null {
    const { mean, effectiveN, blocks } = this;
    if (mean === null || effectiveN < EFFECTIVE_N_MIN) return null;
    const means = resampled(blocks.length, this.blockWeight, effectiveN, seed, (counts) => this.meanOf(counts));
    return percentileBand(
      mean,
      means.flatMap((one) => one ?? []),
    );
  }

  /** @param counts - how often each block is taken; once by default. */
  private meanOf(counts: Float64Array | undefined): number | null {
    let [weight, sum] = [0, 0];
    for (const [index, block] of this.blocks.entries()) {
      const count = counts === undefined ? 1 : (counts[index] ?? 0);
      weight += count * block.weight;
      sum += count * block.sum;
    }
    return weight > 0 ? sum / weight : null;
  }

  private openBlock(): Block {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.weight < this.blockWeight) return last;
    if (this.blocks.length === BLOCKS_MAX) this.mergeInPairs();
    const block = { weight: 0, sum: 0 };
    this.blocks.push(block);
    return block;
  }

  private mergeInPairs(): void {
    const merged: Block[] = [];
    for (let index = 0; index < this.blocks.length; index += 2) {
      const [left, right] = [this.blocks[index], this.blocks[index + 1]];
      merged.push({ weight: (left?.weight ?? 0) + (right?.weight ?? 0), sum: (left?.sum ?? 0) + (right?.sum ?? 0) });
    }
    this.blocks = merged;
    this.blockWeight *= 2;
  }
}
