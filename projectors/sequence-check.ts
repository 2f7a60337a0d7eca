import type { DeadLetter } from '../contracts/generated/events.ts';
import type { ProjectedEvent } from './projector.ts';
import type { Position } from './sink.ts';

/** A record after decoding. */
export type ReadRecord =
  /** `sequence` is that of the event; undefined where events have none, as on the tape. */
  | { readonly kind: 'event'; readonly source: ProjectedEvent; readonly sequence: number | undefined }
  | { readonly kind: 'skipped'; readonly offset: number }
  | { readonly kind: 'dead'; readonly offset: number; readonly letter: DeadLetter };

export interface CheckedRecords {
  readonly admitted: readonly ProjectedEvent[];
  readonly repeated: readonly ProjectedEvent[];
  readonly letters: readonly DeadLetter[];
  readonly skipped: number;
  readonly to: Position;
}

/** An event is missing: its reader must not continue. */
export interface Gap {
  readonly offset: number;
  readonly expectedSequence: number;
  readonly foundSequence: number;
}

/**
 * Decides which records of one partition are next, from the position of its store. Events of derived topics carry
 * a dense sequence: the next one is admitted, a lower one was read before and may only be compared, a higher one is a
 * gap. Elsewhere the offset is the sequence check. The decision never depends on how the records were divided into
 * batches.
 *
 * @param records consecutive, the first at or after `position.nextOffset`.
 */
export function checkSequence(position: Position, records: readonly ReadRecord[]): CheckedRecords | Gap {
  const admitted: ProjectedEvent[] = [];
  const repeated: ProjectedEvent[] = [];
  const letters: DeadLetter[] = [];
  let skipped = 0;
  let { nextOffset, nextSequence } = position;
  for (const record of records) {
    switch (record.kind) {
      case 'skipped':
        skipped += 1;
        nextOffset = record.offset + 1;
        break;
      case 'dead':
        letters.push(record.letter);
        nextOffset = record.offset + 1;
        break;
      case 'event': {
        const { source, sequence } = record;
        nextOffset = source.offset + 1;
        if (sequence === undefined) {
          admitted.push(source);
          break;
        }
        if (sequence > nextSequence) {
          return { offset: source.offset, expectedSequence: nextSequence, foundSequence: sequence };
        }
        if (sequence === nextSequence) {
          admitted.push(source);
          nextSequence += 1;
        } else {
          repeated.push(source);
        }
        break;
      }
    }
  }
  return { admitted, repeated, letters, skipped, to: { nextOffset, nextSequence } };
}
