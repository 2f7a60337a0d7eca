import type { EngineActivated } from '../contracts/generated/events.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';
import type { LoggedActivation } from './activation-log.ts';
import type { Chain } from './chain.ts';
import type { Checkpointed } from './checkpoints/witnessed-before.ts';
import type { CountedTrade } from './evidence.ts';
import type { Located } from './event-log.ts';

/** Sources that are named; further ones are only counted. */
const SOURCES_NAMED_MAX = 20;
const US_PER_MS = 1_000;

/** Who put in force what an event was derived with, where its trades came from, and when. Times in ISO 8601, UTC. */
export interface Provenance {
  readonly tapeId: string;
  readonly activation: ActivationSummary;
  /** Of the trades behind the snapshot that were read, the most frequent first; its trades by their `source`. */
  readonly sources: readonly { readonly source: string; readonly trades: number }[];
  readonly sourcesNotNamed: number;
  /** When the first and the last of these trades were received, by the clock that received them; null where none says so. */
  readonly received: { readonly first: string; readonly last: string } | null;
  /** When the engine sent the events, by its clock; null where the record does not say so. */
  readonly derived: {
    readonly decision: string | null;
    readonly outcome: string | null;
  };
  /** Of the decision, or else of the result or snapshot; null while no checkpoint has it; absent where nobody looked. */
  readonly checkpointed?: Checkpointed | null;
}

/** An activation and its place. */
export type ActivationSummary = Pick<
  EngineActivated,
  | 'activationId'
  | 'engineVersion'
  | 'gitCommit'
  | 'hasUncommittedChanges'
  | 'configHash'
  | 'actor'
  | 'reason'
  | 'approver'
> & {
  /** Its offset on the tape. */
  readonly offset: number;
  /** By its author's clock. */
  readonly at: string;
};

export function summaryOf({ event, offset, timestampMs }: LoggedActivation): ActivationSummary {
  const { activationId, engineVersion, gitCommit, hasUncommittedChanges, configHash, actor, reason, approver } = event;
  return {
    ...{ activationId, engineVersion, gitCommit, hasUncommittedChanges, configHash, actor, reason, approver, offset },
    at: isoTimeOf(Math.max(0, timestampMs) * US_PER_MS),
  };
}

/** @param trades - those behind the snapshot. */
export function provenanceOf(
  { decision, outcome }: Pick<Chain, 'decision' | 'outcome'>,
  trades: readonly CountedTrade[],
  activation: LoggedActivation,
  checkpointed: Checkpointed | null | undefined,
): Provenance {
  const bySource = new Map<string, number>();
  let [firstUs, lastUs] = [Number.POSITIVE_INFINITY, 0];
  for (const { event } of trades) {
    bySource.set(event.source, (bySource.get(event.source) ?? 0) + 1);
    // 0 where the source does not say when.
    if (event.receivedAt > 0)
      [firstUs, lastUs] = [Math.min(firstUs, event.receivedAt), Math.max(lastUs, event.receivedAt)];
  }
  const sources = [...bySource]
    .map(([source, count]) => ({ source, trades: count }))
    .sort((left, right) => right.trades - left.trades);
  return {
    tapeId: activation.event.tapeId,
    activation: summaryOf(activation),
    sources: sources.slice(0, SOURCES_NAMED_MAX),
    sourcesNotNamed: Math.max(0, sources.length - SOURCES_NAMED_MAX),
    received: lastUs === 0 ? null : { first: isoTimeOf(firstUs), last: isoTimeOf(lastUs) },
    derived: { decision: sentAt(decision), outcome: sentAt(outcome) },
    ...(checkpointed === undefined ? {} : { checkpointed }),
  };
}

function sentAt(located: Located<unknown> | undefined): string | null {
  return located?.emittedAt ?? null;
}
