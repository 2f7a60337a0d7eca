import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument } from '../../../contracts/instrument-name.ts';
import {
  isJsonObject,
  parseJson,
  parseJsonListWithRawNumbers,
  parseJsonObjectWithRawNumbers,
  type JsonObject,
} from '../../json.ts';
import { liveTrade } from '../../live-trade.ts';
import { malformed } from '../../source.ts';
import { calendarMicroseconds } from '../../timestamps.ts';
import { isRefusedTrade, type Parsed, type RefusedTrade, type Venue, type VenueNotice } from '../../venue.ts';
import { settingAside } from './conditions.ts';

const NAME = 'alpaca';
const STOCK = /^[A-Z]{1,6}(?:\.[A-Z]{1,3})?$/;
const MINUTE_MS = 60_000;
const PAGE_TRADES_MAX = 1_000;
/** What a page says of a trade that was taken back or replaced since. */
const AMENDED: readonly unknown[] = ['canceled', 'corrected', 'incorrect'];

/**
 * US stocks from Alpaca: the trades of IEX by stream, and `trades` of its REST API. An account is required; the free one
 * suffices. Trades have no side. An id is unique within a stock and an exchange, so that exchange is part of the id here.
 */
export const alpaca: Venue = {
  name: NAME,
  description: 'US stocks from Alpaca, trades of IEX',
  endpoints: { webSocketUrl: 'wss://stream.data.alpaca.markets', restUrl: 'https://data.alpaca.markets' },
  limits: {
    connections: { count: 30, windowMs: MINUTE_MS },
    clientMessagesPerSecond: 4,
    requestWeight: { weight: 200, windowMs: MINUTE_MS },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 30,
  },
  tradeIds: 'OPAQUE',
  facts: {
    ...{ side: 'NONE', timeResolution: 'us', backfill: 'NEWEST', provenOn: 'DOCUMENTATION' },
    note: 'Needs an account. Conditions are kept; trades at average, prior or out-of-sequence prices are set aside. Its cancels and corrections are reported, not applied.',
  },
  account: {
    keyVariable: 'TAPEPROOF_ALPACA_KEY_ID',
    secretVariable: 'TAPEPROOF_ALPACA_SECRET_KEY',
    login: ({ key, secret }) => JSON.stringify({ action: 'auth', key, secret }),
    isAccepted: (text) => text.includes('"authenticated"') && parsedList(text)?.some(isAuthenticated) === true,
    headers: ({ key, secret }) => ({ 'APCA-API-KEY-ID': key, 'APCA-API-SECRET-KEY': secret }),
  },
  symbolOf(instrument) {
    const symbol = instrument.slice(0, -NAME.length - 1);
    return instrumentOf(symbol) === instrument ? symbol : undefined;
  },
  instrumentOf,
  stream: {
    url: (webSocketUrl) => `${webSocketUrl}/v2/iex`,
    subscriptions: (symbols) => [JSON.stringify({ action: 'subscribe', trades: symbols })],
    keepAlive: undefined,
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol, limit) => ({
      path: `/v2/stocks/${encodeURIComponent(symbol)}/trades?feed=iex&sort=desc&limit=${limit}`,
      weight: 1,
    }),
    from: () => undefined,
    parsePage,
  },
  examples: {
    symbol: 'AAPL',
    frame:
      '[{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}]',
    page: '{"trades":[{"t":"2021-02-22T15:51:44.208Z","x":"D","p":126.55,"s":1,"c":["@","I"],"i":96921,"z":"C"}],"symbol":"AAPL","next_page_token":null}',
    otherFrames: [
      '[{"T":"success","msg":"connected"}]',
      '[{"T":"success","msg":"authenticated"}]',
      '[{"T":"subscription","trades":["AAPL"],"quotes":[],"bars":[],"corrections":["AAPL"],"cancelErrors":["AAPL"]}]',
    ],
    notices: [
      { text: '[{"T":"error","code":402,"msg":"auth failed"}]', notice: 'SUBSCRIPTION_REFUSED' },
      { text: '[{"T":"error","code":406,"msg":"connection limit exceeded"}]', notice: 'SUBSCRIPTION_REFUSED' },
    ],
  },
};

function instrumentOf(symbol: string): string | undefined {
  const instrument = instrumentNameOf(symbol, NAME);
  return STOCK.test(symbol) && isInstrument(instrument) ? instrument : undefined;
}

function parsedList(text: string): readonly unknown[] | undefined {
  const list = parseJson(text);
  return Array.isArray(list) ? list : undefined;
}

function isAuthenticated(message: unknown): boolean {
  return isJsonObject(message) && message['T'] === 'success' && message['msg'] === 'authenticated';
}

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  const messages = parseJsonListWithRawNumbers(text);
  if (messages === undefined) return malformed('the frame is not a JSON list');
  const objects = messages.filter(isJsonObject);
  if (objects.length < messages.length) return malformed('the frame holds an entry that is not a message');
  const error = objects.find(({ T: type }) => type === 'error');
  if (error !== undefined) {
    return { notice: 'SUBSCRIPTION_REFUSED', detail: `${String(error['code'])} ${String(error['msg'])}` };
  }
  return objects.flatMap((message): (Trade | RefusedTrade)[] => {
    const { T: type, S: symbol } = message;
    if (type === 't') return [tradeIn(message, symbol, receivedAt)];
    return type === 'x' || type === 'c' ? [amendment(message)] : [];
  });
}

/** A cancel or a correction: kept as a dead letter, from which a person can amend the trade by `tape`. */
function amendment(message: JsonObject): RefusedTrade {
  const { T: type, S: symbol, x: exchange, i: cancelledId, oi: correctedId, a: action } = message;
  const isCancel = type === 'x';
  const id = `${String(exchange)}-${String(isCancel ? cancelledId : correctedId)}`;
  const words = isCancel ? `takes back (${String(action)})` : 'corrects';
  const detail = `the venue ${words} its trade ${id}: "tape ${isCancel ? 'cancel' : 'correct'}" does so on the tape`;
  return {
    refusal: { reason: 'MALFORMED', detail },
    instrument: typeof symbol === 'string' ? instrumentOf(symbol) : undefined,
    tradeId: undefined,
    text: JSON.stringify(message),
  };
}

function parsePage(text: string, symbol: string, receivedAt: number): Parsed {
  const answer = parseJsonObjectWithRawNumbers(text);
  if (answer === undefined) return malformed('the page is not a JSON object');
  // A day without trades has null.
  if (answer['trades'] === null) return [];
  const { trades } = answer;
  if (!Array.isArray(trades)) return malformed('the page has no list of trades');
  const rows = (trades as readonly unknown[]).filter(isJsonObject);
  if (rows.length < trades.length) return malformed('the page holds an entry that is not a trade');
  return rows.map((row) => tradeIn(row, symbol, receivedAt)).reverse();
}

function tradeIn(row: JsonObject, symbol: unknown, receivedAt: number): Trade | RefusedTrade {
  const { i: id, x: exchange, p: price, s: size, t: time, c: conditions, z: tape, u: update } = row;
  const codes = (Array.isArray(conditions) ? (conditions as readonly unknown[]) : []).map(String);
  const hasId = typeof id === 'string' && /^\d{1,20}$/.test(id) && typeof exchange === 'string';
  const item = liveTrade({
    venue: NAME,
    instrument: typeof symbol === 'string' ? instrumentOf(symbol) : undefined,
    tradeId: hasId ? `${exchange}-${id}` : undefined,
    eventTime: typeof time === 'string' ? calendarMicroseconds(time, false) : undefined,
    ...{ price, size, side: 'none', sideOf: () => 'UNKNOWN', receivedAt, conditions: codes, hasSides: false },
    text: JSON.stringify(row),
  });
  if (isRefusedTrade(item)) return item;
  const isSetAside = AMENDED.includes(update) || settingAside(codes, String(tape)) !== undefined;
  return isSetAside ? { ...item, suspicious: true } : item;
}
