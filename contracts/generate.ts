/**
 * Writes contracts/generated/*.ts from the .avsc files; with --check only compares, and exits 1 on drift.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaJson } from './schema-json.ts';

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
};

const eventsFolder = join(import.meta.dirname, 'events');
const generatedFolder = join(import.meta.dirname, 'generated');
const banner = '// Generated from contracts/events/*.avsc by `npm run generate`. Do not edit.\n';
const declarations = new Map<string, string>();

/** TypeScript of a schema; named types are declared once, on the side. */
function typeScriptOf(schema: SchemaJson): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema;
  if (Array.isArray(schema)) return schema.map(typeScriptOf).join(' | ');
  if (schema.logicalType === 'decimal') return 'Decimal';
  if (schema.type === 'array') return `readonly ${typeScriptOf(schema.items ?? 'null')}[]`;
  if (schema.type === 'map') return `Readonly<Record<string, ${typeScriptOf(schema.values ?? 'null')}>>`;
  const name = schema.name;
  if (name === undefined) return typeScriptOf(schema.type);
  const doc = `/** ${schema.doc ?? ''} */\n`;
  if (schema.type === 'enum') {
    declare(
      name,
      `${doc}export type ${name} = ${(schema.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ')};\n`,
    );
  } else {
    const fields = (schema.fields ?? []).map(
      (field) => `  /** ${field.doc ?? ''} */\n  readonly ${field.name}: ${typeScriptOf(field.type)};\n`,
    );
    declare(name, `${doc}export interface ${name} {\n${fields.join('')}}\n`);
  }
  return name;
}

const PRIMITIVE_WRITERS: Readonly<Record<string, string>> = {
  boolean: 'writeBoolean',
  int: 'writeInt',
  long: 'writeLong',
  double: 'writeDouble',
  string: 'writeText',
  bytes: 'writeBytes',
};
const writers = new Map<string, string>();

/** The statement that writes a value of a schema; functions of named types are made once, on the side. */
function writingOf(schema: SchemaJson, value: string): string {
  if (Array.isArray(schema)) return `writeNullable(${value}, ${writerOf(schema[1] ?? 'null')})`;
  if (typeof schema === 'object' && schema.type === 'array') {
    return `writeArray(${value}, ${writerOf(schema.items ?? 'null')})`;
  }
  if (typeof schema === 'object' && schema.type === 'map') {
    return `writeMap(${value}, ${writerOf(schema.values ?? 'null')})`;
  }
  return `${writerOf(schema)}(${value})`;
}

/** The name of the function that writes a value of a schema. */
function writerOf(schema: SchemaJson): string {
  const writer = typeof schema === 'string' ? (PRIMITIVE_WRITERS[schema] ?? `write${schema}`) : undefined;
  if (writer !== undefined) return writer;
  if (typeof schema === 'string' || Array.isArray(schema)) throw new Error('nothing writes a union within a type');
  if (schema.logicalType === 'decimal') return 'writeDecimal';
  const { name } = schema;
  if (name === undefined) return writerOf(schema.type);
  const symbols = (schema.symbols ?? []).map((symbol) => `'${symbol}'`).join(', ');
  const lines =
    schema.type === 'enum'
      ? [`  writeSymbol([${symbols}], value);\n`]
      : (schema.fields ?? []).map((field) => `  ${writingOf(field.type, `value.${field.name}`)};\n`);
  writers.set(name, `function write${name}(value: ${name}): void {\n${lines.join('')}}\n`);
  return `write${name}`;
}

function declare(name: string, text: string): void {
  const before = declarations.get(name);
  const withoutDoc = (declaration: string) => declaration.replace(/^\/\*\*.*\*\/\n/, '');
  if (before !== undefined && withoutDoc(before) !== withoutDoc(text))
    throw new Error(`two different types are called ${name}`);
  if (before === undefined) declarations.set(name, text);
}

const files = readdirSync(eventsFolder)
  .filter((file) => file.endsWith('.avsc'))
  .sort();
const schemas = files.map((file) => JSON.parse(readFileSync(join(eventsFolder, file), 'utf8')) as SchemaJson);
const names = schemas.map(typeScriptOf);
const events = [
  banner,
  `import type { Decimal } from '../decimal.ts';\n`,
  ...declarations.values(),
  `/** Record name to its type. */\nexport interface EventTypes {\n${names.map((name) => `  readonly ${name}: ${name};\n`).join('')}}\n`,
  'export type RecordName = keyof EventTypes;\n',
  '/** The schemas as written, by record name. */',
  `export const SCHEMAS: Readonly<Record<RecordName, string>> = {`,
  ...schemas.map((schema, index) => `  ${names[index] ?? ''}:\n    ${JSON.stringify(JSON.stringify(schema))},`),
  '};\n',
].join('\n');

schemas.forEach(writerOf);
const plainWriters = [
  banner,
  `import {\n${['Array', 'Boolean', 'Bytes', 'Decimal', 'Double', 'Int', 'Long', 'Map', 'Nullable', 'Symbol', 'Text'].map((kind) => `  write${kind},\n`).join('')}  type Writer,\n} from '../plain-writer.ts';`,
  `import type {\n${[...declarations.keys(), 'EventTypes']
    .sort()
    .map((name) => `  ${name},\n`)
    .join('')}} from './events.ts';\n`,
  ...writers.values(),
  '/** Writes the plain values of each record, field by field, in the order of its schema. */',
  'export const WRITERS: { readonly [Name in keyof EventTypes]: Writer<EventTypes[Name]> } = {',
  ...names.map((name) => `  ${name}: write${name},`),
  '};\n',
].join('\n');

for (const [file, text] of Object.entries({ 'events.ts': events, 'plain-writers.ts': plainWriters })) {
  const target = join(generatedFolder, file);
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
  } else if (readFileSync(target, 'utf8') !== text) {
    console.error(
      `contracts/generated/${file} differs from contracts/events/*.avsc: run "npm run generate" and commit it.`,
    );
    process.exitCode = 1;
  }
}
