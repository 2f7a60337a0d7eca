import { shown } from '../contracts/statement-text.ts';

type Cell = string | number | boolean | null;
/** A column's name, and its cell of a row: null is empty. */
export type CsvColumn<Row> = readonly [name: string, cellOf: (row: Row) => Cell];

/** One line for each row below a line of names (RFC 4180, but with line feeds). */
export function csvOf<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, cellOf]) => textOf(cellOf(row))))];
  return lines.map((cells) => `${cells.join(',')}\n`).join('');
}

/** A text that anyone may have written, as a cell that no spreadsheet takes for a formula; null is empty. */
export function foreignText(text: string | null): string | null {
  if (text === null) return null;
  return /^[=+\-@]/.test(text) ? `'${shown(text)}` : shown(text);
}

function textOf(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
