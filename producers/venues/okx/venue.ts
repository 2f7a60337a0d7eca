import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument } from '../../../contracts/instrument-name.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json.ts';
import { liveTrade, wholeId } from '../../live-trade.ts';
import { takerSide } from '../../sides.ts';
import { malformed } from '../../source.ts';
import { microsecondsOf } from '../../timestamps.ts';
import type { PageError, Parsed, RefusedTrade, Venue, VenueNotice } from '../../venue.ts';

const NAME = 'okx';
/** Spot, perpetual, dated future, option. */
const INSTRUMENT_ID = /^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}(?:-SWAP|-\d{6}(?:-\d{1,12}-[CP])?)?$/;
const CHANNELS: readonly unknown[] = ['trades-all', 'trades'];
const MINUTE_MS = 60_000;
/** Most trades of a page of `history-trades`. */
const PAGE_TRADES_MAX = 100;
const SUCCESS = '0';
const UNKNOWN_INSTRUMENT = '51001';
const TOO_MANY_REQUESTS = '50011';

/**
 * OKX: the channel `trades-all`, which has each trade by itself (`trades` adds several up), and `history-trades` of its
 * REST API, which pages by id. Trades are numbered for each instrument.
 */
export const okx: Venue = {
  name: NAME,
  description: 'OKX, all trades of spot and derivatives',
  endpoints: { webSocketUrl: 'wss://ws.okx.com:8443', restUrl: 'https://www.okx.com' },
  limits: {
    connections: { count: 60, windowMs: MINUTE_MS },
    clientMessagesPerSecond: 3,
    // Twenty in two seconds; counted over five, so that the share for bursts stays below it too.
    requestWeight: { weight: 50, windowMs: 5_000 },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 200,
  },
  tradeIds: 'DENSE',
  facts: {
    ...{ side: 'TAKER', timeResolution: 'ms', backfill: 'ALL', provenOn: 'CAPTURE' },
    note: 'The sizes of derivatives are numbers of contracts.',
  },
  symbolOf(instrument) {
    const symbol = instrument.slice(0, -NAME.length - 1);
    return instrumentOf(symbol) === instrument ? symbol : undefined;
  },
  instrumentOf,
  stream: {
    url: (webSocketUrl) => `${webSocketUrl}/ws/v5/business`,
    subscriptions: (symbols) => [
      JSON.stringify({ op: 'subscribe', args: symbols.map((instId) => ({ channel: 'trades-all', instId })) }),
    ],
    keepAlive: 'ping',
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol, limit) => ({
      path: `/api/v5/market/trades?instId=${encodeURIComponent(symbol)}&limit=${limit}`,
      weight: 1,
    }),
    // Its cursor leads backward: the page ends before it.
    from: (symbol, { firstTradeId }, limit) => ({
      path: `/api/v5/market/history-trades?instId=${encodeURIComponent(symbol)}&type=1&after=${firstTradeId + limit}&limit=${limit}`,
      weight: 1,
    }),
    parsePage,
  },
  examples: {
    symbol: 'BTC-USDT',
    frame:
      '{"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","source":"0"}]}',
    page: '{"code":"0","msg":"","data":[{"instId":"BTC-USDT","side":"buy","sz":"0.12060306","px":"42219.9","tradeId":"130639474","ts":"1630048897897"}]}',
    otherFrames: [
      'pong',
      '{"event":"subscribe","arg":{"channel":"trades-all","instId":"BTC-USDT"},"connId":"a4d3ae55"}',
    ],
    notices: [
      {
        text: '{"event":"error","code":"60018","msg":"Wrong URL or channel:trades-all,instId:BTC-XYZ doesn\'t exist.","connId":"a4d3ae55"}',
        notice: 'SUBSCRIPTION_REFUSED',
      },
      {
        text: '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"a4d3ae55"}',
        notice: 'RECONNECT',
      },
    ],
    pageErrors: [
      { text: '{"code":"51001","msg":"Instrument ID does not exist","data":[]}', pageError: 'UNKNOWN_SYMBOL' },
      { text: '{"code":"50011","msg":"Too Many Requests","data":[]}', pageError: 'RATE_LIMITED' },
      { text: '{"code":"50001","msg":"Service temporarily unavailable","data":[]}', pageError: 'OTHER' },
    ],
  },
};

function instrumentOf(symbol: string): string | undefined {
  const instrument = instrumentNameOf(symbol, NAME);
  return INSTRUMENT_ID.test(symbol) && isInstrument(instrument) ? instrument : undefined;
}

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  if (text === 'pong') return [];
  const message = parseJsonObject(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  const { event, arg, data, code, msg } = message;
  const detail = `${String(code)} ${String(msg)}`;
  if (event === 'error') return { notice: 'SUBSCRIPTION_REFUSED', detail };
  // Announced half a minute before the connection is closed for a service upgrade.
  if (event === 'notice') return { notice: 'RECONNECT', detail };
  if (!isJsonObject(arg) || !CHANNELS.includes(arg['channel']) || event !== undefined) return [];
  return tradesOf(data, receivedAt) ?? malformed('the frame of a trade channel has no list of trades');
}

function parsePage(text: string, _symbol: string, receivedAt: number): Parsed | PageError {
  const answer = parseJsonObject(text);
  if (answer === undefined) return malformed('the page is not a JSON object');
  const { code, msg, data } = answer;
  const detail = `${String(code)} ${String(msg)}`;
  if (code === UNKNOWN_INSTRUMENT) return { pageError: 'UNKNOWN_SYMBOL', detail };
  if (code === TOO_MANY_REQUESTS) return { pageError: 'RATE_LIMITED', detail };
  if (typeof code === 'string' && code !== SUCCESS) return { pageError: 'OTHER', detail };
  return tradesOf(data, receivedAt)?.reverse() ?? malformed('the page has no list of trades');
}

function tradesOf(data: unknown, receivedAt: number): (Trade | RefusedTrade)[] | undefined {
  if (!Array.isArray(data)) return undefined;
  const rows = (data as readonly unknown[]).filter(isJsonObject);
  return rows.length < data.length ? undefined : rows.map((row) => tradeIn(row, receivedAt));
}

function tradeIn(row: JsonObject, receivedAt: number): Trade | RefusedTrade {
  const { instId, tradeId, px: price, sz: size, side, ts } = row;
  return liveTrade({
    venue: NAME,
    instrument: typeof instId === 'string' ? instrumentOf(instId) : undefined,
    tradeId: wholeId(tradeId),
    eventTime: typeof ts === 'string' ? microsecondsOf(ts, { unit: 'ms', isUtcWithoutZone: false }) : undefined,
    ...{ price, size, side, sideOf: takerSide, receivedAt },
    text: JSON.stringify(row),
  });
}
