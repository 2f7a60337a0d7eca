import type { HitMissSummary } from '../evaluators/outcomes/hit-miss-tracker.ts';
import type { Interval } from '../evaluators/outcomes/wilson.ts';

/** The same group of forecasts under two configurations. Undefined where a configuration has none of it. */
export interface ComparedGroup {
  readonly a: HitMissSummary | undefined;
  readonly b: HitMissSummary | undefined;
}

/** B less A, of one group of forecasts. Rates as shares; undefined where one of them has no such figure. */
export interface Difference extends Pick<HitMissSummary, 'instrument' | 'forecastKind' | 'strategy'> {
  readonly hitRate: number | undefined;
  readonly baseRate: number | undefined;
  readonly n: number;
  readonly effectiveN: number;
  readonly voids: number;
  /** True where the two intervals of the hit rate share a value: the hit rates cannot be told apart. */
  readonly intervalsOverlap: boolean | undefined;
}

/** Groups of two scoreboards side by side, in the order of a scoreboard. */
export function groupsOf(a: readonly HitMissSummary[], b: readonly HitMissSummary[]): readonly ComparedGroup[] {
  const groups = new Map<string, ComparedGroup>();
  for (const summary of a) groups.set(keyOf(summary), { a: summary, b: undefined });
  for (const summary of b) groups.set(keyOf(summary), { a: groups.get(keyOf(summary))?.a, b: summary });
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
}

export function differencesBetween(
  first: readonly HitMissSummary[],
  second: readonly HitMissSummary[],
): readonly Difference[] {
  return groupsOf(first, second).flatMap(({ a, b }) => {
    const named = a ?? b;
    if (named === undefined) return [];
    const { instrument, forecastKind, strategy } = named;
    return {
      ...{ instrument, forecastKind, strategy },
      hitRate: less(b?.hitRate, a?.hitRate),
      baseRate: less(b?.baseRate, a?.baseRate),
      n: (b?.n ?? 0) - (a?.n ?? 0),
      effectiveN: (b?.effectiveN ?? 0) - (a?.effectiveN ?? 0),
      voids: (b?.voids ?? 0) - (a?.voids ?? 0),
      intervalsOverlap: overlap(a?.interval, b?.interval),
    };
  });
}

function keyOf({ instrument, forecastKind, strategy }: HitMissSummary): string {
  return `${instrument} ${forecastKind} ${strategy ?? ''}`;
}

function less(value: number | undefined, subtracted: number | undefined): number | undefined {
  return value === undefined || subtracted === undefined ? undefined : value - subtracted;
}

function overlap(one: Interval | undefined, other: Interval | undefined): boolean | undefined {
  return one && other && one.low <= other.high && other.low <= one.high;
}
