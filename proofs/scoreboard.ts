import type { EventTypes } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, type DerivedEvent, type DerivedTopic } from '../contracts/topics.ts';
import { HitMissTracker, type HitMissSummary } from '../evaluators/outcomes/hit-miss-tracker.ts';
import type { EventLog } from './event-log.ts';

export interface Scoreboard {
  /** Derived events by topic, each counted once. */
  readonly events: Readonly<Record<DerivedTopic, number>>;
  /** Decisions by instrument. */
  readonly decisions: Readonly<Record<string, number>>;
  /** By instrument: decisions first, then each strategy; only where an outcome is there. */
  readonly summaries: readonly HitMissSummary[];
}

/** Makes a scoreboard of events, of each topic in its order; how the topics are mixed does not matter. */
export class ScoreboardCount {
  private readonly tracker = new HitMissTracker();
  private readonly decisions = new Map<string, number>();
  private readonly events = Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, 0])) as Record<
    DerivedTopic,
    number
  >;

  observe(topic: DerivedTopic, event: DerivedEvent): void {
    this.add(topic, 1);
    if (topic === 'probability.decisions') {
      this.decisions.set(event.instrument, (this.decisions.get(event.instrument) ?? 0) + 1);
      this.tracker.observeDecision(event as EventTypes['ProbabilityDecision']);
    } else if (topic === 'decision.outcomes') this.tracker.observeOutcome(event as EventTypes['Outcome']);
  }

  /** Counts events that need not be seen: snapshots and strategy results. */
  add(topic: DerivedTopic, count: number): void {
    this.events[topic] += count;
  }

  board(): Scoreboard {
    return {
      events: { ...this.events },
      decisions: Object.fromEntries([...this.decisions].sort()),
      summaries: this.tracker.summaries(),
    };
  }
}

/** Hit rates with what they are worth, from the decision log itself. */
export async function scoreboard(log: EventLog, partitions: number): Promise<Scoreboard> {
  const count = new ScoreboardCount();
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const topic of ['probability.decisions', 'decision.outcomes'] as const) {
      for await (const { event } of log.sequenced(topic, partition)) count.observe(topic, event);
    }
    for (const topic of ['indicator.snapshots', 'strategy.results'] as const) {
      count.add(topic, await log.sequenceEnd(topic, partition));
    }
  }
  return count.board();
}
