import { Decimal } from '../../contracts/decimal.ts';
import type { RecordName } from '../../contracts/generated/events.ts';
import {
  fieldTableOf,
  longAt,
  type FieldKind,
  type FieldTable,
  type PlainField,
} from '../../contracts/plain-fields.ts';
import { BODY_HASH, ORDINAL } from '../field-rows.ts';
import type { Column, ColumnType, FieldColumn, FieldRow, FieldRows, ProjectedEvent, Table } from '../projector.ts';
import type { BinaryOutput } from './binary-output.ts';
import { JSONB_VERSION, NULL_LENGTH, POSTGRES_EPOCH_US, TEXT_OID, writeDecimal } from './postgres-binary.ts';
import { typeOf } from './postgres-text.ts';

/**
 * Rows in COPY's binary format straight from the bytes of events, for columns that are fields of the event: without an
 * object for the event or the row, and without a string for a text. What it writes for a body is what the projection of
 * the decoded event would give.
 */
export type FieldCopiers = ReadonlyMap<RecordName, FieldCopier>;

export function fieldCopiersOf(fieldRows: FieldRows): FieldCopiers {
  return new Map(
    Object.entries(fieldRows).map(([name, rows]) => [name as RecordName, new FieldCopier(name as RecordName, rows)]),
  );
}

/** How a column's value is made of a field's bytes. */
type Copying =
  'hash' | 'ordinal' | 'text' | 'symbol' | 'integer' | 'bigint' | 'time' | 'double' | 'numeric' | 'texts' | 'json';

interface CopiedColumn {
  readonly copying: Copying;
  /** The table that has the field, and its slot there in the first element. */
  readonly fields: FieldTable;
  readonly slot: number;
  /** The element that is taken from its list; the first one where the field is not in a list. */
  readonly element: number | 'each';
  /** The list's own slot in the event, for one element of it: that may be null, or shorter. */
  readonly listSlot: number | undefined;
  /** UTF-8 of an enumeration's symbols. */
  readonly symbols: readonly Buffer[];
  readonly elements: FieldTable | undefined;
}

interface CopiedRow {
  readonly table: Table;
  readonly columns: readonly CopiedColumn[];
  /** The list with an element for each row. */
  readonly list: FieldTable | undefined;
}

/** The rows of one record type. */
export class FieldCopier {
  readonly tables: readonly Table[];
  readonly #fields: FieldTable;
  readonly #rows: readonly CopiedRow[];

  /** @throws RangeError where a column cannot be copied from its field. */
  constructor(name: RecordName, rows: readonly FieldRow[]) {
    this.tables = rows.map(({ table }) => table);
    const fields = fieldTableOf(name);
    this.#fields = fields;
    this.#rows = rows.map(({ table, columns, each }) => ({
      table,
      columns: columns.map((column) => copiedColumn(fields, table, column)),
      list: each === undefined ? undefined : fieldAt(fields, each).elements,
    }));
  }

  /** @returns false, with nothing written, where the event's bytes are not plain. */
  copy({ plainBody, bodyHash }: ProjectedEvent, outputOf: (table: Table) => BinaryOutput): boolean {
    if (plainBody === undefined || !this.#fields.locate(plainBody)) return false;
    const hash = bodyHash();
    for (const { table, columns, list } of this.#rows) {
      const output = outputOf(table);
      const count = list === undefined ? 1 : list.count;
      for (let ordinal = 0; ordinal < count; ordinal += 1) {
        output.int16(columns.length);
        for (const column of columns) this.#copyColumn(output, column, plainBody, hash, ordinal);
      }
    }
    return true;
  }

  #copyColumn(output: BinaryOutput, column: CopiedColumn, body: Buffer, hash: Buffer, ordinal: number): void {
    const { copying, fields, element, listSlot, elements } = column;
    if (copying === 'hash') {
      output.int32(hash.length);
      output.copy(hash, 0, hash.length);
      return;
    }
    if (copying === 'ordinal') {
      output.int32(4);
      output.int32(ordinal);
      return;
    }
    const row = element === 'each' ? ordinal : element;
    const slot = row * fields.stride + column.slot;
    const isThere = listSlot === undefined || ((this.#fields.begin[listSlot] ?? -1) >= 0 && row < fields.count);
    const begin = isThere ? (fields.begin[slot] ?? -1) : -1;
    if (begin < 0) {
      output.int32(NULL_LENGTH);
      return;
    }
    switch (copying) {
      case 'text':
        output.textFrom(body, begin, fields.end[slot] ?? 0);
        break;
      case 'symbol': {
        const text = column.symbols[longAt(body, begin)] ?? NOTHING;
        output.int32(text.length);
        output.copy(text, 0, text.length);
        break;
      }
      case 'integer':
        output.int32(4);
        output.int32(longAt(body, begin));
        break;
      case 'bigint':
        output.int32(8);
        output.int64(longAt(body, begin));
        break;
      case 'time':
        output.int32(8);
        output.int64(longAt(body, begin) - POSTGRES_EPOCH_US);
        break;
      case 'double':
        output.int32(8);
        output.doubleFrom(body, begin);
        break;
      case 'numeric':
        writeDecimal(output, Decimal.fromBytes(body, begin, fields.end[slot] ?? 0));
        break;
      case 'texts':
        if (elements !== undefined) copyTexts(output, body, elements);
        break;
      case 'json':
        if (elements !== undefined) copyMap(output, body, elements);
        break;
    }
  }
}

const NOTHING = Buffer.alloc(0);
const CASE_BIT = 0x20;
const LETTER_A = 0x61;
const LETTER_Z = 0x7a;

function copiedColumn(fields: FieldTable, table: Table, { name, from }: FieldColumn): CopiedColumn {
  if (from === BODY_HASH || from === ORDINAL) {
    const copying = from === BODY_HASH ? 'hash' : 'ordinal';
    return { copying, fields, slot: 0, element: 0, listSlot: undefined, symbols: [], elements: undefined };
  }
  const column = table.columns[name] ?? 'text';
  const listStep = from.findIndex(({ element }) => element !== undefined);
  if (listStep < 0) return columnOf(fields, fieldAt(fields, pathOf(from)), column, 0, undefined);
  const list = fieldAt(fields, pathOf(from.slice(0, listStep + 1)));
  const element = from[listStep]?.element ?? 0;
  if (list.elements === undefined) throw new RangeError(`${name} is filled from an element of what is not a list`);
  const field = fieldAt(list.elements, pathOf(from.slice(listStep + 1)) || 'value');
  return element === 'each'
    ? columnOf(list.elements, field, column, element, undefined)
    : columnOf(list.elements, { ...field, mayBeNull: true }, column, element, list.slot);
}

function pathOf(steps: readonly { readonly name: string }[]): string {
  return steps.map(({ name }) => name).join('.');
}

function fieldAt(fields: FieldTable, path: string): PlainField {
  const field = fields.fields.get(path);
  if (field === undefined) throw new RangeError(`there is no field ${path}`);
  return field;
}

function columnOf(
  fields: FieldTable,
  field: PlainField,
  column: Column,
  element: number | 'each',
  listSlot: number | undefined,
): CopiedColumn {
  const copying = copyingOf(field, typeOf(column));
  if (copying === undefined || (field.mayBeNull && !column.endsWith(' null'))) {
    throw new RangeError(`a column of type ${column} cannot be copied from a ${field.kind} field`);
  }
  const symbols = field.symbols.map((symbol) => Buffer.from(symbol));
  return { copying, fields, slot: field.slot, element, listSlot, symbols, elements: field.elements };
}

const COPYINGS: Readonly<Partial<Record<`${ColumnType} of ${FieldKind}`, Copying>>> = {
  'text of text': 'text',
  'text of symbol': 'symbol',
  'integer of int': 'integer',
  'bigint of int': 'bigint',
  'bigint of long': 'bigint',
  'timestamptz of long': 'time',
  'double precision of double': 'double',
  'numeric of decimal': 'numeric',
};

function copyingOf({ kind, elements }: PlainField, type: ColumnType): Copying | undefined {
  const value = elements?.fields.get('value')?.kind;
  const isMap = elements?.fields.has('key') === true;
  if (type === 'text[]' && !isMap && value === 'text') return 'texts';
  if (type === 'jsonb' && isMap && value === 'double') return 'json';
  return COPYINGS[`${type} of ${kind}`];
}

function copyTexts(output: BinaryOutput, body: Buffer, { begin, end, count }: FieldTable): void {
  const length = output.hole();
  output.int32(count === 0 ? 0 : 1);
  output.int32(0);
  output.int32(TEXT_OID);
  if (count > 0) {
    output.int32(count);
    output.int32(1);
  }
  for (let index = 0; index < count; index += 1) output.textFrom(body, begin[index] ?? 0, end[index] ?? 0);
  output.fill(length);
}

/** A map of doubles, as JSON. */
function copyMap(output: BinaryOutput, body: Buffer, { begin, end, count, stride }: FieldTable): void {
  const slots = count * stride;
  const values: Record<string, number> = {};
  let isPlain = true;
  for (let row = 0; row < slots; row += stride) isPlain &&= isPlainKey(body, begin[row] ?? 0, end[row] ?? 0);
  if (!isPlain) {
    for (let row = 0; row < slots; row += stride) {
      values[body.toString('utf8', begin[row], end[row])] = body.readDoubleLE(begin[row + 1]);
    }
    output.text(JSON.stringify(values), JSONB_VERSION);
    return;
  }
  const length = output.hole();
  output.byte(JSONB_VERSION);
  output.ascii('{');
  for (let row = 0; row < slots; row += stride) {
    output.ascii(row === 0 ? '"' : ',"');
    output.copy(body, begin[row] ?? 0, end[row] ?? 0);
    output.ascii('":');
    // The shortest text that reads as the same double, as in JSON.
    output.ascii(String(body.readDoubleLE(begin[row + 1])));
  }
  output.ascii('}');
  output.fill(length);
}

/** Letters: they need no escape, and come in the same place in an object. */
function isPlainKey(body: Buffer, begin: number, end: number): boolean {
  for (let index = begin; index < end; index += 1) {
    const letter = (body[index] ?? 0) | CASE_BIT;
    if (letter < LETTER_A || letter > LETTER_Z) return false;
  }
  return true;
}
