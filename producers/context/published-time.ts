import { calendarMicroseconds } from '../timestamps.ts';

/** A time with its zone: ISO 8601, or RFC 822 as in RSS. Without a zone it would depend on where it is read. */
const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;
const RFC_822 =
  /^(?:[A-Z][a-z]{2},\s+)?(\d{1,2})\s+([A-Z][a-z]{2})\s+(\d{4})\s+(\d{2}:\d{2})(:\d{2})?\s+(GMT|UTC?|Z|[ECMP][SD]T|[+-]\d{4})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Of RFC 822, 5.1. */
const ZONES: Readonly<Record<string, string>> = {
  ...{ GMT: 'Z', UT: 'Z', UTC: 'Z', EST: '-0500', EDT: '-0400', CST: '-0600' },
  ...{ CDT: '-0500', MST: '-0700', MDT: '-0600', PST: '-0800', PDT: '-0700' },
};

/** Microseconds since 1970; undefined for a text that is not a time with a zone, or not one that exists. */
export function publishedUsOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  const iso = ISO.exec(trimmed);
  if (iso !== null) {
    const [, date = '', minutes = '', seconds = ':00', zone = ''] = iso;
    return calendarMicroseconds(`${date}T${minutes}${seconds}${zone}`, false);
  }
  const rfc = RFC_822.exec(trimmed);
  if (rfc === null) return undefined;
  const [, day = '', name = '', year = '', minutes = '', seconds = ':00', zone = ''] = rfc;
  const month = MONTHS.indexOf(name) + 1;
  const date = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`;
  return calendarMicroseconds(`${date}T${minutes}${seconds}${ZONES[zone] ?? zone}`, false);
}
