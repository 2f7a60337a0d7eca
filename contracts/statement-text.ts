export const STATEMENT_LENGTH_MAX = 500;
/** Control characters, line separators, halves of characters, and what reorders the text around it. */
const NOT_SHOWN = '[\\p{Cc}\\p{Cs}\\u2028\\u2029\\u200e\\u200f\\u061c\\u202a-\\u202e\\u2066-\\u2069]';
const ANY_NOT_SHOWN = new RegExp(NOT_SHOWN, 'u');
const EACH_NOT_SHOWN = new RegExp(NOT_SHOWN, 'gu');

/** Whether a text is one line that a terminal shows as it is: a reason or a name that goes on the tape for ever. */
export function isStatement(text: string): boolean {
  return text.trim() !== '' && text.length <= STATEMENT_LENGTH_MAX && !ANY_NOT_SHOWN.test(text);
}

/** A reason or a name from the tape, where anyone may have written it, as a terminal may show it. */
export function shown(text: string | null): string {
  if (text === null) return 'not stated';
  const cut = text.length > STATEMENT_LENGTH_MAX ? `${text.slice(0, STATEMENT_LENGTH_MAX)}…` : text;
  return cut.replace(EACH_NOT_SHOWN, '\u{fffd}');
}
