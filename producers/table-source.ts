import { columnNames, csvFields, delimiterOf } from './csv.ts';
import type { FileHead, FileSource, LineParser } from './source.ts';
import { TableParser, type Part, type TableMeaning } from './table.ts';

type Rows = readonly (readonly string[])[];

/** A table that is published without a header: the content of each column, and its form. */
export interface BareTable {
  readonly columns: readonly { readonly part?: Part; readonly looks: RegExp }[];
  /** Columns at the end that may be missing. */
  readonly optional: number;
}

/** A kind of table, described by its published columns. */
export interface TableFormat {
  readonly name: string;
  readonly description: string;
  /** The header as published, for people and for finding the nearest format. */
  readonly header: string;
  /** Names of each part's column, in lower case; of several, the first that the header has. */
  readonly columns: Readonly<Partial<Record<Part, readonly string[]>>>;
  /** Parts that the header may lack. */
  readonly optional: readonly Part[];
  /** Further names by which this kind is known; all must be there. */
  readonly known?: readonly string[];
  /** Whether `columns` and `known` are too common to tell the kind by: then the header may have no others. */
  readonly isCommon: boolean;
  /** Other names that such a header may have. */
  readonly others?: readonly string[];
  readonly bare?: readonly BareTable[];
  /** A further sign of the kind, in the fields of the first rows; checked unless a person named the format. */
  readonly isKind?: (head: FileHead, at: Readonly<Partial<Record<Part, number>>>, rows: Rows) => boolean;
  readonly meaning: TableMeaning;
  /** How a file of it begins. */
  readonly example: readonly string[];
}

const BEGINS_WITH_NUMBER = /^[\s"]*[-+.\d]/;
export const INTEGER = /^\d+$/;
export const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
export const TRUE_OR_FALSE = /^(?:true|false)$/i;

/** The format of such tables. */
export function tableSource(format: TableFormat): FileSource {
  return {
    name: format.name,
    description: format.description,
    columns: format.header.split(','),
    example: format.example,
    open: (head) => withHeader(format, head) ?? withoutHeader(format, head),
  };
}

function withHeader(format: TableFormat, head: FileHead): LineParser | undefined {
  const [header, ...rows] = head.lines;
  if (header === undefined) return undefined;
  const delimiter = head.delimiter ?? delimiterOf(header);
  const names = columnNames(header, delimiter);
  const at = names === undefined ? undefined : placesOf(format, names);
  if (names === undefined || at === undefined) return undefined;
  const firstRows = firstRowsOf(rows, delimiter, names.length);
  if (!head.isNamed) {
    if (format.isCommon && !names.every((name) => isKnownTo(format, name))) return undefined;
    if (format.isKind?.(head, at, firstRows) === false) return undefined;
  }
  return new TableParser({ delimiter, header, width: names.length, at, meaning: format.meaning, firstRows });
}

/** The index of each part's column; undefined where a required one is missing or occurs twice. */
function placesOf(format: TableFormat, names: readonly string[]): Partial<Record<Part, number>> | undefined {
  const at: Partial<Record<Part, number>> = {};
  for (const [key, accepted] of Object.entries(format.columns)) {
    const part = key as Part;
    const name = accepted.find((candidate) => names.includes(candidate));
    if (name === undefined) {
      if (!format.optional.includes(part)) return undefined;
    } else {
      const place = names.indexOf(name);
      if (names.lastIndexOf(name) !== place) return undefined;
      at[part] = place;
    }
  }
  return format.known?.every((name) => names.includes(name)) === false ? undefined : at;
}

function isKnownTo(format: TableFormat, name: string): boolean {
  const { columns, known = [], others = [] } = format;
  return Object.values(columns).some((names) => names.includes(name)) || known.includes(name) || others.includes(name);
}

/** The fields of the first lines that have all columns. */
function firstRowsOf(lines: readonly string[], delimiter: string, width: number): Rows {
  return lines.flatMap((line) => {
    const fields = csvFields(line, delimiter);
    return fields !== undefined && (fields.length === width || fields.length === width + 1) ? [fields] : [];
  });
}

function withoutHeader(format: TableFormat, head: FileHead): LineParser | undefined {
  const [first] = head.lines;
  // A header would begin with a name. A first row that is damaged must not cost the others.
  if (first === undefined || !BEGINS_WITH_NUMBER.test(first)) return undefined;
  const delimiter = head.delimiter ?? delimiterOf(first);
  for (const bare of format.bare ?? []) {
    const rows = head.lines.flatMap((line) => fieldsLike(bare, line, delimiter) ?? []);
    const width = rows[0]?.length;
    if (width === undefined || rows.length * 2 < head.lines.length) continue;
    const at: Partial<Record<Part, number>> = {};
    for (const [index, { part }] of bare.columns.entries()) if (part !== undefined && index < width) at[part] = index;
    return new TableParser({ delimiter, header: undefined, width, at, meaning: format.meaning, firstRows: [] });
  }
  return undefined;
}

/** The fields of a line that looks like a row of such a table, without an empty one at the end. */
function fieldsLike({ columns, optional }: BareTable, line: string, delimiter: string): [string[]] | undefined {
  const fields = csvFields(line, delimiter)?.map((field) => field.trim());
  if (fields === undefined) return undefined;
  if (fields.length > 1 && fields.at(-1) === '') fields.pop();
  const isWide = fields.length <= columns.length && fields.length >= columns.length - optional;
  return isWide && fields.every((field, index) => columns[index]?.looks.test(field) === true) ? [fields] : undefined;
}
