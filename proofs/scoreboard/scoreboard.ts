import { nearestOf } from '../../contracts/nearest-name.ts';
import type { Outcome } from '../../contracts/generated/events.ts';
import { perTopic, type DerivedEvent, type DerivedTopic } from '../../contracts/topics.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { EventLog } from '../event-log.ts';
import { SkillMoments, type SkillFigures } from '../scores/skill-moments.ts';
import {
  DECISION,
  groupOf,
  isOfGroup,
  mergedGroup,
  mergedKeyOf,
  type ForecastGroup,
  type MergedGroup,
  type MergeKey,
} from './forecast-group.ts';
import { interleaved, OutcomeColumns, type KeptOutcome } from './outcome-columns.ts';
import { partsOf } from './parts.ts';
import { scoreRow } from './row-figures.ts';
import type { PartKind, ScoreRow } from './score-row.ts';

export const DAY_US = 86_400_000_000;

/** Which outcomes are counted, and which are counted together. Times in microseconds. */
export interface ScoreboardQuery {
  readonly instrument?: string | undefined;
  /** A strategy, or DECISION. */
  readonly forecast?: string | undefined;
  /** Forecasts made at or after it. */
  readonly sinceUs?: number | undefined;
  /** Forecasts made before it. */
  readonly untilUs?: number | undefined;
  /** Fields that may differ between outcomes that are counted together. */
  readonly merge?: readonly MergeKey[];
  /** The property by which each row is also split. */
  readonly by?: PartKind | undefined;
  /** Length of a period. */
  readonly periodUs?: number;
}

export interface Scoreboard {
  /** Derived events by topic, each counted once. */
  readonly events: Readonly<Record<DerivedTopic, number>>;
  /** Decisions by instrument. */
  readonly decisions: Readonly<Record<string, number>>;
  /** Fields that may differ between outcomes of one row: the rule by which they are counted together. */
  readonly merged: readonly MergeKey[];
  /** By instrument, hit rule, engine version and configuration: decisions first, then each strategy; a whole, then its parts. */
  readonly rows: readonly ScoreRow[];
  /** Of the decisions of each configuration, over all instruments and hit rules. */
  readonly skills: readonly ConfigurationSkill[];
}

/** The skill of one configuration's decisions. */
export interface ConfigurationSkill extends SkillFigures {
  readonly configHash: string;
}

interface CountedGroup {
  readonly group: ForecastGroup;
  readonly outcomes: OutcomeColumns;
}

/**
 * Makes a scoreboard from events, each topic's in its order; how the topics are mixed does not matter. A repeated event
 * counts once. O(1) for each event.
 */
export class ScoreboardCount {
  /** By instrument. */
  private readonly groups = new Map<string, CountedGroup[]>();
  private readonly decisions = new Map<string, number>();
  private readonly events = perTopic(() => 0);
  /** Sequence of the next event, by topic, then by partition. */
  private readonly next = new Map<DerivedTopic, number[]>();

  observe(topic: DerivedTopic, event: DerivedEvent): void {
    if (this.isRepeated(topic, event)) return;
    this.add(topic, 1);
    if (topic === 'probability.decisions') {
      this.decisions.set(event.instrument, (this.decisions.get(event.instrument) ?? 0) + 1);
    } else if (topic === 'decision.outcomes') this.observeOutcome(event as Outcome);
  }

  /** Counts events that need not be seen: snapshots and strategy results. */
  add(topic: DerivedTopic, count: number): void {
    this.events[topic] += count;
  }

  /** @throws TapeproofError USAGE when there is no outcome of a requested instrument or forecast. */
  board(query: ScoreboardQuery = {}): Scoreboard {
    const { merge = [] } = query;
    const groups = [...this.groups.values()].flat();
    assertKnown('instrument', query.instrument, [
      ...this.decisions.keys(),
      ...groups.map((one) => one.group.instrument),
    ]);
    assertKnown(
      'forecast',
      query.forecast,
      groups.map((one) => one.group.forecast),
    );
    const wanted = groups.filter(
      ({ group }) =>
        (query.instrument ?? group.instrument) === group.instrument &&
        (query.forecast ?? group.forecast) === group.forecast,
    );
    return {
      events: { ...this.events },
      decisions: Object.fromEntries([...this.decisions].sort()),
      merged: merge,
      rows: mergedGroups(wanted, merge).flatMap((together) => rowsOf(together, query)),
      skills: skillsOf(
        wanted.filter(({ group }) => group.forecast === DECISION),
        query,
      ),
    };
  }

  /** The outcomes of all decisions that a query asks for, by group and then in recorded order. */
  *decisionOutcomes({ instrument, sinceUs, untilUs }: ScoreboardQuery = {}): Generator<KeptOutcome> {
    for (const { group, outcomes } of [...this.groups.values()].flat()) {
      if (group.forecast !== DECISION || (instrument ?? group.instrument) !== group.instrument) continue;
      yield* within(outcomes, sinceUs, untilUs);
    }
  }

  private observeOutcome(outcome: Outcome): void {
    let groups = this.groups.get(outcome.instrument);
    if (groups === undefined) this.groups.set(outcome.instrument, (groups = []));
    let counted = groups.find(({ group }) => isOfGroup(outcome, group));
    if (counted === undefined) {
      counted = { group: groupOf(outcome), outcomes: new OutcomeColumns() };
      groups.push(counted);
    }
    counted.outcomes.push(outcome);
  }

  private isRepeated(topic: DerivedTopic, { tape, sequence }: DerivedEvent): boolean {
    let next = this.next.get(topic);
    if (next === undefined) this.next.set(topic, (next = []));
    if (sequence < (next[tape.partition] ?? 0)) return true;
    next[tape.partition] = sequence + 1;
    return false;
  }
}

interface Together {
  readonly group: MergedGroup;
  readonly members: readonly CountedGroup[];
}

/** Groups that are counted together, in the order of the rows. */
function mergedGroups(groups: readonly CountedGroup[], merge: readonly MergeKey[]): readonly Together[] {
  const together = new Map<string, CountedGroup[]>();
  for (const counted of groups) {
    const key = mergedKeyOf(counted.group, merge);
    together.set(key, [...(together.get(key) ?? []), counted]);
  }
  return [...together]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, members]) => ({ group: mergedGroup(members.map(({ group }) => group)), members }));
}

/** The row of a merged group, and those of its parts. */
function rowsOf({ group, members }: Together, query: ScoreboardQuery): readonly ScoreRow[] {
  const { sinceUs, untilUs, by, periodUs = DAY_US } = query;
  const outcomes = within(interleaved(members.map((member) => member.outcomes)), sinceUs, untilUs);
  if (outcomes.length === 0) return [];
  const isWholeSeries = members.length === 1 && sinceUs === undefined && untilUs === undefined;
  const whole = scoreRow({ group, part: null, outcomes, isWholeSeries });
  if (by === undefined) return [whole];
  const parts = partsOf(outcomes, by, { horizonMs: group.hitRule.horizonMs, periodUs });
  return [whole, ...parts.map((part) => scoreRow({ group, ...part, isWholeSeries: false }))];
}

/** By configuration, in the order of their hashes. An outcome without a reference rate has no part in it. */
function skillsOf(
  decisions: readonly CountedGroup[],
  { sinceUs, untilUs }: ScoreboardQuery,
): readonly ConfigurationSkill[] {
  const moments = new Map<string, SkillMoments>();
  for (const { group, outcomes } of decisions) {
    const { configHash } = group;
    const counted = moments.get(configHash) ?? new SkillMoments();
    moments.set(configHash, counted);
    for (const { verdict, weight, published: probability, reference } of within(outcomes, sinceUs, untilUs)) {
      if (verdict === 'VOID' || Number.isNaN(reference)) continue;
      counted.observe({ probability, reference, isHit: verdict === 'HIT', weight });
    }
  }
  return [...moments]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([configHash, counted]) => ({ configHash, ...counted.figures() }));
}

function within(outcomes: OutcomeColumns, sinceUs: number | undefined, untilUs: number | undefined): OutcomeColumns {
  if (sinceUs === undefined && untilUs === undefined) return outcomes;
  const chosen = new OutcomeColumns();
  for (const outcome of outcomes) {
    if (outcome.forecastTime >= (sinceUs ?? 0) && outcome.forecastTime < (untilUs ?? Number.POSITIVE_INFINITY)) {
      chosen.append(outcome);
    }
  }
  return chosen;
}

function assertKnown(what: 'instrument' | 'forecast', name: string | undefined, known: readonly string[]): void {
  if (name === undefined || known.includes(name)) return;
  const all = [...new Set(known)].sort();
  const nearest = nearestOf(name, all);
  const advice =
    nearest !== undefined
      ? `did you mean ${nearest}?`
      : all.length === 0
        ? 'nothing is decided yet.'
        : `there ${all.length === 1 ? 'is' : 'are'} ${all.slice(0, NAMES_MAX).join(', ')}.`;
  throw new TapeproofError('USAGE', `There is no outcome for the ${what} ${name}: ${advice}`);
}

/** Names in a sentence at most. */
const NAMES_MAX = 12;

/** The results of the forecasts, from the decision log itself. @throws TapeproofError USAGE, like {@link ScoreboardCount}. */
export async function scoreboard(log: EventLog, partitions: number, query?: ScoreboardQuery): Promise<Scoreboard> {
  const count = new ScoreboardCount();
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const topic of ['probability.decisions', 'decision.outcomes'] as const) {
      for await (const { event } of log.sequenced(topic, partition)) count.observe(topic, event);
    }
    for (const topic of ['indicator.snapshots', 'strategy.results'] as const) {
      count.add(topic, await log.sequenceEnd(topic, partition));
    }
  }
  return count.board(query);
}
