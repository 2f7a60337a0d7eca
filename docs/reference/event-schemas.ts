import { SCHEMAS, type RecordName } from '../../contracts/generated/events.ts';
import type { SchemaJson } from '../../contracts/schema-json.ts';

/** A record's or an enumeration's schema as it is written down. */
export type NamedSchema = Extract<SchemaJson, { readonly type: SchemaJson }>;

export interface FieldSchema {
  readonly name: string;
  readonly type: SchemaJson;
  readonly doc?: string;
  readonly default?: unknown;
}

/** The schema of a record, from contracts/events. */
export function schemaOf(record: RecordName): NamedSchema {
  return JSON.parse(SCHEMAS[record]) as NamedSchema;
}

export function fieldsOf(schema: NamedSchema): readonly FieldSchema[] {
  return schema.fields ?? [];
}

/** The records and enumerations that a schema declares within itself, in the order in which they appear. */
export function typesWithin(schema: SchemaJson): NamedSchema[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return schema.flatMap(typesWithin);
  const inner = [schema.items, schema.values, ...fieldsOf(schema).map(({ type }) => type)];
  const below = inner.flatMap((each) => (each === undefined ? [] : typesWithin(each)));
  const ofType = typeof schema.type === 'string' ? [] : typesWithin(schema.type);
  return [...(schema.name === undefined ? [] : [schema]), ...ofType, ...below];
}

/** A schema in words: `text`, `list of Contribution`, `decimal, or null`. */
export function wordsOf(schema: SchemaJson): string {
  if (typeof schema === 'string') return WORDS[schema] ?? schema;
  if (Array.isArray(schema)) {
    const [first, ...others] = [...schema].sort((left) => (left === 'null' ? 1 : -1)).map(wordsOf);
    return [first, ...others.map((other) => `or ${other}`)].join(' ');
  }
  if (schema.logicalType !== undefined) return WORDS[schema.logicalType] ?? schema.logicalType;
  if (schema.type === 'array') return `list of ${wordsOf(schema.items ?? 'null')}`;
  if (schema.type === 'map') return `map of ${wordsOf(schema.values ?? 'null')}`;
  return schema.name ?? wordsOf(schema.type);
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'whole number',
  long: 'whole number',
  double: 'number',
  boolean: 'true or false',
  'timestamp-micros': 'time',
  decimal: 'decimal',
};
