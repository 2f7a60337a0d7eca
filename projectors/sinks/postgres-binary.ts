import { Decimal } from '../../contracts/decimal.ts';
import type { Column, Row, Table, Value } from '../projector.ts';
import { BinaryOutput } from './binary-output.ts';
import { typeOf } from './postgres-text.ts';

/**
 * Rows in COPY's binary format: cheaper than text for the writer and for Postgres, and stored identically.
 * PostgreSQL's documentation, "COPY, Binary Format"; the values as each type's `recv` function reads them.
 */

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Marks the end in place of a row's number of fields. */
const TRAILER = -1;
export const NULL_LENGTH = -1;
export const TEXT_OID = 25;
export const JSONB_VERSION = 1;
/** The epoch of Postgres, 2000-01-01, in microseconds since 1970. */
export const POSTGRES_EPOCH_US = 946_684_800_000_000;
const NUMERIC_NEGATIVE = 0x4000;
/** A digit of Postgres's numeric has base 10,000: four decimal digits. */
const NUMERIC_BASE = 10_000;
const NUMERIC_BASE_DIGITS = 4;
const DECIMAL_TEXT = /^(-?)0*(\d*)(?:\.(\d+))?$/;

/** The initial buffer for a batch's rows; it grows as needed. */
const BYTES_GUESS = 262_144;

/** Rows of one table in COPY's format, header and trailer included. */
export class BinaryRows {
  readonly #columns: readonly { readonly name: string; readonly write: Write }[];
  /** For rows that are written elsewhere, field by field. */
  readonly output = new BinaryOutput(BYTES_GUESS);

  constructor(table: Table) {
    this.#columns = Object.entries(table.columns).map(([name, column]) => ({ name, write: writerOf(column) }));
    this.output.bytes(SIGNATURE);
  }

  add(row: Row): void {
    this.output.int16(this.#columns.length);
    for (const { name, write } of this.#columns) {
      const value = row[name];
      if (value === null || value === undefined) this.output.int32(NULL_LENGTH);
      else write(this.output, value);
    }
  }

  /** All bytes; must be the last call. */
  finish(): Buffer {
    this.output.int16(TRAILER);
    return this.output.taken();
  }
}

type Write = (output: BinaryOutput, value: NonNullable<Value>) => void;

/** Writes a value with its length before it. */
function writerOf(column: Column): Write {
  switch (typeOf(column)) {
    case 'integer':
      return (output, value) => {
        output.int32(4);
        output.int32(value as number);
      };
    case 'bigint':
      return (output, value) => {
        output.int32(8);
        output.int64(value as number);
      };
    case 'double precision':
      return (output, value) => {
        output.int32(8);
        // As in text, −0 is 0.
        output.float64((value as number) + 0);
      };
    case 'timestamptz':
      return (output, value) => {
        output.int32(8);
        output.int64((value as number) - POSTGRES_EPOCH_US);
      };
    case 'numeric':
      return (output, value) => {
        if (value instanceof Decimal) writeDecimal(output, value);
        else writeNumeric(output, value as string);
      };
    case 'bytea':
      return (output, value) => {
        output.int32((value as Buffer).length);
        output.bytes(value as Buffer);
      };
    case 'text':
      return (output, value) => {
        output.text(value as string);
      };
    case 'jsonb':
      return (output, value) => {
        output.text(value as string, JSONB_VERSION);
      };
    case 'text[]':
      return (output, value) => {
        writeTexts(output, value as readonly string[]);
      };
  }
}

function writeTexts(output: BinaryOutput, texts: readonly string[]): void {
  const length = output.hole();
  output.int32(texts.length === 0 ? 0 : 1);
  output.int32(0);
  output.int32(TEXT_OID);
  if (texts.length > 0) {
    output.int32(texts.length);
    output.int32(1);
    for (const text of texts) output.text(text);
  }
  output.fill(length);
}

/** A price or size: its parts as base-10,000 digits, without BigInt. */
export function writeDecimal(output: BinaryOutput, { whole, fraction }: Decimal): void {
  const groups = decimalGroups;
  let rest = whole;
  for (let index = WHOLE_GROUPS - 1; index >= 0; index -= 1) {
    const next = Math.floor(rest / NUMERIC_BASE);
    groups[index] = rest - next * NUMERIC_BASE;
    rest = next;
  }
  const low = fraction % 1e8;
  groups[WHOLE_GROUPS] = (fraction - low) / 1e8;
  groups[WHOLE_GROUPS + 1] = Math.floor(low / NUMERIC_BASE);
  groups[WHOLE_GROUPS + 2] = low % NUMERIC_BASE;
  writeGroups(output, groups, WHOLE_GROUPS, 0, decimalsOf(groups));
}

/** The bounds of a {@link Decimal}: below 10^15, with twelve digits after the point. */
const WHOLE_GROUPS = 4;
const FRACTION_GROUPS = 3;
const decimalGroups: number[] = new Array<number>(WHOLE_GROUPS + FRACTION_GROUPS).fill(0);

/** Digits after the point, without the zeros at their end. */
function decimalsOf(groups: readonly number[]): number {
  for (let index = FRACTION_GROUPS - 1; index >= 0; index -= 1) {
    let group = groups[WHOLE_GROUPS + index] ?? 0;
    if (group === 0) continue;
    let decimals = (index + 1) * NUMERIC_BASE_DIGITS;
    for (; group % 10 === 0; group /= 10) decimals -= 1;
    return decimals;
  }
  return 0;
}

/** A number as Postgres prints it, of any size. */
function writeNumeric(output: BinaryOutput, text: string): void {
  const [, sign, whole = '', decimals = ''] = DECIMAL_TEXT.exec(text) ?? [];
  if (sign === undefined) throw new RangeError(`"${text}" is not a valid numeric`);
  const wholeGroups = Math.ceil(whole.length / NUMERIC_BASE_DIGITS);
  const digits =
    whole.padStart(wholeGroups * NUMERIC_BASE_DIGITS, '0') +
    decimals.padEnd(Math.ceil(decimals.length / NUMERIC_BASE_DIGITS) * NUMERIC_BASE_DIGITS, '0');
  const groups = Array.from({ length: digits.length / NUMERIC_BASE_DIGITS }, (_, index) =>
    Number(digits.slice(index * NUMERIC_BASE_DIGITS, (index + 1) * NUMERIC_BASE_DIGITS)),
  );
  writeGroups(output, groups, wholeGroups, sign === '-' ? NUMERIC_NEGATIVE : 0, decimals.length);
}

function writeGroups(
  output: BinaryOutput,
  groups: readonly number[],
  wholeGroups: number,
  sign: number,
  decimals: number,
): void {
  let first = 0;
  let end = groups.length;
  while (first < end && groups[first] === 0) first += 1;
  while (end > first && groups[end - 1] === 0) end -= 1;
  output.int32(8 + 2 * (end - first));
  output.int16(end - first);
  output.int16(end === first ? 0 : wholeGroups - 1 - first);
  output.int16(end === first ? 0 : sign);
  output.int16(decimals);
  for (let index = first; index < end; index += 1) output.int16(groups[index] ?? 0);
}
