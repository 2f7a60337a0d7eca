import { nearestOf } from '../contracts/nearest-name.ts';
import type { EventLog } from './event-log.ts';

/** Records at the end of each partition that are searched for instruments: the active ones are among the newest. */
const LOOK_BACK_RECORDS = 2_000;
/** Configured and traded names with more differences are two instruments, not one mistyped. */
const MISTYPED_DIFFERENCES_MAX = 1;
/** Names kept at most: they are only for a suggestion. */
export const KNOWN_INSTRUMENTS_MAX = 4_096;

/** Instruments of the newest decisions of each partition, sorted; a quick search, which may miss some. */
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

/** Advice when an instrument does not have the requested decision. */
export function adviceFor(instrument: string, known: readonly string[]): string {
  if (known.includes(instrument)) return 'all its decisions are later.';
  const nearest = nearestOf(instrument, known);
  if (nearest !== undefined)
    return `did you mean ${nearest}? If not, are its trades on the tape, and is the engine running?`;
  return 'is the engine running, and are its trades on the tape? "npx tapeproof instruments" lists the tape\'s instruments.';
}

/** Configured instruments without any data that were perhaps mistyped, one sentence each. */
export function doubtsAbout(configured: readonly string[], known: readonly string[]): readonly string[] {
  const others = known.filter((instrument) => !configured.includes(instrument));
  return configured.flatMap((instrument) => {
    if (known.includes(instrument)) return [];
    const nearest = nearestOf(instrument, others, MISTYPED_DIFFERENCES_MAX);
    if (nearest === undefined) return [];
    return [`The configuration names ${instrument}, which has no data so far: did you mean ${nearest}?`];
  });
}
