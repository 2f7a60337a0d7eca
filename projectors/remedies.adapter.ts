import { TAPE_TOPIC, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { Gap } from './sequence-check.ts';

/** What an operator does about a log that is not what a store was read from, each the end of a sentence. */

/** Records before a gap among which the one before it is looked for: others may be repetitions, or not events at all. */
const RECORDS_BEFORE_GAP = 256;

/** Records of a topic are gone that a projector has read, or needs. */
export function remedyForLoss(projector: string, topic: string): string {
  if (topic === TAPE_TOPIC) return 'nothing derives the tape again: bring it back from a copy';
  return `once the engine has derived it again, run "npx tapeproof projector rebuild ${projector}" and start ${projector} again`;
}

/** A rebuild, which reads each topic from its beginning, met a gap. */
export function remedyForHole(topic: string): string {
  return `stop the engines, run "npx tapeproof topics recreate ${topic}" and start them again`;
}

/**
 * A projector met a gap: either the log has a hole there, or it was made anew and the projector stands at the offset of
 * another event than before.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function remedyForGap(
  projector: string,
  { reader, read }: { readonly reader: LogReader; readonly read: EventReader },
  topic: TopicName,
  partition: number,
  { offset, foundSequence }: Gap,
): Promise<string> {
  const rebuild = remedyForLoss(projector, topic);
  const from = Math.max(await reader.startOffset(topic, partition), offset - RECORDS_BEFORE_GAP);
  for await (const records of reader.read({ topic, partition, from, to: offset })) {
    for (const record of records) {
      const outcome = await read(record);
      if (outcome.kind !== 'event') continue;
      if ((outcome.source.event as DerivedEvent).sequence === foundSequence - 1) return rebuild;
    }
  }
  return `${remedyForHole(topic)}; ${rebuild}`;
}
