import type { InstrumentStream } from './instrument-stream.ts';

/** How long REST may take to show where new instruments begin. After that they begin with the stream's first trade. */
export const BEGINNING_MS_MAX = 10_000;

/**
 * Whether the stream may begin: instruments that are new to the tape begin with what REST shows now, so that the stream,
 * which starts afterwards, overlaps; while REST is down they begin without.
 *
 * @param askedForMs how long REST has been asked
 */
export function mayStream(streams: readonly Pick<InstrumentStream, 'isStarted'>[], askedForMs: number): boolean {
  return askedForMs >= BEGINNING_MS_MAX || streams.every(({ isStarted }) => isStarted);
}
