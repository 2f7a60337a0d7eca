import { EFFECTIVE_N_MIN } from './batch-means.ts';
import { skill, squaredError, type ScoredForecast } from './brier.ts';
import { CELLS_PER_UNIT, cellOf, corp, type ProbabilityPoint } from './corp.ts';
import { miscalibrationByChance } from './miscalibration-null.ts';
import {
  BLOCKS_MAX,
  BOOTSTRAP_SEED,
  FIRST_BLOCK_WEIGHT,
  percentileBand,
  resampled,
  unbiasedBand,
  type Banded,
} from './resampling.ts';

/** Scores that have a band. Null when one is not defined: the reference made no error, or all outcomes are the same. */
export interface BandedScores {
  readonly hitRate: number;
  readonly brier: number;
  readonly miscalibration: number;
  readonly discrimination: number;
  readonly uncertainty: number;
  readonly referenceSkill: number | null;
  readonly climatologySkill: number | null;
}

export type ScoreBands = { readonly [Score in keyof BandedScores]: Banded | null };

/** By cell of probability: overlap weight, and the hits' overlap weight. */
type CellSums = Map<number, readonly [weight: number, hits: number]>;

/** Consecutive outcomes. */
interface Block {
  weight: number;
  loss: number;
  referenceLoss: number;
  readonly cells: CellSums;
}

/** Every block's cells one after another, so that a resample is one pass over flat arrays. */
interface FlatBlocks {
  readonly blocks: readonly Block[];
  readonly cells: readonly number[];
  /** Index in `cells`, by entry. */
  readonly places: Int32Array;
  readonly weights: Float64Array;
  readonly hits: Float64Array;
  /** The first entry of each block; one more than there are blocks. */
  readonly starts: Int32Array;
}

/**
 * 95 % bands of scores by a circular block bootstrap (Politis & Romano 1992; Künsch 1989, doi 10.1214/aos/1176347265): the
 * outcomes, in recorded order, are cut into blocks of at least one horizon; a resample joins runs of ⌈n^⅓⌉ horizons
 * (the best order for a variance: Hall, Horowitz & Jing 1995, doi 10.1093/biomet/82.3.561) that begin anywhere.
 *
 * MCB and DSC are biased upward because isotonic regression fits chance, in a resample once more than in the outcomes.
 * The bootstrap measures that bias b as mean(resamples) − estimate, and the band is the percentiles minus 2b (Efron &
 * Tibshirani 1993, chapter 10), not below 0. No bootstrap is valid at MCB = 0, the edge of MCB's range (Andrews 2000,
 * doi 10.1111/1468-0262.00114): if a perfect forecaster shows as much by chance, the band begins at 0. The other
 * scores' bands are the percentiles themselves.
 *
 * Probabilities are rounded to 10^-3 only for recalibration. At most 512 blocks of at most 1,001 cells; 500 resamples.
 */
export class BlockBootstrap {
  private blockWeight = FIRST_BLOCK_WEIGHT;
  private blocks: Block[] = [];
  private n = 0;

  /** Counts an outcome, in recorded order. O(1) on average. */
  observe(forecast: ScoredForecast): void {
    const { probability, reference, isHit, weight } = forecast;
    if (weight <= 0) return;
    const block = this.openBlock();
    this.n += 1;
    block.weight += weight;
    block.loss += weight * squaredError(probability, isHit);
    block.referenceLoss += weight * squaredError(reference, isHit);
    add(block.cells, cellOf(probability), weight, isHit ? weight : 0);
  }

  /** Undefined below an effective n of 90. */
  bands(seed = BOOTSTRAP_SEED): ScoreBands | undefined {
    const effectiveN = this.blocks.reduce((sum, { weight }) => sum + weight, 0);
    if (effectiveN < EFFECTIVE_N_MIN) return undefined;
    const flat = flatBlocks(this.blocks);
    const everyBlockOnce = new Float64Array(this.blocks.length).fill(1);
    const estimate = scoresOf(flat, everyBlockOnce);
    if (estimate === undefined) return undefined;
    const byChance = miscalibrationByChance(pointsTaken(flat, everyBlockOnce), seed);
    const resamples = resampled(this.blocks.length, this.blockWeight, effectiveN, seed, (counts) =>
      scoresOf(flat, counts),
    );
    return {
      hitRate: banded(estimate, resamples, 'hitRate'),
      brier: banded(estimate, resamples, 'brier'),
      miscalibration: fromZero(unbiased(estimate, resamples, 'miscalibration'), byChance),
      discrimination: unbiased(estimate, resamples, 'discrimination'),
      uncertainty: banded(estimate, resamples, 'uncertainty'),
      referenceSkill: banded(estimate, resamples, 'referenceSkill'),
      climatologySkill: banded(estimate, resamples, 'climatologySkill'),
    };
  }

  private openBlock(): Block {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.weight < this.blockWeight) return last;
    if (this.blocks.length === BLOCKS_MAX) this.mergeInPairs();
    const block = { weight: 0, loss: 0, referenceLoss: 0, cells: new Map() };
    this.blocks.push(block);
    return block;
  }

  private mergeInPairs(): void {
    const merged: Block[] = [];
    for (const [index, block] of this.blocks.entries()) {
      const former = merged.at(-1);
      if (index % 2 === 0 || former === undefined) {
        merged.push(block);
        continue;
      }
      former.weight += block.weight;
      former.loss += block.loss;
      former.referenceLoss += block.referenceLoss;
      for (const [cell, [weight, hits]] of block.cells) add(former.cells, cell, weight, hits);
    }
    this.blocks = merged;
    this.blockWeight *= 2;
  }
}

function add(cells: CellSums, cell: number, weight: number, hits: number): void {
  const before = cells.get(cell);
  cells.set(cell, before === undefined ? [weight, hits] : [before[0] + weight, before[1] + hits]);
}

function flatBlocks(blocks: readonly Block[]): FlatBlocks {
  const cells = [...new Set(blocks.flatMap((block) => [...block.cells.keys()]))].sort((left, right) => left - right);
  const placeOf = new Map(cells.map((cell, place) => [cell, place]));
  const entries = blocks.reduce((sum, block) => sum + block.cells.size, 0);
  const [places, starts] = [new Int32Array(entries), new Int32Array(blocks.length + 1)];
  const [weights, hits] = [new Float64Array(entries), new Float64Array(entries)];
  let entry = 0;
  for (const [index, block] of blocks.entries()) {
    for (const [cell, [weight, hitWeight]] of block.cells) {
      places[entry] = placeOf.get(cell) ?? 0;
      weights[entry] = weight;
      hits[entry] = hitWeight;
      entry += 1;
    }
    starts[index + 1] = entry;
  }
  return { blocks, cells, places, weights, hits, starts };
}

/** Scores of the blocks, each taken as often as its count. */
function scoresOf(flat: FlatBlocks, counts: Float64Array): BandedScores | undefined {
  let [weight, loss, referenceLoss] = [0, 0, 0];
  for (const [index, block] of flat.blocks.entries()) {
    const count = counts[index] ?? 0;
    weight += count * block.weight;
    loss += count * block.loss;
    referenceLoss += count * block.referenceLoss;
  }
  const brier = loss / weight;
  const points = pointsTaken(flat, counts);
  const terms = corp(points, brier);
  if (terms === undefined) return undefined;
  return {
    ...terms,
    hitRate: points.reduce((sum, { hits }) => sum + hits, 0) / weight,
    referenceSkill: skill(loss, referenceLoss) ?? null,
    climatologySkill: skill(brier, terms.uncertainty) ?? null,
  };
}

/** Outcomes of the blocks, each taken as often as its count, by cell of probability. */
function pointsTaken(
  { cells, places, starts, ...sums }: FlatBlocks,
  counts: Float64Array,
): readonly ProbabilityPoint[] {
  const [weights, hits] = [new Float64Array(cells.length), new Float64Array(cells.length)];
  for (const [index, count] of counts.entries()) {
    if (count === 0) continue;
    const end = starts[index + 1] ?? 0;
    for (let entry = starts[index] ?? 0; entry < end; entry += 1) {
      const place = places[entry] ?? 0;
      weights[place] = (weights[place] ?? 0) + count * (sums.weights[entry] ?? 0);
      hits[place] = (hits[place] ?? 0) + count * (sums.hits[entry] ?? 0);
    }
  }
  return cells.flatMap((cell, place) => {
    const weight = weights[place] ?? 0;
    return weight > 0 ? { probability: cell / CELLS_PER_UNIT, weight, hits: hits[place] ?? 0 } : [];
  });
}

function banded(estimate: BandedScores, resamples: readonly BandedScores[], score: keyof BandedScores): Banded | null {
  const value = estimate[score];
  if (value === null) return null;
  return percentileBand(
    value,
    resamples.flatMap((resample) => resample[score] ?? []),
  );
}

function unbiased(
  estimate: BandedScores,
  resamples: readonly BandedScores[],
  score: 'miscalibration' | 'discrimination',
): Banded {
  return unbiasedBand(
    estimate[score],
    resamples.map((resample) => resample[score]),
  );
}

/** The band from 0, if the estimate is not more than chance gives. */
function fromZero(banded: Banded, byChance: number): Banded {
  if (banded.estimate > byChance) return banded;
  return { ...banded, band: { low: 0, high: banded.band.high } };
}
