import { TapeproofError } from '../../platform/errors.ts';
import type { StoredPosition } from '../sink.ts';

/** Refusals common to all stores. */

/** @throws TapeproofError FOREIGN_TAPE when a position belongs to another tape. */
export function assertTape(projector: string, tapeId: string, stored: readonly StoredPosition[]): void {
  const foreign = stored.find((position) => position.tapeId !== tapeId);
  if (foreign === undefined) return;
  throw new TapeproofError(
    'FOREIGN_TAPE',
    `${projector} was read from tape ${foreign.tapeId}, but the tape here is ${tapeId}: connect to the right Kafka, or run "npx tapeproof projector rebuild ${projector} --approve-difference" to read this one.`,
  );
}

export function overtaken(projector: string): TapeproofError {
  return new TapeproofError(
    'GENERATION_CHANGED',
    `Another rebuild of ${projector} has begun, so this one gave up: wait for the other one.`,
  );
}
