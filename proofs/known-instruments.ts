import { nearestOf } from '../contracts/nearest-name.ts';
import type { EventLog } from './event-log.ts';

/** Records at the end of each partition among which its instruments are looked for: what trades is among the newest. */
const LOOK_BACK_RECORDS = 2_000;
/** Configured and traded names that differ in more are two instruments rather than one that was mistyped. */
const MISTYPED_DIFFERENCES_MAX = 1;
/** More names than this are not kept: they are for a suggestion. */
export const KNOWN_INSTRUMENTS_MAX = 4_096;

/** Instruments that the newest decisions of each partition are of, sorted; cheap, and so perhaps not all. */
export async function knownInstruments(
  log: Pick<EventLog, 'newestDecisions'>,
  partitions: number,
): Promise<readonly string[]> {
  const known = new Set<string>();
  for (let partition = 0; partition < partitions; partition += 1) {
    for await (const { event } of log.newestDecisions(partition, LOOK_BACK_RECORDS)) {
      if (known.size >= KNOWN_INSTRUMENTS_MAX) break;
      known.add(event.instrument);
    }
  }
  return [...known].sort();
}

/** What to do where an instrument has no decision that was asked for. */
export function adviceFor(instrument: string, known: readonly string[]): string {
  if (known.includes(instrument)) return 'all that it has are later.';
  const nearest = nearestOf(instrument, known);
  if (nearest !== undefined)
    return `did you mean ${nearest}? If not, are its trades on the tape, and is the engine running?`;
  return 'is the engine running, and are its trades on the tape? "npx tapeproof instruments" lists what it holds.';
}

/** Of configured instruments that nothing is known of, those that were perhaps mistyped, in a sentence each. */
export function doubtsAbout(configured: readonly string[], known: readonly string[]): readonly string[] {
  const others = known.filter((instrument) => !configured.includes(instrument));
  return configured.flatMap((instrument) => {
    if (known.includes(instrument)) return [];
    const nearest = nearestOf(instrument, others, MISTYPED_DIFFERENCES_MAX);
    if (nearest === undefined) return [];
    return [`The configuration names ${instrument}, of which there is nothing so far: did you mean ${nearest}?`];
  });
}
