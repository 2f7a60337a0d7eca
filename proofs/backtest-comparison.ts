import type { Interval } from '../evaluators/outcomes/wilson.ts';
import { ruleKeyOf } from './scoreboard/forecast-group.ts';
import type { ScoreRow } from './scoreboard/score-row.ts';

/** The same group of forecasts under two configurations. Undefined when a configuration does not have the group. */
export interface ComparedGroup {
  readonly a: ScoreRow | undefined;
  readonly b: ScoreRow | undefined;
}

/** B less A, of one group of forecasts. Rates as shares; null when one of them does not have the figure. */
export interface Difference extends Pick<ScoreRow, 'forecast' | 'forecastKind' | 'strategy'> {
  readonly instrument: string | null;
  readonly hitRate: number | null;
  readonly meanPublished: number | null;
  readonly referenceRate: number | null;
  readonly skillAgainstReference: number | null;
  readonly n: number;
  readonly effectiveN: number;
  readonly voids: number;
  /** True when the two intervals of the hit rate share a value: the hit rates cannot be distinguished. */
  readonly intervalsOverlap: boolean | null;
  /** The same for the skill. */
  readonly skillIntervalsOverlap: boolean | null;
}

/**
 * Rows of two scoreboards side by side, in the order of a scoreboard: one pair for each instrument, forecast and hit
 * rule, or, if each configuration has a single hit rule, for each instrument and forecast.
 */
export function groupsOf(a: readonly ScoreRow[], b: readonly ScoreRow[]): readonly ComparedGroup[] {
  const isByRule = rulesOf(a) > 1 || rulesOf(b) > 1;
  const keyOf = (row: ScoreRow) =>
    [row.instrument, isByRule ? ruleKeyOf(row.hitRule) : '', row.strategy ?? ''].join('\u0001');
  const groups = new Map<string, ComparedGroup>();
  for (const row of a) groups.set(keyOf(row), { a: row, b: undefined });
  for (const row of b) groups.set(keyOf(row), { a: groups.get(keyOf(row))?.a, b: row });
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
}

export function differencesBetween(first: readonly ScoreRow[], second: readonly ScoreRow[]): readonly Difference[] {
  return groupsOf(first, second).flatMap(({ a, b }) => {
    const named = a ?? b;
    if (named === undefined) return [];
    const { instrument, forecast, forecastKind, strategy } = named;
    return {
      ...{ instrument, forecast, forecastKind, strategy },
      hitRate: less(b?.hitRate, a?.hitRate),
      meanPublished: less(b?.meanPublished, a?.meanPublished),
      referenceRate: less(b?.referenceRate, a?.referenceRate),
      skillAgainstReference: less(b?.skillAgainstReference, a?.skillAgainstReference),
      n: (b?.n ?? 0) - (a?.n ?? 0),
      effectiveN: (b?.effectiveN ?? 0) - (a?.effectiveN ?? 0),
      voids: (b?.voids ?? 0) - (a?.voids ?? 0),
      intervalsOverlap: overlap(a?.hitRateInterval, b?.hitRateInterval),
      skillIntervalsOverlap: overlap(a?.skillAgainstReferenceInterval, b?.skillAgainstReferenceInterval),
    };
  });
}

function rulesOf(rows: readonly ScoreRow[]): number {
  return new Set(rows.map(({ hitRule }) => ruleKeyOf(hitRule))).size;
}

function less(value: number | null | undefined, subtracted: number | null | undefined): number | null {
  return value == null || subtracted == null ? null : value - subtracted;
}

function overlap(one: Interval | null | undefined, other: Interval | null | undefined): boolean | null {
  return one == null || other == null ? null : one.low <= other.high && other.low <= one.high;
}
