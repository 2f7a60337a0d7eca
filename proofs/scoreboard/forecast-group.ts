import type { ForecastKind, HitRuleKind, Outcome } from '../../contracts/generated/events.ts';

const US_PER_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** The name of decisions among forecasts; no strategy has this name. */
export const DECISION = 'DECISION';

/** A hit rule as named in outcomes. */
export interface RuleOfOutcomes {
  readonly kind: HitRuleKind;
  readonly horizonMs: number;
  /** Basis points; null when points decide, and in outcomes of engine versions 1 to 3. */
  readonly minMoveBps: number | null;
  /** Quote currency, exact; null when basis points decide. */
  readonly minMovePoints: string | null;
}

/** The fields that forecasts must have in common to be counted together. */
export interface ForecastGroup {
  readonly instrument: string;
  /** The strategy's name, or {@link DECISION}. */
  readonly forecast: string;
  readonly forecastKind: ForecastKind;
  /** Null for decisions. */
  readonly strategy: string | null;
  readonly hitRule: RuleOfOutcomes;
  /** Of the configuration under which the forecasts were made. */
  readonly configHash: string;
  /** Of the engine that made them. */
  readonly engineVersion: string;
}

/** Fields in which groups may differ and nevertheless be counted together, on request. */
export const MERGE_KEYS = ['configuration', 'engine', 'instrument'] as const;
export type MergeKey = (typeof MERGE_KEYS)[number];

/** Groups that are counted as one. Each list is sorted; it has one entry if that field was not merged. */
export interface MergedGroup extends Pick<ForecastGroup, 'forecast' | 'forecastKind' | 'strategy' | 'hitRule'> {
  /** The only one; null when several are counted together. The same holds for the two below. */
  readonly instrument: string | null;
  readonly configHash: string | null;
  readonly engineVersion: string | null;
  readonly instruments: readonly string[];
  readonly configHashes: readonly string[];
  readonly engineVersions: readonly string[];
}

/** The group of an outcome. */
export function groupOf(outcome: Outcome): ForecastGroup {
  const { instrument, forecastKind, strategy, minMoveBps, minMovePoints, forecastTime, dueTime } = outcome;
  return {
    ...{ instrument, forecastKind, strategy },
    forecast: strategy ?? DECISION,
    hitRule: {
      // Engine versions 1 to 3 knew only this kind, and do not name it.
      kind: outcome.hitRuleKind ?? 'MOVE',
      horizonMs: (dueTime - forecastTime) / US_PER_MS,
      minMoveBps: minMovePoints === null ? minMoveBps : null,
      minMovePoints: minMovePoints?.toString() ?? null,
    },
    configHash: outcome.forecastConfigHash ?? outcome.configHash,
    engineVersion: outcome.forecastEngineVersion ?? outcome.engineVersion,
  };
}

/** Whether an outcome belongs to a group: compared field by field, without making a text from each outcome. */
export function isOfGroup(outcome: Outcome, group: ForecastGroup): boolean {
  const { hitRule } = group;
  return (
    outcome.strategy === group.strategy &&
    outcome.dueTime - outcome.forecastTime === hitRule.horizonMs * US_PER_MS &&
    (outcome.hitRuleKind ?? 'MOVE') === hitRule.kind &&
    (outcome.minMovePoints === null ? outcome.minMoveBps : null) === hitRule.minMoveBps &&
    (outcome.minMovePoints?.toString() ?? null) === hitRule.minMovePoints &&
    (outcome.forecastConfigHash ?? outcome.configHash) === group.configHash &&
    (outcome.forecastEngineVersion ?? outcome.engineVersion) === group.engineVersion &&
    outcome.instrument === group.instrument
  );
}

/** The common fields of groups that are counted together, as one text by which rows are sorted. */
export function mergedKeyOf(group: ForecastGroup, merge: readonly MergeKey[]): string {
  const { instrument, strategy, hitRule, configHash, engineVersion } = group;
  return [
    merge.includes('instrument') ? '' : instrument,
    ruleKeyOf(hitRule),
    merge.includes('engine') ? '' : engineVersion,
    merge.includes('configuration') ? '' : configHash,
    strategy ?? '',
  ].join('\u0001');
}

/** Groups that have a {@link mergedKeyOf} in common; there is at least one. */
export function mergedGroup(groups: readonly ForecastGroup[]): MergedGroup {
  const [first] = groups;
  if (first === undefined) throw new RangeError('there is no group to merge');
  const { forecast, forecastKind, strategy, hitRule } = first;
  const distinct = (of: (group: ForecastGroup) => string) => [...new Set(groups.map(of))].sort();
  const instruments = distinct(({ instrument }) => instrument);
  const configHashes = distinct(({ configHash }) => configHash);
  const engineVersions = distinct(({ engineVersion }) => engineVersion);
  return {
    instrument: onlyOf(instruments),
    ...{ forecast, forecastKind, strategy, hitRule },
    configHash: onlyOf(configHashes),
    engineVersion: onlyOf(engineVersions),
    ...{ instruments, configHashes, engineVersions },
  };
}

function onlyOf(names: readonly string[]): string | null {
  return names.length === 1 ? (names[0] ?? null) : null;
}

/** Rules by kind, then by horizon. */
export function ruleKeyOf({ kind, horizonMs, minMoveBps, minMovePoints }: RuleOfOutcomes): string {
  return `${kind} ${String(horizonMs).padStart(12, '0')} ${minMovePoints ?? minMoveBps ?? ''}`;
}

/** A hit rule for people: `MOVE > 2 bp in 300 s`. */
export function ruleText({ kind, horizonMs, minMoveBps, minMovePoints }: RuleOfOutcomes): string {
  const sign = kind === 'MOVE' ? '>' : '≥';
  const least = minMovePoints === null ? (minMoveBps === null ? '' : `${minMoveBps} bp`) : `${minMovePoints} points`;
  return `${kind}${least === '' ? '' : ` ${sign} ${least}`} in ${horizonMs / MS_PER_SECOND} s`;
}
