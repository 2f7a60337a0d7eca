import { z } from 'zod';
import { EVENT_TIME_US_MAX, EVENT_TIME_US_MIN } from '../../contracts/trade-rules.ts';

const DAY_MS = 86_400_000;
const US_PER_MS = 1_000;
const MINUTES_PER_HOUR = 60;
/** Days off and half days that one session may name: those of 2009 to 2099 at any exchange. */
const DATES_MAX = 5_000;
/** Changes of a zone's offset in 2009 to 2099: two a year, and four if the clock follows the moon. */
const OFFSETS_MAX = 1_000;
const OFFSET_SECONDS_MAX = 86_400;
const ZONE_NAME_LENGTH_MAX = 64;

/** The days of a week in the order of ISO 8601. */
export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
/** 1970-01-01 was a Thursday. */
const WEEKDAY_OF_DAY_0 = 3;

/** Sessions `[anchorMs + k · lengthMs, anchorMs + (k + 1) · lengthMs)`, milliseconds since 1970 UTC. */
export interface UtcWindows {
  readonly anchorMs: number;
  readonly lengthMs: number;
}

/** Sessions of an exchange: one a trading day, from the opening to the closing time of its local clock. */
export interface TradingHours {
  /** Name in the IANA database, such as `America/New_York`. */
  readonly timeZone: string;
  /** `HH:MM`. If it is not before `close`, a session opens on the day before the one it belongs to. */
  readonly open: string;
  /** `HH:MM`, up to `24:00`. */
  readonly close: string;
  /** Days that sessions belong to, in the order of {@link WEEKDAYS}. */
  readonly weekdays: readonly Weekday[];
  /** `YYYY-MM-DD`, ascending. */
  readonly daysOff: readonly string[];
  /** Closing time by date, `YYYY-MM-DD` to `HH:MM`: earlier than `close`, on the day that the session belongs to. */
  readonly halfDays: Readonly<Record<string, string>>;
}

export type SessionConfiguration = UtcWindows | TradingHours;

/** A zone's offsets from one version of the IANA database. Kept with the configuration, so they never change. */
export interface ZoneData {
  /** Version of the IANA database, such as `2026a`. */
  readonly dataVersion: string;
  /** Pairs of the second since 1970 UTC from which on an offset holds, and the offset, seconds east of UTC; ascending. */
  readonly offsets: readonly (readonly [fromSeconds: number, offsetSeconds: number])[];
}

export function isTradingHours(session: SessionConfiguration): session is TradingHours {
  return 'timeZone' in session;
}

/** Days since 1970-01-01 of a date `YYYY-MM-DD`; undefined when the calendar has no such day. */
export function dayNumberOf(date: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  const timeMs = Date.parse(`${date}T00:00:00Z`);
  // Some engines read February 30 as March 2.
  const exists = !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(date);
  return exists ? timeMs / DAY_MS : undefined;
}

/** Minutes since midnight of a time `HH:MM`; undefined for another text. */
export function minutesOf(time: string): number | undefined {
  const [, hours, minutes] = /^(\d\d?):([0-5]\d)$/.exec(time) ?? [];
  const sum = Number(hours) * MINUTES_PER_HOUR + Number(minutes);
  return sum <= 24 * MINUTES_PER_HOUR ? sum : undefined;
}

/** Weekday of a day, given as days since 1970-01-01. */
export function weekdayOf(dayNumber: number): Weekday {
  const index = (((dayNumber + WEEKDAY_OF_DAY_0) % WEEKDAYS.length) + WEEKDAYS.length) % WEEKDAYS.length;
  return WEEKDAYS[index] ?? 'MON';
}

const NO_TIME = `must be a time of day in quotes, for example '09:30'`;
const NO_DATE = `must be a date of 2009 to 2099 in quotes, for example '2025-12-25'`;
const TOO_MANY_DATES = `must name at most ${DATES_MAX} days`;

const time = z
  .string(NO_TIME)
  .refine((text) => minutesOf(text) !== undefined, NO_TIME)
  .transform((text) => text.padStart('HH:MM'.length, '0'));

const date = z.string(NO_DATE).refine((text) => {
  const timeUs = (dayNumberOf(text) ?? Number.NaN) * DAY_MS * US_PER_MS;
  return timeUs >= EVENT_TIME_US_MIN && timeUs < EVENT_TIME_US_MAX;
}, NO_DATE);

const written = z.strictObject({
  anchorMs: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER / US_PER_MS - 1)
    .optional(),
  lengthMs: z
    .int()
    .min(1_000)
    .max(366 * DAY_MS)
    .optional(),
  timeZone: z.string().min(1).max(ZONE_NAME_LENGTH_MAX).optional(),
  open: time.optional(),
  close: time.optional(),
  weekdays: z
    .array(z.enum(WEEKDAYS))
    .refine((days) => days.length >= 1 && days.length <= WEEKDAYS.length, 'must name one to seven days')
    .optional(),
  daysOff: z
    .array(date)
    .refine((days) => days.length <= DATES_MAX, TOO_MANY_DATES)
    .optional(),
  halfDays: z
    .record(date, time)
    .refine((days) => Object.keys(days).length <= DATES_MAX, TOO_MANY_DATES)
    .optional(),
});
type WrittenSession = z.output<typeof written>;

/** A session as people write it: either form; each key has a default, except zone, opening and closing time. */
export const session = written.transform((value, context): SessionConfiguration => {
  const read = sessionOf(value);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});

/** Data of the zones that sessions name. */
export const timeZones = z.record(
  z.string().min(1).max(ZONE_NAME_LENGTH_MAX),
  z.strictObject({
    dataVersion: z.string().min(1).max(ZONE_NAME_LENGTH_MAX),
    offsets: z
      .array(z.tuple([z.int(), z.int().min(-OFFSET_SECONDS_MAX).max(OFFSET_SECONDS_MAX)]).readonly())
      .min(1)
      .max(OFFSETS_MAX)
      .readonly(),
  }),
);

/** The session that is meant, or its fault. */
function sessionOf(value: WrittenSession): SessionConfiguration | string {
  const { anchorMs, lengthMs, ...hours } = value;
  const [ofWindows] = keysIn({ anchorMs, lengthMs });
  const [ofHours] = keysIn(hours);
  if (ofHours === undefined) return { anchorMs: anchorMs ?? 0, lengthMs: lengthMs ?? DAY_MS };
  if (ofWindows !== undefined) {
    return `${ofWindows} belongs to windows of UTC and ${ofHours} to trading hours, and a session is one of them`;
  }
  const { timeZone, open, close } = hours;
  if (timeZone === undefined || open === undefined || close === undefined) {
    const missing = ['timeZone', 'open', 'close'].filter((key) => !keysIn(hours).includes(key));
    return `trading hours need timeZone, open and close, and it has no ${missing.join(' and no ')}`;
  }
  if (open === '24:00') return 'open must be before 24:00: the midnight that begins a day is 00:00';
  if (close === '00:00') return 'close must be after 00:00: the midnight that ends a day is 24:00';
  return contradictionIn({
    timeZone,
    open,
    close,
    weekdays: WEEKDAYS.filter((day) => (hours.weekdays ?? WEEKDAYS.slice(0, 5)).includes(day)),
    daysOff: [...new Set(hours.daysOff)].sort(),
    halfDays: hours.halfDays ?? {},
  });
}

/** The hours themselves, or a contradiction in them. */
function contradictionIn(hours: TradingHours): TradingHours | string {
  const { open, close, weekdays, daysOff, halfDays } = hours;
  for (const [day, halfClose] of Object.entries(halfDays)) {
    const weekday = weekdayOf(dayNumberOf(day) ?? 0);
    if (daysOff.includes(day)) return `${day} is a half day and a day off, and can be one of them`;
    if (!weekdays.includes(weekday)) return `the half day ${day} is a ${weekday}, which is not among its weekdays`;
    if (halfClose >= close) return `the half day ${day} closes at ${halfClose}, which is not before ${close}`;
    if (open < close && halfClose <= open) {
      return `the half day ${day} closes at ${halfClose}, which is not after its opening at ${open}`;
    }
  }
  return hours;
}

function keysIn(value: object): string[] {
  return Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [key]));
}
