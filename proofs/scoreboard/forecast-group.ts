import type { ForecastKind, HitRuleKind, Outcome } from '../../contracts/generated/events.ts';

const US_PER_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** What a decision is called among forecasts; no strategy has this name. */
export const DECISION = 'DECISION';

/** A hit rule as outcomes name it. */
export interface RuleOfOutcomes {
  readonly kind: HitRuleKind;
  readonly horizonMs: number;
  /** Basis points; null where points decide, and in outcomes of engine versions 1 to 3. */
  readonly minMoveBps: number | null;
  /** Quote currency, exact; null where basis points decide. */
  readonly minMovePoints: string | null;
}

/** What forecasts must have in common to be counted together. */
export interface ForecastGroup {
  readonly instrument: string;
  /** The strategy's name, or {@link DECISION}. */
  readonly forecast: string;
  readonly forecastKind: ForecastKind;
  /** Null for decisions. */
  readonly strategy: string | null;
  readonly hitRule: RuleOfOutcomes;
  /** Of the configuration that the forecasts were made under. */
  readonly configHash: string;
  /** Of the engine that made them. */
  readonly engineVersion: string;
}

/** What groups may differ in and be counted together nevertheless, where that is asked for. */
export const MERGE_KEYS = ['configuration', 'engine', 'instrument'] as const;
export type MergeKey = (typeof MERGE_KEYS)[number];

/** Groups that are counted as one. Each list is sorted; it has one entry where that was not merged. */
export interface MergedGroup extends Pick<ForecastGroup, 'forecast' | 'forecastKind' | 'strategy' | 'hitRule'> {
  /** The only one; null where several are counted together. So are the two below. */
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
      // Engine versions 1 to 3 knew this kind alone, and do not name it.
      kind: outcome.hitRuleKind ?? 'MOVE',
      horizonMs: (dueTime - forecastTime) / US_PER_MS,
      minMoveBps: minMovePoints === null ? minMoveBps : null,
      minMovePoints: minMovePoints?.toString() ?? null,
    },
    configHash: outcome.forecastConfigHash ?? outcome.configHash,
    engineVersion: outcome.forecastEngineVersion ?? outcome.engineVersion,
  };
}

/** Whether an outcome is of a group: compared field by field, which makes no text of each outcome. */
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

/** What groups that are counted together have in common, as one text by which rows are sorted. */
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
  if (first === undefined) throw new RangeError('nothing is merged of no group');
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
