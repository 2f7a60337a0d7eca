import type { Trade } from '../contracts/generated/events.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { joinedInstrument, joinedName, joinedSymbol, type JoinedSymbols } from './joined-symbols.ts';
import type { JsonObject } from './json.ts';
import { isRefusal, malformed, tradeOf } from './source.ts';

const VENUE = 'binance';
const MICROSECONDS_PER_MILLISECOND = 1000;
/** Binance writes BTCUSDT; base and quote are split by the known quotes. Longer ones first. */
export const BINANCE_QUOTES: readonly string[] = [
  'FDUSD',
  'USDT',
  'USDC',
  'TUSD',
  'BUSD',
  'USD1',
  'EURI',
  'BIDR',
  'IDRT',
]
  .concat(['BTC', 'ETH', 'BNB', 'EUR', 'TRY', 'BRL', 'GBP', 'AUD', 'JPY', 'PLN', 'RON', 'UAH', 'RUB', 'NGN', 'ZAR'])
  .concat(['ARS', 'MXN', 'COP', 'CZK', 'DAI', 'PAX', 'XRP', 'TRX', 'SOL', 'DOGE', 'DOT', 'VAI', 'UST', 'USD']);

const SYMBOLS: JoinedSymbols = { venue: VENUE, quotes: BINANCE_QUOTES };

/** `BTC-USDT@binance` for BTCUSDT: {@link joinedInstrument}. */
export function binanceInstrument(symbol: string): string | undefined {
  return joinedInstrument(symbol, SYMBOLS);
}

/** The inverse: {@link joinedSymbol}. */
export function binanceSymbol(instrument: string): string | undefined {
  return joinedSymbol(instrument, SYMBOLS);
}

/**
 * The trade in one message of Binance's `<symbol>@trade` stream: `{"e":"trade","s":…,"t":id,"p":price,"q":size,"T":ms,"m":buyer is maker}`.
 *
 * @param receivedAt microseconds
 */
export function binanceTrade(data: JsonObject, receivedAt: number, source: string): Trade | Refusal {
  const symbol = data['s'];
  const id = data['t'];
  const price = data['p'];
  const size = data['q'];
  const timeMs = data['T'];
  const buyerIsMaker = data['m'];
  if (typeof symbol !== 'string') return malformed('the trade has no symbol "s"');
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) return malformed('the trade has no whole id "t"');
  if (typeof price !== 'string') return malformed('the trade has no price "p" as text');
  if (typeof size !== 'string') return malformed('the trade has no quantity "q" as text');
  if (typeof timeMs !== 'number' || !Number.isSafeInteger(timeMs)) {
    return malformed('the trade has no time "T" in milliseconds');
  }
  if (typeof buyerIsMaker !== 'boolean') {
    return { reason: 'SIDE_UNKNOWN', detail: 'the trade does not say whether the buyer is the maker ("m")' };
  }
  const trade = tradeOf({
    venue: VENUE,
    instrument: joinedName(symbol, SYMBOLS),
    tradeId: String(id),
    eventTime: timeMs * MICROSECONDS_PER_MILLISECOND,
    price,
    size,
    side: buyerIsMaker ? 'SELL' : 'BUY',
    receivedAt,
    source,
    suspicious: false,
    conditions: [],
  });
  if (isRefusal(trade) || trade.price.isPositive()) return trade;
  return {
    reason: 'NOT_POSITIVE',
    detail: `the price ${trade.price.toString()} is not above 0, which Binance never has`,
  };
}
