import type { ConfidenceLevel } from '../../contracts/generated/events.ts';
import { clamp, toSixDecimals } from '../arithmetic.ts';

export interface ConfidenceParameters {
  /** Number of trades of the session at which the data alone would give a confidence of ½. */
  readonly halfSampleTrades: number;
  /** Least confidence called MEDIUM, and least called HIGH. */
  readonly mediumFrom: number;
  readonly highFrom: number;
}

/**
 * How far a probability can be trusted, apart from its size.
 *
 * `c = quality · n / (n + halfSampleTrades)`: the strategy's quality for this snapshot, shrunk by the number of the
 * session's trades behind the indicators (a prior of `halfSampleTrades` uninformative trades). Six decimals.
 */
export class ConfidenceScorer {
  private readonly parameters: ConfidenceParameters;

  constructor(parameters: ConfidenceParameters) {
    this.parameters = parameters;
  }

  /**
   * @param quality - 0 to 1, see `Opinion`.
   * @param tradeCount - trades of the session so far.
   */
  score(quality: number, tradeCount: number): number {
    return toSixDecimals((clamp(quality, 0, 1) * tradeCount) / (tradeCount + this.parameters.halfSampleTrades));
  }

  levelOf(confidence: number): ConfidenceLevel {
    if (confidence >= this.parameters.highFrom) return 'HIGH';
    return confidence >= this.parameters.mediumFrom ? 'MEDIUM' : 'LOW';
  }
}
