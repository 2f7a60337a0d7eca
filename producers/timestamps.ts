const MICROSECONDS_PER_MILLISECOND = 1000;
const MICROSECOND_DIGITS = 6;
const RFC_3339_UTC = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:Z|\+00:00)$/;

/** Microseconds since 1970 of `2025-03-25T23:07:00.715Z`, finer digits cut off; undefined where the text is no UTC time. */
export function microsecondsOf(text: string): number | undefined {
  const match = RFC_3339_UTC.exec(text);
  if (match === null) return undefined;
  const [, toTheSecond = '', fraction = ''] = match;
  const milliseconds = Date.parse(`${toTheSecond}Z`);
  // 30 February is read as 2 March: only a text that comes back the same is a time.
  if (Number.isNaN(milliseconds) || !new Date(milliseconds).toISOString().startsWith(toTheSecond)) return undefined;
  const microseconds = Number(fraction.padEnd(MICROSECOND_DIGITS, '0').slice(0, MICROSECOND_DIGITS));
  return milliseconds * MICROSECONDS_PER_MILLISECOND + microseconds;
}
