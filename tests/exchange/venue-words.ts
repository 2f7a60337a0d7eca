import type { CapturedTrade, CapturedVenue } from './venue-captures.ts';

/** A request for a page, as a venue writes it. */
export interface PageWanted {
  readonly symbol: string;
  readonly limit: number;
  /** Only trades with a smaller id. */
  readonly beforeId?: number;
  /** Only trades later than this, microseconds. */
  readonly afterUs?: number;
}

/** A venue's side of its protocol: written here from its documentation, by other code than the client's. */
export interface VenueWords {
  /** Paths of its WebSocket. */
  readonly path: string;
  frame(trades: readonly CapturedTrade[]): string;
  /** What a new subscription begins with; undefined where it begins with the next trade. */
  snapshot?(trades: readonly CapturedTrade[]): string | undefined;
  /** The symbols that a client's message subscribes to; undefined where it is not a subscription. */
  subscribed(message: Record<string, unknown>): readonly string[] | undefined;
  request(url: URL): PageWanted | undefined;
  /** @param trades oldest first */
  page(symbol: string, trades: readonly CapturedTrade[]): string;
  /** Whether pages go on from a place; else they have the newest. */
  readonly pagesForward?: boolean;
}

const SNAPSHOT_TRADES = 50;

export const WORDS: Readonly<Record<CapturedVenue, VenueWords>> = {
  coinbase: {
    path: '/',
    frame: ([trade]) => JSON.stringify({ type: 'match', ...coinbaseRow(trade), product_id: trade?.symbol }),
    snapshot: (trades) => {
      const last = trades.at(-1);
      return last && JSON.stringify({ type: 'last_match', ...coinbaseRow(last), product_id: last.symbol });
    },
    subscribed: ({ type, product_ids: ids }) => (type === 'subscribe' ? (ids as string[]) : undefined),
    request(url) {
      const [, symbol] = /^\/products\/([^/]+)\/trades$/.exec(url.pathname) ?? [];
      const after = url.searchParams.get('after');
      if (symbol === undefined) return undefined;
      return { symbol, limit: limitOf(url, 1_000), ...(after === null ? {} : { beforeId: Number(after) }) };
    },
    page: (_, trades) => JSON.stringify(trades.toReversed().map(coinbaseRow)),
  },
  kraken: {
    path: '/v2',
    frame: (trades) => krakenFrame('update', trades),
    snapshot: (trades) => krakenFrame('snapshot', trades.slice(-SNAPSHOT_TRADES)),
    subscribed: ({ method, params }) => (method === 'subscribe' ? (params as { symbol: string[] }).symbol : undefined),
    request(url) {
      const since = url.searchParams.get('since');
      if (url.pathname !== '/0/public/Trades') return undefined;
      const afterUs = since === null ? {} : { afterUs: Number(BigInt(since) / 1_000n) };
      return { symbol: url.searchParams.get('pair') ?? '', limit: Number(url.searchParams.get('count')), ...afterUs };
    },
    page: (symbol, trades) => {
      // The time is a number with more digits than a microsecond has, so it is written by hand.
      const rows = trades.map(
        ({ price, size, takerBuys, timeUs, id }) =>
          `["${price}","${size}",${secondsOf(timeUs)}3,"${takerBuys ? 'b' : 's'}","m","",${id}]`,
      );
      return `{"error":[],"result":{"X${symbol}":[${rows.join(',')}],"last":"1"}}`;
    },
    pagesForward: true,
  },
  bitstamp: {
    path: '/',
    frame: ([trade]) =>
      JSON.stringify({
        data: {
          id: Number(trade?.id),
          timestamp: String((trade?.timeUs ?? 0) / 1_000_000),
          ...{ amount: Number(trade?.size), amount_str: trade?.size, price: Number(trade?.price) },
          ...{ price_str: trade?.price, type: trade?.takerBuys === true ? 0 : 1 },
          microtimestamp: String((trade?.timeUs ?? 0) + 123_456),
        },
        ...{ channel: `live_trades_${trade?.symbol ?? ''}`, event: 'trade' },
      }),
    subscribed: ({ event, data }) =>
      event === 'bts:subscribe' ? [(data as { channel: string }).channel.replace('live_trades_', '')] : undefined,
    request(url) {
      const [, symbol] = /^\/api\/v2\/transactions\/(\w+)\/$/.exec(url.pathname) ?? [];
      return symbol === undefined ? undefined : { symbol, limit: 100_000 };
    },
    page: (_, trades) =>
      JSON.stringify(
        trades.toReversed().map(({ id, price, size, takerBuys, timeUs }) => ({
          ...{ date: String(timeUs / 1_000_000), tid: id, price, amount: size, type: takerBuys ? '0' : '1' },
        })),
      ),
  },
  okx: {
    path: '/ws/v5/business',
    frame: ([trade]) =>
      JSON.stringify({ arg: { channel: 'trades-all', instId: trade?.symbol }, data: [okxRow(trade)] }),
    snapshot: (trades) => (trades.length === 0 ? undefined : WORDS.okx.frame(trades.slice(-1))),
    subscribed: ({ op, args }) =>
      op === 'subscribe' ? (args as { instId: string }[]).map(({ instId }) => instId) : undefined,
    request(url) {
      const symbol = url.searchParams.get('instId') ?? '';
      if (url.pathname === '/api/v5/market/trades') return { symbol, limit: limitOf(url, 500) };
      if (url.pathname !== '/api/v5/market/history-trades' || url.searchParams.get('type') !== '1') return undefined;
      return { symbol, limit: limitOf(url, 100), beforeId: Number(url.searchParams.get('after')) };
    },
    page: (_, trades) => JSON.stringify({ code: '0', msg: '', data: trades.toReversed().map(okxRow) }),
  },
  bybit: {
    path: '/v5/public/spot',
    frame: (trades) =>
      JSON.stringify({
        ...{ topic: `publicTrade.${trades[0]?.symbol ?? ''}`, type: 'snapshot', ts: 1 },
        data: trades.map(({ symbol: s, id: i, price: p, size: v, takerBuys, timeUs }) => ({
          ...{ T: timeUs / 1_000, s, S: takerBuys ? 'Buy' : 'Sell', v, p, i, L: 'PlusTick', BT: false, RPI: false },
        })),
      }),
    subscribed: ({ op, args }) =>
      op === 'subscribe' ? (args as string[]).map((topic) => topic.replace('publicTrade.', '')) : undefined,
    request(url) {
      if (url.pathname !== '/v5/market/recent-trade' || url.searchParams.get('category') !== 'spot') return undefined;
      return { symbol: url.searchParams.get('symbol') ?? '', limit: limitOf(url, 60) };
    },
    page: (_, trades) =>
      JSON.stringify({
        ...{ retCode: 0, retMsg: 'OK' },
        result: {
          category: 'spot',
          list: trades.toReversed().map(({ id: execId, symbol, price, size, takerBuys, timeUs }) => ({
            ...{ execId, symbol, price, size, side: takerBuys ? 'Buy' : 'Sell', time: String(timeUs / 1_000) },
            isBlockTrade: false,
          })),
        },
      }),
  },
};

/** The trades that a page has, oldest first. @param shown all that the venue shows so far, oldest first */
export function pageOf(
  words: VenueWords,
  wanted: PageWanted,
  shown: readonly CapturedTrade[],
): readonly CapturedTrade[] {
  const { beforeId = Infinity, afterUs = -Infinity, limit } = wanted;
  const trades = shown.filter(({ id, timeUs }) => !(Number(id) >= beforeId) && timeUs > afterUs);
  return words.pagesForward === true && wanted.afterUs !== undefined ? trades.slice(0, limit) : trades.slice(-limit);
}

function limitOf(url: URL, max: number): number {
  return Math.min(Number(url.searchParams.get('limit') ?? max), max);
}

function coinbaseRow(trade: CapturedTrade | undefined) {
  const { timeUs = 0, id, price, size, takerBuys } = trade ?? {};
  const time = new Date(Math.floor(timeUs / 1_000))
    .toISOString()
    .replace('Z', `${String(timeUs % 1_000).padStart(3, '0')}Z`);
  return { time, trade_id: Number(id), price, size, side: takerBuys === true ? 'sell' : 'buy' };
}

function okxRow(trade: CapturedTrade | undefined) {
  const { symbol: instId, id: tradeId, price: px, size: sz, takerBuys, timeUs = 0 } = trade ?? {};
  return { instId, tradeId, px, sz, side: takerBuys === true ? 'buy' : 'sell', ts: String(timeUs / 1_000) };
}

/** Its decimals are JSON numbers: the capture's text goes there as it is. */
function krakenFrame(type: 'snapshot' | 'update', trades: readonly CapturedTrade[]): string {
  const rows = trades.map(({ symbol, takerBuys, price, size, id, timeUs }) => {
    const time = new Date(Math.floor(timeUs / 1_000))
      .toISOString()
      .replace('Z', `${String(timeUs % 1_000).padStart(3, '0')}Z`);
    return `{"symbol":"${symbol}","side":"${takerBuys ? 'buy' : 'sell'}","price":${price},"qty":${size},"ord_type":"limit","trade_id":${id},"timestamp":"${time}"}`;
  });
  return `{"channel":"trade","type":"${type}","data":[${rows.join(',')}]}`;
}

function secondsOf(timeUs: number): string {
  return `${Math.floor(timeUs / 1_000_000)}.${String(timeUs % 1_000_000).padStart(6, '0')}`;
}
