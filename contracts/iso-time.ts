const MICROSECONDS_PER_SECOND = 1_000_000;
const FRACTION_DIGITS = 6;
const MICROSECONDS = /^\d{16}$/;
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/;

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
  const [, seconds = '', fraction = '', zone = ''] = match;
  const milliseconds = Date.parse(seconds + zone);
  if (Number.isNaN(milliseconds)) return undefined;
  return (milliseconds / 1_000) * MICROSECONDS_PER_SECOND + Number(fraction.padEnd(FRACTION_DIGITS, '0'));
}
