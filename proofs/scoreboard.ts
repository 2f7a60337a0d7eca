import type { EventTypes } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, type DerivedTopic } from '../contracts/topics.ts';
import { HitMissTracker, type HitMissSummary } from '../evaluators/outcomes/hit-miss-tracker.ts';
import type { EventLog } from './event-log.ts';
import type { TapeCounts } from './set-aside.ts';

export interface Scoreboard {
  /** Derived events by topic, each counted once. */
  readonly events: Readonly<Record<DerivedTopic, number>>;
  /** Decisions by instrument. */
  readonly decisions: Readonly<Record<string, number>>;
  /** By instrument: decisions first, then each strategy; only where an outcome is there. */
  readonly summaries: readonly HitMissSummary[];
  /** What the engine made of the tape's trades. */
  readonly trades: TapeCounts;
}

/** Hit rates with what they are worth, from the decision log itself. */
export async function scoreboard(log: EventLog, partitions: number, trades: TapeCounts): Promise<Scoreboard> {
  const tracker = new HitMissTracker();
  const decisions = new Map<string, number>();
  const events = Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, 0])) as Record<DerivedTopic, number>;
  for (let partition = 0; partition < partitions; partition += 1) {
    for await (const { event } of log.sequenced('probability.decisions', partition)) {
      events['probability.decisions'] += 1;
      decisions.set(event.instrument, (decisions.get(event.instrument) ?? 0) + 1);
      tracker.observeDecision(event as EventTypes['ProbabilityDecision']);
    }
    for await (const { event } of log.sequenced('decision.outcomes', partition)) {
      events['decision.outcomes'] += 1;
      tracker.observeOutcome(event as EventTypes['Outcome']);
    }
    for (const topic of ['indicator.snapshots', 'strategy.results'] as const) {
      events[topic] += await log.sequenceEnd(topic, partition);
    }
  }
  return { events, decisions: Object.fromEntries([...decisions].sort()), summaries: tracker.summaries(), trades };
}
