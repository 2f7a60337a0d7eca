import { ln } from '../../evaluators/arithmetic.ts';
import { squaredError } from '../scores/brier.ts';
import type { KeptOutcome } from './outcome-columns.ts';

/** What the published probability is aggregated from, and compared with. */
export const EXPERTS = ['REFERENCE', 'RAW', 'CALIBRATED'] as const;
export type Expert = (typeof EXPERTS)[number];

/** η of the Brier game: the greatest for which the bound holds. */
const LEARNING_RATE = 2;
/** What the rounding of probabilities and weights, and the least weight of an expert, may add for an outcome. */
const ROUNDING = 3e-6;
/** Known outcomes in front that are tolerated before they are cut. */
const FORGOTTEN_MAX = 1_024;

/** What the published probabilities lost beyond the best expert, which only hindsight knows. Sums of w·(p − o)². */
export interface RegretTerms {
  readonly regret: number;
  readonly best: Expert;
  /** The sum that the published probabilities lost. */
  readonly publishedLoss: number;
  readonly bestLoss: number;
  /** ln(3)/2: what the regret is below where each outcome is known before the next forecast. */
  readonly boundWithoutDelay: number;
  /** What the delay of outcomes may have added, from what experts differed in while outcomes were outstanding. */
  readonly delayBound: number;
}

/** An outcome that was not known yet when a later forecast was made. */
interface Outstanding {
  readonly eventTime: number;
  readonly spread: number;
}

/**
 * Regret of the aggregating forecaster (Vovk 1990; Vovk & Zhdanov 2009) against the best of its experts, and its bound.
 *
 * With the weights that all earlier outcomes give, `Σ w·(p − o)² ≤ minᵢ Σ w·(pᵢ − o)² + ln(3)/η`. A forecast knows only
 * those outcomes that were on the tape by then. Let S be the sum, over those that were not, of what the experts' weighted
 * losses differ in, and s the same of the outcome itself. With x = ηS and y = ηs its loss exceeds that of the right weights
 * by at most `(2/η)·ln(cosh((x + y)/4) / cosh((x − y)/4)) ≤ xy/(4η) = η·S·s/4`, because `E[ra] / (E[r]·E[a])` is at most
 * `cosh²((x + y)/4) / cosh²((x − y)/4)` for r and a within factors eˣ and eʸ (Pólya & Szegő 1925), and tanh u ≤ u. Summed,
 * that is what delay adds. It holds for a series from its first outcome on, where what is published is AGGREGATED.
 */
export class Regret {
  private published = 0;
  private delay = 0;
  private outcomes = 0;
  /** In the order of the experts. */
  private readonly losses: [reference: number, raw: number, calibrated: number] = [0, 0, 0];
  private outstanding: Outstanding[] = [];
  private known = 0;
  /** Sum of the spreads of those that are outstanding. */
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

  /** Undefined before an outcome has weight. */
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
