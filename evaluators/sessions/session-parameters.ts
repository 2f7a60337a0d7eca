import { z } from 'zod';

export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;

const DAY_MS = 86_400_000;
const DAYS_OFF_MAX = 5_000;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;
const TIME_OF_DAY = /^([01]\d|2[0-3]):([0-5]\d)$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Windows of one length behind one another. */
export interface SessionWindows {
  readonly anchorMs: number;
  readonly lengthMs: number;
}

/** The hours of an exchange, as clocks at its place show them. Dates are those on which a session ends. */
export interface TradingHours {
  /** A name of the IANA time zone database, for example America/New_York. */
  readonly timeZone: string;
  readonly open: string;
  readonly close: string;
  readonly weekdays: readonly (typeof WEEKDAYS)[number][];
  readonly daysOff: readonly string[];
  /** Date to the time of closing on that day. */
  readonly halfDays: Readonly<Record<string, string>>;
}

export type SessionParameters = SessionWindows | TradingHours;

/** Seconds from midnight of a time of day that was checked. */
export function secondOfDayOf(timeOfDay: string): number {
  const [hours, minutes] = timeOfDay.split(':').map(Number);
  return ((hours ?? 0) * MINUTES_PER_HOUR + (minutes ?? 0)) * SECONDS_PER_MINUTE;
}

const timeOfDay = z
  .string('must be a time of day such as "09:30", in quotes')
  .regex(TIME_OF_DAY, 'must be a time of day such as "09:30", from "00:00" to "23:59"');

const date = z
  .string('must be a date such as "2025-12-25", in quotes')
  .refine(isDate, 'must be a date such as "2025-12-25"');

function isDate(text: string): boolean {
  if (!DATE.test(text)) return false;
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(text);
}

const fields = z.strictObject({
  anchorMs: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER / 1_000 - 1)
    .optional(),
  lengthMs: z
    .int()
    .min(1_000)
    .max(366 * DAY_MS)
    .optional(),
  timeZone: z.string('must be the name of a time zone such as America/New_York').optional(),
  open: timeOfDay.optional(),
  close: timeOfDay.optional(),
  weekdays: z
    .array(z.enum(WEEKDAYS))
    .min(1, 'must name at least one day')
    .refine((days) => new Set(days).size === days.length, 'names a day twice')
    .optional(),
  daysOff: z.array(date).max(DAYS_OFF_MAX).optional(),
  halfDays: z.record(date, timeOfDay).optional(),
});

/** How a configuration says what a session is: windows by `anchorMs` and `lengthMs`, or the hours of an exchange. */
export const sessionSchema = fields.superRefine(checkForm).transform(completed);

type Fields = z.output<typeof fields>;

function checkForm(session: Fields, context: z.core.$RefinementCtx<Fields>): void {
  const say = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
  };
  const { timeZone, open, close, daysOff = [], halfDays = {} } = session;
  if (timeZone === undefined) {
    const stray = (['open', 'close', 'weekdays', 'daysOff', 'halfDays'] as const).find(
      (key) => session[key] !== undefined,
    );
    if (stray !== undefined) say(stray, 'needs a timeZone beside it, such as America/New_York');
    return;
  }
  const stray = (['anchorMs', 'lengthMs'] as const).find((key) => session[key] !== undefined);
  if (stray !== undefined)
    say(stray, 'does not go together with a timeZone: a session is a window or the hours of an exchange');
  if (open === undefined) say('open', 'is missing: a session with a timeZone opens at a time such as "09:30"');
  if (close === undefined) say('close', 'is missing: a session with a timeZone closes at a time such as "16:00"');
  for (const [day, early] of Object.entries(halfDays)) {
    if (daysOff.includes(day)) say('halfDays', `names ${day}, which is a day off`);
    if (open !== undefined && close !== undefined && open < close && early <= open) {
      say('halfDays', `closes at ${early} on ${day}, which is not after the opening at ${open}`);
    }
  }
}

function completed(session: Fields): SessionParameters {
  const { timeZone, open = '', close = '', anchorMs = 0, lengthMs = DAY_MS } = session;
  if (timeZone === undefined) return { anchorMs, lengthMs };
  return {
    ...{ timeZone, open, close },
    weekdays: WEEKDAYS.filter((day) => (session.weekdays ?? WEEKDAYS.slice(0, 5)).includes(day)),
    daysOff: [...new Set(session.daysOff ?? [])].sort(),
    halfDays: session.halfDays ?? {},
  };
}
