import { columnNames, csvFields, delimiterOf } from './csv.ts';
import { plainDecimal } from './numbers.ts';
import { sideAgainstMaker, sideByBuyerIsMaker, takerSide, type SideReader } from './sides.ts';
import { quoted, type FileHead, type FileSource, type LineParser } from './source.ts';
import { TableParser, type Part } from './table.ts';
import { microsecondsOf, type TimeForm } from './timestamps.ts';

/** Columns of a table in an unknown format, as a person names them: `time=ts:ms,price=px,size=qty`. */
export interface ColumnMapping {
  readonly columns: ReadonlyMap<Part, ColumnReference>;
  readonly time: TimeForm;
  readonly received: TimeForm;
  readonly side: SideReader;
}

/** A column by its name in the header, in lower case, or by its number from 1. */
type ColumnReference = { readonly name: string } | { readonly number: number };

/** Why a person's input cannot be used, as a sentence for people. */
export interface Problem {
  readonly problem: string;
}

/** The part that each key names and, for the three kinds of sides, how the column is read. */
const PART_OF: ReadonlyMap<string, Part> = new Map([
  ['time', 'time'],
  ['price', 'price'],
  ['size', 'size'],
  ['side', 'side'],
  ['maker', 'side'],
  ['buyermaker', 'side'],
  ['id', 'id'],
  ['instrument', 'instrument'],
  ['venue', 'venue'],
  ['received', 'received'],
  ['suspicious', 'suspicious'],
  ['conditions', 'conditions'],
]);
const SIDE_OF: ReadonlyMap<string, SideReader> = new Map([
  ['side', takerSide],
  ['maker', sideAgainstMaker],
  ['buyermaker', sideByBuyerIsMaker],
]);
const NEEDED: readonly Part[] = ['time', 'price', 'size'];
/** The keys of `--columns`, for messages and help. */
export const COLUMN_KEYS: readonly string[] = [...PART_OF.keys()];

const TIME_FORMS: ReadonlyMap<string, TimeForm> = new Map([
  ['s', { unit: 's', isUtcWithoutZone: false }],
  ['ms', { unit: 'ms', isUtcWithoutZone: false }],
  ['us', { unit: 'us', isUtcWithoutZone: false }],
  ['ns', { unit: 'ns', isUtcWithoutZone: false }],
  ['iso', { unit: 'digits', isUtcWithoutZone: true }],
]);
const BY_DIGITS: TimeForm = { unit: 'digits', isUtcWithoutZone: false };
const NUMBERED = /^#([1-9]\d{0,3})$/;

/** Reads `time=ts:ms,price=px,…`. */
export function parseColumns(text: string): ColumnMapping | Problem {
  const columns = new Map<Part, ColumnReference>();
  const forms = new Map<Part, TimeForm>();
  let side: SideReader = takerSide;
  for (const entry of text.split(',')) {
    const equals = entry.indexOf('=');
    const key = entry.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const part = PART_OF.get(key);
    if (part === undefined) {
      return { problem: `${quoted(entry)} is not KEY=COLUMN with one of the keys ${COLUMN_KEYS.join(', ')}` };
    }
    if (columns.has(part)) return { problem: `the ${part} has two columns: name one` };
    const { column, form } = columnAndForm(entry.slice(equals + 1).trim(), part);
    if (column === '') return { problem: `the ${key} has no column` };
    if (form !== undefined) forms.set(part, form);
    side = SIDE_OF.get(key) ?? side;
    const number = NUMBERED.exec(column)?.[1];
    columns.set(part, number === undefined ? { name: column.toLowerCase() } : { number: Number(number) });
  }
  const missing = NEEDED.filter((part) => !columns.has(part));
  if (missing.length > 0) return { problem: `${missing.join(' and ')} must have a column` };
  if (columns.has('venue') && !columns.has('instrument')) return { problem: 'a venue needs an instrument as well' };
  const time = forms.get('time') ?? BY_DIGITS;
  return { columns, time, received: forms.get('received') ?? time, side };
}

/** The unit after the last colon, if it is a unit; otherwise the colon belongs to the column's name. */
function columnAndForm(text: string, part: Part): { readonly column: string; readonly form: TimeForm | undefined } {
  const colon = text.lastIndexOf(':');
  const form =
    colon > 0 && (part === 'time' || part === 'received') ? TIME_FORMS.get(text.slice(colon + 1)) : undefined;
  return { column: form === undefined ? text : text.slice(0, colon).trim(), form };
}

/** The format where a person has named the columns. */
export const NAMED_COLUMNS: FileSource = {
  name: 'columns',
  description: 'a table whose columns are named by --columns',
  columns: [],
  example: [],
  open: () => undefined,
};

/** The parser for a file with such a mapping, or why its columns do not fit the file. */
export function openColumns(mapping: ColumnMapping, head: FileHead): LineParser | Problem {
  const [first = '', ...rest] = head.lines;
  const delimiter = head.delimiter ?? delimiterOf(first);
  const names = columnNames(first, delimiter);
  if (names === undefined) return { problem: `a quote in ${quoted(first)} is not closed` };
  const at: Partial<Record<Part, number>> = {};
  for (const [part, column] of mapping.columns) {
    const index = 'number' in column ? column.number - 1 : names.indexOf(column.name);
    if (index < 0 || index >= names.length) {
      const wanted = 'number' in column ? `#${column.number}` : quoted(column.name);
      return { problem: `there is no column ${wanted} for the ${part}: the first line is ${quotedLine(first)}` };
    }
    if ('name' in column && names.lastIndexOf(column.name) !== index) {
      return { problem: `two columns are named ${quoted(column.name)}: give the ${part} as #${index + 1}` };
    }
    at[part] = index;
  }
  const isNamed = [...mapping.columns.values()].some((column) => 'name' in column);
  const hasHeader = isNamed || !looksLikeTrade(names, at, mapping.time);
  const firstRows = (hasHeader ? rest : head.lines).flatMap((line) => {
    const fields = csvFields(line, delimiter);
    return fields === undefined ? [] : [fields];
  });
  const meaning = { time: mapping.time, received: mapping.received, side: mapping.side };
  return new TableParser({
    delimiter,
    header: hasHeader ? first : undefined,
    width: names.length,
    at: withSymbol(at, firstRows),
    meaning,
    firstRows,
  });
}

/** An instrument without a venue is a symbol: the venue is in another column, or a person gives it. */
function withSymbol(
  at: Readonly<Partial<Record<Part, number>>>,
  firstRows: readonly (readonly string[])[],
): Partial<Record<Part, number>> {
  const { instrument, ...others } = at;
  if (instrument === undefined) return others;
  const isWhole =
    at.venue === undefined &&
    (firstRows.length === 0 || firstRows.some((fields) => fields[instrument]?.includes('@') === true));
  return isWhole ? { ...others, instrument } : { ...others, symbol: instrument };
}

function looksLikeTrade(
  fields: readonly string[],
  at: Readonly<Partial<Record<Part, number>>>,
  time: TimeForm,
): boolean {
  const field = (part: Part): string => fields[at[part] ?? -1]?.toUpperCase() ?? '';
  return microsecondsOf(field('time'), time) !== undefined || plainDecimal(field('price')) !== undefined;
}

/** A line of a file in a message: longer than a field, and bounded. */
export function quotedLine(line: string): string {
  return JSON.stringify(line.slice(0, 300));
}
