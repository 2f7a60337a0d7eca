import type { TakerSide } from '../contracts/generated/events.ts';

/** What a side's text says of the taker; undefined where it is not one of those that the format has. */
export type SideReader = (text: string) => TakerSide | undefined;

const NAMED: ReadonlyMap<string, TakerSide> = new Map([
  // As written here most often; any other case by its lower one.
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

/** A column that names the taker's side; bid is a taker who buys. Empty is UNKNOWN, never a guess. */
export function takerSide(text: string): TakerSide | undefined {
  return NAMED.get(text) ?? NAMED.get(text.toLowerCase());
}

/** A column that names the maker's side, whose order was in the book: the taker's is the other. */
export function sideAgainstMaker(text: string): TakerSide | undefined {
  const maker = takerSide(text);
  return maker === undefined ? undefined : OPPOSITE[maker];
}

/** A column that says whether the buyer was the maker: then the taker sold. */
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
