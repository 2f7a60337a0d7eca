import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { LedgerEntry, PipelineResponse, RebuildState, ServiceState, TradeGap } from '../contract/pipeline.ts';
import type { Rates } from './rates.ts';

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
  readonly groups: StatusPart<readonly Pick<GroupState, 'group' | 'state' | 'members'>[]>;
  readonly deadLetters: Given<'deadLetters'>;
  readonly conflicts: Given<'conflicts'>;
  readonly gaps: StatusPart<{ readonly gaps: number; readonly missingTrades: number }>;
}

type GroupState = NonNullable<PipelineResponse['groups']['value']>[number];

/** A rebuild as it is now. */
export interface StoredRebuild extends Omit<RebuildState, 'building'> {
  readonly building: Omit<NonNullable<RebuildState['building']>, 'recordsPerSecond'> | null;
}

/** The parts that only the stores have. */
export interface StoredPipeline {
  readonly ledger: StatusPart<readonly LedgerEntry[]>;
  readonly rebuilds: StatusPart<readonly StoredRebuild[]>;
  readonly newestGaps: StatusPart<readonly TradeGap[]>;
}

/** @param rates - of the answers before. */
export function pipelineAnswer(
  status: PipelineStatus,
  stored: StoredPipeline,
  rates: Rates,
  asOfUs: number,
): PipelineResponse {
  const { gaps } = status;
  const { newestGaps } = stored;
  const rateOf = rates.look(countersOf(status, stored), asOfUs / US_PER_MS);
  return {
    asOfUs,
    attention: [...status.attention],
    services: status.services.map(({ name, up, reason }) => ({ name, up, reason })),
    topicDrift: partOf(status.topicDrift, (drift) => [...drift]),
    activations: partOf(status.activations, (all) =>
      all.map(({ partition, engineVersion, gitCommit, configHash, asOfOffset, isAnchored }) => ({
        ...{ partition, engineVersion, gitCommit, configHash, asOfOffset, isAnchored },
      })),
    ),
    processes: status.processes.map(({ name, host, port, ready, detail, rebalances }) => ({
      ...{ name, host, port, ready, detail, rebalances },
    })),
    lag: partOf(status.lag, (all) =>
      all.map(({ group, topic, partition, nextOffset, records, marketSeconds, members }) => ({
        ...{ group, topic, partition, nextOffset, records, marketSeconds, members },
      })),
    ),
    groups: partOf(status.groups, (all) =>
      all.map(({ group, state, members }) => ({
        ...{ group, state, members },
        recordsPerSecond: rateOf(counterOfGroup(group)),
      })),
    ),
    tapeRecordsPerSecond: rateOf(TAPE),
    ledger: partOf(stored.ledger, (ledger) => [...ledger]),
    rebuilds: partOf(stored.rebuilds, (rebuilds) =>
      rebuilds.map(({ projector, liveGeneration, building }) => ({
        ...{ projector, liveGeneration },
        building:
          building === null
            ? null
            : { ...building, recordsPerSecond: rateOf(counterOfRebuild(projector, building.generation)) },
      })),
    ),
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

const US_PER_MS = 1_000;
const TAPE = 'tape';
const counterOfGroup = (group: string): string => `group ${group}`;
const counterOfRebuild = (projector: string, generation: number): string => `rebuild ${projector} ${generation}`;

/** What grows with the work: how far each group, the tape and each rebuild are. */
function countersOf({ lag }: PipelineStatus, { rebuilds }: StoredPipeline): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  const ends = new Map<number, number>();
  for (const { group, topic, partition, nextOffset, records } of 'value' in lag ? lag.value : []) {
    const name = counterOfGroup(group);
    counters.set(name, (counters.get(name) ?? 0) + nextOffset);
    if (topic === TAPE_TOPIC) ends.set(partition, nextOffset + records);
  }
  if (ends.size > 0)
    counters.set(
      TAPE,
      [...ends.values()].reduce((sum, end) => sum + end, 0),
    );
  for (const { projector, building } of 'value' in rebuilds ? rebuilds.value : []) {
    if (building !== null) counters.set(counterOfRebuild(projector, building.generation), building.recordsDone);
  }
  return counters;
}

function partOf<Value, Answer>(
  part: StatusPart<Value>,
  answer: (value: Value) => Answer,
): { value: Answer | null; missing: string | null } {
  return 'missing' in part ? { value: null, missing: part.missing } : { value: answer(part.value), missing: null };
}
