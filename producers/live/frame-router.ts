import {
  isAmendment,
  isNotice,
  isRefusedTrade,
  isUnreadable,
  type ParsedItem,
  type RefusedTrade,
  type Venue,
  type VenueAmendment,
  type VenueNotice,
} from '../venue.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { InstrumentStream } from './instrument-stream.ts';
import type { LiveTelemetry } from './telemetry.ts';

export interface FrameRouterOptions {
  readonly venue: Venue;
  /** By instrument. */
  readonly streams: ReadonlyMap<string, Pick<InstrumentStream, 'received' | 'mayHaveMissed'>>;
  readonly telemetry: LiveTelemetry;
  /** Keeps refused trades and frames that belong to no stream. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
  readonly onAmendment: (amendment: VenueAmendment, nowMs: number) => void;
  readonly onNotice: (notice: VenueNotice) => void;
  readonly clockOffset: Pick<ClockOffset, 'measured'>;
}

/**
 * Reads a frame of the venue and passes each trade to its instrument's stream, and amendments of such instruments on.
 *
 * @param receivedAt microseconds since 1970
 * @param nowMs of a clock that never goes back
 */
export function routeFrame(options: FrameRouterOptions, text: string, receivedAt: number, nowMs: number): void {
  const parsed = options.venue.stream.parseFrame(text, receivedAt);
  if (isNotice(parsed)) options.onNotice(parsed);
  else if (!isUnreadable(parsed)) for (const item of parsed) routeItem(options, item, nowMs);
  else {
    options.onRefused({ refusal: parsed, instrument: undefined, tradeId: undefined, text }, nowMs);
    // It may have been a trade of any of them.
    for (const stream of options.streams.values()) stream.mayHaveMissed(nowMs);
  }
}

function routeItem(
  { streams, telemetry, onRefused, onAmendment, clockOffset }: FrameRouterOptions,
  item: ParsedItem,
  nowMs: number,
): void {
  const { instrument } = item;
  const stream = instrument === undefined ? undefined : streams.get(instrument);
  if (isAmendment(item)) {
    if (stream !== undefined) onAmendment(item, nowMs);
    else telemetry({ kind: 'not-asked-for', instrument: item.instrument });
    return;
  }
  if (!isRefusedTrade(item)) clockOffset.measured(item.eventTime, item.receivedAt);
  if (stream !== undefined) stream.received(item, nowMs);
  else if (instrument !== undefined) telemetry({ kind: 'not-asked-for', instrument });
  else if (isRefusedTrade(item)) onRefused(item, nowMs);
}
