import { encodeBody } from '../../contracts/codec.ts';
import { CHECKPOINTS_TOPIC, type TopicName } from '../../contracts/topics.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { eventIn } from '../../platform/kafka/framed-record.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import type { VerifierKey } from '../tlog/note-key.ts';
import type { LogPlace } from './followed-log.ts';

/** Records read at once while searching backward from the end. */
const BACKWARD_STEP_RECORDS = 256;

/** The name of a log. @param name - of its key. */
export function originOf(name: string, tapeId: string, topic: string, partition: number): string {
  return `${name}/${tapeId}/${topic}/${partition}`;
}

/** A recorded checkpoint and where it lies in `engine.checkpoints`. */
export interface RecordedCheckpoint {
  readonly checkpoint: LogCheckpoint;
  readonly offset: number;
}

/** A checkpoint as a record of `engine.checkpoints`. */
export function recordOfCheckpoint(checkpoint: LogCheckpoint): OutgoingRecord {
  const { partition, origin: key, signedAt: timestampUs } = checkpoint;
  const body = encodeBody('LogCheckpoint', checkpoint);
  return { topic: CHECKPOINTS_TOPIC, type: 'LogCheckpoint', partition, key, body, timestampUs };
}

/** The recorded checkpoints of one log, the newest first. Records of others, and those that are no checkpoint, are skipped. */
export async function* checkpointsBackward(
  { reader, registry }: Pick<LogAccess, 'reader' | 'registry'>,
  topic: TopicName,
  partition: number,
): AsyncGenerator<RecordedCheckpoint, void, undefined> {
  const start = await reader.startOffset(CHECKPOINTS_TOPIC, partition);
  let to = await reader.endOffset(CHECKPOINTS_TOPIC, partition);
  while (to > start) {
    const from = Math.max(start, to - BACKWARD_STEP_RECORDS);
    const step: RecordedCheckpoint[] = [];
    for await (const records of reader.read({ topic: CHECKPOINTS_TOPIC, partition, from, to })) {
      for (const record of records) {
        const checkpoint = await eventIn(registry, record, 'LogCheckpoint');
        if (checkpoint?.topic === topic && checkpoint.partition === partition) {
          step.push({ checkpoint, offset: record.offset });
        }
      }
    }
    yield* step.reverse();
    to = from;
  }
}

/**
 * Why a recorded checkpoint is not one that these keys signed; undefined when it is. Its fields must be those of the
 * signed note, and its frontier that of the signed root.
 */
export function faultOf(checkpoint: LogCheckpoint, origin: string, keys: readonly VerifierKey[]): string | undefined {
  try {
    const signed = openCheckpoint(checkpoint.note, keys);
    if (signed.origin !== origin || checkpoint.origin !== origin) return `it is of the log ${signed.origin}`;
    const isSame = signed.size === checkpoint.size && signed.root.toString('hex') === checkpoint.root;
    if (!isSame) return 'its fields are not those of the signed note';
    const tree = new MerkleTree({ count: checkpoint.size, frontier: checkpoint.frontier });
    return tree.root() === checkpoint.root ? undefined : 'its frontier is not that of the signed root';
  } catch (error) {
    if (error instanceof TapeproofError || error instanceof RangeError) return error.message;
    throw error;
  }
}

export function placeOf({ firstSequence, size, frontier, logOffset }: LogCheckpoint): LogPlace {
  return { firstSequence, size, frontier: frontier.map((hash) => Buffer.from(hash, 'hex')), logOffset };
}
