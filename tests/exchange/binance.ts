import type { ExchangeTrade } from './market.ts';
import type { Control, ExchangeProtocol, PageRequest, PlainAnswer, SpoiledFrame } from './protocol.ts';

const MINUTE_MS = 60_000;
const STREAM_SUFFIX = '@trade';
const PAGE_DEFAULT = 500;
const PAGE_MAX = 1_000;
const TRADES_WEIGHT = 25;
const HUGE_FRAME_CHARACTERS = 4 * 1024 * 1024;
const NESTING_DEPTH = 50_000;

/** Binance's spot market: developers.binance.com, "WebSocket Streams" and "Market Data endpoints". */
export const BINANCE: ExchangeProtocol = {
  limits: {
    connections: { max: 300, windowMs: 5 * MINUTE_MS },
    incomingMessages: { max: 5, windowMs: 1_000 },
    requestWeight: { max: 6_000, windowMs: MINUTE_MS },
  },
  pingIntervalMs: 20_000,
  subscriptionOf(url) {
    if (url.pathname === '/ws') return [];
    if (url.pathname !== '/stream') return undefined;
    return symbolsOf((url.searchParams.get('streams') ?? '').split('/'));
  },
  controlOf,
  frameOf: (symbol, trade) => JSON.stringify(messageOf(symbol, trade)),
  spoiledFrames: [
    (symbol, trade) => text(BINANCE.frameOf(symbol, trade).slice(0, -20)),
    (symbol, trade) => spoiled(symbol, trade, { p: Number(trade.price) }),
    (symbol, trade) => spoiled(symbol, trade, { p: 'NaN' }),
    (symbol, trade) => spoiled(symbol, trade, { p: `-${trade.price}` }),
    (symbol, trade) => spoiled(symbol, trade, { q: undefined }),
    (symbol, trade) => spoiled(symbol, trade, { q: '0.00000000' }),
    (symbol, trade) => spoiled(symbol, trade, { t: String(trade.id) }),
    (symbol, trade) => spoiled(symbol, trade, { t: trade.id + 0.5 }),
    (symbol, trade) => spoiled(symbol, trade, { T: 'yesterday' }),
    (symbol, trade) => spoiled(symbol, trade, { m: null }),
    (symbol, trade) => spoiled(symbol, trade, { s: '__proto__' }),
    // Not a trade, and its id is far beyond the existing ones.
    (symbol, trade) => spoiled(symbol, trade, { t: trade.id + 1_000_000_000, p: null }),
    // A valid trade of a market that nobody subscribed to.
    (symbol, trade) => spoiled(symbol, trade, { s: 'NOBODYUSDT' }),
    (symbol) => text(`{"stream":"${streamOf(symbol)}","data":{"__proto__":{"e":"trade","s":"${symbol}"}}}`),
    (symbol) => text(`{"__proto__":{"stream":"${streamOf(symbol)}"},"constructor":{"prototype":{"e":"trade"}}}`),
    (symbol) => text(`{"stream":"${streamOf(symbol)}","data":null}`),
    () => text('null'),
    () => text('[]'),
    () => text(''),
    () => text('['.repeat(NESTING_DEPTH)),
    (symbol) => text(`{"stream":"${streamOf(symbol)}","data":"${'x'.repeat(HUGE_FRAME_CHARACTERS)}"}`),
    (_symbol, trade) => ({ data: garbage(trade.id), binary: true }),
    // Bytes that are not UTF-8 in a text frame: a protocol error, after which a client closes.
    () => ({ data: Buffer.from([0xc3, 0x28, 0xff, 0xfe]), binary: false }),
  ],
  weightOf: (url) => (/[tT]rades$/.test(url.pathname) ? TRADES_WEIGHT : 1),
  requestOf,
  pageOf: (trades) => JSON.stringify(trades.map(rowOf)),
  headersOf: (usedWeight) => ({
    'content-type': 'application/json;charset=UTF-8',
    'x-mbx-used-weight': String(usedWeight),
    'x-mbx-used-weight-1m': String(usedWeight),
  }),
  refusalOf(status) {
    if (status === 429 || status === 418) return errorText(-1003, 'Too much request weight used.');
    return status === 500
      ? errorText(-1000, 'An unknown error occurred while processing the request.')
      : '<html><body><h1>503 Service Unavailable</h1></body></html>';
  },
};

function messageOf(symbol: string, trade: ExchangeTrade) {
  return {
    stream: streamOf(symbol),
    data: {
      e: 'trade',
      E: trade.timeMs,
      s: symbol,
      t: trade.id,
      p: trade.price,
      q: trade.size,
      T: trade.timeMs,
      m: trade.buyerIsMaker,
      M: true,
    },
  };
}

function streamOf(symbol: string): string {
  return symbol.toLowerCase() + STREAM_SUFFIX;
}

function symbolsOf(streams: readonly unknown[]): string[] {
  return streams
    .filter((stream) => typeof stream === 'string')
    .filter((stream) => stream.endsWith(STREAM_SUFFIX))
    .map((stream) => stream.slice(0, -STREAM_SUFFIX.length).toUpperCase());
}

function text(data: string): SpoiledFrame {
  return { data, binary: false };
}

function spoiled(symbol: string, trade: ExchangeTrade, change: Readonly<Record<string, unknown>>): SpoiledFrame {
  const { stream, data } = messageOf(symbol, trade);
  return text(JSON.stringify({ stream, data: { ...data, ...change } }));
}

/** The same bytes for the same number. */
function garbage(number: number): Buffer {
  return Buffer.from(Array.from({ length: 64 }, (_, index) => Math.imul(number + index, 2_654_435_761) >>> 24));
}

function controlOf(message: string): Control {
  const nothing: Control = { subscribe: [], unsubscribe: [], reply: undefined };
  let request: { method?: unknown; params?: unknown; id?: unknown };
  try {
    request = JSON.parse(message) as typeof request;
  } catch {
    return { ...nothing, reply: '{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}' };
  }
  const symbols = Array.isArray(request.params) ? symbolsOf(request.params) : [];
  const reply = JSON.stringify({ result: null, id: request.id ?? null });
  if (request.method === 'SUBSCRIBE') return { subscribe: symbols, unsubscribe: [], reply };
  if (request.method === 'UNSUBSCRIBE') return { subscribe: [], unsubscribe: symbols, reply };
  return { ...nothing, reply: '{"error":{"code":2,"msg":"Invalid request: unknown variant"}}' };
}

function requestOf(url: URL, symbols: ReadonlySet<string>, nowMs: number): PageRequest | PlainAnswer {
  if (url.pathname === '/api/v3/ping') return { kind: 'plain', status: 200, body: '{}' };
  if (url.pathname === '/api/v3/time') {
    return { kind: 'plain', status: 200, body: JSON.stringify({ serverTime: Math.floor(nowMs) }) };
  }
  const isHistory = url.pathname === '/api/v3/historicalTrades';
  if (!isHistory && url.pathname !== '/api/v3/trades') return plainError(404, -1, 'Not Found');
  const symbol = url.searchParams.get('symbol');
  if (symbol === null) return plainError(400, -1102, "Mandatory parameter 'symbol' was not sent.");
  if (!symbols.has(symbol)) return plainError(400, -1121, 'Invalid symbol.');
  const limit = numberOf(url, 'limit') ?? PAGE_DEFAULT;
  const fromId = isHistory ? numberOf(url, 'fromId') : undefined;
  if (!(limit >= 1) || Number.isNaN(fromId)) {
    return plainError(400, -1100, "Illegal characters found in parameter 'limit'.");
  }
  return { kind: 'page', symbol, fromId, limit: Math.min(limit, PAGE_MAX) };
}

/** NaN where the parameter is not a whole number. */
function numberOf(url: URL, name: string): number | undefined {
  const value = url.searchParams.get(name);
  if (value === null) return undefined;
  return /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
}

function plainError(status: number, code: number, message: string): PlainAnswer {
  return { kind: 'plain', status, body: errorText(code, message) };
}

function errorText(code: number, message: string): string {
  return JSON.stringify({ code, msg: message });
}

function rowOf({ id, price, size, timeMs, buyerIsMaker }: ExchangeTrade) {
  const quoteQty = productOf(price, size);
  return { id, price, qty: size, quoteQty, time: timeMs, isBuyerMaker: buyerIsMaker, isBestMatch: true };
}

/** The product of two texts with eight decimals, truncated to eight. */
function productOf(price: string, size: string): string {
  const digits = String((BigInt(price.replace('.', '')) * BigInt(size.replace('.', ''))) / 100_000_000n);
  const padded = digits.padStart(9, '0');
  return `${padded.slice(0, -8)}.${padded.slice(-8)}`;
}
