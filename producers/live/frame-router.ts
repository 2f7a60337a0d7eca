import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, isUnreadable, type RefusedTrade, type Venue } from '../venue.ts';
import type { InstrumentStream } from './instrument-stream.ts';
import type { LiveTelemetry } from './telemetry.ts';

export interface FrameRouterOptions {
  readonly venue: Venue;
  /** By instrument. */
  readonly streams: ReadonlyMap<string, Pick<InstrumentStream, 'received'>>;
  readonly telemetry: LiveTelemetry;
  /** Keeps refused trades and frames that belong to no stream. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
}

/**
 * Reads a frame of the venue and passes each trade to its instrument's stream.
 *
 * @param receivedAt microseconds since 1970
 * @param nowMs of a clock that never goes back
 */
export function routeFrame(options: FrameRouterOptions, text: string, receivedAt: number, nowMs: number): void {
  const parsed = options.venue.stream.parseFrame(text, receivedAt);
  if (!isUnreadable(parsed)) for (const item of parsed) routeItem(options, item, nowMs);
  else options.onRefused({ refusal: parsed, instrument: undefined, tradeId: undefined, text }, nowMs);
}

function routeItem(
  { streams, telemetry, onRefused }: FrameRouterOptions,
  item: Trade | RefusedTrade,
  nowMs: number,
): void {
  const { instrument } = item;
  const stream = instrument === undefined ? undefined : streams.get(instrument);
  if (stream !== undefined) stream.received(item, nowMs);
  else if (instrument !== undefined) telemetry({ kind: 'not-asked-for', instrument });
  else if (isRefusedTrade(item)) onRefused(item, nowMs);
}
