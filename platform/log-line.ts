/**
 * The last step of every line. Whatever the fields contain, one event is one line, and nothing in it moves a
 * terminal's cursor, colours later text or reverses its direction.
 */
import pretty from 'pino-pretty';
import type { LogValue } from './log-fields.ts';

/**
 * Controls (C0 and C1), formatting characters (bidi overrides, zero width, tags), lone surrogates, unassigned and
 * invisible characters, line and paragraph separators.
 */
const UNSAFE = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/gu;
/** Between a text line's sentence and its fields; nothing else may look like it. */
const FIELDS_MARK = '│';
const MARKS = new RegExp(FIELDS_MARK, 'g');
/** JSON's escapes; those of a quote, a slash and a backslash print as the character itself. */
const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|.)/g;
const HARMLESS_ESCAPES: ReadonlySet<string> = new Set(['\\"', '\\\\', '\\/']);
/** Left out of a text line: a person at a terminal knows them, or wants the sentence and not the stack. */
const HIDDEN_FIELDS: ReadonlySet<string> = new Set([
  '@timestamp',
  'log.level',
  'message',
  'ecs.version',
  'process.pid',
  'service.name',
  'event.kind',
  'event.dataset',
  'error.stack_trace',
]);

/** A line of JSON with every unsafe character as an escape: the same meaning, with nothing hidden. */
export function jsonLine(line: string): string {
  return `${line.trimEnd().replace(UNSAFE, escaped)}\n`;
}

function escaped(characters: string): string {
  let escapes = '';
  for (let index = 0; index < characters.length; index += 1) {
    escapes += `\\u${characters.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escapes;
}

/** Turns lines of JSON into lines for a person. @param isColoured for a terminal. */
export function textLines(isColoured: boolean): (line: string) => string {
  const format = pretty.prettyFactory({
    colorize: isColoured,
    singleLine: true,
    hideObject: true,
    timestampKey: '@timestamp',
    translateTime: 'SYS:HH:MM:ss.l',
    levelKey: 'log\\.level',
    messageKey: 'message',
    messageFormat: (log) => sentenceOf(log),
    errorLikeObjectKeys: [],
  });
  // Escapes become visible text, so that parsing cannot turn them back into the characters.
  const visible = (line: string): string =>
    jsonLine(line)
      .replace(MARKS, escaped)
      .replace(ESCAPE, (escape) => (HARMLESS_ESCAPES.has(escape) ? escape : `\\${escape}`));
  return (line) => `${format(visible(line)).trimEnd()}\n`;
}

function sentenceOf(log: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(log)
    .filter(([name]) => !HIDDEN_FIELDS.has(name))
    .map(([name, value]) => `${name}=${valueOf(value as LogValue)}`);
  const message = typeof log['message'] === 'string' ? log['message'] : '';
  return `${message} ${FIELDS_MARK} ${fields.join(' ')}`;
}

/** Plain words as they are, anything else in quotes, in which a quote is escaped. */
function valueOf(value: LogValue): string {
  const text = String(value);
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
