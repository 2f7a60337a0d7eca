import type { Outcome } from '../../contracts/generated/events.ts';
import { nineDecimals, ONE, sumText, sumUnits } from './weighted.ts';

const BINS = 10;

/** Sums of a bin of probability, each outcome counted by its overlap weight. */
export interface BinSums {
  readonly [column: string]: string | number;
  readonly n: number;
  readonly weight: string;
  readonly hit_weight: string;
  readonly published_sum: string;
  readonly published_square_sum: string;
  readonly published_sum_of_hits: string;
}

const EXACT = ['weight', 'hit_weight', 'published_sum', 'published_square_sum', 'published_sum_of_hits'] as const;

/** The bin of a probability: bin k of ten holds `k/10 ≤ p < (k + 1)/10`; the last one also holds 1. */
export function binOf(probability: number): number {
  return Math.min(Number((nineDecimals(probability) * BigInt(BINS)) / ONE), BINS - 1);
}

/** The sums of one hit or miss. */
export function sumsOfBin({ verdict, overlapWeight, probability }: Outcome): BinSums {
  const isHit = verdict === 'HIT';
  const weight = nineDecimals(overlapWeight ?? 0);
  const published = nineDecimals(probability);
  return {
    n: 1,
    weight: sumText(weight * ONE * ONE),
    hit_weight: sumText(isHit ? weight * ONE * ONE : 0n),
    published_sum: sumText(weight * published * ONE),
    published_square_sum: sumText(weight * published * published),
    published_sum_of_hits: sumText(isHit ? weight * published * ONE : 0n),
  };
}

/** The sums of both, in any order and grouping. */
export function joinedBins<Sums extends BinSums>(left: Sums, right: Sums): Sums {
  const sums = EXACT.map((name) => {
    return [name, sumText(sumUnits(left[name]) + sumUnits(right[name]))] as const;
  });
  return { ...left, n: left.n + right.n, ...Object.fromEntries(sums) };
}
