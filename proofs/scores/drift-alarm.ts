import { ln } from '../../evaluators/arithmetic.ts';
import type { ScoredForecast } from './brier.ts';

/** The change to detect: odds higher or lower by a factor of 1.5. From .50 that is .60 or .40. */
const ODDS_RATIO = 1.5;
const LOG_ODDS_RATIO = ln(ODDS_RATIO);
/** A sum this high raises the alarm: by simulation, the least that keeps {@link HORIZONS_TO_FALSE_ALARM}. */
const THRESHOLD = 6;

/**
 * A forecaster that stays calibrated raises one false alarm in this many horizons of outcomes (effective n) on average, or
 * fewer: at p = .5 and without overlap about this many, elsewhere more.
 */
export const HORIZONS_TO_FALSE_ALARM = 10_000;

/** The outcomes' verdict on the published probabilities. */
export type Drift = 'PROBABILITIES_TOO_LOW' | 'PROBABILITIES_TOO_HIGH';

/** State of {@link DriftAlarm}: evidence that probabilities are too low, and that they are too high; log likelihoods. */
export type DriftAlarmState = readonly [tooLow: number, tooHigh: number];

/**
 * Raises an alarm when a forecaster that was calibrated no longer is: a cumulative sum for cases with separate
 * probabilities (risk-adjusted CUSUM: Steiner, Cook, Farewell & Treasure 2000, doi
 * 10.1093/biostatistics/1.4.441; Page 1954, doi 10.1093/biomet/41.1-2.100).
 *
 * For R = 1.5 and for R = 1/1.5: `S ← max(0, S + w·(o·ln R − ln(1 − p + R·p)))`, an alarm when S reaches the threshold;
 * then both restart. The bracket is the log likelihood ratio of odds R times the published ones, w the overlap weight.
 * The weights of one horizon sum to 1, so by Hölder's inequality its outcomes together are no stronger evidence than one.
 *
 * One false alarm in 10,000 horizons on average, by simulation. A shift of ten points at p = .5 is found in 260 horizons on
 * average. O(1) an outcome, in recorded order.
 */
export class DriftAlarm {
  private tooLow: number;
  private tooHigh: number;

  constructor(state: DriftAlarmState = [0, 0]) {
    [this.tooLow, this.tooHigh] = state;
  }

  toState(): DriftAlarmState {
    return [this.tooLow, this.tooHigh];
  }

  /** Counts an outcome. @returns the alarm that it raises, if it does. */
  observe({ probability, isHit, weight }: Omit<ScoredForecast, 'reference'>): Drift | undefined {
    const hit = isHit ? LOG_ODDS_RATIO : 0;
    const higher = hit - ln(1 - probability + ODDS_RATIO * probability);
    const lower = -hit - ln(1 - probability + probability / ODDS_RATIO);
    this.tooLow = Math.max(0, this.tooLow + weight * higher);
    this.tooHigh = Math.max(0, this.tooHigh + weight * lower);
    if (this.tooLow < THRESHOLD && this.tooHigh < THRESHOLD) return undefined;
    const drift = this.tooLow >= THRESHOLD ? 'PROBABILITIES_TOO_LOW' : 'PROBABILITIES_TOO_HIGH';
    [this.tooLow, this.tooHigh] = [0, 0];
    return drift;
  }
}
