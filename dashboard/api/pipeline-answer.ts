import type { LedgerEntry, PipelineResponse, RebuildState, ServiceState, TradeGap } from '../contract/pipeline.ts';

/** A part of the state, or why it is missing. */
export type StatusPart<Value> = { readonly value: Value } | { readonly missing: string };

type Given<Name extends keyof PipelineResponse> = PipelineResponse[Name] extends { value: infer Value | null }
  ? StatusPart<Readonly<NonNullable<Value>>>
  : never;

/** What `tapeproof status` collects, as far as it is shown. */
export interface PipelineStatus {
  /** Problems that need an operator. */
  readonly attention: readonly string[];
  readonly services: readonly ServiceState[];
  readonly topicDrift: Given<'topicDrift'>;
  readonly activations: Given<'activations'>;
  readonly processes: readonly PipelineResponse['processes'][number][];
  readonly lag: Given<'lag'>;
  readonly deadLetters: Given<'deadLetters'>;
  readonly conflicts: Given<'conflicts'>;
  readonly gaps: StatusPart<{ readonly gaps: number; readonly missingTrades: number }>;
}

/** The parts that only Postgres has. */
export interface StoredPipeline {
  readonly ledger: StatusPart<readonly LedgerEntry[]>;
  readonly rebuilds: StatusPart<readonly RebuildState[]>;
  readonly newestGaps: StatusPart<readonly TradeGap[]>;
}

export function pipelineAnswer(status: PipelineStatus, stored: StoredPipeline, asOfUs: number): PipelineResponse {
  const { gaps } = status;
  const { newestGaps } = stored;
  return {
    asOfUs,
    attention: [...status.attention],
    services: status.services.map(({ name, up, reason }) => ({ name, up, reason })),
    topicDrift: partOf(status.topicDrift, (drift) => [...drift]),
    activations: partOf(status.activations, (all) =>
      all.map(({ partition, engineVersion, gitCommit, configHash, asOfOffset }) => ({
        ...{ partition, engineVersion, gitCommit, configHash, asOfOffset },
      })),
    ),
    processes: status.processes.map(({ name, host, port, ready, detail }) => ({ name, host, port, ready, detail })),
    lag: partOf(status.lag, (all) =>
      all.map(({ group, topic, partition, records, marketSeconds, members }) => ({
        ...{ group, topic, partition, records, marketSeconds, members },
      })),
    ),
    ledger: partOf(stored.ledger, (ledger) => [...ledger]),
    rebuilds: partOf(stored.rebuilds, (rebuilds) => [...rebuilds]),
    deadLetters: partOf(status.deadLetters, ({ total, byReason }) => ({ total, byReason })),
    conflicts: partOf(status.conflicts, (conflicts) => conflicts),
    gaps: partOf(
      'missing' in newestGaps ? newestGaps : gaps,
      ({ gaps: count, missingTrades }: { readonly gaps: number; readonly missingTrades: number }) => ({
        ...{ gaps: count, missingTrades },
        newest: 'value' in newestGaps ? [...newestGaps.value] : [],
      }),
    ),
  };
}

function partOf<Value, Answer>(
  part: StatusPart<Value>,
  answer: (value: Value) => Answer,
): { value: Answer | null; missing: string | null } {
  return 'missing' in part ? { value: null, missing: part.missing } : { value: answer(part.value), missing: null };
}
