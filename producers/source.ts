import type { Trade } from '../contracts/generated/events.ts';
import { refusalOf, type Refusal } from '../contracts/trade-rules.ts';
import { amountOf } from './numbers.ts';

/** The context that a row's meaning depends on besides its own text. */
export interface FileContext {
  /** Names the file in each trade: `file:<first 16 hex digits of the SHA-256 of its content>`. */
  readonly source: string;
  /** Instrument of the rows; `@venue` where rows name only a symbol; '' where they name the whole instrument. */
  readonly instrument: string;
}

/**
 * A row is a trade, or refused, or legitimately not a trade, such as a quote in a mixed capture. The id of a trade
 * whose row has none is '': it is derived later from the content and the rows before.
 */
export type ParsedLine = Trade | Refusal | 'not-a-trade';

/** How a file begins, and the options that a person gave. */
export interface FileHead {
  /** Its first lines that are not empty, without comments and addresses before the first of them. */
  readonly lines: readonly string[];
  /** The delimiter, if a person gave one. */
  readonly delimiter: string | undefined;
  /** The instrument, if a person gave one. */
  readonly instrument: string | undefined;
  /** The file's own name; in a zip, its name there; undefined where it has none. */
  readonly fileName?: string | undefined;
  /** Whether a person named the format: a file that merely resembles it is then treated as that format. */
  readonly isNamed: boolean;
}

/** How much of their instrument the rows name: all of it, its symbol without the venue, or nothing. */
export type InstrumentNaming = 'IN_ROWS' | 'SYMBOL_IN_ROWS' | 'NOT_IN_ROWS';

/** The parser for the rows of one file. */
export interface LineParser {
  /** The first line, if it names the columns; undefined where there is no header. */
  readonly header: string | undefined;
  /** The delimiter; undefined where the file is not a table. */
  readonly delimiter: string | undefined;
  /** How stamps are read, for people. */
  readonly times: string;
  readonly instruments: InstrumentNaming;
  /**
   * The meaning of one line: a pure function that never throws.
   *
   * @param line the line without its terminator, never empty
   */
  parseLine(line: string, context: FileContext): ParsedLine;
}

/**
 * A format that trades are read from. Adding one: a file in `producers/sources/` and a line in `producers/catalogue.ts`;
 * the suite in `sources.contract.spec.ts` then runs over it.
 */
export interface FileSource {
  /** Its name on the command line. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** The columns of a table as published; empty where the format is not a table. */
  readonly columns: readonly string[];
  /** How a file of this format begins, its last line a trade: for the shared suite and for people. */
  readonly example: readonly string[];
  /** The file's name in the example, where the format is known by it. */
  readonly exampleName?: string;
  /** The parser for a file that begins like this; undefined where it is not in this format. */
  open(head: FileHead): LineParser | undefined;
}

/** A parser for lines that are not a table and carry time, instrument and everything else themselves. */
export function linesThatNameAll(parseLine: LineParser['parseLine']): LineParser {
  return { header: undefined, delimiter: undefined, times: 'as the format says', instruments: 'IN_ROWS', parseLine };
}

/** A trade before its price and size are parsed. */
export interface TradeFields extends Omit<Trade, 'price' | 'size'> {
  /** The numbers' text. Prices never pass through a double. */
  readonly price: string;
  readonly size: string;
}

/** A placeholder for an id yet to be derived, while the other rules are checked. */
const ID_TO_BE_MADE = '-';

/** The trade, or the first rule that it breaks. */
export function tradeOf(fields: TradeFields): Trade | Refusal {
  const trade = tradeWithAmounts(fields);
  return isRefusal(trade) ? trade : (refusalOf(trade) ?? trade);
}

/** Like {@link tradeOf}, but a trade without an id is valid: its id is derived from its content. */
export function tradeWithOrWithoutIdOf(fields: TradeFields): Trade | Refusal {
  if (fields.tradeId !== '') return tradeOf(fields);
  const trade = tradeWithAmounts(fields);
  return isRefusal(trade) ? trade : (refusalOf({ ...trade, tradeId: ID_TO_BE_MADE }) ?? trade);
}

function tradeWithAmounts(fields: TradeFields): Trade | Refusal {
  const price = amountOf('price', fields.price);
  if ('reason' in price) return price;
  const size = amountOf('size', fields.size);
  if ('reason' in size) return size;
  return { ...fields, price, size };
}

export function isRefusal(parsed: Trade | Refusal): parsed is Refusal {
  return 'reason' in parsed;
}

export function malformed(detail: string): Refusal {
  return { reason: 'MALFORMED', detail };
}

export function sideUnknown(text: string): Refusal {
  return { reason: 'SIDE_UNKNOWN', detail: `the side ${quoted(text)} is not one of those this format has` };
}

/** A piece of the input in a message: bounded and with its control characters visible. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

/** Whole non-negative decimal digits as a number; undefined for anything else or beyond 2^53. */
export function wholeNumber(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The venue of `BTC-USDT@binance`; for a text that is not an instrument, anything: the trade rules refuse it. */
export function venueOf(instrument: string): string {
  return instrument.slice(instrument.indexOf('@') + 1);
}
