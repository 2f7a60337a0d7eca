import { civilMs } from './civil-time.ts';

const US_PER_MS = 1_000;
const US_PER_MINUTE = 60_000_000;
const FRACTION_DIGITS = 6;
const MICROSECONDS = /^\d{16}$/;
const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/;
/** Zones reach from UTC−12 to UTC+14. */
const ZONE_HOURS_MAX = 14;

/** A time in microseconds since 1970 as ISO 8601, UTC, with all six digits: `2025-03-25T23:08:00.000125Z`. */
export function isoTimeOf(timeUs: number): string {
  const micros = String(((timeUs % 1_000) + 1_000) % 1_000).padStart(3, '0');
  return new Date(Math.floor(timeUs / 1_000)).toISOString().replace('Z', `${micros}Z`);
}

/**
 * Reads the format of {@link isoTimeOf}, also with fewer digits or an offset such as `+02:00`, and plain microseconds
 * since 1970. Exact to the microsecond, unlike `Date.parse`. Undefined where the text is not such a time.
 */
export function parseIsoTime(text: string): number | undefined {
  if (MICROSECONDS.test(text)) return Number(text);
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [, , , , , , , fraction = '', zone = ''] = match;
  const milliseconds = civilMs({ year, month, day, hour, minute, second });
  const offset = offsetMinutesOf(zone);
  if (milliseconds === undefined || offset === undefined) return undefined;
  return milliseconds * US_PER_MS + Number(fraction.padEnd(FRACTION_DIGITS, '0')) - offset * US_PER_MINUTE;
}

/** The minutes by which a zone is ahead of UTC: `Z`, `+02`, `+0200`, `+02:00`; undefined where no zone is so far ahead. */
export function offsetMinutesOf(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > ZONE_HOURS_MAX || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
