import { exp } from '../../evaluators/arithmetic.ts';

const SQRT_2_PI = 2.5066282746310002;
/** Beyond it the distribution function is 0 or 1 to the last place of a double. */
const DEVIATIONS_MAX = 8.5;
/** Each halves the interval; a double has no more places. */
const BISECTIONS = 64;

/**
 * Φ(x), the standard normal distribution function: `½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …)` (Marsaglia 2004, doi
 * 10.18637/jss.v011.i04). Absolute error below 10^-15.
 */
export function normalDistribution(deviations: number): number {
  if (deviations < -DEVIATIONS_MAX) return 0;
  if (deviations > DEVIATIONS_MAX) return 1;
  const square = deviations * deviations;
  let term = deviations;
  let sum = deviations;
  let former = 0;
  for (let divisor = 3; sum !== former; divisor += 2) {
    former = sum;
    term *= square / divisor;
    sum += term;
  }
  return 0.5 + (sum * exp(-square / 2)) / SQRT_2_PI;
}

/** Φ⁻¹(p) for a probability in (0, 1), by bisection: −∞ at 0, ∞ at 1. */
export function normalQuantile(probability: number): number {
  if (probability <= 0) return Number.NEGATIVE_INFINITY;
  if (probability >= 1) return Number.POSITIVE_INFINITY;
  let [low, high] = [-DEVIATIONS_MAX, DEVIATIONS_MAX];
  for (let bisection = 0; bisection < BISECTIONS; bisection += 1) {
    const middle = (low + high) / 2;
    if (normalDistribution(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
