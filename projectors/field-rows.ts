import type { EventTypes, RecordName } from '../contracts/generated/events.ts';
import type { FieldColumn, FieldRow, PathStep, ProjectedEvent, Row, RowInsert, Table, Value } from './projector.ts';

/**
 * Rows that consist of an event's own fields: each column names the field that fills it. One declaration serves both the
 * projection of an event and a sink that copies the fields from the event's bytes.
 */

/** The hash of the event as written; not one of its fields. */
export const BODY_HASH = 'bodyHash()';
/** The place of an element in its list, from 0. */
export const ORDINAL = 'ordinal()';

/** A field: `tape.offset`; `weights[0]`, one element of a list; `contributions[].strategy`, of the row's element. */
export type FieldPath<Event> = PathIn<Event> | typeof BODY_HASH | typeof ORDINAL;

type PathIn<Of> = { [Name in keyof Of & string]: Name | `${Name}${Within<NonNullable<Of[Name]>>}` }[keyof Of & string];
type Within<Field> = Field extends readonly (infer Element)[]
  ? `[${number}]` | (Element extends object ? `[].${keyof Element & string}` : never)
  : Field extends object
    ? `.${keyof Field & string}` | `.${ListIn<Field>}[${number}]`
    : never;
type ListIn<Of> = { [Name in keyof Of & string]: Of[Name] extends readonly unknown[] ? Name : never }[keyof Of &
  string];

/** @param each - the list with an element for each row; without it there is one row. */
export function rowOf<Name extends RecordName, const T extends Table = Table>(
  table: T,
  fields: Readonly<Record<keyof T['columns'], FieldPath<EventTypes[Name]>>>,
  each?: keyof EventTypes[Name] & string,
): FieldRow {
  const paths: Readonly<Record<string, string>> = fields;
  const columns = Object.keys(table.columns).map((name) => ({ name, from: sourceOf(paths[name] ?? '') }));
  return { table, columns, each };
}

const STEP = /^(\w+)(?:\[(\d*)\])?$/;

function sourceOf(path: string): FieldColumn['from'] {
  if (path === BODY_HASH || path === ORDINAL) return path;
  return path.split('.').map((step) => {
    const [, name = step, element] = STEP.exec(step) ?? [];
    return { name, element: element === '' ? 'each' : element === undefined ? undefined : Number(element) };
  });
}

/** An event's rows, by its decoded fields. */
export function projectFields(rows: readonly FieldRow[], source: ProjectedEvent): readonly RowInsert[] {
  return rows.flatMap((row) => {
    const list = row.each === undefined ? undefined : (source.event as unknown as Fields)[row.each];
    const count = list === undefined ? 1 : (list as readonly unknown[]).length;
    return Array.from({ length: count }, (_, ordinal) => ({ table: row.table, row: valuesOf(row, source, ordinal) }));
  });
}

type Fields = Readonly<Record<string, unknown>>;

function valuesOf({ table, columns }: FieldRow, source: ProjectedEvent, ordinal: number): Row {
  const row: Record<string, Value> = {};
  for (const { name, from } of columns) {
    if (from === BODY_HASH) row[name] = source.bodyHash();
    else if (from === ORDINAL) row[name] = ordinal;
    else {
      const value = valueAt(source.event, from, ordinal);
      row[name] = table.columns[name] === 'jsonb' ? JSON.stringify(value) : (value as Value);
    }
  }
  return row;
}

function valueAt(event: unknown, steps: readonly PathStep[], ordinal: number): unknown {
  let value = event;
  for (const { name, element } of steps) {
    value = (value as Fields | null)?.[name];
    if (element !== undefined) {
      value = (value as readonly unknown[] | undefined)?.[element === 'each' ? ordinal : element];
    }
  }
  return value ?? null;
}
