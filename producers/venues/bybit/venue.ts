import type { Trade } from '../../../contracts/generated/events.ts';
import { joinedInstrument, joinedSymbol, type JoinedSymbols } from '../../joined-symbols.ts';
import { isJsonObject, parseJsonObject } from '../../json.ts';
import { liveTrade } from '../../live-trade.ts';
import { takerSide } from '../../sides.ts';
import { malformed } from '../../source.ts';
import { microsecondsOf } from '../../timestamps.ts';
import type { PageError, Parsed, RefusedTrade, Venue, VenueNotice } from '../../venue.ts';

const NAME = 'bybit';
const TOPIC = 'publicTrade.';
const MINUTE_MS = 60_000;
/** Most trades that `recent-trade` has for a spot market. */
const PAGE_TRADES_MAX = 60;
/** Most topics in one subscription of the spot stream. */
const TOPICS_PER_SUBSCRIPTION = 10;
/** Requests from this address come too often. */
const FORBIDDEN = 403;
const SUCCESS = 0;
const INVALID_PARAMETER = 10_001;
const TOO_MANY_VISITS = 10_006;
const QUOTES: readonly string[] = [
  'USDT',
  'USDC',
  'USDE',
  'USD1',
  'EUR',
  'BRL',
  'TRY',
  'PLN',
  'DAI',
  'BTC',
  'ETH',
  'SOL',
  'MNT',
  'USD',
];
const SYMBOLS: JoinedSymbols = { venue: NAME, quotes: QUOTES };

/**
 * Bybit Spot, API 5: the topics `publicTrade.<symbol>`, and `recent-trade` of its REST API. Ids are unique and have no
 * order, and only the last 60 trades can be requested.
 */
export const bybit: Venue = {
  name: NAME,
  description: 'Bybit Spot, public trades',
  endpoints: { webSocketUrl: 'wss://stream.bybit.com', restUrl: 'https://api.bybit.com' },
  limits: {
    connections: { count: 500, windowMs: 5 * MINUTE_MS },
    clientMessagesPerSecond: 10,
    requestWeight: { weight: 600, windowMs: 5_000 },
    connectionLifetimeMs: 24 * 60 * MINUTE_MS,
    instrumentsPerConnection: 200,
    waitStatuses: [FORBIDDEN],
  },
  tradeIds: 'OPAQUE',
  facts: {
    ...{ side: 'TAKER', timeResolution: 'ms', backfill: 'NEWEST', provenOn: 'DOCUMENTATION' },
    note: 'Captured frames of its former API were played in the words of API 5; its pages have 60 trades.',
  },
  symbolOf(instrument) {
    const symbol = joinedSymbol(instrument, SYMBOLS);
    return symbol !== undefined && spotInstrument(symbol) === instrument ? symbol : undefined;
  },
  instrumentOf: spotInstrument,
  quotes: QUOTES,
  stream: {
    url: (webSocketUrl) => `${webSocketUrl}/v5/public/spot`,
    subscriptions: (symbols) =>
      Array.from({ length: Math.ceil(symbols.length / TOPICS_PER_SUBSCRIPTION) }, (_, index) => {
        const first = index * TOPICS_PER_SUBSCRIPTION;
        const args = symbols.slice(first, first + TOPICS_PER_SUBSCRIPTION).map((symbol) => TOPIC + symbol);
        return JSON.stringify({ op: 'subscribe', args });
      }),
    keepAlive: '{"op":"ping"}',
    parseFrame,
  },
  history: {
    pageTradesMax: PAGE_TRADES_MAX,
    usedWeightHeader: undefined,
    newest: (symbol, limit) => ({
      path: `/v5/market/recent-trade?category=spot&symbol=${encodeURIComponent(symbol)}&limit=${limit}`,
      weight: 1,
    }),
    from: () => undefined,
    parsePage,
  },
  examples: {
    symbol: 'BTCUSDT',
    frame:
      '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672052955760,"data":[{"T":1672052955758,"s":"BTCUSDT","S":"Buy","v":"0.00012","p":"16618.49","i":"2100000000007764263","BT":false}]}',
    page: '{"retCode":0,"retMsg":"OK","result":{"category":"spot","list":[{"execId":"2100000000007764263","symbol":"BTCUSDT","price":"16618.49","size":"0.00012","side":"Buy","time":"1672052955758","isBlockTrade":false}]},"retExtInfo":{},"time":1672053054358}',
    otherFrames: [
      '{"success":true,"ret_msg":"subscribe","conn_id":"2324d924-aa4d-45b0-a858-7b8be29ab52b","req_id":"10001","op":"subscribe"}',
      '{"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}',
    ],
    notices: [
      {
        text: '{"success":false,"ret_msg":"error:handler not found,topic:publicTrade.BTCXYZ","conn_id":"2324d924","op":"subscribe"}',
        notice: 'SUBSCRIPTION_REFUSED',
      },
    ],
    pageErrors: [
      {
        text: '{"retCode":10001,"retMsg":"Not supported symbols","result":{},"retExtInfo":{},"time":1672053054358}',
        pageError: 'UNKNOWN_SYMBOL',
      },
      {
        text: '{"retCode":10006,"retMsg":"Too many visits!","result":{},"retExtInfo":{},"time":1672053054358}',
        pageError: 'RATE_LIMITED',
      },
      {
        text: '{"retCode":10016,"retMsg":"Server error","result":{},"retExtInfo":{},"time":1672053054358}',
        pageError: 'OTHER',
      },
    ],
  },
};

/** Its derivatives keep their own symbol, `BTCUSDT@bybit`; the market with the same symbol is `BTC-USDT@bybit`. */
function spotInstrument(symbol: string): string | undefined {
  const instrument = joinedInstrument(symbol, SYMBOLS);
  return !symbol.includes('-') && instrument?.includes('-') === true ? instrument : undefined;
}

function parseFrame(text: string, receivedAt: number): Parsed | VenueNotice {
  const message = parseJsonObject(text);
  if (message === undefined) return malformed('the frame is not a JSON object');
  const { success, ret_msg: detail, topic, data } = message;
  if (success === false) return { notice: 'SUBSCRIPTION_REFUSED', detail: String(detail) };
  if (typeof topic !== 'string' || !topic.startsWith(TOPIC)) return [];
  if (!Array.isArray(data)) return malformed('the frame of a trade topic has no list "data"');
  const rows = (data as readonly unknown[]).filter(isJsonObject);
  if (rows.length < data.length) return malformed('the frame holds an entry that is not a trade');
  return rows.map(({ i: id, s: symbol, p: price, v: size, S: side, T: timeMs, BT: isBlock, RPI: isRetail }) =>
    tradeIn({ id, symbol, price, size, side, time: timeMs, isBlock, isRetail }, receivedAt),
  );
}

function parsePage(text: string, _symbol: string, receivedAt: number): Parsed | PageError {
  const answer = parseJsonObject(text);
  if (answer === undefined) return malformed('the page is not a JSON object');
  const { retCode, retMsg, result } = answer;
  const detail = `${String(retCode)} ${String(retMsg)}`;
  if (retCode === INVALID_PARAMETER) return { pageError: 'UNKNOWN_SYMBOL', detail };
  if (retCode === TOO_MANY_VISITS) return { pageError: 'RATE_LIMITED', detail };
  if (typeof retCode === 'number' && retCode !== SUCCESS) return { pageError: 'OTHER', detail };
  const list = isJsonObject(result) ? result['list'] : undefined;
  if (!Array.isArray(list)) return malformed('the page has no list of trades');
  const rows = (list as readonly unknown[]).filter(isJsonObject);
  if (rows.length < list.length) return malformed('the page holds an entry that is not a trade');
  return rows
    .map(({ execId: id, symbol, price, size, side, time, isBlockTrade: isBlock, isRPITrade: isRetail }) =>
      tradeIn({ id, symbol, price, size, side, time, isBlock, isRetail }, receivedAt),
    )
    .reverse();
}

interface BybitTrade {
  readonly id: unknown;
  readonly symbol: unknown;
  readonly price: unknown;
  readonly size: unknown;
  readonly side: unknown;
  readonly time: unknown;
  readonly isBlock: unknown;
  /** Against an order that only retail orders may meet. */
  readonly isRetail: unknown;
}

function tradeIn(trade: BybitTrade, receivedAt: number): Trade | RefusedTrade {
  const { id, symbol, price, size, side, time, isBlock, isRetail } = trade;
  return liveTrade({
    venue: NAME,
    instrument: typeof symbol === 'string' ? spotInstrument(symbol) : undefined,
    tradeId: typeof id === 'string' && id !== '' ? id : undefined,
    // A number in frames, text in pages.
    eventTime:
      typeof time === 'string' || typeof time === 'number'
        ? microsecondsOf(String(time), { unit: 'ms', isUtcWithoutZone: false })
        : undefined,
    ...{ price, size, side, sideOf: takerSide, receivedAt },
    conditions: [...(isBlock === true ? ['BLOCK'] : []), ...(isRetail === true ? ['RPI'] : [])],
    text: JSON.stringify(trade),
  });
}
