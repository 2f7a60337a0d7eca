import { Decimal } from '../../contracts/decimal.ts';
import type { Column, ColumnType, Row, RowInsert, Table, Value } from '../projector.ts';

/** Values as Postgres reads and prints them, and back. */

const US_PER_MS = 1_000;
const NULL = '\\N';
// eslint-disable-next-line no-control-regex -- NUL is what Postgres cannot store
const NUL = /\u0000/g;

/** A value in Postgres's own text form; null stays null. Text loses NUL, which Postgres cannot store, to U+FFFD. */
export function toText(column: Column, value: Value): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value.includes('\0') ? value.replace(NUL, '\ufffd') : value;
  if (typeof value === 'number') return column.startsWith('timestamptz') ? timeText(value) : String(value);
  if (value instanceof Decimal) return value.toString();
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return `{${(value as readonly string[]).map(quoteElement).join(',')}}`;
}

/** Microseconds since 1970 as `2024-08-08T22:54:15.342000Z`, nothing lost. */
export function timeText(timeUs: number): string {
  const ms = Math.floor(timeUs / US_PER_MS);
  const us = timeUs - ms * US_PER_MS;
  return `${new Date(ms).toISOString().slice(0, -1)}${String(us).padStart(3, '0')}Z`;
}

function quoteElement(element: string): string {
  return `"${element.replace(NUL, '\ufffd').replace(/["\\]/g, '\\$&')}"`;
}

/** Rows of one table in COPY's text format. */
export function copyText(table: Table, rows: readonly Row[]): Buffer {
  const columns = Object.entries(table.columns);
  let text = '';
  for (const row of rows) {
    let separator = '';
    for (const [name, column] of columns) {
      const value = toText(column, row[name] ?? null);
      text += separator + (value === null ? NULL : escapeForCopy(value));
      separator = '\t';
    }
    text += '\n';
  }
  return Buffer.from(text, 'utf8');
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
