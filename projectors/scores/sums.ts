import type { Outcome } from '../../contracts/generated/events.ts';
import { clamp, ln } from '../../evaluators/arithmetic.ts';
import { nineDecimals, ONE, sumText, sumUnits } from './weighted.ts';

/** A certainty that fails would have an infinite loss. */
const LOG_LOSS_EPSILON = 1e-6;

/** The sums over a forecast's probability: exact, as Postgres' numeric. */
type ScoredSums<Name extends string> = Readonly<Record<`${Name}_sum` | `${Name}_loss` | `${Name}_log_loss`, string>>;

/**
 * Sums over outcomes, each counted by its overlap weight w; `…_loss` is Σ w·(p − o)², `…_log_loss` Σ −w·ln of the
 * actual outcome's probability.
 */
export type ScoreSums = ScoredSums<'published' | 'reference' | 'raw' | 'calibrated'> & {
  readonly hits: number;
  readonly misses: number;
  readonly voids: number;
  /** Hits and misses with a reference rate: the sums of reference, raw and calibrated are over these. */
  readonly referenced: number;
  readonly effective_n: string;
  readonly hit_weight: string;
  /** Σ of the time from a forecast to its settlement as a hit or a miss, microseconds. */
  readonly lead_us: number;
};

const COUNTS = ['hits', 'misses', 'voids', 'referenced', 'lead_us'] as const;
const EXACT = [
  ...['effective_n', 'hit_weight'],
  ...(['published', 'reference', 'raw', 'calibrated'] as const).flatMap((name) => [
    `${name}_sum`,
    `${name}_loss`,
    `${name}_log_loss`,
  ]),
];

/** The sums of one outcome. One without an overlap weight counts as a hit, a miss or a void, with weight 0. */
export function sumsOfOutcome(outcome: Outcome): ScoreSums {
  const { verdict, overlapWeight, probability, referenceRate, rawProbability, calibratedProbability } = outcome;
  const isHit = verdict === 'HIT';
  const isVoid = verdict === 'VOID';
  const weight = isVoid ? 0n : nineDecimals(overlapWeight ?? 0);
  return {
    hits: isHit ? 1 : 0,
    misses: verdict === 'MISS' ? 1 : 0,
    voids: isVoid ? 1 : 0,
    referenced: isVoid || referenceRate === null ? 0 : 1,
    effective_n: sumText(weight * ONE * ONE),
    hit_weight: sumText(isHit ? weight * ONE * ONE : 0n),
    lead_us: isVoid ? 0 : outcome.eventTime - outcome.forecastTime,
    ...scored('published', weight, probability, isHit),
    ...scored('reference', referenceRate === null ? 0n : weight, referenceRate ?? 0, isHit),
    ...scored('raw', rawProbability === null ? 0n : weight, rawProbability ?? 0, isHit),
    ...scored('calibrated', calibratedProbability === null ? 0n : weight, calibratedProbability ?? 0, isHit),
  };
}

/** The sums of both, in any order and grouping. */
export function joinedSums<Sums extends Readonly<Record<string, unknown>>>(left: Sums, right: Sums): Sums {
  const joined: Record<string, unknown> = { ...left };
  for (const name of COUNTS) joined[name] = Number(left[name]) + Number(right[name]);
  for (const name of EXACT) joined[name] = sumText(sumUnits(left[name]) + sumUnits(right[name]));
  return joined as Sums;
}

function scored<const Name extends string>(
  name: Name,
  weight: bigint,
  probability: number,
  isHit: boolean,
): ScoredSums<Name> {
  const units = nineDecimals(probability);
  const miss = isHit ? ONE - units : units;
  const logLoss = nineDecimals(-ln(clamp(isHit ? probability : 1 - probability, LOG_LOSS_EPSILON, 1)));
  const sums = {
    [`${name}_sum`]: sumText(weight * units * ONE),
    [`${name}_loss`]: sumText(weight * miss * miss),
    [`${name}_log_loss`]: sumText(weight * logLoss * ONE),
  };
  return sums as ScoredSums<Name>;
}
