import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument } from '../../../contracts/instrument-name.ts';
import { isJsonObject, parseJson, parseJsonObject, type JsonObject } from '../../json.ts';
import { liveTrade, wholeId } from '../../live-trade.ts';
import { sideAgainstMaker } from '../../sides.ts';
import { malformed } from '../../source.ts';
import { calendarMicroseconds } from '../../timestamps.ts';
import type { Parsed, RefusedTrade, Venue, VenueNotice } from '../../venue.ts';

const NAME = 'coinbase';
const PRODUCT = /^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/;
const MINUTE_MS = 60_000;
const PAGE_TRADES_MAX = 1_000;

/** Coinbase Exchange: the channel `matches`, and the product's trades of its REST API. Its side is the maker's. */
export const coinbase: Venue = {
  name: NAME,
  description: 'Coinbase Exchange, matches',
  endpoints: { webSocketUrl: 'wss://ws-feed.exchange.coinbase.com', restUrl: 'https://api.exchange.coinbase.com' },
  limits: {
    connections: { count: 8, windowMs: 1_000 },
    clientMessagesPerSecond: 8,
    // Ten a second; counted over five, so that the share for bursts stays below it too.
    requestWeight: { weight: 50, windowMs: 5_000 },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 100,
  },
  tradeIds: 'DENSE',
  facts: { side: 'MAKER', timeResolution: 'us', backfill: 'ALL', provenOn: 'CAPTURE' },
  symbolOf(instrument) {
    const symbol = instrument.slice(0, -NAME.length - 1);
    return instrumentOf(symbol) === instrument ? symbol : undefined;
  },
  instrumentOf,
  stream: {
    url: (webSocketUrl) => webSocketUrl,
    subscriptions: (symbols) => [JSON.stringify({ type: 'subscribe', product_ids: symbols, channels: ['matches'] })],
    keepAlive: undefined,
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol, limit) => ({ path: `/products/${encodeURIComponent(symbol)}/trades?limit=${limit}`, weight: 1 }),
    // Its cursor leads backward: the page ends before it.
    from: (symbol, { firstTradeId }, limit) => ({
      path: `/products/${encodeURIComponent(symbol)}/trades?limit=${limit}&after=${firstTradeId + limit}`,
      weight: 1,
    }),
    parsePage,
  },
  examples: {
    symbol: 'BTC-USD',
    frame:
      '{"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8","taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}',
    page: '[{"time":"2014-11-07T08:19:27.028459Z","trade_id":10,"price":"400.23000000","size":"5.23512000","side":"sell"}]',
    otherFrames: [
      '{"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}',
      '{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}',
    ],
    notices: [
      {
        text: '{"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not a valid product"}',
        notice: 'SUBSCRIPTION_REFUSED',
      },
    ],
  },
};

function instrumentOf(symbol: string): string | undefined {
  const instrument = instrumentNameOf(symbol, NAME);
  return PRODUCT.test(symbol) && isInstrument(instrument) ? instrument : undefined;
}

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  const message = parseJsonObject(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  switch (message['type']) {
    case 'match':
    // The newest trade before a subscription: what a reconnect has missed begins before it.
    case 'last_match':
      return [tradeIn(message, message['product_id'], receivedAt)];
    case 'error':
      return { notice: 'SUBSCRIPTION_REFUSED', detail: `${String(message['message'])}: ${String(message['reason'])}` };
    default:
      return [];
  }
}

function parsePage(text: string, symbol: string, receivedAt: number): Parsed {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) return malformed('the page is not a JSON list');
  const objects = (rows as readonly unknown[]).filter(isJsonObject);
  if (objects.length < rows.length) return malformed('the page holds an entry that is not a trade');
  return objects.map((row) => tradeIn(row, symbol, receivedAt)).reverse();
}

function tradeIn(row: JsonObject, product: unknown, receivedAt: number): Trade | RefusedTrade {
  const { trade_id: id, price, size, side, time } = row;
  return liveTrade({
    venue: NAME,
    instrument: typeof product === 'string' ? instrumentOf(product) : undefined,
    tradeId: wholeId(id),
    eventTime: typeof time === 'string' ? calendarMicroseconds(time, false) : undefined,
    ...{ price, size, side, sideOf: sideAgainstMaker, receivedAt },
    text: JSON.stringify(row),
  });
}
