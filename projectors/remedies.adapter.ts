import { TAPE_TOPIC, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { Gap } from './sequence-check.ts';

/** Remedies for a log that differs from the one that a store was read from, each the end of a sentence. */

/** The records before a gap in which its predecessor is searched: some may be repetitions, or not events. */
const RECORDS_BEFORE_GAP = 256;

/** For records of a topic that a projector has read or needs, and that are gone. */
export function remedyForLoss(projector: string, topic: string): string {
  if (topic === TAPE_TOPIC) return 'the tape cannot be derived again: restore it from a copy';
  return `once the engine has derived it again, run "npx tapeproof projector rebuild ${projector}" and start ${projector} again`;
}

/** For stored events that are not those of an anchor: only a derivation tells whether the log is right. */
export function remedyForRoot(projector: string): string {
  return `run "npx tapeproof certify --repair": where the log differs, it says what to do; where it does not, run "npx tapeproof projector rebuild ${projector} --approve-difference"`;
}

/** For a gap that a rebuild met, which reads each topic from its beginning. */
export function remedyForHole(topic: string): string {
  return `stop the engines, run "npx tapeproof topics recreate ${topic}" and start them again`;
}

/**
 * For a gap that a projector met: either the log has a hole there, or it was recreated and the projector's offset now
 * has another event than before.
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
