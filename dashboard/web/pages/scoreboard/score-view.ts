import type { ScoreGroup, ScoreRow, SkillResponse, SkillRow, Trial } from '../../../contract/scores.ts';
import { durationText } from '../../format/times.ts';

/** Forecasts that may be compared: of one instrument and configuration, judged by one rule. */
export interface Comparison {
  readonly key: string;
  readonly instrument: string;
  readonly configHash: string;
  readonly engineVersion: string;
  readonly horizonMs: number;
  /** The rule, for people. */
  readonly rule: string;
  /** The decisions first, then strategies by name. */
  readonly rows: readonly ScoreRow[];
}

const DECISION = 'DECISION';

/** Equal for the groups of one comparison. */
export function comparisonKey(group: ScoreGroup): string {
  return JSON.stringify([group.instrument, group.configHash, group.engineVersion, ruleText(group)]);
}

/** Rows side by side only where that is fair. The order of the groups is that of their first rows. */
export function comparisons(rows: readonly ScoreRow[]): Comparison[] {
  const byKey = Map.groupBy(rows, ({ group }) => comparisonKey(group));
  return [...byKey].flatMap(([key, members]) => {
    const group = members[0]?.group;
    if (group === undefined) return [];
    const { instrument, configHash, engineVersion, horizonMs } = group;
    return [
      {
        key,
        instrument,
        configHash,
        engineVersion,
        horizonMs,
        rule: ruleText(group),
        rows: members.toSorted(byForecast),
      },
    ];
  });
}

/** `moves at least 2 bp within 300 s`. */
export function ruleText({ hitRuleKind, horizonMs, leastMove }: ScoreGroup): string {
  const within = durationText(horizonMs);
  const move = leastMove === '' ? '' : ` by more than ${leastMove}`;
  return hitRuleKind === 'FIRST_TOUCH'
    ? `reaches its barrier${move} first, within ${within}`
    : `moves that way${move} after ${within}`;
}

/** The skill with its interval of the same group; undefined where it is not known. */
export function skillOf(group: ScoreGroup, skills: SkillResponse | undefined): SkillRow | undefined {
  const key = comparisonKey(group);
  return skills?.rows.find((row) => row.group.forecast === group.forecast && comparisonKey(row.group) === key);
}

export function forecastName(forecast: string): string {
  return forecast === DECISION ? 'Decisions, pooled' : forecast;
}

/** Different configurations tried on the data of one configuration; undefined where no trial of it is on record. */
export function triesOf(configHash: string, trials: readonly Trial[]): number | undefined {
  const tries = trials.filter((trial) => trial.configHash === configHash).map((trial) => trial.tries);
  return tries.length === 0 ? undefined : Math.max(...tries);
}

/** Bounds of an axis that has all of these rows' shares. */
export function shareBounds(rows: readonly ScoreRow[]): { readonly low: number; readonly high: number } {
  const values = rows.flatMap(({ hitRate, hitRateInterval, meanPublished, referenceRate }) =>
    [hitRate, hitRateInterval?.low, hitRateInterval?.high, meanPublished, referenceRate].filter(
      (value) => value !== null && value !== undefined,
    ),
  );
  if (values.length === 0) return { low: 0, high: 1 };
  const margin = 0.02;
  return { low: Math.max(0, Math.min(...values) - margin), high: Math.min(1, Math.max(...values) + margin) };
}

function byForecast({ group: left }: ScoreRow, { group: right }: ScoreRow): number {
  if (left.forecast === right.forecast) return 0;
  if (left.forecast === DECISION) return -1;
  if (right.forecast === DECISION) return 1;
  return left.forecast < right.forecast ? -1 : 1;
}
