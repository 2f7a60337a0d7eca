import type { Trade } from '../../../contracts/generated/events.ts';
import { instrumentNameOf, isInstrument, symbolOf } from '../../../contracts/instrument-name.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json.ts';
import { liveTrade } from '../../live-trade.ts';
import { sideAgainstMaker, takerSide } from '../../sides.ts';
import { malformed } from '../../source.ts';
import type { Parsed, PolledVenue, RefusedTrade } from '../../venue.ts';
import { exactTextOf, isTextOf } from './exact-text.ts';

const PREFIX = 'ccxt-';
const NAME = /^ccxt-([a-z0-9]{1,27})$/;
/** `BTC/USDT`, `BTC/USDT:USDT` for a contract settled in USDT. A hyphen before the slash could not be told from it. */
const UNIFIED = /^[^/@-]+\/[^/@]+$/u;
const MINUTE_MS = 60_000;
const MICROSECONDS_PER_MILLISECOND = 1_000;
const PAGE_TRADES_MAX = 1_000;

/** The name of a venue as people may write it: `ccxt:kraken` is the venue `ccxt-kraken`. */
export function writtenVenue(name: string): string {
  return name.replace(/^ccxt:/, PREFIX);
}

/** The venue of a name like `ccxt-kraken`; undefined for any other name. Whether ccxt has it, only ccxt knows. */
export function ccxtVenueNamed(name: string): PolledVenue | undefined {
  const exchange = NAME.exec(name)?.[1];
  return exchange === undefined ? undefined : ccxtVenue(exchange);
}

/**
 * An exchange by the library ccxt, polled: its trades are those of `fetchTrades`. The name differs from that of our own
 * venue, because the ids may: ccxt's Binance numbers aggregated trades.
 *
 * A page is a JSON text made by `producers/live/ccxt-pages.adapter.ts`: the trades as ccxt parsed them, its `info` in
 * the exchange's own digits. ccxt's price and size are doubles, so they only identify the texts in `info`.
 */
export function ccxtVenue(exchange: string): PolledVenue {
  const name = PREFIX + exchange;
  const instrumentOf = (symbol: string) => instrumentOfSymbol(symbol, name);
  return {
    name,
    description: `${exchange} by the library ccxt, polled`,
    endpoints: { webSocketUrl: '', restUrl: '' },
    ccxtExchange: exchange,
    // ccxt waits as each exchange requires: these only keep one process from asking without end.
    limits: {
      connections: { count: 5, windowMs: MINUTE_MS },
      clientMessagesPerSecond: 5,
      requestWeight: { weight: 600, windowMs: MINUTE_MS },
      connectionLifetimeMs: 24 * 60 * MINUTE_MS,
      instrumentsPerConnection: 50,
    },
    // Dense at some exchanges, but ccxt does not say at which.
    tradeIds: 'OPAQUE',
    facts: {
      ...{ side: 'TAKER', timeResolution: 'ms', backfill: 'WHERE_SERVED', provenOn: 'DOCUMENTATION' },
      note: 'Trades whose id, price or size ccxt made itself are refused: the tape has only texts of the exchange.',
    },
    symbolOf(instrument) {
      if (!isInstrument(instrument)) return undefined;
      const symbol = symbolOf(instrument).symbol.replace('-', '/');
      return instrumentOf(symbol) === instrument ? symbol : undefined;
    },
    instrumentOf,
    history: {
      pageTradesMax: PAGE_TRADES_MAX,
      usedWeightHeader: undefined,
      newest: (symbol, limit) => ({
        path: `/fetchTrades?symbol=${encodeURIComponent(symbol)}&limit=${limit}`,
        weight: 1,
      }),
      from: () => undefined,
      // Not every exchange heeds it, and ccxt hides which ones do not: whether a page shows the last known trade tells.
      // Some leave out the trades of that very time, so it begins a little earlier.
      since: (symbol, { sinceUs }, limit) => ({
        path: `/fetchTrades?symbol=${encodeURIComponent(symbol)}&since=${Math.floor(sinceUs / MICROSECONDS_PER_MILLISECOND) - 1}&limit=${limit}`,
        weight: 1,
      }),
      parsePage: (text, symbol, receivedAt) =>
        parsePage({ venue: name, instrument: instrumentOf(symbol) }, text, symbol, receivedAt),
    },
  };
}

interface Market {
  readonly venue: string;
  readonly instrument: string | undefined;
}

function instrumentOfSymbol(symbol: string, venue: string): string | undefined {
  if (!UNIFIED.test(symbol)) return undefined;
  const instrument = instrumentNameOf(symbol.replace('/', '-'), venue);
  return isInstrument(instrument) ? instrument : undefined;
}

function parsePage(market: Market, text: string, symbol: string, receivedAt: number): Parsed {
  const trades = parseJsonObject(text)?.['trades'];
  if (!Array.isArray(trades)) return malformed('the page is not a JSON object with a list of trades');
  const rows = (trades as readonly unknown[]).filter(isJsonObject);
  if (rows.length < trades.length) return malformed('the page holds an entry that is not a trade');
  return inOrder(rows).map((row) => tradeIn(market, row, symbol, receivedAt));
}

/** ccxt sorts trades of one time by their ids as text: 10 comes before 9. */
function inOrder(rows: readonly JsonObject[]): readonly JsonObject[] {
  return rows.toSorted((left, right) => {
    const time = Number(left['timestamp']) - Number(right['timestamp']);
    if (Number.isNaN(time) || time !== 0) return Number.isNaN(time) ? 0 : time;
    const [one, other] = [left['id'], right['id']].map((id) => (isWhole(id) ? BigInt(id) : undefined));
    return one === undefined || other === undefined || one === other ? 0 : one < other ? -1 : 1;
  });
}

function isWhole(id: unknown): id is string {
  return typeof id === 'string' && /^\d{1,30}$/.test(id);
}

function tradeIn(
  { venue, instrument }: Market,
  row: JsonObject,
  symbol: string,
  receivedAt: number,
): Trade | RefusedTrade {
  const { id, timestamp, side, takerOrMaker, price, amount, info } = row;
  const text = JSON.stringify(row);
  const tradeId = typeof id === 'string' && id !== '' ? id : undefined;
  const refused = (detail: string): RefusedTrade => ({ refusal: malformed(detail), instrument, tradeId, text });
  if (row['symbol'] !== symbol) return refused('the trade is of another symbol than the one requested');
  if (tradeId === undefined) return refused('the exchange gives the trade no id');
  // Two equal trades of one millisecond would have the same id, and one of them would be lost.
  if (!isTextOf(info, tradeId)) return refused('ccxt made the id of the trade: the exchange gives none');
  const exactPrice = exactTextOf(info, price, 'price');
  if (typeof exactPrice !== 'string') return refused(exactPrice.problem);
  const exactSize = exactTextOf(info, amount, 'size');
  if (typeof exactSize !== 'string') return refused(exactSize.problem);
  return liveTrade({
    ...{ venue, instrument, tradeId, price: exactPrice, size: exactSize, receivedAt, text },
    eventTime: Number.isSafeInteger(timestamp) ? Number(timestamp) * MICROSECONDS_PER_MILLISECOND : undefined,
    side: side ?? '',
    sideOf: takerOrMaker === 'maker' ? sideAgainstMaker : takerSide,
    hasSides: false,
  });
}
