import { z } from 'zod';
import { configuration, parseConfiguration } from '../../evaluators/configuration.ts';
import { CONFIGURATION_MEANINGS } from './configuration-meanings.ts';
import { tableOf } from './table.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What stands for the names that a mapping's keys are, in a place. */
const NAMES_OF_KEYS: Readonly<Record<string, string>> = { instruments: '<instrument>', timeZones: '<zone>' };
/** Keys whose own keys are described elsewhere on the page. */
const DESCRIBED_ELSEWHERE = /^instruments\.<instrument>\.session$/;
const DIGITS = new Intl.NumberFormat('en', { maximumFractionDigits: 2, roundingMode: 'floor' });

/** A key that has a value of its own, at its place in the configuration. */
export interface ConfigurationKey {
  /** `clock.maxStepMs`, `hitRules[].kind`, `instruments.<instrument>.binSize`. */
  readonly place: string;
  readonly schema: JsonSchema;
}

/** Every key of the engine's configuration, in the schema's order. */
export function configurationKeys(): ConfigurationKey[] {
  const whole = z.toJSONSchema(configuration, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return keysIn(whole, '');
}

/** @returns undefined where nobody wrote it down */
export function meaningOf(place: string): string | undefined {
  return CONFIGURATION_MEANINGS[place] ?? CONFIGURATION_MEANINGS[place.replace(/^strategies\.\w+/, 'strategies.*')];
}

function keysIn(schema: JsonSchema, place: string): ConfigurationKey[] {
  const { properties, items, additionalProperties } = schema;
  const inner = (key: string) => (place === '' ? key : `${place}.${key}`);
  if (DESCRIBED_ELSEWHERE.test(place)) return [{ place, schema }];
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([key, member]) => keysIn(member as JsonSchema, inner(key)));
  }
  if (hasKeys(items)) return keysIn(items, `${place}[]`);
  if (hasKeys(additionalProperties)) {
    const own = meaningOf(place) === undefined ? [] : [{ place, schema }];
    return [...own, ...keysIn(additionalProperties, inner(NAMES_OF_KEYS[place] ?? '<name>'))];
  }
  return [{ place, schema }];
}

function hasKeys(schema: unknown): schema is JsonSchema {
  return typeof schema === 'object' && schema !== null && 'properties' in schema;
}

/** docs/configuration.md: every key with type, bounds, default and meaning. */
export function configurationPage(): string {
  const groups = new Map<string, ConfigurationKey[]>();
  for (const key of configurationKeys()) {
    const [group = ''] = key.place.split(/[.[]/);
    groups.set(group, [...(groups.get(group) ?? []), key]);
  }
  const sections = [...groups].map(
    ([group, keys]) =>
      `## ${group}\n\n${tableOf(
        ['key', 'value', 'default', 'meaning'],
        keys.map(({ place, schema }) => [`\`${place}\``, kindOf(schema), defaultOf(place, schema), meaning(place)]),
      )}`,
  );
  return `# Configuration

<!-- Generated from evaluators/configuration.ts by \`npm run generate\`. Do not edit. -->

The engine's configuration decides what is derived from a tape. It is a file of YAML or JSON;
[config/engine.yaml](../config/engine.yaml) has every default. \`npx tapeproof activate --config FILE\` puts it in force from the
end of the tape on and records it there, with who did it and why: what was derived before does not change. \`derive\` and
\`backtest\` read a file directly.

Every key is optional. An unknown key is refused, with the one that was probably meant; so is a value of another kind or outside
its bounds. A dot leads into a mapping, \`[]\` stands for each member of a list, and \`<instrument>\` for a
[name](instrument-names.md). [Sessions](sessions.md) explains both forms of \`session\`, [strategies](strategies.md) the formulas.

${sections.join('\n\n')}
`;
}

function meaning(place: string): string {
  const text = meaningOf(place);
  if (text === undefined) {
    throw new Error(`docs/reference/configuration-meanings.ts does not say what ${place} means: add it there.`);
  }
  return text;
}

/** The kind of value and its bounds, in words. */
function kindOf(schema: JsonSchema): string {
  const { type, enum: choices, items, minimum, exclusiveMinimum, maximum } = schema;
  if (choices !== undefined) return choices.map((choice) => `\`${String(choice)}\``).join(' or ');
  if (type === 'array') return `list of ${plural(items)}`;
  if (type === 'object') return 'mapping';
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'string') return 'text';
  const kind = type === 'integer' ? 'whole number' : 'number';
  if (typeof exclusiveMinimum === 'number')
    return `${kind} above ${digits(exclusiveMinimum)}, at most ${digits(maximum)}`;
  return `${kind}, ${digits(minimum)} to ${digits(maximum)}`;
}

function plural(items: JsonSchema['items']): string {
  const member = items as JsonSchema;
  if (member.enum !== undefined) return member.enum.map((choice) => `\`${String(choice)}\``).join(', ');
  return member.type === 'array' ? 'pairs of whole numbers' : 'texts';
}

function digits(bound: number | undefined): string {
  return bound === undefined ? 'any' : DIGITS.format(bound);
}

/** What holds where the key is left out: of the whole configuration's defaults, else of its schema. */
function defaultOf(place: string, schema: JsonSchema): string {
  let value: unknown = parseConfiguration({});
  for (const word of place.replaceAll('[]', '.0').split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[word] : undefined;
  }
  const written = value ?? schema.default;
  return written === undefined ? '' : `\`${JSON.stringify(written).replaceAll('"', '')}\``;
}
