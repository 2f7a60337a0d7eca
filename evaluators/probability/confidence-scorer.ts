import type { ConfidenceLevel } from '../../contracts/generated/events.ts';
import { clamp, toSixDecimals } from '../arithmetic.ts';

export interface ConfidenceParameters {
  /** Trades of the session at which the data alone would give a confidence of ½. */
  readonly halfSampleTrades: number;
  /** Least confidence called MEDIUM, and HIGH. */
  readonly mediumFrom: number;
  readonly highFrom: number;
}

/**
 * How far a probability is to be trusted, apart from how great it is.
 *
 * `c = quality · n / (n + halfSampleTrades)`: the strategy's quality for this snapshot, shrunk by how many trades of the
 * session stand behind the indicators (a prior of `halfSampleTrades` trades that say nothing). Six decimals.
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
