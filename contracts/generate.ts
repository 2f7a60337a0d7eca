/**
 * Writes contracts/generated/events.ts from the .avsc files; with --check only compares, and exits 1 on drift.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Schema =
  | string
  | Schema[]
  | {
      readonly type: Schema;
      readonly name?: string;
      readonly doc?: string;
      readonly logicalType?: string;
      readonly symbols?: readonly string[];
      readonly items?: Schema;
      readonly values?: Schema;
      readonly fields?: readonly { readonly name: string; readonly type: Schema; readonly doc?: string }[];
    };

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
const target = join(import.meta.dirname, 'generated', 'events.ts');
const declarations = new Map<string, string>();

/** TypeScript of a schema; named types are declared once, on the side. */
function typeScriptOf(schema: Schema): string {
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
const schemas = files.map((file) => JSON.parse(readFileSync(join(eventsFolder, file), 'utf8')) as Schema);
const names = schemas.map(typeScriptOf);
const generated = [
  '// Generated from contracts/events/*.avsc by `npm run generate`. Do not edit.\n',
  `import type { Decimal } from '../decimal.ts';\n`,
  ...declarations.values(),
  `/** Record name to its type. */\nexport interface EventTypes {\n${names.map((name) => `  readonly ${name}: ${name};\n`).join('')}}\n`,
  'export type RecordName = keyof EventTypes;\n',
  '/** The schemas as written, by record name. */',
  `export const SCHEMAS: Readonly<Record<RecordName, string>> = {`,
  ...schemas.map((schema, index) => `  ${names[index] ?? ''}:\n    ${JSON.stringify(JSON.stringify(schema))},`),
  '};\n',
].join('\n');

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== generated) {
    console.error(
      'contracts/generated/events.ts differs from contracts/events/*.avsc: run "npm run generate" and commit it.',
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, generated);
}
