import type { IndicatorSnapshot, Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
import type { DerivedEvent, DerivedTopic } from '../../contracts/topics.ts';
import { isSameRule, PairedScores, type PairedScore } from './paired-scores.ts';

/**
 * How a decision of the tape differs from the hypothetical one of the same tape record.
 *
 * `rule`: another hit rule, so another question · `direction` · `probability`: the same direction, by more than the
 * threshold · `new`: only hypothetical · `gone`: only recorded.
 */
export const CHANGE_KINDS = ['rule', 'direction', 'probability', 'new', 'gone'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A decision that differs. */
export interface DecisionChange {
  readonly kind: ChangeKind;
  readonly recorded: ProbabilityDecision | undefined;
  readonly hypothetical: ProbabilityDecision | undefined;
  /** The hypothetical snapshot behind it. */
  readonly snapshot: IndicatorSnapshot | undefined;
  /** Difference of the probabilities of a rise, 0 to 1; null where one of the two does not exist. */
  readonly magnitude: number | null;
}

/** The comparison of two derivations from the same tape. */
export interface DecisionChanges {
  /** Decisions compared, on either side. */
  readonly compared: number;
  /** Decisions of both sides with the same rule and direction and a probability within the threshold. */
  readonly alike: number;
  readonly changed: Readonly<Record<ChangeKind, number>>;
  /** Hypothetical decisions from tape records that the engine has not come to yet. */
  readonly ahead: number;
  /** Recorded decisions and outcomes that the log has once more: set aside, and their bytes not compared. */
  readonly repeated: number;
  /** The first of all, and the largest by magnitude. */
  readonly first: readonly DecisionChange[];
  readonly largest: readonly DecisionChange[];
  readonly paired: readonly PairedScore[];
}

export interface ComparisonOptions {
  /** Difference of the probability from which on a decision counts as changed. */
  readonly threshold: number;
  /** First changes that are kept. */
  readonly firstMax: number;
  /** Which decisions are compared; all by default. Times in microseconds. */
  readonly instrument?: string | undefined;
  readonly sinceUs?: number | undefined;
  readonly untilUs?: number | undefined;
  /** Receives every change, in order. */
  readonly onChange?: ((change: DecisionChange) => void) | undefined;
}

const LARGEST_MAX = 5;

/** An event with its topic. */
export interface TopicEvent {
  readonly topic: DerivedTopic;
  readonly event: DerivedEvent;
}

/** What both sides derived from the same stretch of a partition of the tape. */
export interface ComparedStretch {
  readonly hypothetical: readonly TopicEvent[];
  /** Decisions and outcomes of the log. */
  readonly recorded: readonly TopicEvent[];
  /** Hypothetical decisions from this tape offset on have no counterpart yet: the log ends before. */
  readonly recordedTo: number;
}

/** Compares decision by decision, one stretch of a partition after another. Memory is bounded by a stretch and a horizon. */
export class DecisionComparison {
  private readonly options: ComparisonOptions;
  private readonly scores = new PairedScores();
  private readonly changed: Record<ChangeKind, number> = { rule: 0, direction: 0, probability: 0, new: 0, gone: 0 };
  private readonly first: DecisionChange[] = [];
  private largest: DecisionChange[] = [];
  private compared = 0;
  private alike = 0;
  private ahead = 0;
  private repeated = 0;

  constructor(options: ComparisonOptions) {
    this.options = options;
  }

  take({ hypothetical, recorded, recordedTo }: ComparedStretch): void {
    const decided = new Map<string, ProbabilityDecision>();
    for (const { topic, event } of recorded) {
      if (topic === 'probability.decisions' && this.isWanted(event)) {
        decided.set(event.eventId, event as ProbabilityDecision);
      }
    }
    // In the order of the tape: recorded decisions without a counterpart come before the next one that has one.
    let snapshot: IndicatorSnapshot | undefined;
    const changes: DecisionChange[] = [];
    for (const { topic, event } of hypothetical) {
      if (topic === 'indicator.snapshots') snapshot = event as IndicatorSnapshot;
      if (topic !== 'probability.decisions' || !this.isWanted(event)) continue;
      const decision = event as ProbabilityDecision;
      const counterpart = decided.get(decision.eventId);
      decided.delete(decision.eventId);
      if (counterpart === undefined && decision.tape.offset >= recordedTo) {
        this.ahead += 1;
        continue;
      }
      const change = this.compare(counterpart, decision, snapshot);
      if (change !== undefined) changes.push(change);
    }
    for (const decision of decided.values()) changes.push(this.only('gone', decision, undefined, undefined));
    for (const change of changes.sort(byTape)) this.note(change);
    this.settle('hypothetical', hypothetical);
    this.settle('recorded', recorded);
  }

  /** Counts recorded events that were left out because they are repetitions. */
  setAside(repeated: number): void {
    this.repeated += repeated;
  }

  report(): DecisionChanges {
    const { compared, alike, changed, ahead, repeated, first, largest } = this;
    return { compared, alike, changed, ahead, repeated, first, largest, paired: this.scores.scores() };
  }

  private isWanted({ instrument, eventTime }: DerivedEvent): boolean {
    const { instrument: wanted = instrument, sinceUs = 0, untilUs = Number.POSITIVE_INFINITY } = this.options;
    return instrument === wanted && eventTime >= sinceUs && eventTime < untilUs;
  }

  private compare(
    recorded: ProbabilityDecision | undefined,
    hypothetical: ProbabilityDecision,
    snapshot: IndicatorSnapshot | undefined,
  ): DecisionChange | undefined {
    if (recorded === undefined) return this.only('new', undefined, hypothetical, snapshot);
    this.compared += 1;
    this.scores.pair(recorded, hypothetical);
    const magnitude = Math.abs(riseOf(hypothetical) - riseOf(recorded));
    const kind = !isSameRule(recorded.hitRule, hypothetical.hitRule)
      ? 'rule'
      : recorded.direction !== hypothetical.direction
        ? 'direction'
        : Math.abs(hypothetical.probability - recorded.probability) > this.options.threshold
          ? 'probability'
          : undefined;
    if (kind === undefined) this.alike += 1;
    return kind === undefined ? undefined : { kind, recorded, hypothetical, snapshot, magnitude };
  }

  private only(
    kind: 'new' | 'gone',
    recorded: ProbabilityDecision | undefined,
    hypothetical: ProbabilityDecision | undefined,
    snapshot: IndicatorSnapshot | undefined,
  ): DecisionChange {
    this.compared += 1;
    return { kind, recorded, hypothetical, snapshot, magnitude: null };
  }

  private note(change: DecisionChange): void {
    this.changed[change.kind] += 1;
    if (this.first.length < this.options.firstMax) this.first.push(change);
    const least = this.largest.at(-1)?.magnitude ?? -1;
    if (change.magnitude !== null && (this.largest.length < LARGEST_MAX || change.magnitude > least)) {
      this.largest = [...this.largest, change]
        .sort((left, right) => (right.magnitude ?? 0) - (left.magnitude ?? 0))
        .slice(0, LARGEST_MAX);
    }
    this.options.onChange?.(change);
  }

  private settle(side: 'recorded' | 'hypothetical', events: readonly TopicEvent[]): void {
    for (const { topic, event } of events) {
      if (topic === 'decision.outcomes') this.scores.settle(side, event as Outcome);
    }
  }
}

/** The decision that a change is about. */
export function subjectOf({ recorded, hypothetical }: DecisionChange): ProbabilityDecision {
  const subject = hypothetical ?? recorded;
  if (subject === undefined) throw new TypeError('a change is about a decision');
  return subject;
}

function byTape(left: DecisionChange, right: DecisionChange): number {
  return subjectOf(left).tape.offset - subjectOf(right).tape.offset;
}

/** The probability of a move up that a decision stands for: of one down less it, ½ without a direction. */
function riseOf({ direction, probability }: ProbabilityDecision): number {
  if (direction === 'NEUTRAL') return 0.5;
  return direction === 'LONG' ? probability : 1 - probability;
}
