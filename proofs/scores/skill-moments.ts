import { skill, squaredError, type ScoredForecast } from './brier.ts';

/** A variance below this share of the mean square is rounding: the avoided loss is constant. */
const RELATIVE_VARIANCE_MIN = 1e-12;

/** The skill of forecasts, with the moments of the loss avoided that a correction for many tries needs. */
export interface SkillFigures {
  /** Hits and misses. */
  readonly n: number;
  /** Sum of their overlap weights. */
  readonly effectiveN: number;
  /** Null without an outcome of any weight. The same holds for the one below. */
  readonly brier: number | null;
  readonly referenceBrier: number | null;
  /** 1 − brier / referenceBrier; null when the reference made no error. */
  readonly skill: number | null;
  /** Mean of the loss avoided over its standard deviation; null when that is 0. The same holds for the two below. */
  readonly skillRatio: number | null;
  readonly skewness: number | null;
  /** 3 for a normal distribution. */
  readonly kurtosis: number | null;
}

/**
 * Moments of the loss avoided, `d = (p0 − o)² − (p − o)²`, by overlap weight; O(1) for each outcome, in any order.
 *
 * `skillRatio = mean(d) / √variance(d)` is the Sharpe ratio (Sharpe 1994, doi 10.3905/jpm.1994.409501) with the loss
 * avoided in the place of the excess return, per effective outcome; variance, skewness and kurtosis are those of the
 * weighted sample.
 */
export class SkillMoments {
  private n = 0;
  private weight = 0;
  private loss = 0;
  private referenceLoss = 0;
  /** Weighted sums of d, d², d³ and d⁴. */
  private readonly powers = [0, 0, 0, 0];

  observe({ probability, reference, isHit, weight }: ScoredForecast): void {
    this.n += 1;
    if (weight <= 0) return;
    const loss = squaredError(probability, isHit);
    const referenceLoss = squaredError(reference, isHit);
    this.weight += weight;
    this.loss += weight * loss;
    this.referenceLoss += weight * referenceLoss;
    const avoided = referenceLoss - loss;
    let power = weight;
    for (let index = 0; index < this.powers.length; index += 1) {
      power *= avoided;
      this.powers[index] = (this.powers[index] ?? 0) + power;
    }
  }

  figures(): SkillFigures {
    const { n, weight, loss, referenceLoss } = this;
    const nothing = { skillRatio: null, skewness: null, kurtosis: null };
    if (weight <= 0) return { n, effectiveN: 0, brier: null, referenceBrier: null, skill: null, ...nothing };
    const scores = {
      ...{ n, effectiveN: weight, brier: loss / weight, referenceBrier: referenceLoss / weight },
      skill: skill(loss, referenceLoss) ?? null,
    };
    const [mean = 0, second = 0, third = 0, fourth = 0] = this.powers.map((sum) => sum / weight);
    const variance = second - mean * mean;
    if (variance <= RELATIVE_VARIANCE_MIN * second) return { ...scores, ...nothing };
    const deviation = Math.sqrt(variance);
    return {
      ...scores,
      skillRatio: mean / deviation,
      skewness: (third - 3 * mean * second + 2 * mean * mean * mean) / (variance * deviation),
      kurtosis:
        (fourth - 4 * mean * third + 6 * mean * mean * second - 3 * mean * mean * mean * mean) / (variance * variance),
    };
  }
}
