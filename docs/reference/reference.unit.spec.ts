import { Ajv } from 'ajv';
import type { Command } from 'commander';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../bin/program.ts';
import { SCHEMAS } from '../../contracts/generated/events.ts';
import { TOPICS } from '../../contracts/topics.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { asyncApiText } from './async-api.ts';
import { commandsPage } from './commands.ts';
import { CONFIGURATION_MEANINGS } from './configuration-meanings.ts';
import { configurationKeys, configurationPage, meaningOf } from './configuration.ts';
import { eventsPage } from './events.ts';
import { variablesPage } from './variables.ts';

/** AsyncAPI's own schema, in the package that builds the site. */
const ASYNC_API_SCHEMA = join(import.meta.dirname, '../../site/node_modules/@asyncapi/specs/schemas/3.0.0.json');

/** The bundle has the schema of JSON Schema in it. */
const AS_BUNDLED = { meta: false, validateSchema: false } as const;

function leavesOf(
  command: Command,
  words: readonly string[] = [],
): { readonly words: string; readonly command: Command }[] {
  if (command.commands.length === 0) return [{ words: words.join(' '), command }];
  return command.commands.flatMap((child) => leavesOf(child, [...words, child.name()]));
}

describe('docs/commands.md', () => {
  const page = commandsPage();

  it.each(leavesOf(buildProgram()))('has $words with its options', ({ words, command }) => {
    const [, section = ''] = page.split(`\n### ${words}\n`);
    expect(section).not.toBe('');
    const own = section.split(/\n#{2,3} /)[0] ?? '';
    expect(command.options.filter(({ flags }) => !own.includes(`| \`${flags}\` |`))).toEqual([]);
  });

  it('has examples and exit codes, and no folder of this machine', () => {
    expect(page).toContain('$ npx tapeproof audit --latest BTC-USD@bitstamp');
    expect(page).toContain('data and logs: .tapeproof/stack');
    expect(page).not.toContain(join(import.meta.dirname, '..', '..'));
  });
});

describe('docs/configuration.md', () => {
  const keys = configurationKeys();
  const page = configurationPage();

  it.each(keys)('explains $place', ({ place }) => {
    expect(meaningOf(place)).toBeDefined();
    expect(page).toContain(`| \`${place}\` |`);
  });

  it('explains nothing that the schema does not have', () => {
    const places = keys.flatMap(({ place }) => [place, place.replace(/^strategies\.\w+/, 'strategies.*')]);
    expect(Object.keys(CONFIGURATION_MEANINGS).filter((place) => !places.includes(place))).toEqual([]);
  });

  it('has every key of the default configuration', () => {
    const placesOf = (value: unknown, place: string): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
        ? Object.entries(value).flatMap(([key, member]) => placesOf(member, place === '' ? key : `${place}.${key}`))
        : [place];
    const places = placesOf(parseConfiguration({}), '').filter((place) => place !== 'instruments');
    expect(places.length).toBeGreaterThan(40);
    expect(places.filter((place) => !page.includes(`| \`${place}`))).toEqual([]);
  });
});

describe('docs/variables.md', () => {
  it('has every variable that the code names, and the code has every one of it', () => {
    const repository = join(import.meta.dirname, '..', '..');
    const files = globSync('{bin,contracts,dashboard,evaluators,platform,producers,projectors,proofs,stack}/**/*.ts', {
      cwd: repository,
    }).filter((file) => !/\.spec\.ts$|^dashboard\/web\//.test(file));
    const code = files.map((file) => readFileSync(join(repository, file), 'utf8')).join('\n');
    const variablesIn = (text: string) => [...new Set(text.match(/\b(?:TAPEPROOF|OTEL)_[A-Z_]*[A-Z]\b/g))];
    const listed = variablesIn(variablesPage());
    expect(listed.length).toBeGreaterThan(50);
    // Each may be given as a file where it may hold a password, and docs/connections.md says which.
    const named = variablesIn(code).map((name) => (listed.includes(name) ? name : name.replace(/_FILE$/, '')));
    // The names of the containers' passwords are Compose's own: docs/security.md.
    const composed = readFileSync(join(repository, 'docker-compose.secure.yml'), 'utf8');
    expect(named.filter((name) => !listed.includes(name) && !composed.includes(`\${${name}:?`))).toEqual([]);
    const ports = listed.filter((name) => name.startsWith('TAPEPROOF_STACK_PORT_'));
    expect(ports).toHaveLength(5);
    expect(listed.filter((name) => !ports.includes(name) && !named.includes(name))).toEqual([]);
  });
});

describe('docs/asyncapi.json and docs/events.md', () => {
  const text = asyncApiText();
  const document = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const page = eventsPage();
  const at = (pointer: string): unknown =>
    pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((value, word) => (value as Readonly<Record<string, unknown>> | undefined)?.[word], document);

  it('have every topic, and every record with every field', () => {
    for (const { name, records } of TOPICS) {
      expect(at(`#/channels/${name}`)).toMatchObject({ address: name });
      expect(page).toContain(`\n## ${name}\n`);
      for (const record of records) {
        expect(at(`#/channels/${name}/messages/${record}`)).toEqual({ $ref: `#/components/messages/${record}` });
        expect(at(`#/components/messages/${record}/payload/schema`)).toEqual(JSON.parse(SCHEMAS[record]));
        expect(page).toContain(`\n### ${record}\n`);
      }
    }
    const fields = Object.values(SCHEMAS).flatMap((schema) =>
      (JSON.parse(schema) as { readonly fields: readonly { readonly name: string }[] }).fields.map(({ name }) => name),
    );
    expect(fields.filter((field) => !page.includes(`| \`${field}\` |`))).toEqual([]);
  });

  it('refer only to what there is', () => {
    const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, pointer = '']) => pointer);
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((pointer) => at(pointer) === undefined)).toEqual([]);
  });

  it.skipIf(!existsSync(ASYNC_API_SCHEMA))('are valid AsyncAPI 3, and a mistake is not', () => {
    const schema = JSON.parse(readFileSync(ASYNC_API_SCHEMA, 'utf8')) as object;
    const validate = new Ajv({ ...AS_BUNDLED, strict: false, validateFormats: false }).compile(schema);
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...document, asyncapi: '9.0.0' })).toBe(false);
    expect(validate(JSON.parse(text.replaceAll('"action": "send"', '"action": "shout"')))).toBe(false);
    expect(validate(JSON.parse(text.replace('"retention.ms": -1', '"retention.ms": "-1"')))).toBe(false);
    expect(validate(JSON.parse(text.replace('"type": "record"', '"type": "rekord"')))).toBe(false);
  });
});
