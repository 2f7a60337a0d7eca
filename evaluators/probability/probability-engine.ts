import type { Direction } from '../../contracts/generated/events.ts';
import { clamp, logit, sigmoid, toNineDecimals, toSixDecimals } from '../arithmetic.ts';

export interface PoolingParameters {
  /** Probabilities are clipped to [epsilon, 1 − epsilon], so that none of them silences the others. */
  readonly epsilon: number;
  /** The factor a on the pooled evidence; 1 is the geometric mean of the odds. */
  readonly sharpness: number;
  /** Below this pooled evidence, in log odds, the decision is NEUTRAL. */
  readonly minEvidence: number;
}

/** One forecast to be pooled. */
export interface Pooled {
  readonly direction: Direction;
  readonly probability: number;
  readonly confidence: number;
  readonly weight: number;
}

export interface PooledDecision {
  readonly direction: Direction;
  /** Probability of a HIT in this direction, six decimals; 0.5 when NEUTRAL. */
  readonly probability: number;
  /** Mean confidence by weight, six decimals. */
  readonly confidence: number;
  /** Pooled evidence L, log odds, positive for LONG, nine decimals. */
  readonly evidence: number;
  readonly reasoning: string;
}

/**
 * Pools forecasts into one by their evidence.
 *
 * Evidence of one forecast: `s = +logit p` when LONG, `−logit p` when SHORT, 0 when NEUTRAL. Pooled: `L = a · Σ w·c·s /
 * Σ w·c`, with weight w and confidence c. Direction: the sign of L, NEUTRAL below `minEvidence`; probability: `σ(|L|)`.
 * The pooling of log odds is that of Satopää et al. 2014 (doi 10.1016/j.ijforecast.2013.09.009). Evidence is pooled and
 * not probability, because "LONG hits" and "SHORT hits" are not complements: there is a tie and a least move.
 */
export class ProbabilityEngine {
  private readonly parameters: PoolingParameters;

  constructor(parameters: PoolingParameters) {
    this.parameters = parameters;
  }

  /** The evidence s of one forecast, log odds, nine decimals. */
  evidenceOf(direction: Direction, probability: number): number {
    if (direction === 'NEUTRAL') return 0;
    const { epsilon } = this.parameters;
    const evidence = toNineDecimals(logit(clamp(probability, epsilon, 1 - epsilon)));
    return direction === 'LONG' ? evidence : 0 - evidence;
  }

  pool(forecasts: readonly Pooled[]): PooledDecision {
    const { sharpness, minEvidence } = this.parameters;
    let weighted = 0;
    let confidenceWeight = 0;
    let weight = 0;
    const terms: string[] = [];
    for (const forecast of forecasts) {
      const evidence = this.evidenceOf(forecast.direction, forecast.probability);
      const share = forecast.weight * forecast.confidence;
      weighted += share * evidence;
      confidenceWeight += share;
      weight += forecast.weight;
      terms.push(`${forecast.weight}·${forecast.confidence}·${evidence}`);
    }
    const evidence = confidenceWeight > 0 ? toNineDecimals((sharpness * weighted) / confidenceWeight) : 0;
    const confidence = weight > 0 ? toSixDecimals(confidenceWeight / weight) : 0;
    const figures = `L = ${sharpness}·(${terms.join(' + ')}) / ${confidenceWeight.toFixed(6)} = ${evidence}`;
    const strength = Math.abs(evidence);
    if (strength < minEvidence || strength === 0) {
      return {
        direction: 'NEUTRAL',
        probability: 0.5,
        confidence,
        evidence,
        reasoning: `${figures}: |L| is below ${minEvidence} or 0`,
      };
    }
    return {
      direction: evidence > 0 ? 'LONG' : 'SHORT',
      probability: toSixDecimals(sigmoid(strength)),
      confidence,
      evidence,
      reasoning: `${figures}: p = σ(|L|)`,
    };
  }
}
