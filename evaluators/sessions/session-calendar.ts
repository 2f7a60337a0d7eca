import { canonicalJson } from '../../contracts/canonical-json.ts';
import { TimeZone, type TimeZoneData } from './time-zone.ts';
import { secondOfDayOf, WEEKDAYS, type SessionParameters, type TradingHours } from './session-parameters.ts';

const US_PER_MS = 1_000;
const DAYS_PER_WEEK = 7;
/** 1 January 1970 was a Thursday. */
const WEEKDAY_OF_DAY_0 = 3;
/** A calendar without a session for so long has none: its days off are bounded below that. */
const DAYS_WITHOUT_SESSION_MAX = 1_000;
/** Spans remembered, so that a trade outside hours costs two look-ups. */
const SPANS_KEPT_MAX = 4_096;
const MS_PER_DAY = 86_400_000;

/** One session: half-open `[startUs, endUs)`, microseconds. */
export interface SessionSpan {
  /** Grows with time. Of windows `floor((t − anchor) / length)`, of calendars the session's date, days since 1970. */
  readonly index: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** Which session a time falls in. */
export interface SessionCalendar {
  /** Undefined outside trading hours. */
  sessionAt(timeUs: number): SessionSpan | undefined;
  /** The first session after the one of an index. */
  after(index: number): SessionSpan;
}

/** Zone names to their data, as a configuration holds them. */
export type TimeZones = Readonly<Record<string, TimeZoneData>>;

/** The calendar of a session's parameters. @throws Error where a time zone's data is missing. */
export function sessionCalendarOf(session: SessionParameters, zones: TimeZones): SessionCalendar {
  return 'timeZone' in session
    ? new TradingCalendar(session, new TimeZone(zoneOf(session, zones)))
    : new WindowCalendar(session.anchorMs * US_PER_MS, session.lengthMs * US_PER_MS);
}

/** A session's parameters as one text, its time zone's data included. */
export function sessionKeyOf(session: SessionParameters, zones: TimeZones): string {
  return canonicalJson('timeZone' in session ? { session, zone: zoneOf(session, zones) } : { session });
}

function zoneOf({ timeZone }: TradingHours, zones: TimeZones): TimeZoneData {
  const data = Object.hasOwn(zones, timeZone) ? zones[timeZone] : undefined;
  if (data === undefined) throw new Error(`the configuration lacks the offsets of the time zone ${timeZone}`);
  return data;
}

/** Windows of one length behind one another, without an end: by default UTC days. */
class WindowCalendar implements SessionCalendar {
  private readonly anchorUs: number;
  private readonly lengthUs: number;

  constructor(anchorUs: number, lengthUs: number) {
    this.anchorUs = anchorUs;
    this.lengthUs = lengthUs;
  }

  sessionAt(timeUs: number): SessionSpan {
    return this.spanOf(Math.floor((timeUs - this.anchorUs) / this.lengthUs));
  }

  after(index: number): SessionSpan {
    return this.spanOf(index + 1);
  }

  private spanOf(index: number): SessionSpan {
    const startUs = this.anchorUs + index * this.lengthUs;
    return { index, startUs, endUs: startUs + this.lengthUs };
  }
}

/**
 * The hours of an exchange, as the clocks at its place show them. A session whose opening is not before its closing begins
 * on the day before, and is that of the day on which it ends.
 */
class TradingCalendar implements SessionCalendar {
  private readonly zone: TimeZone;
  private readonly openSecond: number;
  private readonly closeSecond: number;
  private readonly beginsDayBefore: boolean;
  private readonly weekdays: ReadonlySet<number>;
  private readonly daysOff: ReadonlySet<number>;
  private readonly closeOfHalfDay: ReadonlyMap<number, number>;
  private readonly spans = new Map<number, SessionSpan | undefined>();

  constructor(hours: TradingHours, zone: TimeZone) {
    this.zone = zone;
    this.openSecond = secondOfDayOf(hours.open);
    this.closeSecond = secondOfDayOf(hours.close);
    this.beginsDayBefore = this.openSecond >= this.closeSecond;
    this.weekdays = new Set(hours.weekdays.map((name) => WEEKDAYS.indexOf(name)));
    this.daysOff = new Set(hours.daysOff.map(dayOf));
    this.closeOfHalfDay = new Map(
      Object.entries(hours.halfDays).map(([date, close]) => [dayOf(date), secondOfDayOf(close)]),
    );
  }

  sessionAt(timeUs: number): SessionSpan | undefined {
    const day = this.zone.dayAt(timeUs);
    const last = this.beginsDayBefore ? day + 1 : day;
    for (let date = day; date <= last; date += 1) {
      const span = this.spanOf(date);
      if (span !== undefined && timeUs >= span.startUs && timeUs < span.endUs) return span;
    }
    return undefined;
  }

  after(index: number): SessionSpan {
    for (let date = index + 1; date <= index + DAYS_WITHOUT_SESSION_MAX; date += 1) {
      const span = this.spanOf(date);
      if (span !== undefined) return span;
    }
    throw new Error(`the calendar has no session within ${DAYS_WITHOUT_SESSION_MAX} days after day ${index}`);
  }

  /** The session of a date, days since 1970; undefined where the exchange is closed. */
  private spanOf(date: number): SessionSpan | undefined {
    if (this.spans.has(date)) return this.spans.get(date);
    if (this.spans.size >= SPANS_KEPT_MAX) this.spans.clear();
    const span = this.computed(date);
    this.spans.set(date, span);
    return span;
  }

  private computed(date: number): SessionSpan | undefined {
    const weekday = (((date + WEEKDAY_OF_DAY_0) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK;
    if (!this.weekdays.has(weekday) || this.daysOff.has(date)) return undefined;
    const startUs = this.zone.instantOf(this.beginsDayBefore ? date - 1 : date, this.openSecond);
    const endUs = this.zone.instantOf(date, this.closeOfHalfDay.get(date) ?? this.closeSecond);
    return endUs > startUs ? { index: date, startUs, endUs } : undefined;
  }
}

/** Days since 1970 of a date that was checked. */
function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / MS_PER_DAY;
}
