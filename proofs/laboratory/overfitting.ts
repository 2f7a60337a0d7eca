import { inStretches, type PeriodSum, type StretchSum } from './period-sums.ts';

/** Even, as the method requires; 12,870 splits. */
const STRETCHES = 16;

/** How far a choice by the best score can be trusted. */
export interface Overfitting {
  /** Probability of backtest overfitting, 0 to 1. */
  readonly probability: number;
  /** Splits of the outcomes into two halves. */
  readonly splits: number;
}

/**
 * The probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado &
 * Zhu 2017, doi 10.21314/JCF.2016.322): the outcomes are cut into 16 stretches of market time; for each choice of 8 of
 * them, the configuration that is best there has a rank among all N in the other 8, 1 the worst; the probability is the
 * share of splits in which `rank / (N + 1) ≤ ½`, not above the median. The score is the mean loss avoided; of equal ones
 * the first is best, and equal ones share their mean rank.
 *
 * @param configurations - the sums of each by period. Null for fewer than two, or fewer than 16 periods.
 */
export function overfittingOf(
  configurations: readonly (readonly PeriodSum[])[],
  stretches = STRETCHES,
): Overfitting | null {
  const sums = configurations.length < 2 ? undefined : inStretches(configurations, stretches);
  if (sums === undefined) return null;
  let splits = 0;
  let overfitted = 0;
  for (const chosen of halvesOf(stretches)) {
    const inSample = sums.map((each) => meanOver(each, chosen, true));
    const outOfSample = sums.map((each) => meanOver(each, chosen, false));
    const best = inSample.indexOf(Math.max(...inSample));
    splits += 1;
    if (rankOf(outOfSample, best) / (sums.length + 1) <= 0.5) overfitted += 1;
  }
  return { probability: overfitted / splits, splits };
}

/** Every choice of half of so many, as bits. */
function* halvesOf(count: number): Generator<number> {
  for (let bits = 0; bits < 1 << count; bits += 1) if (bitsIn(bits) === count / 2) yield bits;
}

function bitsIn(value: number): number {
  let count = 0;
  for (let left = value; left !== 0; left &= left - 1) count += 1;
  return count;
}

/** The mean loss avoided in the chosen stretches, or in the others; 0 without an outcome, like the reference's. */
function meanOver(sums: readonly StretchSum[], chosen: number, isWanted: boolean): number {
  let [weight, avoided] = [0, 0];
  for (const [index, sum] of sums.entries()) {
    if ((((chosen >> index) & 1) === 1) !== isWanted) continue;
    weight += sum.weight;
    avoided += sum.avoided;
  }
  return weight > 0 ? avoided / weight : 0;
}

/** From 1 for the worst; equal values share their mean rank. */
function rankOf(values: readonly number[], place: number): number {
  const value = values[place] ?? 0;
  const below = values.filter((other) => other < value).length;
  const equal = values.filter((other) => other === value).length;
  return below + (equal + 1) / 2;
}
