/** A date and a time of day, as written; months from 1. */
export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const HOURS = 24;
const SIXTY = 60;

/**
 * Milliseconds since 1970 of a date and time of UTC; undefined where there is no such time. `Date` would take 30 February
 * for 2 March, and 24:00 for the next day.
 */
export function civilMs({ year, month, day, hour, minute, second }: CivilTime): number | undefined {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const read = new Date(ms);
  const isDate = read.getUTCFullYear() === year && read.getUTCMonth() === month - 1 && read.getUTCDate() === day;
  return isDate && hour < HOURS && minute < SIXTY && second < SIXTY ? ms : undefined;
}
