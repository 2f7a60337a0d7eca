import { ln } from '../../evaluators/arithmetic.ts';
import { squaredError } from '../scores/brier.ts';
import type { KeptOutcome } from './outcome-columns.ts';

/** The probabilities from which the published one is aggregated, and with which it is compared. */
export const EXPERTS = ['REFERENCE', 'RAW', 'CALIBRATED'] as const;
export type Expert = (typeof EXPERTS)[number];

/** η of the Brier game: the greatest for which the bound holds. */
const LEARNING_RATE = 2;
/** The most that rounding of probabilities and weights, and the least weight of an expert, may add for an outcome. */
const ROUNDING = 3e-6;
/** Known outcomes at the front that are tolerated before they are cut. */
const FORGOTTEN_MAX = 1_024;

/** The loss of the published probabilities beyond the best expert, which only hindsight knows. Sums of w·(p − o)². */
export interface RegretTerms {
  readonly regret: number;
  readonly best: Expert;
  /** The total loss of the published probabilities. */
  readonly publishedLoss: number;
  readonly bestLoss: number;
  /** ln(3)/2: the bound of the regret if each outcome is known before the next forecast. */
  readonly boundWithoutDelay: number;
  /** The most that the delay of outcomes may have added, from the experts' differences while outcomes were outstanding. */
  readonly delayBound: number;
}

/** An outcome that was not yet known when a later forecast was made. */
interface Outstanding {
  readonly eventTime: number;
  readonly spread: number;
}

/**
 * Regret of the aggregating forecaster (Vovk 1990; Vovk & Zhdanov 2009) against the best of its experts, and its bound.
 *
 * With the weights that all earlier outcomes give, `Σ w·(p − o)² ≤ minᵢ Σ w·(pᵢ − o)² + ln(3)/η`. A forecast knows only
 * those outcomes that were on the tape by then. Let S be the sum, over those that were not, of the difference between
 * the experts' weighted losses, and s the same for the outcome itself. With x = ηS and y = ηs, its loss exceeds the
 * right weights' loss by at most `(2/η)·ln(cosh((x + y)/4) / cosh((x − y)/4)) ≤ xy/(4η) = η·S·s/4`, because
 * `E[ra] / (E[r]·E[a])` is at most `cosh²((x + y)/4) / cosh²((x − y)/4)` for r and a within factors eˣ and eʸ (Pólya & Szegő
 * 1925), and tanh u ≤ u. Their sum is the delay's part. It holds for a series from its first outcome on, if AGGREGATED
 * is published.
 */
export class Regret {
  private published = 0;
  private delay = 0;
  private outcomes = 0;
  /** In the order of the experts. */
  private readonly losses: [reference: number, raw: number, calibrated: number] = [0, 0, 0];
  private outstanding: Outstanding[] = [];
  private known = 0;
  /** Sum of the spreads of the outstanding outcomes. */
  private spreads = 0;

  /** Counts an outcome of a series, in recorded order. Its probabilities are numbers. */
  observe({ eventTime, forecastTime, verdict, weight, published, reference, raw, calibrated }: KeptOutcome): void {
    if (weight <= 0) return;
    const isHit = verdict === 'HIT';
    const ofReference = weight * squaredError(reference, isHit);
    const ofRaw = weight * squaredError(raw, isHit);
    const ofCalibrated = weight * squaredError(calibrated, isHit);
    const spread = Math.max(ofReference, ofRaw, ofCalibrated) - Math.min(ofReference, ofRaw, ofCalibrated);
    this.forget(forecastTime);
    this.delay += (LEARNING_RATE * this.spreads * spread) / 4;
    this.outstanding.push({ eventTime, spread });
    this.spreads += spread;
    this.outcomes += 1;
    this.published += weight * squaredError(published, isHit);
    this.losses[0] += ofReference;
    this.losses[1] += ofRaw;
    this.losses[2] += ofCalibrated;
  }

  /** Undefined until an outcome has weight. */
  terms(): RegretTerms | undefined {
    if (this.outcomes === 0) return undefined;
    const bestLoss = Math.min(...this.losses);
    return {
      regret: this.published - bestLoss,
      best: EXPERTS[this.losses.indexOf(bestLoss)] ?? 'REFERENCE',
      publishedLoss: this.published,
      bestLoss,
      boundWithoutDelay: ln(EXPERTS.length) / LEARNING_RATE,
      delayBound: this.delay + ROUNDING * this.outcomes,
    };
  }

  /** Outcomes on the tape before a forecast's trade are known to it; of the same time, perhaps not. */
  private forget(forecastTime: number): void {
    for (
      let oldest = this.outstanding[this.known];
      oldest !== undefined && oldest.eventTime < forecastTime;
      oldest = this.outstanding[this.known]
    ) {
      this.spreads -= oldest.spread;
      this.known += 1;
    }
    if (this.known === this.outstanding.length) this.spreads = 0;
    if (this.known < FORGOTTEN_MAX) return;
    this.outstanding = this.outstanding.slice(this.known);
    this.known = 0;
  }
}
