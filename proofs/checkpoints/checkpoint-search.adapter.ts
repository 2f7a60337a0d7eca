import { CHECKPOINTS_TOPIC, type TopicName } from '../../contracts/topics.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { eventIn } from '../../platform/kafka/framed-record.ts';
import { covers, isSound, witnessedBy, type TrustedKeys } from './recorded-checkpoint.ts';
import { WINDOW_LEAVES_MAX } from './publisher.adapter.ts';

/** The engine's clock may be so far ahead of that of the process that signs; more costs time and nothing else. */
export const CLOCK_LEAD_MS_MAX = 300_000;
/** Records read at once while searching backward. */
const BACKWARD_STEP_RECORDS = 256;
/** Records after the first checkpoint with an event in which a cosigned one is searched for: a day and a half at one a minute. */
const COSIGNED_WITHIN_RECORDS = 10_000;
/** Leaves that are read for a cosigned checkpoint; one further on is too far. */
const LEAVES_READ_MAX = 4 * WINDOW_LEAVES_MAX;

type CheckpointAccess = Pick<LogAccess, 'reader' | 'registry'>;

/** An event, as far as its place in the checkpoints depends on it. */
export interface SoughtEvent {
  readonly topic: TopicName;
  readonly partition: number;
  readonly tapeId: string;
  readonly sequence: number;
  /** When the engine sent it, by its clock; undefined where the log does not say so: then all are searched. */
  readonly sentAtMs: number | undefined;
}

/** The recorded checkpoints around an event. */
export interface CheckpointsAround {
  /** The newest one without the event; undefined where the log has to be read from its beginning. */
  readonly before: LogCheckpoint | undefined;
  /** The first one with the event. */
  readonly first: LogCheckpoint;
  /** The first one with the event that a witness cosigned; undefined without one near. */
  readonly cosigned: LogCheckpoint | undefined;
}

/**
 * Finds the checkpoints around an event: records of `engine.checkpoints` are in the order of time, so a bisection finds
 * where to begin, and the sizes in them say where to end. A checkpoint that the keys did not sign is skipped.
 *
 * @returns undefined while no checkpoint has the event.
 * @throws TapeproofError UNREACHABLE
 */
export async function checkpointsAround(
  access: CheckpointAccess,
  event: SoughtEvent,
  keys: TrustedKeys,
): Promise<CheckpointsAround | undefined> {
  const { partition, sequence, sentAtMs } = event;
  const start = await access.reader.startOffset(CHECKPOINTS_TOPIC, partition);
  const end = await access.reader.endOffset(CHECKPOINTS_TOPIC, partition);
  const from =
    sentAtMs === undefined ? end : await firstSince(access, partition, sentAtMs - CLOCK_LEAD_MS_MAX, start, end);
  const found = await backwardFrom(access, event, keys, start, from);
  let { before, first } = found;
  const isNear = (checkpoint: LogCheckpoint): boolean =>
    checkpoint === first || checkpoint.size - (before?.size ?? 0) <= LEAVES_READ_MAX;
  if (first !== undefined && found.cosigned !== undefined && isNear(found.cosigned)) {
    return { before, first, cosigned: found.cosigned };
  }
  let to = first === undefined ? end : Math.min(end, from + COSIGNED_WITHIN_RECORDS);
  for await (const { checkpoint, offset } of soundWithin(access, event, keys, from, end)) {
    if (offset >= to) break;
    if (!covers(checkpoint, sequence)) {
      if (first === undefined) before = checkpoint;
      continue;
    }
    if (first === undefined) {
      first = checkpoint;
      to = Math.min(end, offset + COSIGNED_WITHIN_RECORDS);
    }
    if (!isNear(checkpoint)) break;
    if (witnessedBy(checkpoint, keys.witnessKeys).length > 0) return { before, first, cosigned: checkpoint };
  }
  return first === undefined ? undefined : { before, first, cosigned: undefined };
}

/** The checkpoints around the event among those recorded before an offset, as far as they are there. */
async function backwardFrom(
  access: CheckpointAccess,
  event: SoughtEvent,
  keys: TrustedKeys,
  start: number,
  from: number,
): Promise<{ readonly [Key in keyof CheckpointsAround]?: CheckpointsAround[Key] | undefined }> {
  let first: LogCheckpoint | undefined;
  let cosigned: LogCheckpoint | undefined;
  for await (const checkpoint of soundBackward(access, event, keys, start, from)) {
    if (!covers(checkpoint, event.sequence)) return { before: checkpoint, first, cosigned };
    first = checkpoint;
    if (witnessedBy(checkpoint, keys.witnessKeys).length > 0) cosigned = checkpoint;
  }
  return { first, cosigned };
}

/** Least offset of a checkpoint recorded at or after a time, by bisection. */
export async function firstSince(
  { reader }: CheckpointAccess,
  partition: number,
  timeMs: number,
  start: number,
  end: number,
): Promise<number> {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const recordedMs = await reader.timestampMs(CHECKPOINTS_TOPIC, partition, middle);
    if (recordedMs !== undefined && recordedMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Wanted = Pick<SoughtEvent, 'topic' | 'partition' | 'tapeId'>;

/** The checkpoints of one log in a range of `engine.checkpoints`, as far as these keys signed them. */
export async function* soundWithin(
  { reader, registry }: CheckpointAccess,
  { topic, partition, tapeId }: Wanted,
  { logKeys }: TrustedKeys,
  from: number,
  to: number,
): AsyncGenerator<{ readonly checkpoint: LogCheckpoint; readonly offset: number }, void, undefined> {
  if (from >= to) return;
  for await (const records of reader.read({ topic: CHECKPOINTS_TOPIC, partition, from, to })) {
    for (const record of records) {
      const checkpoint = await eventIn(registry, record, 'LogCheckpoint');
      if (checkpoint?.topic !== topic || checkpoint.partition !== partition) continue;
      if (!checkpoint.origin.endsWith(`/${tapeId}/${topic}/${partition}`)) continue;
      if (isSound(checkpoint, logKeys)) yield { checkpoint, offset: record.offset };
    }
  }
}

/** Like {@link soundWithin}, the newest first. */
export async function* soundBackward(
  access: CheckpointAccess,
  wanted: Wanted,
  keys: TrustedKeys,
  start: number,
  end: number,
): AsyncGenerator<LogCheckpoint, void, undefined> {
  for (let to = end; to > start; to -= BACKWARD_STEP_RECORDS) {
    const step: LogCheckpoint[] = [];
    const from = Math.max(start, to - BACKWARD_STEP_RECORDS);
    for await (const { checkpoint } of soundWithin(access, wanted, keys, from, to)) step.push(checkpoint);
    yield* step.reverse();
  }
}
