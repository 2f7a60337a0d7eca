import {
  dayNumberOf,
  isTradingHours,
  minutesOf,
  weekdayOf,
  type SessionConfiguration,
  type TradingHours,
  type UtcWindows,
  type ZoneData,
} from './session-configuration.ts';

const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;
const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_DAY = 86_400;
/** A session belongs to at most this many days before or after the local date of any of its instants. */
const DAYS_APART_MAX = 2;
/** One weekday a week, off as often as a configuration can name, and some skipped by changes of the clock. */
const DAYS_BETWEEN_MAX = 50_000;

/** One session, `[startUs, endUs)`, microseconds since 1970 UTC. */
export interface SessionSpan {
  /**
   * For windows of UTC `floor((t − anchor) / length)`; for trading hours the session's date, days since 1970-01-01.
   * Ascending in time; for trading hours, with gaps.
   */
  readonly index: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** Which session a time falls in. Sessions follow each other in order and do not overlap. */
export interface SessionCalendar {
  /** Undefined outside trading hours. */
  sessionAt(timeUs: number): SessionSpan | undefined;
  /** The first session whose index is greater. */
  after(index: number): SessionSpan;
}

/**
 * The calendar of a session.
 *
 * @param zones data of the zones that a configuration's sessions name; no zone library is consulted, so that a replay
 *   in years to come finds the same sessions.
 * @throws TypeError for trading hours of a zone without data, which a parsed configuration never has.
 */
export function sessionCalendarOf(
  session: SessionConfiguration,
  zones: Readonly<Record<string, ZoneData>> = {},
): SessionCalendar {
  if (!isTradingHours(session)) return new WindowCalendar(session);
  const zone = Object.hasOwn(zones, session.timeZone) ? zones[session.timeZone] : undefined;
  if (zone === undefined) throw new TypeError(`No data of the time zone ${session.timeZone}`);
  return new TradingCalendar(session, new LocalClock(zone));
}

class WindowCalendar implements SessionCalendar {
  private readonly anchorUs: number;
  private readonly lengthUs: number;
  private last: SessionSpan;

  constructor({ anchorMs, lengthMs }: UtcWindows) {
    this.anchorUs = anchorMs * US_PER_MS;
    this.lengthUs = lengthMs * US_PER_MS;
    this.last = this.spanOf(0);
  }

  sessionAt(timeUs: number): SessionSpan {
    if (!holds(this.last, timeUs)) this.last = this.spanOf(Math.floor((timeUs - this.anchorUs) / this.lengthUs));
    return this.last;
  }

  after(index: number): SessionSpan {
    return this.spanOf(index + 1);
  }

  private spanOf(index: number): SessionSpan {
    const startUs = this.anchorUs + index * this.lengthUs;
    return { index, startUs, endUs: startUs + this.lengthUs };
  }
}

class TradingCalendar implements SessionCalendar {
  private readonly clock: LocalClock;
  /** Seconds since the midnight that begins the session's date; below 0 if it opens on the day before. */
  private readonly openSeconds: number;
  private readonly closeSeconds: number;
  private readonly weekdays: ReadonlySet<string>;
  private readonly daysOff: ReadonlySet<number>;
  private readonly halfDayCloses: ReadonlyMap<number, number>;
  private last: SessionSpan | undefined;
  /** The last time between two sessions that was found, `[from, to)`. */
  private closedFromUs = 0;
  private closedToUs = 0;

  constructor(hours: TradingHours, clock: LocalClock) {
    this.clock = clock;
    this.closeSeconds = secondsOf(hours.close);
    const openSeconds = secondsOf(hours.open);
    this.openSeconds = openSeconds < this.closeSeconds ? openSeconds : openSeconds - SECONDS_PER_DAY;
    this.weekdays = new Set(hours.weekdays);
    this.daysOff = new Set(hours.daysOff.map(knownDay));
    this.halfDayCloses = new Map(Object.entries(hours.halfDays).map(([day, time]) => [knownDay(day), secondsOf(time)]));
  }

  sessionAt(timeUs: number): SessionSpan | undefined {
    if (this.last !== undefined && holds(this.last, timeUs)) return this.last;
    if (timeUs >= this.closedFromUs && timeUs < this.closedToUs) return undefined;
    return this.found(timeUs);
  }

  after(index: number): SessionSpan {
    for (let day = index + 1; day <= index + DAYS_BETWEEN_MAX; day += 1) {
      const span = this.spanOf(day);
      if (span !== undefined) return span;
    }
    throw new RangeError(`No session within ${DAYS_BETWEEN_MAX} days after day ${index}`);
  }

  /** Starts ascend with the days: of the sessions begun so far, only the latest can still be open. */
  private found(timeUs: number): SessionSpan | undefined {
    const today = this.clock.dayAt(timeUs);
    let nextStartUs = timeUs;
    for (let day = today + DAYS_APART_MAX; day >= today - DAYS_APART_MAX; day -= 1) {
      const span = this.spanOf(day);
      if (span === undefined) continue;
      if (span.startUs <= timeUs) {
        if (timeUs < span.endUs) return (this.last = span);
        this.closedFromUs = span.endUs;
        this.closedToUs = nextStartUs;
        return undefined;
      }
      nextStartUs = span.startUs;
    }
    return undefined;
  }

  /** The session that belongs to a day. None on a day off, and none if a change of the clock skips all of it. */
  private spanOf(day: number): SessionSpan | undefined {
    if (this.daysOff.has(day) || !this.weekdays.has(weekdayOf(day))) return undefined;
    const midnight = day * SECONDS_PER_DAY;
    const closeSeconds = this.halfDayCloses.get(day) ?? this.closeSeconds;
    const startUs = this.clock.firstReading(midnight + this.openSeconds) * US_PER_SECOND;
    const endUs = this.clock.firstReading(midnight + closeSeconds) * US_PER_SECOND;
    return startUs < endUs ? { index: day, startUs, endUs } : undefined;
  }
}

/** A local clock. Its readings are seconds since 1970-01-01 00:00 of the local calendar. */
class LocalClock {
  private readonly fromSeconds: readonly number[];
  private readonly offsetSeconds: readonly number[];
  /** For each period between two changes, the reading that the clock has not shown before its end. Ascending. */
  private readonly unreadSeconds: readonly number[];

  constructor({ offsets }: ZoneData) {
    // Before the data begin, their first entry applies.
    this.fromSeconds = offsets.map(([from], period) => (period === 0 ? Number.NEGATIVE_INFINITY : from));
    this.offsetSeconds = offsets.map(([, offset]) => offset);
    let unread = Number.NEGATIVE_INFINITY;
    this.unreadSeconds = offsets.map(([, offset], period) => {
      unread = Math.max(unread, (offsets[period + 1]?.[0] ?? Number.POSITIVE_INFINITY) + offset);
      return unread;
    });
  }

  /** The date on the local calendar, days since 1970-01-01. */
  dayAt(timeUs: number): number {
    const seconds = timeUs / US_PER_SECOND;
    const period = firstAbove(this.fromSeconds, seconds) - 1;
    return Math.floor((seconds + (this.offsetSeconds[period] ?? 0)) / SECONDS_PER_DAY);
  }

  /**
   * The first instant, in seconds since 1970 UTC, at which the clock shows a reading or a later one. So a reading that
   * is skipped in spring is the instant of the change, and a reading that comes twice in autumn is the earlier instant.
   */
  firstReading(reading: number): number {
    const period = firstAbove(this.unreadSeconds, reading);
    const from = this.fromSeconds[period] ?? Number.NEGATIVE_INFINITY;
    return Math.max(from, reading - (this.offsetSeconds[period] ?? 0));
  }
}

/** Index of the first of ascending values that is above a value; their number when none is. */
function firstAbove(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Number.POSITIVE_INFINITY) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function holds(span: SessionSpan, timeUs: number): boolean {
  return timeUs >= span.startUs && timeUs < span.endUs;
}

function secondsOf(time: string): number {
  const minutes = minutesOf(time);
  if (minutes === undefined) throw new TypeError(`${time} is not a time of day`);
  return minutes * SECONDS_PER_MINUTE;
}

function knownDay(date: string): number {
  const day = dayNumberOf(date);
  if (day === undefined) throw new TypeError(`${date} is not a date`);
  return day;
}
