import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument } from '../../../contracts/instrument-name.ts';
import { isoTimeOf } from '../../../contracts/iso-time.ts';
import {
  isJsonObject,
  parseJson,
  parseJsonListWithRawNumbers,
  parseJsonObjectWithRawNumbers,
  type JsonObject,
} from '../../json.ts';
import { liveAmendment } from '../../live-amendment.ts';
import { liveTrade } from '../../live-trade.ts';
import { newYorkDayAt } from '../../new-york.ts';
import { malformed } from '../../source.ts';
import { calendarMicroseconds } from '../../timestamps.ts';
import {
  isRefusedTrade,
  type Parsed,
  type ParsedItem,
  type RefusedTrade,
  type Venue,
  type VenueAmendment,
  type VenueNotice,
} from '../../venue.ts';
import { settingAside } from '../../sale-conditions.ts';

const NAME = 'alpaca';
const STOCK = /^[A-Z]{1,6}(?:\.[A-Z]{1,3})?$/;
const MINUTE_MS = 60_000;
const PAGE_TRADES_MAX = 1_000;
/** A trade may be reported this much later than one that happened after it. */
const REACH_BACK_US = 10_000_000;
/**
 * What a page says of a trade that was cancelled, or replaced by another one, since. The one that replaces it is marked
 * as corrected, and counts.
 */
const TAKEN_BACK: readonly unknown[] = ['canceled', 'incorrect'];

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
    ...{ side: 'NONE', timeResolution: 'us', backfill: 'ALL', provenOn: 'DOCUMENTATION' },
    note: 'Needs an account. Conditions are kept; trades at average, prior or out-of-sequence prices are set aside. Its cancels and corrections go to the tape once their trade is found there.',
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
    since: (symbol, { sinceUs, untilUs, pageToken }, limit) => ({
      path: `/v2/stocks/${encodeURIComponent(symbol)}/trades?${queryOf({
        ...{ feed: 'iex', sort: 'asc', limit: String(limit) },
        start: isoTimeOf(Math.max(0, sinceUs - REACH_BACK_US)),
        end: untilUs === undefined ? undefined : isoTimeOf(untilUs - 1),
        page_token: pageToken,
      })}`,
      weight: 1,
    }),
    pageTokenOf(text) {
      const token = parseJsonObjectWithRawNumbers(text)?.['next_page_token'];
      return typeof token === 'string' && token !== '' ? token : undefined;
    },
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
    amendments: [
      {
        amends: 'CORRECT',
        text: '[{"T":"c","S":"EEM","x":"M","oi":52983525033527,"op":39.1582,"os":440000,"oc":[" ","7"],"ci":52983525034326,"cp":39.1809,"cs":440000,"cc":[" ","7"],"z":"B","t":"2023-04-06T14:25:06.542305024Z"}]',
      },
      {
        amends: 'CANCEL',
        text: '[{"T":"x","S":"GOOGL","i":465,"x":"D","p":105.31,"s":300,"a":"C","z":"C","t":"2023-04-06T13:15:42.83540958Z"}]',
      },
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

function instrumentNamed(symbol: unknown): string | undefined {
  return typeof symbol === 'string' ? instrumentOf(symbol) : undefined;
}

/** @param id digits, as text */
function idOf(exchange: unknown, id: unknown): string | undefined {
  const isId = typeof id === 'string' && /^\d{1,20}$/.test(id) && typeof exchange === 'string';
  return isId && /^[A-Z]$/.test(exchange) ? `${exchange}-${id}` : undefined;
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
  return objects.flatMap((message): ParsedItem[] => {
    const { T: type, S: symbol } = message;
    if (type === 't') return [tradeIn(message, symbol, receivedAt)];
    return type === 'x' || type === 'c' ? [amendmentIn(message, receivedAt)] : [];
  });
}

/**
 * `x`, a cancel or an error, or `c`, a correction. Their time may be the trade's or the message's: both are of one
 * trading day, within which an exchange's ids are unique.
 */
function amendmentIn(message: JsonObject, receivedAt: number): VenueAmendment | RefusedTrade {
  const { T: type, S: symbol, x: exchange, t: time, a: action } = message;
  const isCancel = type === 'x';
  const original = isCancel ? { id: message['i'], price: message['p'], size: message['s'] } : originalIn(message);
  const { ci: newId, cp: price, cs: size } = message;
  return liveAmendment({
    ...{ amends: isCancel ? 'CANCEL' : 'CORRECT', venue: NAME, instrument: instrumentNamed(symbol) },
    ...{ tradeId: idOf(exchange, original.id), price: original.price, size: original.size, window: windowOf(time) },
    corrected: isCancel ? undefined : { price, size, tradeId: idOf(exchange, newId) },
    ...{ origin: 'STREAM', word: wordOf(action), receivedAt, text: JSON.stringify(message) },
  });
}

function originalIn({ oi: id, op: price, os: size }: JsonObject) {
  return { id, price, size };
}

/** C for a cancel, E for an error: printable and short, because it goes to the tape. */
function wordOf(action: unknown): string {
  return typeof action === 'string' && /^[A-Z]$/.test(action) ? action : 'no action stated';
}

function windowOf(time: unknown): VenueAmendment['window'] | undefined {
  const timeUs = typeof time === 'string' ? calendarMicroseconds(time, false) : undefined;
  return timeUs === undefined ? undefined : newYorkDayAt(timeUs);
}

function parsePage(text: string, symbol: string, receivedAt: number, isOfPeriod = false): Parsed {
  const answer = parseJsonObjectWithRawNumbers(text);
  if (answer === undefined) return malformed('the page is not a JSON object');
  // A day without trades has null.
  if (answer['trades'] === null) return [];
  const { trades } = answer;
  if (!Array.isArray(trades)) return malformed('the page has no list of trades');
  const rows = (trades as readonly unknown[]).filter(isJsonObject);
  if (rows.length < trades.length) return malformed('the page holds an entry that is not a trade');
  // Pages of the newest trades begin with the newest one.
  const oldestFirst = isOfPeriod ? rows : rows.toReversed();
  return oldestFirst.flatMap((row): ParsedItem[] => {
    const trade = tradeIn(row, symbol, receivedAt);
    return isRefusedTrade(trade) || !TAKEN_BACK.includes(row['u']) ? [trade] : [trade, markIn(row, trade)];
  });
}

/** Query of a request; parameters without a value are left out. */
function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.toString();
}

/** The mark on a past trade that it was taken back: the stream may have shown it before. */
function markIn(row: JsonObject, trade: Trade): VenueAmendment {
  const { instrument, tradeId, eventTime, price, size, receivedAt } = trade;
  return {
    ...{ amends: 'CANCEL', instrument, tradeId, window: newYorkDayAt(eventTime), stated: { price, size } },
    ...{ corrected: undefined, origin: 'PAGE', word: String(row['u']), receivedAt, text: JSON.stringify(row) },
  };
}

function tradeIn(row: JsonObject, symbol: unknown, receivedAt: number): Trade | RefusedTrade {
  const { i: id, x: exchange, p: price, s: size, t: time, c: conditions, z: tape, u: update } = row;
  const codes = (Array.isArray(conditions) ? (conditions as readonly unknown[]) : []).map(String);
  const item = liveTrade({
    venue: NAME,
    instrument: instrumentNamed(symbol),
    tradeId: idOf(exchange, id),
    eventTime: typeof time === 'string' ? calendarMicroseconds(time, false) : undefined,
    ...{ price, size, side: 'none', sideOf: () => 'UNKNOWN', receivedAt, conditions: codes, hasSides: false },
    text: JSON.stringify(row),
  });
  if (isRefusedTrade(item)) return item;
  const isSetAside = TAKEN_BACK.includes(update) || settingAside(codes, String(tape)) !== undefined;
  return isSetAside ? { ...item, suspicious: true } : item;
}
