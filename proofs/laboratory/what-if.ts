import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { IndicatorSnapshot, ProbabilityDecision } from '../../contracts/generated/events.ts';
import { CHANGE_KINDS, subjectOf, type DecisionChange, type DecisionChanges } from './decision-comparison.ts';
import { contentDifferences, fieldDifferences, type FieldDifference } from './field-differences.ts';
import type { TapeRunReport } from './tape-backtest.ts';

export const WHAT_IF_SCHEMA = 'tapeproof.what-if/1';
/** On everything that was never decided. */
export const HYPOTHETICAL = 'HYPOTHETICAL';

/** One side of a changed decision. */
export interface DecisionGist {
  readonly direction: string;
  readonly probability: number;
  readonly confidence: number;
}

/** A changed decision as data. */
export interface ChangeGist {
  readonly label: typeof HYPOTHETICAL;
  readonly kind: DecisionChange['kind'];
  readonly decisionId: string;
  readonly instrument: string;
  /** ISO 8601. */
  readonly time: string;
  readonly recorded: DecisionGist | null;
  readonly hypothetical: DecisionGist | null;
  readonly magnitude: number | null;
}

/** A changed decision with everything that differs on the way to it. */
export interface ExplainedChange extends ChangeGist {
  /** Of the snapshots; null where one side has none there. */
  readonly snapshot: readonly FieldDifference[] | null;
  /** Empty where only one side decided. */
  readonly decision: readonly FieldDifference[];
}

export interface WhatIfReport extends TapeRunReport {
  readonly schema: typeof WHAT_IF_SCHEMA;
  readonly label: typeof HYPOTHETICAL;
  readonly hypothetical: true;
  /** Difference of the probability from which on a decision counts as changed. */
  readonly threshold: number;
  /** From the configuration recorded last on the tape to this one. */
  readonly configurationDifferences: readonly FieldDifference[];
  readonly changes: Omit<DecisionChanges, 'first' | 'largest'> & {
    readonly first: readonly ChangeGist[];
    readonly largest: readonly ChangeGist[];
  };
  readonly explained: readonly ExplainedChange[];
}

export function gistOf(change: DecisionChange): ChangeGist {
  const { kind, recorded, hypothetical, magnitude } = change;
  const { eventId, instrument, eventTime } = subjectOf(change);
  return {
    ...{ label: HYPOTHETICAL, kind, decisionId: eventId, instrument, time: isoTimeOf(eventTime), magnitude },
    recorded: sideOf(recorded),
    hypothetical: sideOf(hypothetical),
  };
}

function sideOf(decision: ProbabilityDecision | undefined): DecisionGist | null {
  if (decision === undefined) return null;
  const { direction, probability, confidence } = decision;
  return { direction, probability, confidence };
}

/**
 * Everything that differs on the way to a changed decision, from cause to effect.
 *
 * @param recordedSnapshot - behind the recorded decision.
 */
export function explained(change: DecisionChange, recordedSnapshot: IndicatorSnapshot | undefined): ExplainedChange {
  const { recorded, hypothetical, snapshot } = change;
  const areBoth = recordedSnapshot !== undefined && snapshot !== undefined;
  return {
    ...gistOf(change),
    snapshot: areBoth ? contentDifferences(recordedSnapshot, snapshot) : null,
    decision: recorded === undefined || hypothetical === undefined ? [] : contentDifferences(recorded, hypothetical),
  };
}

/** @param recorded - canonical JSON; null without an activation. */
export function configurationDifferences(recorded: string | null, hypothetical: unknown): readonly FieldDifference[] {
  return recorded === null ? [] : fieldDifferences(JSON.parse(recorded), hypothetical);
}

const CSV_HEAD = [
  ...['label', 'kind', 'instrument', 'time', 'decision_id', 'recorded_direction', 'recorded_probability'],
  ...['hypothetical_direction', 'hypothetical_probability', 'magnitude'],
] as const;

/** One line for each changed decision, below a line of names (RFC 4180). */
export function changesCsvHead(): string {
  return `${CSV_HEAD.join(',')}\n`;
}

export function changeCsv(change: DecisionChange): string {
  const { label, kind, instrument, time, decisionId, recorded, hypothetical, magnitude } = gistOf(change);
  const cells = [label, kind, instrument, time, decisionId, ...cellsOf(recorded), ...cellsOf(hypothetical), magnitude];
  return `${cells.map((cell) => String(cell ?? '')).join(',')}\n`;
}

function cellsOf(side: DecisionGist | null): readonly (string | number | null)[] {
  return [side?.direction ?? null, side?.probability ?? null];
}

/** All decisions that changed. */
export function changedCount({ changed }: Pick<DecisionChanges, 'changed'>): number {
  return CHANGE_KINDS.reduce((sum, kind) => sum + changed[kind], 0);
}
