import { civilMs } from '../contracts/civil-time.ts';

const US_PER_MS = 1_000;
const MS_PER_MINUTE = 60_000;
const ZONE = 'America/New_York';
const LOCAL_DATE = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});
const OFFSET = new Intl.DateTimeFormat('en-US', { timeZone: ZONE, timeZoneName: 'longOffset' });

/** A day of the US stock markets' clock, `[fromUs, toUs)`, microseconds since 1970. */
export interface NewYorkDay {
  readonly fromUs: number;
  readonly toUs: number;
}

/** The day of a time. @param timeUs microseconds since 1970 */
export function newYorkDayAt(timeUs: number): NewYorkDay {
  const [year = 0, month = 0, day = 0] = LOCAL_DATE.format(timeUs / US_PER_MS)
    .split('-')
    .map(Number);
  return { fromUs: midnightUs(year, month, day), toUs: midnightUs(year, month, day + 1) };
}

/** The midnight that begins a date; undefined where it is not a date. @param month from 1 */
export function newYorkMidnightUs(year: number, month: number, day: number): number | undefined {
  const isDate = civilMs({ year, month, day, hour: 0, minute: 0, second: 0 }) !== undefined;
  return isDate ? midnightUs(year, month, day) : undefined;
}

/** The clock changes at two in the morning: at midnight the offset of the evening before still holds. */
function midnightUs(year: number, month: number, day: number): number {
  const utcMs = Date.UTC(year, month - 1, day);
  return (utcMs - offsetMinutesAt(utcMs) * MS_PER_MINUTE) * US_PER_MS;
}

/** Local time minus UTC, minutes. @param timeMs milliseconds since 1970 */
function offsetMinutesAt(timeMs: number): number {
  const name = OFFSET.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign = '', hours = '', minutes = ''] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  const size = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -size : size;
}
