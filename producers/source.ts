import type { TakerSide, Trade } from '../contracts/generated/events.ts';
import { parseAmount, refusalOf, type Refusal } from '../contracts/trade-rules.ts';

/** What a row's meaning depends on besides its own text. */
export interface FileContext {
  /** First 16 hex digits of the SHA-256 of the file's content, unpacked; the ids of rows that have none are made from it. */
  readonly fileHash: string;
  /** Names the file in each trade: `file:<fileHash>`. */
  readonly source: string;
  /** Instrument of a file whose rows name none; '' where they do. */
  readonly instrument: string;
}

/** A row is a trade, or refused, or something that is rightly no trade, such as a quote in a mixed capture. */
export type ParsedLine = Trade | Refusal | 'not-a-trade';

/**
 * A format that trades are read from. Adding one: a file in `producers/sources/` and a line in `producers/registry.ts`;
 * the suite in `sources.contract.spec.ts` then runs over it.
 */
export interface FileSource {
  /** What a person calls it at the command line. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** The first line that every such file has; undefined where rows begin at once. */
  readonly header: string | undefined;
  /** Instrument of files whose rows name none, unless another is given; undefined where each row names its own. */
  readonly defaultInstrument: string | undefined;
  /** A row of this format that is a trade, for the shared suite and for people. */
  readonly example: string;
  /** Whether a file that begins with these lines is in this format; asked where the format is not named. */
  recognises(firstLines: readonly string[]): boolean;
  /**
   * The meaning of one line: a pure function that never throws.
   *
   * @param line the line without its terminator, never empty
   * @param lineNumber from 1, the header included
   */
  parseLine(line: string, lineNumber: number, context: FileContext): ParsedLine;
}

/** A trade before its price and size are read. */
export interface TradeFields extends Omit<Trade, 'price' | 'size'> {
  /** Plain decimal text. Prices never pass through a double. */
  readonly price: string;
  readonly size: string;
}

/** The trade, or the first rule that it breaks. */
export function tradeOf(fields: TradeFields): Trade | Refusal {
  const price = parseAmount('price', fields.price);
  if ('reason' in price) return price;
  const size = parseAmount('size', fields.size);
  if ('reason' in size) return size;
  const trade: Trade = { ...fields, price, size };
  return refusalOf(trade) ?? trade;
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

const CANONICAL_SIDES: ReadonlyMap<string, TakerSide> = new Map([
  ['BUY', 'BUY'],
  ['SELL', 'SELL'],
  ['UNKNOWN', 'UNKNOWN'],
]);

/** `BUY`, `SELL` or `UNKNOWN` as written. */
export function canonicalSide(text: string): TakerSide | undefined {
  return CANONICAL_SIDES.get(text);
}
