const US_PER_SECOND = 1_000_000;
const DAY_SECONDS = 86_400;

/** Offsets of a time zone from UTC, as a configuration holds them: nothing else is needed to read a clock there. */
export interface TimeZoneData {
  /** Version of the IANA time zone database that they are from, for example 2026a. */
  readonly dataVersion: string;
  /** Alternating, ascending: from when, seconds since 1970 UTC, and what is added to UTC from then on, seconds. */
  readonly offsets: readonly number[];
}

/** A time zone, from its data alone. */
export class TimeZone {
  private readonly offsets: readonly number[];

  constructor({ offsets }: TimeZoneData) {
    this.offsets = offsets;
  }

  /** Days since 1970 that the calendar there shows at an instant, microseconds. */
  dayAt(timeUs: number): number {
    const seconds = Math.floor(timeUs / US_PER_SECOND);
    return Math.floor((seconds + this.offsetAt(seconds)) / DAY_SECONDS);
  }

  /**
   * The instant, microseconds, at which clocks there show a time of a day. Of two, as when clocks are set back, the earlier;
   * where there is none, as when they are set forward, the instant of the change.
   *
   * @param day - days since 1970.
   * @param secondOfDay - from midnight as the clock shows it.
   */
  instantOf(day: number, secondOfDay: number): number {
    const local = day * DAY_SECONDS + secondOfDay;
    const before = this.offsetAt(local - DAY_SECONDS);
    const after = this.offsetAt(local + DAY_SECONDS);
    const earlier = local - before;
    if (this.offsetAt(earlier) === before) return earlier * US_PER_SECOND;
    const later = local - after;
    if (this.offsetAt(later) === after) return later * US_PER_SECOND;
    return (this.offsets[this.positionAt(earlier)] ?? earlier) * US_PER_SECOND;
  }

  private offsetAt(seconds: number): number {
    return this.offsets[this.positionAt(seconds) + 1] ?? 0;
  }

  /** Position of the last change at or before a second; of the first where it is before all. */
  private positionAt(seconds: number): number {
    let low = 0;
    let high = this.offsets.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[2 * middle] ?? 0) <= seconds) low = middle + 1;
      else high = middle;
    }
    return 2 * Math.max(low - 1, 0);
  }
}
