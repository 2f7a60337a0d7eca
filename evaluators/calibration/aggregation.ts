import { exp, ln } from '../arithmetic.ts';

/**
 * The aggregating forecaster for the Brier game (Vovk 1990; Vovk & Zhdanov 2009, doi 10.5555/1577069.1755864): it
 * combines several experts' probabilities into one, whose loss exceeds the best expert's by at most ln(experts) / η.
 * The game is mixable up to η = 2 for the loss (p − o)² of a binary outcome.
 *
 * The bound holds if an outcome is known before the next forecast. Here up to one horizon of forecasts is made
 * first. As outcomes count by overlap weight, at most one horizon's weight, 1, is outstanding, and the bound grows by
 * the experts' possible difference in it. `regret` in the scoreboard is measured, not this bound.
 */

/** No expert is lost permanently: markets change. */
const WEIGHT_MIN = 1e-6;

/** `p = ½ + (g(0) − g(1)) / 2` with `g(o) = −(1/η) ln Σ wᵢ exp(−η (pᵢ − o)²)`; the weights sum to 1. */
export function aggregate(weights: readonly number[], probabilities: readonly number[], learningRate: number): number {
  let miss = 0;
  let hit = 0;
  for (let index = 0; index < weights.length; index += 1) {
    const weight = weights[index] ?? 0;
    const probability = probabilities[index] ?? 0;
    miss += weight * exp(-learningRate * probability * probability);
    hit += weight * exp(-learningRate * (1 - probability) * (1 - probability));
  }
  return 0.5 + ln(hit / miss) / (2 * learningRate);
}

/** `wᵢ ← wᵢ exp(−η w (pᵢ − o)²)`, normalized to a sum of 1. @param overlap - the weight of the outcome, 0 to 1. */
export function reweighted(
  weights: readonly number[],
  probabilities: readonly number[],
  isHit: boolean,
  learningRate: number,
  overlap: number,
): readonly number[] {
  const outcome = isHit ? 1 : 0;
  let sum = 0;
  const scaled = weights.map((weight, index) => {
    const miss = (probabilities[index] ?? 0) - outcome;
    const next = Math.max(weight * exp(-learningRate * overlap * miss * miss), WEIGHT_MIN);
    sum += next;
    return next;
  });
  return scaled.map((weight) => weight / sum);
}
