import { Decimal } from '../../contracts/decimal.ts';
import type { Column, ColumnType, Row, RowInsert, Table, Value } from '../projector.ts';

/** Values as Postgres reads and prints them, and back. */

const US_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1_000;
const NULL = '\\N';
const NUL = /\u0000/g;

/** A value in Postgres's own text form; null stays null. Text loses NUL, which Postgres cannot store, to U+FFFD. */
export function toText(column: Column, value: Value): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value.includes('\0') ? value.replace(NUL, '\ufffd') : value;
  if (typeof value === 'number') return column.startsWith('timestamptz') ? timeText(value) : String(value);
  if (value instanceof Decimal) return value.toString();
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return `{${value.map(quoteElement).join(',')}}`;
}

/** Texts of the seconds used last: neighbouring events share them, and they are most of the work. */
const SECONDS_KEPT = 1_024;
const secondsKept = new Float64Array(SECONDS_KEPT).fill(Number.NaN);
const secondTexts = new Array<string>(SECONDS_KEPT).fill('');

/** Microseconds since 1970 as `2024-08-08T22:54:15.342000Z`, nothing lost. */
export function timeText(timeUs: number): string {
  const second = Math.floor(timeUs / US_PER_SECOND);
  const slot = Math.abs(second % SECONDS_KEPT);
  if (secondsKept[slot] !== second) {
    secondsKept[slot] = second;
    secondTexts[slot] = new Date(second * MS_PER_SECOND).toISOString().slice(0, -'.000Z'.length);
  }
  return `${secondTexts[slot]}.${String(timeUs - second * US_PER_SECOND).padStart(6, '0')}Z`;
}

function quoteElement(element: string): string {
  return `"${element.replace(NUL, '\ufffd').replace(/["\\]/g, '\\$&')}"`;
}

type Encode = (value: Value) => string;

/** Most rows fit; the buffer grows where they do not. */
const ROW_BYTES_GUESS = 600;
/** UTF-8 takes at most so many bytes for a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;

/** Rows of one table in COPY's text format. Row by row into one buffer: one long text would cost twice as much. */
export function copyText(table: Table, rows: readonly Row[]): Buffer {
  const encoders = Object.entries(table.columns).map(([name, column]) => ({ name, encode: copyEncoder(column) }));
  let buffer = Buffer.allocUnsafe(rows.length * ROW_BYTES_GUESS);
  let end = 0;
  for (const row of rows) {
    let text = '';
    let separator = '';
    for (const { name, encode } of encoders) {
      const value = row[name];
      text += separator + (value === null || value === undefined ? NULL : encode(value));
      separator = '\t';
    }
    text += '\n';
    if (buffer.length - end < text.length * BYTES_PER_UNIT_MAX) {
      const larger = Buffer.allocUnsafe(buffer.length * 2 + text.length * BYTES_PER_UNIT_MAX);
      buffer.copy(larger, 0, 0, end);
      buffer = larger;
    }
    end += buffer.write(text, end, 'utf8');
  }
  return buffer.subarray(0, end);
}

function copyEncoder(column: Column): Encode {
  switch (typeOf(column)) {
    case 'integer':
    case 'bigint':
    case 'double precision':
    case 'numeric':
      return String;
    case 'timestamptz':
      return (value) => timeText(value as number);
    case 'bytea':
      // The backslash of bytea's own form, escaped.
      return (value) => `\\\\x${(value as Buffer).toString('hex')}`;
    case 'text':
    case 'jsonb':
    case 'text[]':
      return (value) => escapeForCopy(toText(column, value) ?? NULL);
  }
}

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeForCopy(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character) : text;
}

/** One array of texts for each column, for `unnest`. */
export function columnTexts(table: Table, rows: readonly Row[]): (string | null)[][] {
  return Object.entries(table.columns).map(([name, column]) => rows.map((row) => toText(column, row[name] ?? null)));
}

/** The type of a column without its nullability. */
export function typeOf(column: Column): ColumnType {
  return column.replace(/ null$/, '') as ColumnType;
}

/** The SQL expressions that select columns in a form that {@link fromDatabase} reads. */
export function selectable(table: Table, names: readonly string[], relation: string): string {
  return names
    .map((name) => {
      const column = `${relation}.${name}`;
      if (typeOf(table.columns[name] ?? 'text') !== 'timestamptz') return column;
      return `(extract(epoch FROM ${column}) * 1000000)::bigint AS ${name}`;
    })
    .join(', ');
}

/** A selected row as a projector writes it. */
export function rowFrom(table: Table, selected: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(
    Object.entries(selected).map(([name, value]) => [name, fromDatabase(table.columns[name] ?? 'text', value)]),
  );
}

function fromDatabase(column: Column, value: unknown): Value {
  if (value === null || value === undefined) return null;
  switch (typeOf(column)) {
    case 'integer':
    case 'bigint':
    case 'double precision':
    case 'timestamptz':
      return Number(value);
    case 'jsonb':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'bytea':
    case 'numeric':
    case 'text':
    case 'text[]':
      return value as Value;
  }
}

/** Identity of a row in its table, as one text. */
export function keyText(table: Table, row: Row): string {
  return table.key.map((name) => toText(table.columns[name] ?? 'text', row[name] ?? null)).join('\u0001');
}

/** Rows by table, in the order of first use. */
export function byTable(inserts: Iterable<RowInsert>): Map<Table, Row[]> {
  const groups = new Map<Table, Row[]>();
  for (const { table, row } of inserts) {
    const rows = groups.get(table);
    if (rows === undefined) groups.set(table, [row]);
    else rows.push(row);
  }
  return groups;
}
