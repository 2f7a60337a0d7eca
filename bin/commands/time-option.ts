import { parseIsoTime } from '../../contracts/iso-time.ts';
import { TapeproofError } from '../../platform/errors.ts';

/** Date, hour and minute; then seconds with fraction, and the zone, perhaps. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(\.\d{1,6})?)?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?$/;
const MICROSECONDS = /^\d{16}$/;

/**
 * A moment in microseconds since 1970: ISO 8601 with its zone, or such a number.
 *
 * @throws TapeproofError USAGE; where only the zone is missing, the sentence asks for it.
 */
export function parseMoment(text: string): number {
  const written = text.trim();
  const match = TIME.exec(written);
  if (match === null) {
    if (MICROSECONDS.test(written)) return Number(written);
    throw invalid(text);
  }
  const [, date = '', minutes = '00:00', seconds = '00', fraction = '', zone] = match;
  const local = `${date}T${minutes}:${seconds}${fraction}`;
  if (parseIsoTime(`${local}Z`) === undefined) throw invalid(text);
  if (zone === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${JSON.stringify(text)} could be a time of any zone: write it with its zone, for example ${local}Z or ${local}+01:00.`,
    );
  }
  if (match[2] === undefined) throw invalid(text);
  const timeUs = parseIsoTime(`${local}${zoneOf(zone)}`);
  if (timeUs === undefined) throw invalid(text);
  return timeUs;
}

/** `Z`, or `+01:00` from `+01`, `+0100` or itself. */
function zoneOf(zone: string): string {
  if (zone.toUpperCase() === 'Z') return 'Z';
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function invalid(text: string): TapeproofError {
  return new TapeproofError(
    'USAGE',
    `${JSON.stringify(text.slice(0, 100))} is not a valid time: one looks like 2025-03-25T23:08:00Z or 2025-03-25T23:08:00.000125+01:00.`,
  );
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3_600e3, d: 86_400e3 };

/** A length of time in milliseconds: `500ms`, `30s`, `5m`, `2h` or `1d`. @throws TapeproofError USAGE */
export function parseLength(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})\s*(ms|s|min|m|h|d)$/.exec(text.trim()) ?? [];
  const unitMs = MS_OF_UNIT[unit];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new TapeproofError(
    'USAGE',
    `${JSON.stringify(text.slice(0, 100))} is not a valid length of time: give one such as 30s, 5m or 2h.`,
  );
}
