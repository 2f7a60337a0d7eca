import type { Watermark } from '../../contracts/generated/events.ts';
import { liveSourceOf } from '../venue.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;
const MILLISECONDS_PER_SECOND = 1_000;

/**
 * An instrument, and the time up to which it is complete, milliseconds since 1970; undefined where it is not in sync.
 */
export interface InSync {
  readonly instrument: string;
  readonly completeUntilMs: number | undefined;
}

/** Which watermarks are due: at most one per interval and partition, never going back in time. */
export class Watermarks {
  private readonly venue: string;
  private readonly intervalMs: number;
  private readonly allowanceMs: number;
  /** By partition: when the last watermark was written (by a monotonic clock), and its event time, microseconds. */
  private readonly last = new Map<number, { readonly atMs: number; readonly eventTime: number }>();

  constructor(venue: string, intervalMs: number, allowanceMs: number) {
    this.venue = venue;
    this.intervalMs = intervalMs;
    this.allowanceMs = allowanceMs;
  }

  /** The tape holds a watermark with this event time. */
  held(partition: number, eventTime: number): void {
    const last = this.last.get(partition);
    if (last === undefined || last.eventTime < eventTime) this.last.set(partition, { atMs: -Infinity, eventTime });
  }

  isDue(partition: number, nowMs: number): boolean {
    return nowMs - (this.last.get(partition)?.atMs ?? -Infinity) >= this.intervalMs;
  }

  /** The watermark to write for the instruments of a partition that are in sync, if any are. */
  next(partition: number, streams: readonly InSync[], nowMs: number, wallClockMs: number): Watermark | undefined {
    if (!this.isDue(partition, nowMs)) return undefined;
    const inSync = streams.flatMap(({ instrument, completeUntilMs }) =>
      completeUntilMs === undefined ? [] : [{ instrument, completeUntilMs }],
    );
    if (inSync.length === 0) return undefined;
    const completeUntilMs = Math.min(wallClockMs, ...inSync.map((each) => each.completeUntilMs));
    const seconds = Math.floor((completeUntilMs - this.allowanceMs) / MILLISECONDS_PER_SECOND);
    const eventTime = seconds * MILLISECONDS_PER_SECOND * MICROSECONDS_PER_MILLISECOND;
    if (eventTime <= (this.last.get(partition)?.eventTime ?? -Infinity)) return undefined;
    return {
      venue: this.venue,
      instruments: inSync.map(({ instrument }) => instrument).sort(),
      eventTime,
      receivedAt: wallClockMs * MICROSECONDS_PER_MILLISECOND,
      source: liveSourceOf(this.venue),
    };
  }

  /** Records that a watermark goes to the tape now. */
  written(partition: number, { eventTime }: Watermark, nowMs: number): void {
    this.last.set(partition, { atMs: nowMs, eventTime });
  }
}
