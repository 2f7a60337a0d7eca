/**
 * The fields of a line. Untrusted text reaches a log (names of instruments, errors of venues): no field may imitate
 * another, and each is bounded.
 */

import { LOG_FIELDS } from './log-field-catalogue.ts';

export type LogValue = string | number | boolean | null | undefined;

const ECS_FIELDS: ReadonlySet<string> = new Set(
  Object.keys(LOG_FIELDS).filter((name) => !name.startsWith('tapeproof.')),
);

export const FIELD_CHARACTERS_MAX = 1_024;
export const MESSAGE_CHARACTERS_MAX = 2_048;
const STACK_CHARACTERS_MAX = 8_192;
const NAME_CHARACTERS_MAX = 64;
const FIELDS_MAX = 48;
const CAUSES_MAX = 4;

/**
 * Fields under names that cannot collide with those that the log itself writes: an unknown name gets the prefix
 * `tapeproof.`, and a value that is not plain becomes text.
 */
export function safeFields(fields: object): Record<string, LogValue> {
  const safe: Record<string, LogValue> = {};
  let count = 0;
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined) continue;
    if (name === 'error') {
      Object.assign(safe, errorFields(value));
      continue;
    }
    count += 1;
    if (count > FIELDS_MAX) break;
    safe[safeName(name)] ??= safeValue(value);
  }
  return safe;
}

function safeName(name: string): string {
  if (ECS_FIELDS.has(name)) return name;
  const plain = name.slice(0, NAME_CHARACTERS_MAX).replace(/[^A-Za-z0-9_.]/g, '_');
  return plain.startsWith('tapeproof.') && plain !== SUPPRESSED_FIELD ? plain : `tapeproof.${plain}`;
}

/** Lines of this kind that sampling left out since the one before. */
export const SUPPRESSED_FIELD = 'tapeproof.suppressed';

function safeValue(value: unknown): LogValue {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  return cut(textOf(value), FIELD_CHARACTERS_MAX);
}

/** An error with its code, and its causes in the stack trace. */
function errorFields(error: unknown): Record<string, LogValue> {
  if (!(error instanceof Error)) return { 'error.message': cut(textOf(error), FIELD_CHARACTERS_MAX) };
  const code = 'code' in error ? error.code : undefined;
  const stacks: string[] = [];
  let cause: unknown = error;
  for (let depth = 0; cause instanceof Error && depth <= CAUSES_MAX; depth += 1) {
    stacks.push(`${depth === 0 ? '' : 'caused by '}${textOf(cause.stack ?? cause.message)}`);
    cause = cause.cause;
  }
  return {
    'error.type': cut(textOf(error.name), NAME_CHARACTERS_MAX),
    'error.message': cut(textOf(error.message), FIELD_CHARACTERS_MAX),
    ...(code === undefined ? {} : { 'error.code': cut(textOf(code), NAME_CHARACTERS_MAX) }),
    'error.stack_trace': cut(stacks.join('\n'), STACK_CHARACTERS_MAX),
  };
}

/** The text of any value; never throws. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) || 'unprintable';
    return `${value as number}`;
  } catch {
    return 'unprintable';
  }
}

export function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  return `${text.slice(0, charactersMax)}… (${text.length - charactersMax} more characters)`;
}
