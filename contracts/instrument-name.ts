/**
 * The names of instruments: `<SYMBOL>@<venue>`, one written form for each name that a venue may have.
 *
 * SYMBOL is the venue's own symbol: A–Z, 0–9, `.`, `_` and `-` are kept, and each UTF-8 byte of anything else is `~XX`
 * in upper-case hex: `BRK.B@nyse`, `~6BPEPE-USDT@hyperliquid` for kPEPE. All of it is plain ASCII without any
 * character special to Redis, SQL, YAML, a shell or a comma-separated list. `docs/instrument-names.md` explains it for
 * people.
 */

/** The most characters of SYMBOL as written; an escape counts as three. */
export const SYMBOL_LENGTH_MAX = 120;
/** The most characters of a text for which a correction is sought: a longer one is not a mistyped name. */
const MENDED_LENGTH_MAX = 512;
const QUOTED_LENGTH_MAX = 64;

const WRITTEN = /^(?:[A-Z0-9._-]|~[0-9A-F]{2})+@[a-z0-9][a-z0-9._-]{0,31}$/;
const VENUE = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const NOT_PLAIN = /[^A-Z0-9._-]/gu;
const ESCAPES = /((?:~[0-9A-Fa-f]{2})+)/;
/** Separators that people write between base and quote. */
const SEPARATORS = /[/:\\|,;+ \u00a0\u2010-\u2015\u2044\u2212\uff0f]+/g;
/**
 * Control characters, and those that are invisible or change the text direction. A fixed list rather than a property
 * of Unicode: a refusal's words are in dead letters, which a later release of Node must reproduce exactly.
 */
const UNSEEN = /[\0-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]/g;
/** The full-width forms of ASCII. */
const FULL_WIDTH = /[\uff01-\uff5e]/g;
const FULL_WIDTH_OFFSET = 0xfee0;
/** Visible letters, marks and digits beyond ASCII without a lower case: they are unambiguous. */
const UNAMBIGUOUS =
  /^(?:[A-Z0-9._-]|(?=[^\0-\x7f])(?!\p{Default_Ignorable_Code_Point})[\p{Lu}\p{Lt}\p{Lo}\p{Lm}\p{M}\p{N}])+$/u;
/** Spaces and characters without a visible shape; `~` and `@`, so that the displayed name is unambiguous. */
const NOT_SHOWN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}~@]/gu;

/** Why a text is not the written form of a name. */
export interface NameRefusal {
  /** The clause for people: `the instrument "BTC/USDT@binance" has "/" in its symbol: write BTC-USDT@binance, or …`. */
  readonly detail: string;
  /** The clause without its subject, for sentences with another subject. */
  readonly predicate: string;
  /** Written forms that may have been meant, the likelier first; empty where unknown. */
  readonly forms: readonly string[];
}

/**
 * The written form of a venue's own symbol. A text that cannot be a name (no symbol, half of a surrogate pair, too long,
 * a venue in capitals) gives one that {@link isInstrument} refuses; it never throws.
 */
export function instrumentNameOf(symbol: string, venue: string): string {
  return `${escaped(symbol)}@${venue}`;
}

/**
 * The inverse: the venue's own symbol, and the venue.
 *
 * @throws RangeError where {@link isInstrument} is false
 */
export function symbolOf(instrument: string): { readonly symbol: string; readonly venue: string } {
  if (!isInstrument(instrument)) throw new RangeError(`${quoted(instrument)} is not the written form of an instrument`);
  const [symbol, venue] = partsOf(instrument);
  return { symbol: unescaped(symbol) ?? '', venue };
}

/** True for the one written form of a name, such as `BTC-USDT@binance` or `IBM@nyse`. */
export function isInstrument(text: string): boolean {
  if (!WRITTEN.test(text) || text.indexOf('@') > SYMBOL_LENGTH_MAX) return false;
  if (!text.includes('~')) return true;
  const [written] = partsOf(text);
  const symbol = unescaped(written);
  return symbol !== undefined && escaped(symbol) === written;
}

/** The problem of a text, and the form to use; undefined where it is the written form of a name. */
export function refusalOfName(text: string): NameRefusal | undefined {
  if (isInstrument(text)) return undefined;
  if (text.trim() === '') return refusal(text, 'is empty: write symbol and venue, like BTC-USDT@binance');
  if (text.length > MENDED_LENGTH_MAX) return refusal(text, `is too long: ${boundInWords()}`);
  const [symbol, venue] = partsOf(text);
  if (venue === '') return refusalWithoutVenue(text, symbol);
  const lowerVenue = venue.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (!VENUE.test(lowerVenue)) {
    const rule = 'must have 1 to 32 of a-z, 0-9, ".", "_" and "-", the first a letter or digit';
    return refusal(text, `is at no venue: ${quoted(venue)} ${rule}`);
  }
  const problem = problemOf(symbol);
  const forms = formsOf(symbol).map((written) => `${written}@${lowerVenue}`);
  const fitting = forms.filter(isInstrument);
  if (forms.length > 0 && fitting.length === 0) return refusal(text, `is too long: ${boundInWords()}`);
  const { words, own } = problem ?? { words: 'must have its venue in lower case', own: '' };
  return refusal(text, `${words}${toWrite(fitting, own)}`, fitting);
}

/**
 * The written form of a person's or a file's text, where it is unambiguous: letters beyond ASCII, such as
 * `币安人生-USDT@binance`, are escaped. Only the written form reaches the tape.
 */
export function normalisedInstrument(text: string): string | NameRefusal {
  const wrong = refusalOfName(text);
  if (wrong === undefined) return text;
  const [symbol, venue] = partsOf(text);
  const raw = rawOf(symbol);
  // A mere variant, such as a full-width letter, most likely means the plain one.
  if ((raw !== '' && !UNAMBIGUOUS.test(raw)) || raw !== raw.normalize('NFKC')) return wrong;
  const written = `${writtenAgain(symbol)}@${venue}`;
  return unescaped(symbol) !== undefined && isInstrument(written) ? written : wrong;
}

/** A name for people: letters as the venue writes them; invisible characters, `~` and `@` stay escaped. */
export function displayName(instrument: string): string {
  if (!instrument.includes('~')) return instrument;
  const { symbol, venue } = symbolOf(instrument);
  return `${symbol.replace(NOT_SHOWN, escapeOf)}@${venue}`;
}

/** At the last `@`; a text without one is all symbol. */
function partsOf(text: string): readonly [symbol: string, venue: string] {
  const at = text.lastIndexOf('@');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function escaped(symbol: string): string {
  return symbol.replace(NOT_PLAIN, escapeOf);
}

/** Half of a surrogate pair has no UTF-8: it stays, which makes the name invalid. */
function escapeOf(character: string): string {
  if (!character.isWellFormed()) return character;
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text with its escapes decoded as UTF-8 bytes, in either case; undefined where they are not UTF-8. */
function unescaped(written: string): string | undefined {
  const pieces = written
    .split(ESCAPES)
    .map((piece, index) =>
      index % 2 === 0 ? Buffer.from(piece, 'utf8') : Buffer.from(piece.replaceAll('~', ''), 'hex'),
    );
  try {
    return utf8.decode(Buffer.concat(pieces));
  } catch {
    return undefined;
  }
}

/** A symbol with correct escapes and the rest escaped where necessary; undecodable parts stay. */
function writtenAgain(symbol: string): string {
  return escaped((symbol.isWellFormed() ? unescaped(symbol) : undefined) ?? symbol);
}

/** The possible intentions of a mistyped symbol: corrected, and letter for letter. */
function formsOf(symbol: string): readonly string[] {
  if (!symbol.isWellFormed() || unescaped(symbol) === undefined) return [];
  const mended = symbol
    .trim()
    .split(ESCAPES)
    // Text that somebody escaped is meant literally.
    .map((piece, index) => (index % 2 === 0 ? mendedPiece(piece) : piece))
    .join('');
  const forms = [mended, symbol].map(writtenAgain).filter((written) => written !== '');
  return [...new Set(forms)];
}

function mendedPiece(piece: string): string {
  return piece
    .replace(UNSEEN, '')
    .replace(FULL_WIDTH, (letter) => String.fromCharCode(letter.charCodeAt(0) - FULL_WIDTH_OFFSET))
    .replace(SEPARATORS, '-')
    .replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

interface Problem {
  /** The problem of the text: the rest of a clause. */
  readonly words: string;
  /** The condition under which the form that keeps every character is right. */
  readonly own: string;
}

/** The first problem of a symbol; undefined where there is none. */
function problemOf(symbol: string): Problem | undefined {
  const problem = (words: string, what = 'all of it'): Problem => ({
    words,
    own: `${what} is part of the venue's own symbol`,
  });
  if (symbol === '') return problem('has no symbol before the @');
  if (!symbol.isWellFormed()) return problem('holds half of a character');
  const decoded = unescaped(symbol);
  if (decoded === undefined) return problem('has escapes that are not UTF-8');
  const raw = rawOf(symbol);
  const [unseen] = raw.match(UNSEEN) ?? [];
  if (unseen !== undefined) return problem(`holds a character that is not seen, U+${codeOf(unseen)}`, 'that character');
  if (raw.includes('~')) return problem('has a "~" that no two hex digits follow');
  // First the separator between base and quote, then characters that only look wrong.
  const [odd] = raw.match(SEPARATORS) ?? /[\0-\x7f]/.exec(raw.replace(/[A-Za-z0-9._-]/g, '')) ?? [];
  if (odd !== undefined) return problem(`has ${inWords(odd)} in its symbol`, inWords(odd));
  if (/[a-z]/.test(raw)) return problem('has lower case in its symbol', 'lower case');
  const [foreign] = /[^\0-\x7f]/u.exec(raw) ?? [];
  if (foreign !== undefined) return problem(`has ${inWords(foreign)} in its symbol`, inWords(foreign));
  return escaped(decoded) === symbol ? undefined : problem('is escaped otherwise than its one written form');
}

/** The parts that are not escaped. */
function rawOf(symbol: string): string {
  return symbol
    .split(ESCAPES)
    .filter((_, index) => index % 2 === 0)
    .join('');
}

function inWords(characters: string): string {
  return characters === ' ' ? 'a space' : quoted(characters);
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

function refusalWithoutVenue(text: string, symbol: string): NameRefusal {
  const [mended] = formsOf(text.includes('@') ? symbol : text);
  const form = mended === undefined ? '' : ` ${mended}@ and the venue,`;
  return refusal(text, `names no venue: write${form} like BTC-USDT@binance`);
}

function refusal(text: string, predicate: string, forms: readonly string[] = []): NameRefusal {
  return { detail: `the instrument ${quoted(text)} ${predicate}`, predicate, forms };
}

function toWrite(forms: readonly string[], own = ''): string {
  const [first, second] = forms;
  if (first === undefined) return '';
  return second === undefined ? `: write ${first}` : `: write ${first}, or ${second} where ${own}`;
}

function boundInWords(): string {
  return `a symbol has at most ${SYMBOL_LENGTH_MAX} characters as it is written`;
}

function quoted(text: string): string {
  const json = JSON.stringify(text.slice(0, QUOTED_LENGTH_MAX));
  return json.replace(UNSEEN, (character) => `\\u${codeOf(character).toLowerCase()}`);
}
