import { BINANCE_QUOTES, binanceInstrument, binanceSymbol, binanceTrade } from '../../binance-trade.ts';
import { isJsonObject, parseJson, parseJsonObject, type JsonObject } from '../../json.ts';
import { isRefusal, malformed } from '../../source.ts';
import { liveSourceOf, type Parsed, type RefusedTrade, type Venue } from '../../venue.ts';
import type { Trade } from '../../../contracts/generated/events.ts';

const NAME = 'binance';
const SOURCE = liveSourceOf(NAME);
const TRADE_STREAM = '@trade';
/** Weight of `trades` and of `historicalTrades`, whatever their limit; neither needs an API key. */
const TRADES_WEIGHT = 25;
/** The address is banned for a while, because it continued after a 429. */
const BANNED = 418;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Binance Spot: the combined stream of raw trades, `trades` and `historicalTrades` of its REST API. */
export const binance: Venue = {
  name: NAME,
  description: 'Binance Spot, raw trades',
  endpoints: { webSocketUrl: 'wss://stream.binance.com:9443', restUrl: 'https://api.binance.com' },
  limits: {
    connections: { count: 300, windowMs: 5 * MINUTE_MS },
    clientMessagesPerSecond: 5,
    requestWeight: { weight: 6_000, windowMs: MINUTE_MS },
    connectionLifetimeMs: 24 * HOUR_MS,
    instrumentsPerConnection: 1_024,
    waitStatuses: [BANNED],
  },
  tradeIds: 'DENSE',
  facts: { side: 'MAKER', timeResolution: 'ms', backfill: 'ALL', provenOn: 'CAPTURE' },
  symbolOf(instrument) {
    const symbol = binanceSymbol(instrument);
    return symbol !== undefined && isOfSpot(symbol) ? symbol : undefined;
  },
  instrumentOf: (symbol) => (isOfSpot(symbol) ? binanceInstrument(symbol) : undefined),
  quotes: BINANCE_QUOTES,
  stream: {
    url: (webSocketUrl, symbols) =>
      `${webSocketUrl}/stream?streams=${symbols.map((symbol) => encodeURIComponent(symbol.toLowerCase()) + TRADE_STREAM).join('/')}`,
    subscriptions: () => [],
    keepAlive: undefined,
    parseFrame,
  },
  history: {
    pageTradesMax: 1_000,
    usedWeightHeader: 'x-mbx-used-weight-1m',
    newest: (symbol, limit) => ({
      path: `/api/v3/trades?symbol=${encodeURIComponent(symbol)}&limit=${limit}`,
      weight: TRADES_WEIGHT,
    }),
    from: (symbol, { firstTradeId }, limit) => ({
      path: `/api/v3/historicalTrades?symbol=${encodeURIComponent(symbol)}&fromId=${firstTradeId}&limit=${limit}`,
      weight: TRADES_WEIGHT,
    }),
    parsePage,
  },
  examples: {
    symbol: 'BTCUSDT',
    frame:
      '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}',
    page: '[{"id":3735683259,"price":"61837.63000000","qty":"0.02000000","quoteQty":"1236.75260000","time":1723161255342,"isBuyerMaker":true,"isBestMatch":true}]',
    otherFrames: ['{"result":null,"id":1}', '{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT"}}'],
  },
};

/** Spot joins base and quote: a hyphen belongs to the options market, or to a mistyped instrument. */
function isOfSpot(symbol: string): boolean {
  return !symbol.includes('-');
}

function parseFrame(text: string, receivedAt: number): Parsed {
  const message = parseJsonObject(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  const stream = message['stream'];
  if (typeof stream !== 'string' || !stream.endsWith(TRADE_STREAM)) return [];
  const data = message['data'];
  if (!isJsonObject(data)) return malformed('the frame of a trade stream has no "data"');
  return [tradeIn(data, text, receivedAt)];
}

function parsePage(text: string, symbol: string, receivedAt: number): Parsed {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) return malformed('the page is not a JSON list');
  const trades: (Trade | RefusedTrade)[] = [];
  for (const row of rows as readonly unknown[]) {
    if (!isJsonObject(row)) return malformed('the page holds an entry that is not a trade');
    const { id, price, qty, time, isBuyerMaker } = row;
    // The same fields under the stream's names, so that a trade is the same whichever way it arrives.
    const data = { s: symbol, t: id, p: price, q: qty, T: time, m: isBuyerMaker };
    trades.push(tradeIn(data, JSON.stringify(row), receivedAt));
  }
  return trades;
}

function tradeIn(data: JsonObject, text: string, receivedAt: number): Trade | RefusedTrade {
  const trade = binanceTrade(data, receivedAt, SOURCE);
  if (!isRefusal(trade)) return trade;
  const { s: symbol, t: id } = data;
  return {
    refusal: trade,
    instrument: typeof symbol === 'string' ? binanceInstrument(symbol) : undefined,
    tradeId: typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? String(id) : undefined,
    text,
  };
}
