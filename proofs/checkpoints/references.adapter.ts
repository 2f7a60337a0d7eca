import { CHECKPOINTS_TOPIC, TOPIC_OF_DERIVED } from '../../contracts/topics.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { LocatedDecision } from '../decision-search.ts';
import { CLOCK_LEAD_MS_MAX, firstSince, soundWithin } from './checkpoint-search.adapter.ts';
import { covers } from './recorded-checkpoint.ts';
import { sentMsOf } from './witnessed-before.ts';

/** A recorded checkpoint that has an event, and the place of its leaf: what "audit --proof" proves. */
export interface CheckpointReference {
  readonly origin: string;
  readonly size: number;
  /** Of the leaf, from 0. */
  readonly index: number;
}

/**
 * The checkpoints of decisions of one partition, by event id; signatures are not verified. Reads the checkpoints once,
 * from the time of the first decision to the one that has the last.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function checkpointReferences(
  access: LogAccess,
  decisions: readonly LocatedDecision[],
  tapeId: string,
): Promise<ReadonlyMap<string, CheckpointReference>> {
  const references = new Map<string, CheckpointReference>();
  const inOrder = decisions.toSorted((left, right) => left.event.sequence - right.event.sequence);
  const [first] = inOrder;
  if (first === undefined) return references;
  const { partition } = first;
  const start = await access.reader.startOffset(CHECKPOINTS_TOPIC, partition);
  const end = await access.reader.endOffset(CHECKPOINTS_TOPIC, partition);
  const sentMs = sentMsOf(first);
  const from =
    sentMs === undefined ? start : await firstSince(access, partition, sentMs - CLOCK_LEAD_MS_MAX, start, end);
  const log = { topic: TOPIC_OF_DERIVED.ProbabilityDecision, partition, tapeId };
  let next = 0;
  for await (const { checkpoint } of soundWithin(access, log, { logKeys: [], witnessKeys: [] }, from, end)) {
    const { origin, size, firstSequence } = checkpoint;
    for (let decision = inOrder[next]; decision !== undefined; decision = inOrder[(next += 1)]) {
      const { eventId, sequence } = decision.event;
      if (!covers(checkpoint, sequence)) break;
      // Older than the tree of its log: no checkpoint has it.
      if (sequence >= firstSequence) references.set(eventId, { origin, size, index: sequence - firstSequence });
    }
    if (next >= inOrder.length) break;
  }
  return references;
}
