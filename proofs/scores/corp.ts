import type { ScoredForecast } from './brier.ts';

/** Number of cells into which a unit of probability is divided when forecasts are kept by cell: each is 10^-3. */
export const CELLS_PER_UNIT = 1_000;

/** Forecasts of the same probability. */
export interface ProbabilityPoint {
  readonly probability: number;
  /** Sum of their overlap weights. */
  readonly weight: number;
  /** Overlap weight of those that came true. */
  readonly hits: number;
}

/** A step of the recalibrated curve: forecasts from `low` to `high` came true at `hitRate`. */
export interface CurveStep {
  readonly low: number;
  readonly high: number;
  readonly hitRate: number;
  readonly weight: number;
}

/** `brier = miscalibration − discrimination + uncertainty`; the first two are never negative. */
export interface CorpTerms {
  /** MCB: the loss that recalibration would have saved. */
  readonly miscalibration: number;
  /** DSC: the advantage of the recalibrated forecast over always forecasting the hit rate. */
  readonly discrimination: number;
  /** UNC: Brier score of always forecasting the hit rate. */
  readonly uncertainty: number;
  readonly brier: number;
}

/** Forecasts of equal probability as one point, by probability ascending; those without weight are left out. */
export function pointsOf(forecasts: Iterable<Omit<ScoredForecast, 'reference'>>): readonly ProbabilityPoint[] {
  const points = new Map<number, { probability: number; weight: number; hits: number }>();
  for (const { probability, isHit, weight } of forecasts) {
    if (weight <= 0) continue;
    let point = points.get(probability);
    if (point === undefined) {
      point = { probability, weight: 0, hits: 0 };
      points.set(probability, point);
    }
    point.weight += weight;
    if (isHit) point.hits += weight;
  }
  return [...points.values()].sort((left, right) => left.probability - right.probability);
}

/**
 * Isotonic regression of outcomes on probabilities by pool-adjacent-violators (Ayer et al. 1955, doi
 * 10.1214/aoms/1177728423): the non-decreasing curve nearest to the outcomes in weighted squares. Linear in the points.
 *
 * @param points - by probability ascending.
 */
export function recalibrated(points: readonly ProbabilityPoint[]): readonly CurveStep[] {
  const steps: { low: number; high: number; weight: number; hits: number }[] = [];
  for (const { probability, weight, hits } of points) {
    let step = { low: probability, high: probability, weight, hits };
    for (let last = steps.at(-1); last !== undefined; last = steps.at(-1)) {
      // Compared by products: exact for whole weights.
      if (last.hits * step.weight < step.hits * last.weight) break;
      steps.pop();
      step = {
        low: last.low,
        high: step.high,
        weight: last.weight + step.weight,
        hits: last.hits + step.hits,
      };
    }
    steps.push(step);
  }
  return steps.map(({ low, high, weight, hits }) => ({ low, high, weight, hitRate: hits / weight }));
}

/**
 * The CORP decomposition of the Brier score (Dimitriadis, Gneiting & Jordan 2021, doi 10.1073/pnas.2016191118), free of
 * bins: with S(c) the score of the recalibrated forecasts, `MCB = BS − S(c)`, `DSC = UNC − S(c)`, `UNC = ō(1 − ō)`.
 * Undefined without a point.
 *
 * @param points - by probability ascending, with weight.
 * @param brier - the weighted Brier score of the forecasts themselves; computed from the points by default.
 */
export function corp(points: readonly ProbabilityPoint[], brier = brierOf(points)): CorpTerms | undefined {
  let [weight, hits] = [0, 0];
  for (const point of points) {
    weight += point.weight;
    hits += point.hits;
  }
  if (weight <= 0) return undefined;
  // Within a step Σ w(c − o)² = w·c(1 − c), because c is the step's own rate.
  const best = recalibrated(points).reduce((sum, step) => sum + step.weight * step.hitRate * (1 - step.hitRate), 0);
  const rate = hits / weight;
  const uncertainty = rate * (1 - rate);
  const score = best / weight;
  return { miscalibration: brier - score, discrimination: uncertainty - score, uncertainty, brier };
}

function brierOf(points: readonly ProbabilityPoint[]): number {
  let [weights, loss] = [0, 0];
  for (const { probability, weight, hits } of points) {
    weights += weight;
    loss += hits * (1 - probability) * (1 - probability) + (weight - hits) * probability * probability;
  }
  return loss / weights;
}

/** The cell of a probability: its nearest multiple of 10^-3, counted. */
export function cellOf(probability: number): number {
  return Math.round(probability * CELLS_PER_UNIT);
}
