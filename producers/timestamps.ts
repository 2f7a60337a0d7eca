import { civilMs } from '../contracts/civil-time.ts';
import { offsetMinutesOf } from '../contracts/iso-time.ts';
import { plainDecimal } from './numbers.ts';

/** Units of time stamps since 1970. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

/** How a column's stamps are read. */
export interface TimeForm {
  /** Unit of numbers; `digits` determines it from the number of digits before the point: 10, 13, 16 or 19. */
  readonly unit: TimeUnit | 'digits';
  /** Whether a calendar time without a zone is UTC; where that is not documented it is refused. */
  readonly isUtcWithoutZone: boolean;
}

/** How many digits a stamp in seconds lacks to be in microseconds. */
const MISSING_DIGITS: Readonly<Record<TimeUnit, number>> = { s: 6, ms: 3, us: 0, ns: -3 };
/** From 2001 to 2286 a stamp has exactly these many digits. */
const UNIT_OF_DIGITS: ReadonlyMap<number, TimeUnit> = new Map([
  [10, 's'],
  [13, 'ms'],
  [16, 'us'],
  [19, 'ns'],
]);
const UNIT_NAMES: Readonly<Record<TimeUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

const MICROSECONDS_PER_MILLISECOND = 1000;
const MICROSECONDS_PER_MINUTE = 60_000_000;
const MICROSECOND_DIGITS = 6;
const WHOLE_MICROSECONDS = /^\d{16}$/;
const NUMBER = /^(\d{1,20})(?:\.(\d{0,20}))?$/;
/** ISO 8601 with `T`, a space or BitMEX's `D`. */
const CALENDAR =
  /^(\d{4})-(\d\d)-(\d\d)[TtDd ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?$/i;

/**
 * Microseconds since 1970, finer digits truncated; undefined where the text is not an unambiguous time. No fraction
 * passes through a double.
 */
export function microsecondsOf(text: string, form: TimeForm): number | undefined {
  if (WHOLE_MICROSECONDS.test(text) && (form.unit === 'us' || form.unit === 'digits')) return Number(text);
  const number = NUMBER.exec(text);
  if (number !== null) return scaled(number[1] ?? '', number[2] ?? '', form.unit);
  if (text[4] === '-') return calendarMicroseconds(text, form.isUtcWithoutZone);
  // `1.7356896e+09`, as spreadsheets and data frames write it.
  const plain = /e/i.test(text) ? NUMBER.exec(plainDecimal(text) ?? '') : null;
  return plain === null ? undefined : scaled(plain[1] ?? '', plain[2] ?? '', form.unit);
}

/** How a column's stamps are read, for people. */
export function timeFormText({ unit }: TimeForm): string {
  return unit === 'digits' ? 's, ms, µs or ns by the number of digits' : UNIT_NAMES[unit];
}

function scaled(whole: string, fraction: string, unit: TimeForm['unit']): number | undefined {
  const known = unit === 'digits' ? UNIT_OF_DIGITS.get(whole.length) : unit;
  if (known === undefined) return undefined;
  const point = whole.length + MISSING_DIGITS[known];
  // Beyond 2^53 it is inexact, but also out of bounds: the trade rules refuse it.
  return Number((whole + fraction).padEnd(point, '0').slice(0, Math.max(point, 0)));
}

/** Like {@link microsecondsOf}, but only for the form `2025-03-25T23:07:00.715Z`. */
export function calendarMicroseconds(text: string, isUtcWithoutZone: boolean): number | undefined {
  const match = CALENDAR.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  if (zone === '' && !isUtcWithoutZone) return undefined;
  const offset = zone === '' || zone.toUpperCase() === 'UTC' ? 0 : offsetMinutesOf(zone.toUpperCase());
  const milliseconds = civilMs({
    year: +year,
    month: +month,
    day: +day,
    hour: +hour,
    minute: +minute,
    second: +second,
  });
  if (offset === undefined || milliseconds === undefined) return undefined;
  const finer = Number(fraction.padEnd(MICROSECOND_DIGITS, '0').slice(0, MICROSECOND_DIGITS));
  return milliseconds * MICROSECONDS_PER_MILLISECOND + finer - offset * MICROSECONDS_PER_MINUTE;
}
