import type { TakerSide, Trade } from '../../../contracts/generated/events.ts';
import { joinedInstrument, joinedSymbol, type JoinedSymbols } from '../../joined-symbols.ts';
import { isJsonObject, parseJson, parseJsonObject } from '../../json.ts';
import { liveTrade, wholeId } from '../../live-trade.ts';
import { malformed } from '../../source.ts';
import { microsecondsOf } from '../../timestamps.ts';
import type { Parsed, RefusedTrade, Venue, VenueNotice } from '../../venue.ts';

const NAME = 'bitstamp';
const CHANNEL = 'live_trades_';
const MINUTE_MS = 60_000;
/** More than an hour of its busiest pair has. */
const PAGE_TRADES_MAX = 20_000;
const QUOTES: readonly string[] = [
  'PYUSD',
  'USDT',
  'USDC',
  'RLUSD',
  'EURC',
  'EURCV',
  'USD',
  'EUR',
  'GBP',
  'PAX',
  'DAI',
  'BTC',
  'ETH',
];
const SYMBOLS: JoinedSymbols = { venue: NAME, quotes: QUOTES, isLowerCase: true };
const SIDES: ReadonlyMap<string, TakerSide> = new Map([
  ['0', 'BUY'],
  ['1', 'SELL'],
]);

/**
 * Bitstamp: the channels `live_trades_<pair>`, and `transactions` of its REST API, which has the trades of the last
 * hour. Ids are numbers that all pairs share. Pages have whole seconds, and a trade must be the same whichever way it
 * arrives, so the stream's finer time is not used.
 */
export const bitstamp: Venue = {
  name: NAME,
  description: 'Bitstamp, live trades',
  endpoints: { webSocketUrl: 'wss://ws.bitstamp.net', restUrl: 'https://www.bitstamp.net' },
  limits: {
    connections: { count: 60, windowMs: MINUTE_MS },
    clientMessagesPerSecond: 20,
    requestWeight: { weight: 8_000, windowMs: 10 * MINUTE_MS },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 100,
  },
  tradeIds: 'OPAQUE',
  facts: {
    ...{ side: 'TAKER', timeResolution: 's', backfill: 'NEWEST', provenOn: 'CAPTURE' },
    note: 'Its pages have the last hour, in whole seconds, so finer times of its stream are not used.',
  },
  symbolOf: (instrument) => joinedSymbol(instrument, SYMBOLS),
  instrumentOf: (symbol) => joinedInstrument(symbol, SYMBOLS),
  quotes: QUOTES,
  stream: {
    url: (webSocketUrl) => webSocketUrl,
    subscriptions: (symbols) =>
      symbols.map((symbol) => JSON.stringify({ event: 'bts:subscribe', data: { channel: CHANNEL + symbol } })),
    keepAlive: '{"event":"bts:heartbeat"}',
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol) => ({ path: `/api/v2/transactions/${encodeURIComponent(symbol)}/?time=hour`, weight: 1 }),
    from: () => undefined,
    parsePage,
  },
  examples: {
    symbol: 'ethusd',
    frame:
      '{"data":{"id":215966108,"timestamp":"1641301200","amount":0.5,"amount_str":"0.50000000","price":3790.1,"price_str":"3790.10","type":1,"microtimestamp":"1641301200123000","buy_order_id":1443700000000001,"sell_order_id":1443700000000002},"channel":"live_trades_ethusd","event":"trade"}',
    page: '[{"date":"1641301200","tid":"215966108","price":"3790.10","amount":"0.50000000","type":"1"}]',
    otherFrames: [
      '{"event":"bts:subscription_succeeded","channel":"live_trades_ethusd","data":{}}',
      '{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}',
    ],
    notices: [
      { text: '{"event":"bts:request_reconnect","channel":"","data":""}', notice: 'RECONNECT' },
      {
        text: '{"event":"bts:error","channel":"","data":{"code":null,"message":"Incorrect JSON format."}}',
        notice: 'SUBSCRIPTION_REFUSED',
      },
    ],
  },
};

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  const message = parseJsonObject(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  const { event, channel, data } = message;
  if (event === 'bts:request_reconnect') return { notice: 'RECONNECT', detail: 'it asks for a new connection' };
  if (event === 'bts:error') return { notice: 'SUBSCRIPTION_REFUSED', detail: JSON.stringify(data) };
  if (event !== 'trade' || typeof channel !== 'string' || !channel.startsWith(CHANNEL)) return [];
  if (!isJsonObject(data)) return malformed('the frame of a trade has no "data"');
  const { id, price_str: price, amount_str: size, type, timestamp } = data;
  return [tradeIn({ id, price, size, type, timestamp }, channel.slice(CHANNEL.length), receivedAt)];
}

function parsePage(text: string, symbol: string, receivedAt: number): Parsed {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) return malformed('the page is not a JSON list');
  const objects = (rows as readonly unknown[]).filter(isJsonObject);
  if (objects.length < rows.length) return malformed('the page holds an entry that is not a trade');
  return objects
    .map(({ tid: id, price, amount: size, type, date: timestamp }) =>
      tradeIn({ id, price, size, type, timestamp }, symbol, receivedAt),
    )
    .reverse();
}

/** A trade with the stream's names of its parts. */
interface BitstampTrade {
  readonly id: unknown;
  readonly price: unknown;
  readonly size: unknown;
  readonly type: unknown;
  readonly timestamp: unknown;
}

function tradeIn(trade: BitstampTrade, symbol: string, receivedAt: number): Trade | RefusedTrade {
  const { id, price, size, type, timestamp } = trade;
  return liveTrade({
    venue: NAME,
    instrument: joinedInstrument(symbol, SYMBOLS),
    tradeId: wholeId(id),
    eventTime:
      typeof timestamp === 'string' ? microsecondsOf(timestamp, { unit: 's', isUtcWithoutZone: false }) : undefined,
    ...{ price, size, receivedAt },
    // A number in frames, text in pages.
    side: typeof type === 'number' ? String(type) : type,
    sideOf: (text) => SIDES.get(text),
    text: JSON.stringify(trade),
  });
}
