import { EFFECTIVE_N_MIN, RARER_VERDICT_MIN, type BatchedMean } from '../scores/batch-means.ts';
import type { WithheldFigures } from './score-row.ts';

const ALL_FIGURES = ['all figures'];
const OF_THE_REFERENCE = ['referenceRate', 'brierReference', 'skillAgainstReference', 'regret'];

export interface WithheldBecause {
  readonly n: number;
  readonly effectiveN: number;
  readonly hitRate: BatchedMean;
  readonly skill: BatchedMean;
  /** Outcomes without a reference rate. */
  readonly unreferenced: number;
  readonly isWholeSeries: boolean;
}

/** The figures of a row that are not shown, and the reasons. */
export function withheldOf(because: WithheldBecause): readonly WithheldFigures[] {
  const { n, effectiveN, hitRate, skill, unreferenced, isWholeSeries } = because;
  if (effectiveN < EFFECTIVE_N_MIN) {
    const sentence = `too few: an effective n of ${effectiveN.toFixed(1)} is below ${EFFECTIVE_N_MIN}`;
    return [{ figures: ALL_FIGURES, reason: 'TOO_FEW', sentence }];
  }
  const withheld: WithheldFigures[] = [];
  if (hitRate.withheld === 'ONE_SIDED') {
    const sentence = `hits or misses are worth fewer than ${RARER_VERDICT_MIN} horizons, so their rate cannot be measured`;
    withheld.push({ figures: ['hitRate'], reason: 'ONE_SIDED', sentence });
  } else if (hitRate.withheld !== null) {
    withheld.push({ figures: ['hitRate'], reason: hitRate.withheld, sentence: ALIKE });
  }
  if (unreferenced > 0) {
    const sentence = `${unreferenced === n ? 'the' : `${unreferenced} of the ${n}`} forecasts were made by an engine version before 4, which had no reference rate`;
    return [...withheld, { figures: OF_THE_REFERENCE, reason: 'NO_REFERENCE', sentence }];
  }
  if (skill.withheld !== null) {
    withheld.push({ figures: ['skillAgainstReference'], reason: skill.withheld, sentence: ALIKE });
  }
  if (!isWholeSeries) {
    const sentence =
      'the regret and its bound are defined for one whole series, not for a part, a span of time, or several merged';
    withheld.push({ figures: ['regret'], reason: 'NOT_A_WHOLE_SERIES', sentence });
  }
  return withheld;
}

const ALIKE = 'the outcomes are all alike: they do not show how far they may differ';
