import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { DerivedEvent, DerivedTopic } from '../../contracts/topics.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import type { Located } from '../located.ts';
import { inclusionFault, leafHashOf } from '../tlog/merkle-proof.ts';
import { eventBytes, formatProof, parseProof, verifyProof } from '../tlog/tlog-proof.ts';
import { placeOf } from './checkpoint-log.adapter.ts';
import { checkpointsAround, type CheckpointsAround } from './checkpoint-search.adapter.ts';
import { FollowedLog } from './followed-log.ts';
import { beginningOf, follow } from './log-following.adapter.ts';
import { witnessedBy, type TrustedKeys, type WitnessedAt } from './recorded-checkpoint.ts';
import { sentMsOf } from './witnessed-before.ts';

/** A proof that a recorded checkpoint has an event, verified. */
export interface EventProof {
  /** The file (c2sp.org/tlog-proof@v1). */
  readonly text: string;
  readonly eventId: string;
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Those of the checkpoint in the proof; empty where no witness cosigned one that is near. */
  readonly cosignatures: readonly WitnessedAt[];
}

/** An event of an output; only these are proven. */
type ProvenEvent = Located<DerivedEvent>;

/** The recorded checkpoints around an event. @param tapeId - of the tape it was derived from. */
export async function checkpointsOf(
  access: LogAccess,
  located: ProvenEvent,
  tapeId: string,
  keys: TrustedKeys,
): Promise<CheckpointsAround | undefined> {
  const { topic, partition, event } = located;
  const sought = { topic: topic as DerivedTopic, partition, tapeId, sequence: event.sequence };
  return await checkpointsAround(access, { ...sought, sentAtMs: sentMsOf(located) }, keys);
}

/**
 * Proves that the log has an event: reads it from the checkpoint before the event to the first one with it that a
 * witness cosigned, or else to the first one, and verifies the proof.
 *
 * @throws TapeproofError NOT_FOUND while no checkpoint has the event; CHECK_FAILED where the log is not what was signed;
 *   UNREACHABLE; SEQUENCE_GAP.
 */
export async function proveEvent(
  access: LogAccess,
  located: ProvenEvent,
  tapeId: string,
  keys: TrustedKeys,
): Promise<EventProof> {
  const { eventId, sequence } = located.event;
  const around = await checkpointsOf(access, located, tapeId, keys);
  if (around === undefined) throw notCovered(located, keys);
  const checkpoint = around.cosigned ?? around.first;
  const index = sequence - checkpoint.firstSequence;
  if (index < 0) {
    throw new TapeproofError(
      'NOT_FOUND',
      `${eventId} is older than the tree of its log, which begins at sequence ${checkpoint.firstSequence}: nothing can be proven about it.`,
    );
  }
  const log = await followed(access, located, around.before, checkpoint);
  const hash = Buffer.from(located.hash, 'hex');
  if (!log.window.isLeaf(index, hash)) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `The checkpoint at size ${checkpoint.size} has another event at sequence ${sequence} than ${eventId}: "npx tapeproof certify" says which is the engine's.`,
    );
  }
  const text = formatProof({
    ...{ extra: await bytesOf(access, located), index, checkpoint: checkpoint.note },
    path: log.window.inclusionProof(index, checkpoint.size),
  });
  assertProven(text, hash, checkpoint, keys);
  const { origin, size } = checkpoint;
  return { text, eventId, origin, index, size, cosignatures: witnessedBy(checkpoint, keys.witnessKeys) };
}

/** The log from one checkpoint to a later one. */
async function followed(
  access: LogAccess,
  { topic, partition }: ProvenEvent,
  before: LogCheckpoint | undefined,
  { firstSequence, size, root }: LogCheckpoint,
): Promise<FollowedLog> {
  const start =
    before?.firstSequence === firstSequence
      ? placeOf(before)
      : await beginningOf(access, topic as DerivedTopic, partition, firstSequence);
  const log = new FollowedLog(topic, partition, start);
  log.holdToSigned({ size, root });
  await follow(access, log, await access.reader.endOffset(topic, partition), size - start.size);
  if (log.difference !== undefined || log.size < size) {
    const what = log.difference ?? `${topic}-${partition}: it has ${log.size} events, and ${size} were signed`;
    throw new TapeproofError('CHECK_FAILED', `${what}: there is no proof. Run "npx tapeproof certify".`);
  }
  return log;
}

async function bytesOf({ reader, registry }: LogAccess, { topic, partition, offset }: ProvenEvent): Promise<Buffer> {
  for await (const [record] of reader.read({ topic, partition, from: offset, to: offset + 1 })) {
    const framed = record === undefined ? undefined : await framedIn(registry, record);
    if (framed !== undefined && !('reason' in framed)) return eventBytes(framed.fingerprint, framed.body);
  }
  throw new TapeproofError('SEQUENCE_GAP', `Offset ${offset} of ${topic}-${partition} cannot be read any more.`);
}

/** Nothing is handed out that a reader would refuse. */
function assertProven(text: string, eventHash: Buffer, { size, root }: LogCheckpoint, keys: TrustedKeys): void {
  const proof = parseProof(text);
  const { index, path } = proof;
  const leafHash = leafHashOf(eventHash);
  const fault = inclusionFault({ index, size, leafHash, root: Buffer.from(root, 'hex') }, path);
  const failed =
    keys.logKeys.length === 0
      ? undefined
      : verifyProof(proof, eventHash, { ...keys, witnessesMin: 0 }).checks.find(({ passed }) => !passed);
  const why = fault ?? failed?.detail;
  if (why !== undefined)
    throw new TapeproofError('CHECK_FAILED', `The proof does not verify (${why}): it is not written.`);
}

function notCovered({ topic, partition, event: { eventId } }: ProvenEvent, { logKeys }: TrustedKeys): TapeproofError {
  const whose = logKeys.length === 0 ? '' : ` signed with the given key`;
  return new TapeproofError(
    'NOT_FOUND',
    `No checkpoint${whose} of ${topic}-${partition} has ${eventId} yet: run "npx tapeproof checkpoints now", then this again.`,
  );
}
