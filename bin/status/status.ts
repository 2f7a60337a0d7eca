import { counted } from '../../platform/counted.ts';
import type { HeldOutput } from '../../projectors/main.ts';
import type { SignedState } from '../../proofs/checkpoints/signed-state.adapter.ts';
import type { ProcessState } from './processes.ts';
import { checkpointsAttention, oracleAttention, rootsAttention, type OracleState } from './proof-state.ts';

/** A part of the status, or why it is missing. */
export type Part<Value> = { readonly value: Value } | { readonly missing: string };

export interface ServiceState {
  readonly name: 'kafka' | 'registry' | 'postgres' | 'redis';
  readonly up: boolean;
  /** Why it is down. */
  readonly reason: string | null;
}

/** The activation named in the newest anchor of a partition, or found on its tape where there is no anchor yet. */
export interface PartitionActivation {
  readonly partition: number;
  readonly engineVersion: string;
  readonly gitCommit: string;
  readonly configHash: string;
  /** Offset on the tape, of the anchor or of the activation. */
  readonly asOfOffset: number;
  readonly isAnchored: boolean;
}

export interface PartitionLag {
  readonly group: string;
  /** The command that starts a process of it: `engine run`. */
  readonly startedBy: string;
  readonly topic: string;
  readonly partition: number;
  /** The next record that it reads. */
  readonly nextOffset: number;
  readonly records: number;
  /** From the next record to the last one, by event time; null where they cannot be read. */
  readonly marketSeconds: number | null;
  /** Processes in the group now, on any machine. */
  readonly members: number;
}

/** A consumer group of the engine or of a projector. */
export interface GroupState {
  readonly group: string;
  /** In Kafka's words. */
  readonly state: string;
  readonly members: number;
}

export interface InstrumentState {
  readonly instrument: string;
  /** Microseconds since 1970; null where none is among the newest records. */
  readonly lastTradeUs: number | null;
  readonly lastDecisionUs: number | null;
}

/** Everything that `status` shows. Each part is bounded: omitted entries are counted. */
export interface Status {
  /** By the clock of this machine, milliseconds since 1970. */
  readonly atMs: number;
  readonly services: readonly ServiceState[];
  /** Differences from contracts/topics.ts, in words. */
  readonly topicDrift: Part<readonly string[]>;
  readonly activations: Part<readonly PartitionActivation[]>;
  readonly processes: readonly ProcessState[];
  readonly lag: Part<readonly PartitionLag[]>;
  readonly groups: Part<readonly GroupState[]>;
  readonly instruments: Part<readonly InstrumentState[]>;
  /** By reason, of the newest ones; `total` counts all. */
  readonly deadLetters: Part<{ readonly total: number; readonly byReason: Readonly<Record<string, number>> }>;
  /** By projector. */
  readonly conflicts: Part<Readonly<Record<string, number>>>;
  /** By projector that has outputs whole: how far its events are held to the engine's roots. */
  readonly roots: Part<Readonly<Record<string, readonly HeldOutput[]>>>;
  readonly oracle: Part<OracleState>;
  /** Of each log that is signed; empty where nobody signs. */
  readonly checkpoints: Part<readonly SignedState[]>;
  readonly gaps: Part<{ readonly gaps: number; readonly missingTrades: number }>;
}

/** Problems that need an operator, each with what to do; empty when all is well. */
export function needsAttention(status: Status): string[] {
  const { services, processes } = status;
  const down = services.filter(({ up }) => !up);
  const attention = down.map(
    ({ name, reason }) =>
      `${name} does not answer (${reason ?? 'no reason given'}): "npx tapeproof stack status" shows more.`,
  );
  for (const drift of valueOf(status.topicDrift) ?? []) {
    attention.push(`${drift}: "npx tapeproof topics check" lists it, "npx tapeproof topics apply" corrects settings.`);
  }
  if (valueOf(status.activations)?.length === 0) {
    attention.push(
      'No anchor names an activation, and none is near an end of the tape: "npx tapeproof activate", unless there is one, then "npx tapeproof engine run".',
    );
  }
  const versions = new Set(valueOf(status.activations)?.map(({ engineVersion }) => engineVersion));
  if (versions.size > 1) {
    attention.push(
      `Engine versions ${[...versions].join(' and ')} are in force: "npx tapeproof activate" completes one.`,
    );
  }
  for (const { name, host, port, ready, detail } of processes) {
    if (!ready) attention.push(`${name} at ${host}:${port} is not ready (${detail}): look at its log.`);
  }
  for (const [group, { records, startedBy }] of behindWithoutProcess(status)) {
    attention.push(
      `${group} is ${counted(records, 'record')} behind and no process is in it: "npx tapeproof ${startedBy}" starts one.`,
    );
  }
  for (const [projector, count] of Object.entries(valueOf(status.conflicts) ?? {})) {
    if (count > 0) attention.push(`${projector} met ${count} conflicts: table tapeproof.conflicts names them.`);
  }
  attention.push(
    ...rootsAttention(valueOf(status.roots) ?? {}),
    ...[valueOf(status.oracle) ?? []].flat().flatMap(oracleAttention),
    ...checkpointsAttention(valueOf(status.checkpoints) ?? [], status.atMs),
  );
  for (const [part, value] of Object.entries(status)) {
    if (isMissing(value) && down.length === 0) attention.push(`${part} could not be read: ${value.missing}.`);
  }
  return attention;
}

function behindWithoutProcess({ lag }: Status): [group: string, Pick<PartitionLag, 'records' | 'startedBy'>][] {
  const behind = new Map<string, Pick<PartitionLag, 'records' | 'startedBy'>>();
  for (const { group, startedBy, records, members } of valueOf(lag) ?? []) {
    if (members === 0) behind.set(group, { startedBy, records: (behind.get(group)?.records ?? 0) + records });
  }
  return [...behind].filter(([, { records }]) => records > 0);
}

export function valueOf<Value>(part: Part<Value>): Value | undefined {
  return 'value' in part ? part.value : undefined;
}

function isMissing(part: unknown): part is { readonly missing: string } {
  return typeof part === 'object' && part !== null && 'missing' in part;
}
