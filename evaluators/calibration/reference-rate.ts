import { clamp, toNineDecimals } from '../arithmetic.ts';

export interface ReferenceParameters {
  /** Rate of ties assumed before the first outcome. */
  readonly priorTieRate: number;
  /** The prior's weight: this many outcomes, by overlap weight. */
  readonly priorWeight: number;
  /** Outcomes, by overlap weight, after which an outcome counts half; 0: its weight stays. */
  readonly halfLife: number;
}

/** State of a {@link ReferenceRate}. */
export type ReferenceRateState = readonly [weight: number, ties: number, lastForecastUs: number | null];

const LN_2 = 0.6931471805599453;
/** No rate is below this: a probability of 0 has no log odds. */
const RATE_MIN = 0.001;

/**
 * The rate at which an undirected forecast comes true, from the outcomes of a market's snapshots under one hit rule.
 *
 * `p0 = (1 − t) / 2` with t the rate of ties, of moves that are a hit neither for LONG nor for SHORT: symmetric, so
 * that no past trend counts as knowledge. Each snapshot counts by its overlap weight, min(1, time since the one counted
 * before / horizon), and old snapshots fade by the half-life.
 */
export class ReferenceRate {
  private readonly parameters: ReferenceParameters;
  private weight: number;
  private ties: number;
  private lastForecastUs: number | null;

  constructor(parameters: ReferenceParameters, state?: ReferenceRateState) {
    this.parameters = parameters;
    const { priorWeight, priorTieRate } = parameters;
    [this.weight, this.ties, this.lastForecastUs] = state ?? [priorWeight, priorWeight * priorTieRate, null];
  }

  toState(): ReferenceRateState {
    return [this.weight, this.ties, this.lastForecastUs];
  }

  /** p0, nine decimals. */
  get rate(): number {
    return toNineDecimals(clamp((1 - this.ties / this.weight) / 2, RATE_MIN, 0.5));
  }

  /** Counts a snapshot that was resolved. Times in microseconds. */
  learn(isTie: boolean, forecastTime: number, horizonUs: number): void {
    const weight = overlapWeight(this.lastForecastUs, forecastTime, horizonUs);
    this.lastForecastUs = forecastTime;
    const { halfLife } = this.parameters;
    // To first order 2^(−weight / halfLife): exact enough, and uses only + − × ÷.
    const kept = halfLife === 0 ? 1 : 1 / (1 + (LN_2 * weight) / halfLife);
    this.weight = this.weight * kept + weight;
    this.ties = this.ties * kept + (isTie ? weight : 0);
  }
}

/**
 * The weight of an outcome beside those it overlaps: the time since the last counted forecast, in horizons, at most 1.
 * So all outcomes of one horizon together count as one, however many there are.
 */
export function overlapWeight(lastForecastUs: number | null, forecastTime: number, horizonUs: number): number {
  if (lastForecastUs === null) return 1;
  return toNineDecimals(clamp((forecastTime - lastForecastUs) / horizonUs, 0, 1));
}
