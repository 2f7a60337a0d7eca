import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument } from '../../../contracts/instrument-name.ts';
import { isJsonObject, parseJsonObjectWithRawNumbers, type JsonObject } from '../../json.ts';
import { liveTrade, wholeId } from '../../live-trade.ts';
import { takerSide } from '../../sides.ts';
import { malformed } from '../../source.ts';
import { calendarMicroseconds, microsecondsOf } from '../../timestamps.ts';
import type { PageError, Parsed, RefusedTrade, Venue, VenueNotice } from '../../venue.ts';

const NAME = 'kraken';
const PAIR = /^[A-Z0-9.]{1,20}\/[A-Z0-9.]{1,20}$/;
const MINUTE_MS = 60_000;
const PAGE_TRADES_MAX = 1_000;
const NANOSECONDS_PER_MICROSECOND = 1_000;
/** A row of the REST API, in its order. */
const ROW = { price: 0, size: 1, time: 2, side: 3, id: 6 } as const;

/**
 * Kraken Spot: the channel `trade` of its WebSocket API 2, whose trades are numbered for each pair, and `Trades` of its
 * REST API, which continues from a time. API 1 has no ids, so its gaps cannot be seen: it is not used.
 */
export const kraken: Venue = {
  name: NAME,
  description: 'Kraken Spot, trades by WebSocket API 2',
  endpoints: { webSocketUrl: 'wss://ws.kraken.com', restUrl: 'https://api.kraken.com' },
  limits: {
    connections: { count: 150, windowMs: 10 * MINUTE_MS },
    clientMessagesPerSecond: 5,
    requestWeight: { weight: 60, windowMs: MINUTE_MS },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 200,
  },
  tradeIds: 'DENSE',
  facts: {
    ...{ side: 'TAKER', timeResolution: 'us', backfill: 'ALL', provenOn: 'DOCUMENTATION' },
    note: 'Captured frames of its API 1 were played in the words of API 2.',
  },
  symbolOf(instrument) {
    const symbol = instrument.slice(0, -NAME.length - 1).replace('-', '/');
    return instrumentOf(symbol) === instrument ? symbol : undefined;
  },
  instrumentOf,
  stream: {
    url: (webSocketUrl) => `${webSocketUrl}/v2`,
    // Its snapshot has the last trades, which are taken like any others.
    subscriptions: (symbols) => [
      JSON.stringify({ method: 'subscribe', params: { channel: 'trade', symbol: symbols, snapshot: true } }),
    ],
    keepAlive: '{"method":"ping"}',
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol, limit) => ({ path: `/0/public/Trades?pair=${pairOf(symbol)}&count=${limit}`, weight: 1 }),
    from: (symbol, { afterTimeUs }, limit) => ({
      path: `/0/public/Trades?pair=${pairOf(symbol)}&count=${limit}${sinceOf(afterTimeUs)}`,
      weight: 1,
    }),
    parsePage,
  },
  examples: {
    symbol: 'MATIC/USD',
    frame:
      '{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,"qty":40.0,"ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}',
    page: '{"error":[],"result":{"MATICUSD":[["0.51170","40.00000000",1695628177.7087063,"s","m","",4665906]],"last":"1695628177708706300"}}',
    otherFrames: [
      '{"channel":"heartbeat"}',
      '{"channel":"status","data":[{"api_version":"v2","connection_id":13834774380200032777,"system":"online","version":"2.0.0"}],"type":"update"}',
      '{"method":"subscribe","result":{"channel":"trade","snapshot":true,"symbol":"MATIC/USD"},"success":true,"time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}',
      '{"method":"pong","time_in":"2023-09-24T14:10:23.799685Z","time_out":"2023-09-24T14:10:23.799703Z"}',
    ],
    notices: [
      {
        text: '{"error":"Currency pair not supported BTC/XYZ","method":"subscribe","success":false,"symbol":"BTC/XYZ","time_in":"2023-09-25T09:04:31.742599Z","time_out":"2023-09-25T09:04:31.742648Z"}',
        notice: 'SUBSCRIPTION_REFUSED',
      },
      {
        text: '{"channel":"status","data":[{"api_version":"v2","connection_id":1,"system":"maintenance","version":"2.0.0"}],"type":"update"}',
        notice: 'MAINTENANCE',
      },
    ],
    pageErrors: [
      { text: '{"error":["EQuery:Unknown asset pair"]}', pageError: 'UNKNOWN_SYMBOL' },
      { text: '{"error":["EAPI:Rate limit exceeded"]}', pageError: 'RATE_LIMITED' },
      { text: '{"error":["EService:Unavailable"]}', pageError: 'OTHER' },
    ],
  },
};

function instrumentOf(symbol: string): string | undefined {
  const instrument = instrumentNameOf(symbol.replace('/', '-'), NAME);
  return PAIR.test(symbol) && isInstrument(instrument) ? instrument : undefined;
}

/** A pair as the REST API writes it. */
function pairOf(symbol: string): string {
  return encodeURIComponent(symbol.replace('/', ''));
}

/** From just before a time on, since trades may share it; '' for the newest where no time is known. */
function sinceOf(afterTimeUs: number | null): string {
  if (afterTimeUs === null) return '';
  return `&since=${BigInt(afterTimeUs - 1) * BigInt(NANOSECONDS_PER_MICROSECOND)}`;
}

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  const message = parseJsonObjectWithRawNumbers(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  if (message['success'] === false) return { notice: 'SUBSCRIPTION_REFUSED', detail: String(message['error']) };
  const { channel, data } = message;
  if (channel === 'status') return statusOf(data);
  if (channel !== 'trade') return [];
  if (!Array.isArray(data)) return malformed('the frame of the trade channel has no list "data"');
  const rows = (data as readonly unknown[]).filter(isJsonObject);
  if (rows.length < data.length) return malformed('the frame holds an entry that is not a trade');
  return rows.map((row) => streamTrade(row, receivedAt));
}

function statusOf(data: unknown): Parsed | VenueNotice {
  const status: unknown = Array.isArray(data) ? data[0] : undefined;
  const system = isJsonObject(status) ? status['system'] : undefined;
  return system === 'online' ? [] : { notice: 'MAINTENANCE', detail: `its system is ${String(system)}` };
}

function streamTrade(row: JsonObject, receivedAt: number): Trade | RefusedTrade {
  const { symbol, trade_id: id, price, qty: size, side, timestamp } = row;
  return liveTrade({
    venue: NAME,
    instrument: typeof symbol === 'string' ? instrumentOf(symbol) : undefined,
    tradeId: wholeId(id),
    eventTime: typeof timestamp === 'string' ? calendarMicroseconds(timestamp, false) : undefined,
    ...{ price, size, side, sideOf: takerSide, receivedAt },
    text: JSON.stringify(row),
  });
}

function parsePage(text: string, symbol: string, receivedAt: number): Parsed | PageError {
  const answer = parseJsonObjectWithRawNumbers(text);
  if (answer === undefined) return malformed('the page is not a JSON object');
  const { error, result } = answer;
  if (Array.isArray(error) && error.length > 0) return errorOf(error.map(String).join(', '));
  if (!isJsonObject(result)) return malformed('the page has no "result"');
  // The only list in it: its name is one of several that the pair has.
  const rows = Object.values(result).find(Array.isArray) as readonly unknown[] | undefined;
  if (rows === undefined) return malformed('the page has no list of trades');
  if (!rows.every(Array.isArray)) return malformed('the page holds an entry that is not a trade');
  return (rows as readonly (readonly unknown[])[]).map((row) => pageTrade(row, symbol, receivedAt));
}

function errorOf(detail: string): PageError {
  if (detail.includes('Unknown asset pair')) return { pageError: 'UNKNOWN_SYMBOL', detail };
  return { pageError: /limit|Too many/i.test(detail) ? 'RATE_LIMITED' : 'OTHER', detail };
}

function pageTrade(row: readonly unknown[], symbol: string, receivedAt: number): Trade | RefusedTrade {
  const time = row[ROW.time];
  return liveTrade({
    venue: NAME,
    instrument: instrumentOf(symbol),
    tradeId: wholeId(row[ROW.id]),
    eventTime: typeof time === 'string' ? microsecondsOf(time, { unit: 's', isUtcWithoutZone: false }) : undefined,
    ...{ price: row[ROW.price], size: row[ROW.size], side: row[ROW.side], sideOf: takerSide, receivedAt },
    text: JSON.stringify(row),
  });
}
