import { clamp, ln } from '../../evaluators/arithmetic.ts';

const LN_2 = 0.6931471805599453;
/** Probabilities are limited to [ε, 1 − ε] for the log score, which is infinite when a certainty fails. */
const LOG_SCORE_EPSILON = 1e-6;

/** A forecast that came true or did not: the input of every score. */
export interface ScoredForecast {
  /** The probability that it comes true, as published, 0 to 1. */
  readonly probability: number;
  /** The rate p0 at which an undirected forecast had come true by then, 0 to 1. */
  readonly reference: number;
  readonly isHit: boolean;
  /** Overlap weight, 0 to 1; 1 everywhere gives the unweighted scores. */
  readonly weight: number;
}

/** Scores of a probability. Each mean is weighted by overlap. */
export interface Scores {
  /** Outcomes. */
  readonly n: number;
  /** Sum of the overlap weights. */
  readonly effectiveN: number;
  readonly hitRate: number;
  readonly meanProbability: number;
  readonly meanReference: number;
  /** Mean of (p − o)². */
  readonly brier: number;
  /** Mean of (p0 − o)². */
  readonly referenceBrier: number;
  /** ō(1 − ō): the Brier score of always forecasting the hit rate, which only hindsight knows. */
  readonly uncertainty: number;
  /** 1 − brier / referenceBrier; undefined when the reference made no error. */
  readonly referenceSkill: number | undefined;
  /** 1 − brier / uncertainty; undefined when all outcomes were the same. */
  readonly climatologySkill: number | undefined;
  /** Mean of −ln of the probability of the actual outcome, nats. */
  readonly logLoss: number;
  /** Mean of 100·log2(2·probability of the actual outcome): a coin has 0, above is better. */
  readonly logScore: number;
}

/** State of {@link ScoreSums}. */
export type ScoreSumsState = readonly [
  n: number,
  weight: number,
  hits: number,
  probability: number,
  reference: number,
  loss: number,
  referenceLoss: number,
  logLoss: number,
];

/**
 * Sums for the scores of a group of forecasts; O(1) for each outcome, in any order.
 *
 * Brier score `Σ w(p − o)² / Σ w` (Brier 1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2); skill
 * `1 − BS / BS(reference)`; log score (Good 1952, doi 10.1111/j.2517-6161.1952.tb00104.x).
 */
export class ScoreSums {
  private sums: ScoreSumsState;

  constructor(state: ScoreSumsState = [0, 0, 0, 0, 0, 0, 0, 0]) {
    this.sums = state;
  }

  toState(): ScoreSumsState {
    return this.sums;
  }

  observe({ probability, reference, isHit, weight }: ScoredForecast): void {
    const [n, weights, hits, probabilities, references, loss, referenceLoss, logLoss] = this.sums;
    this.sums = [
      n + 1,
      weights + weight,
      hits + (isHit ? weight : 0),
      probabilities + weight * probability,
      references + weight * reference,
      loss + weight * squaredError(probability, isHit),
      referenceLoss + weight * squaredError(reference, isHit),
      logLoss + weight * logLossOf(probability, isHit),
    ];
  }

  /** Undefined until an outcome has weight. */
  scores(): Scores | undefined {
    const [n, weight, hits, probabilities, references, loss, referenceLoss, logLoss] = this.sums;
    if (weight <= 0) return undefined;
    const hitRate = hits / weight;
    const uncertainty = hitRate * (1 - hitRate);
    const brier = loss / weight;
    const referenceBrier = referenceLoss / weight;
    const meanLogLoss = logLoss / weight;
    return {
      n,
      effectiveN: weight,
      hitRate,
      meanProbability: probabilities / weight,
      meanReference: references / weight,
      brier,
      referenceBrier,
      uncertainty,
      referenceSkill: skill(brier, referenceBrier),
      climatologySkill: skill(brier, uncertainty),
      logLoss: meanLogLoss,
      logScore: 100 * (1 - meanLogLoss / LN_2),
    };
  }
}

/** (p − o)². */
export function squaredError(probability: number, isHit: boolean): number {
  const error = probability - (isHit ? 1 : 0);
  return error * error;
}

/** Share of the reference's loss that is avoided: `1 − loss / referenceLoss`; undefined when that is 0. */
export function skill(loss: number, referenceLoss: number): number | undefined {
  return referenceLoss > 0 ? 1 - loss / referenceLoss : undefined;
}

function logLossOf(probability: number, isHit: boolean): number {
  return -ln(clamp(isHit ? probability : 1 - probability, LOG_SCORE_EPSILON, 1));
}
