import type { Direction } from '../../contracts/generated/events.ts';
import { clamp, logit, toNineDecimals, toSixDecimals } from '../arithmetic.ts';

export interface PoolingParameters {
  /** Probabilities are clipped to [epsilon, 1 − epsilon], so that none of them silences the others. */
  readonly epsilon: number;
  /** The factor a on the pooled evidence; 1 is the geometric mean of the odds. */
  readonly sharpness: number;
  /** Below this pooled evidence, in log odds, the decision is NEUTRAL. */
  readonly minEvidence: number;
  /** The factor on a strategy's evidence besides its weight and confidence: its calibration slope, or 1. */
  readonly weights: 'SLOPES' | 'EQUAL';
}

/** One forecast to be pooled. */
export interface Pooled {
  readonly direction: Direction;
  /** Log odds beyond the reference rate in the direction; 0 when NEUTRAL. */
  readonly evidence: number;
  /** Its calibration slope; below 0 it counts as 0. */
  readonly slope: number;
  readonly confidence: number;
  readonly weight: number;
}

export interface PooledDecision {
  readonly direction: Direction;
  /** |L|, log odds, nine decimals. */
  readonly evidence: number;
  /** L with every slope at 1, in the decision's direction, nine decimals. */
  readonly rawEvidence: number;
  /** Mean confidence by weight, six decimals. */
  readonly confidence: number;
  /** The formula with its figures, for people. */
  readonly reasoning: () => string;
}

/**
 * Pools forecasts into one by their evidence.
 *
 * Evidence s of one forecast: its log odds beyond the reference rate times its slope, positive when LONG and negative when
 * SHORT. Pooled: `L = a · Σ w·c·s / Σ w·c`, with weight w and confidence c. Direction: the sign of L, NEUTRAL below
 * `minEvidence`. Log odds are pooled as in Satopää et al. 2014 (doi 10.1016/j.ijforecast.2013.09.009). Evidence is
 * pooled and not probability, because "LONG hits" and "SHORT hits" are not complements: there are ties and a least
 * move. With a reference rate below ½, a LONG of less than ½ would count for SHORT.
 */
export class ProbabilityEngine {
  private readonly parameters: PoolingParameters;

  constructor(parameters: PoolingParameters) {
    this.parameters = parameters;
  }

  /** The evidence e of a formula's probability at even odds, log odds in its direction, nine decimals; 0 when NEUTRAL. */
  evidenceOf(direction: Direction, probability: number): number {
    if (direction === 'NEUTRAL') return 0;
    const { epsilon } = this.parameters;
    return toNineDecimals(logit(clamp(probability, epsilon, 1 - epsilon)));
  }

  /** The evidence s of one forecast that is pooled, log odds, nine decimals, positive for LONG. */
  signedEvidence({ direction, evidence, slope }: Pick<Pooled, 'direction' | 'evidence' | 'slope'>): number {
    const factor = this.parameters.weights === 'SLOPES' ? Math.max(0, slope) : 1;
    return toNineDecimals(signOf(direction) * factor * evidence);
  }

  pool(forecasts: readonly Pooled[]): PooledDecision {
    const { sharpness, minEvidence } = this.parameters;
    let weighted = 0;
    let rawWeighted = 0;
    let confidenceWeight = 0;
    let weight = 0;
    for (const forecast of forecasts) {
      const evidence = this.signedEvidence(forecast);
      const share = forecast.weight * forecast.confidence;
      weighted += share * evidence;
      rawWeighted += share * signOf(forecast.direction) * forecast.evidence;
      confidenceWeight += share;
      weight += forecast.weight;
    }
    const pooled = confidenceWeight > 0 ? toNineDecimals((sharpness * weighted) / confidenceWeight) : 0;
    const rawPooled = confidenceWeight > 0 ? toNineDecimals((sharpness * rawWeighted) / confidenceWeight) : 0;
    const confidence = weight > 0 ? toSixDecimals(confidenceWeight / weight) : 0;
    const figures = () => {
      const terms = forecasts.map((each) => `${each.weight}·${each.confidence}·${this.signedEvidence(each)}`);
      return `L = ${sharpness}·(${terms.join(' + ')}) / ${confidenceWeight.toFixed(6)} = ${pooled}`;
    };
    const evidence = Math.abs(pooled);
    if (evidence < minEvidence || evidence === 0) {
      const reasoning = () => `${figures()}: |L| is below ${minEvidence} or 0`;
      return { direction: 'NEUTRAL', evidence, rawEvidence: 0, confidence, reasoning };
    }
    const direction = pooled > 0 ? 'LONG' : 'SHORT';
    return { direction, evidence, rawEvidence: signOf(direction) * rawPooled + 0, confidence, reasoning: figures };
  }
}

function signOf(direction: Direction): number {
  return direction === 'LONG' ? 1 : direction === 'SHORT' ? -1 : 0;
}
