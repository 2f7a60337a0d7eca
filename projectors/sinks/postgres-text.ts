import { Decimal } from '../../contracts/decimal.ts';
import type { Column, ColumnType, Row, RowInsert, Table, Value } from '../projector.ts';

/** Converts values to Postgres's text form and back. */

const US_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1_000;
const NUL = /\u0000/g;

/** A value in Postgres's own text form; null stays null. */
export function toText(column: Column, value: Value): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'number') return column.startsWith('timestamptz') ? timeText(value) : String(value);
  if (value instanceof Decimal) return value.toString();
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return `{${value.map(quoteElement).join(',')}}`;
}

/** Texts of recently used seconds: neighbouring events share them, and formatting them is most of the work. */
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

/** Text without NUL, which Postgres cannot store: U+FFFD replaces it. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replace(NUL, '\ufffd') : text;
}

function quoteElement(element: string): string {
  return `"${storable(element).replace(/["\\]/g, '\\$&')}"`;
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
