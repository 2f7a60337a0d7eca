import { nearestOf } from '../contracts/nearest-name.ts';
import type { EventLog } from './event-log.ts';

/** Decisions at the end of each partition among which its instruments are looked for: what trades is among the newest. */
const LOOK_BACK_DECISIONS = 2_000;
/** More names than this are not kept: they are for a suggestion. */
export const KNOWN_INSTRUMENTS_MAX = 4_096;

/** Instruments that the newest decisions of each partition are of, sorted; cheap, and so perhaps not all. */
export async function knownInstruments(
  log: Pick<EventLog, 'newestDecisions'>,
  partitions: number,
): Promise<readonly string[]> {
  const known = new Set<string>();
  for (let partition = 0; partition < partitions; partition += 1) {
    for await (const { event } of log.newestDecisions(partition, LOOK_BACK_DECISIONS)) {
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
