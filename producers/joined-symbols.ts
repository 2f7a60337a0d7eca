import { instrumentNameOf, isInstrument, symbolOf } from '../contracts/instrument-name.ts';

/** How a venue writes base and quote as one word. */
export interface JoinedSymbols {
  readonly venue: string;
  /** The currencies that it is known to quote in, upper case, an ending of another one after it. */
  readonly quotes: readonly string[];
  readonly isLowerCase?: boolean;
}

/**
 * `BTC-USDT@binance` for BTCUSDT; a symbol without a known quote at its end, such as a dated future's, is kept:
 * `BTCUSDT_250328@binance`. No two symbols give the same instrument. Undefined for what cannot be a symbol.
 */
export function joinedInstrument(symbol: string, joined: JoinedSymbols): string | undefined {
  if (joined.isLowerCase === true && !/^[a-z0-9]+$/.test(symbol)) return undefined;
  const instrument = joinedName(symbol, joined);
  return isInstrument(instrument) ? instrument : undefined;
}

/** The inverse; undefined for an instrument that no symbol gives, such as `BTCUSDT@binance`. */
export function joinedSymbol(instrument: string, joined: JoinedSymbols): string | undefined {
  if (!isInstrument(instrument)) return undefined;
  const { symbol: name, venue } = symbolOf(instrument);
  if (venue !== joined.venue) return undefined;
  const quote = joined.quotes.find((candidate) => name.endsWith(`-${candidate}`));
  const upper = quote === undefined ? name : name.slice(0, -quote.length - 1) + quote;
  const symbol = joined.isLowerCase === true ? upper.toLowerCase() : upper;
  return joinedInstrument(symbol, joined) === instrument ? symbol : undefined;
}

/** The name of a text that may not be a symbol: the rules for trades refuse it. */
export function joinedName(symbol: string, { venue, quotes, isLowerCase }: JoinedSymbols): string {
  const upper = isLowerCase === true ? symbol.toUpperCase() : symbol;
  const quote = quotes.find((candidate) => upper.length > candidate.length && upper.endsWith(candidate));
  return instrumentNameOf(quote === undefined ? upper : `${upper.slice(0, -quote.length)}-${quote}`, venue);
}
