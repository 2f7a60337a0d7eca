import type { TakerSide } from '../contracts/generated/events.ts';

/** The taker's side for a side's text; undefined where the text is not one of the format's. */
export type SideReader = (text: string) => TakerSide | undefined;

const NAMED: ReadonlyMap<string, TakerSide> = new Map([
  // The most frequent spellings; any other case is looked up in lower case.
  ['BUY', 'BUY'],
  ['SELL', 'SELL'],
  ['buy', 'BUY'],
  ['b', 'BUY'],
  ['bid', 'BUY'],
  ['sell', 'SELL'],
  ['s', 'SELL'],
  ['ask', 'SELL'],
  ['unknown', 'UNKNOWN'],
  ['none', 'UNKNOWN'],
  ['', 'UNKNOWN'],
]);

const TRUE_OR_FALSE: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['t', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['f', false],
  ['0', false],
  ['no', false],
]);

const OPPOSITE: Readonly<Record<TakerSide, TakerSide>> = { BUY: 'SELL', SELL: 'BUY', UNKNOWN: 'UNKNOWN' };

/** A column that names the taker's side; bid means that the taker buys. Empty is UNKNOWN, never a guess. */
export function takerSide(text: string): TakerSide | undefined {
  return NAMED.get(text) ?? NAMED.get(text.toLowerCase());
}

/** A column that names the side of the maker, whose order was in the book: the taker's is the opposite. */
export function sideAgainstMaker(text: string): TakerSide | undefined {
  const maker = takerSide(text);
  return maker === undefined ? undefined : OPPOSITE[maker];
}

/** A column that states whether the buyer was the maker: if so, the taker sold. */
export function sideByBuyerIsMaker(text: string): TakerSide | undefined {
  if (text === '') return 'UNKNOWN';
  const buyerIsMaker = trueOrFalse(text);
  if (buyerIsMaker === undefined) return undefined;
  return buyerIsMaker ? 'SELL' : 'BUY';
}

/** `true`, `1`, `yes` and their opposites, in either case. */
export function trueOrFalse(text: string): boolean | undefined {
  return TRUE_OR_FALSE.get(text) ?? TRUE_OR_FALSE.get(text.toLowerCase());
}
