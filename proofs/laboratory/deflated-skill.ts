import { normalDistribution, normalQuantile } from '../scores/normal.ts';
import type { SkillFigures } from '../scores/skill-moments.ts';

/** Euler's constant γ. */
const EULER = 0.5772156649015329;
const E = 2.718281828459045;
/** With fewer effective outcomes the normal approximation says nothing. */
const EFFECTIVE_N_MIN = 2;

/** A score beside the number of configurations that were tried on the same data. */
export interface DeflatedSkill {
  /** Different configurations tried, this one included. */
  readonly tries: number;
  /** The skill ratio that the best of so many is expected to have by luck alone; 0 for the only one. */
  readonly ratioByLuck: number;
  /** Probability, 0 to 1, that the true skill ratio is above 0 although this one was chosen; null where it is not defined. */
  readonly probability: number | null;
}

/**
 * The greatest of `tries` independent normal values of mean 0 and this variance, as expected:
 * `√V·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e)))`; 0 for a single one.
 */
export function expectedMaximum(tries: number, variance: number): number {
  if (tries <= 1) return 0;
  const standard = (1 - EULER) * normalQuantile(1 - 1 / tries) + EULER * normalQuantile(1 - 1 / (tries * E));
  return Math.sqrt(variance) * standard;
}

/**
 * The deflated Sharpe ratio (Bailey & López de Prado 2014, doi 10.3905/jpm.2014.40.5.094) of a skill ratio S, the mean of
 * the loss avoided over its standard deviation, with T the effective n, γ3 and γ4 skewness and kurtosis of the loss
 * avoided, and S0 the {@link expectedMaximum} over the variance of the ratios of all tries:
 * `Φ((S − S0)·√(T − 1) / √(1 − γ3·S + (γ4 − 1)/4·S²))`.
 *
 * It takes the tries for independent of each other, which makes it cautious: similar configurations are fewer tries
 * than they count. docs/laboratory.md states the assumptions.
 *
 * @param ratios - the skill ratios of all different configurations tried, this one's among them.
 * @param tries - their number, those without a ratio included.
 */
export function deflatedSkill(chosen: SkillFigures, ratios: readonly number[], tries: number): DeflatedSkill {
  const ratioByLuck = expectedMaximum(tries, varianceOf(ratios));
  const { skillRatio, skewness, kurtosis, effectiveN } = chosen;
  if (skillRatio === null || skewness === null || kurtosis === null || effectiveN < EFFECTIVE_N_MIN) {
    return { tries, ratioByLuck, probability: null };
  }
  const spread = 1 - skewness * skillRatio + ((kurtosis - 1) / 4) * skillRatio * skillRatio;
  if (spread <= 0) return { tries, ratioByLuck, probability: null };
  const deviations = ((skillRatio - ratioByLuck) * Math.sqrt(effectiveN - 1)) / Math.sqrt(spread);
  return { tries, ratioByLuck, probability: normalDistribution(deviations) };
}

/** The sample variance; 0 for fewer than two. */
function varianceOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1);
}
