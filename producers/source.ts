import type { Trade } from '../contracts/generated/events.ts';
import { refusalOf, type Refusal } from '../contracts/trade-rules.ts';
import { amountOf } from './numbers.ts';

/** What a row's meaning depends on besides its own text. */
export interface FileContext {
  /** Names the file in each trade: `file:<first 16 hex digits of the SHA-256 of its content>`. */
  readonly source: string;
  /** Instrument of the rows; `@venue` where rows name a symbol alone; '' where they name all of it. */
  readonly instrument: string;
}

/**
 * A row is a trade, or refused, or something that is rightly no trade, such as a quote in a mixed capture. The id of a
 * trade whose row has none is '': it is made of the content by who knows the rows before.
 */
export type ParsedLine = Trade | Refusal | 'not-a-trade';

/** How a file begins, and what a person said of it. */
export interface FileHead {
  /** Its first lines that hold something, without comments and addresses before the first of them. */
  readonly lines: readonly string[];
  /** What parts the columns, where a person said so. */
  readonly delimiter: string | undefined;
  /** The instrument that a person gave. */
  readonly instrument: string | undefined;
  /** Whether a person named the format: what only looks like it is then taken for it. */
  readonly isNamed: boolean;
}

/** What rows say of their instrument: all of it, its symbol without the venue, or nothing. */
export type InstrumentNaming = 'IN_ROWS' | 'SYMBOL_IN_ROWS' | 'NOT_IN_ROWS';

/** What reads the rows of one file. */
export interface LineParser {
  /** The first line where it names the columns; undefined where rows begin at once. */
  readonly header: string | undefined;
  /** What parts the columns; undefined where the file is not a table. */
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
  /** What a person calls it at the command line. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** The columns of a table as they are published; none where the format is not a table. */
  readonly columns: readonly string[];
  /** How a file of this format begins, its last line a trade: for the shared suite and for people. */
  readonly example: readonly string[];
  /** What reads a file that begins so; undefined where it is not in this format. */
  open(head: FileHead): LineParser | undefined;
}

/** A parser for lines that are no table and name time, instrument and all by themselves. */
export function linesThatNameAll(parseLine: LineParser['parseLine']): LineParser {
  return { header: undefined, delimiter: undefined, times: 'as the format says', instruments: 'IN_ROWS', parseLine };
}

/** A trade before its price and size are read. */
export interface TradeFields extends Omit<Trade, 'price' | 'size'> {
  /** The number's text. Prices never pass through a double. */
  readonly price: string;
  readonly size: string;
}

/** Stands for an id that is still to be made, where the other rules are asked. */
const ID_TO_BE_MADE = '-';

/** The trade, or the first rule that it breaks. */
export function tradeOf(fields: TradeFields): Trade | Refusal {
  const trade = tradeWithAmounts(fields);
  return isRefusal(trade) ? trade : (refusalOf(trade) ?? trade);
}

/** As {@link tradeOf}; a trade without an id is one all the same: its id is made of its content. */
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

/** The venue of `BTC-USDT@binance`; of a text that is no instrument anything, and the trade rules refuse it. */
export function venueOf(instrument: string): string {
  return instrument.slice(instrument.indexOf('@') + 1);
}
