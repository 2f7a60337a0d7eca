import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { syntheticCapture } from './captures.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/data/exchange-frames');
const MICROSECONDS_PER_MILLISECOND = 1_000;

/** The captured frames are beside the checkout, if present. */
export const FRAMES_ARE_PRESENT = existsSync(FOLDER);

/** A trade of a capture, read here by other code than the venue's: what the tape must have. */
export interface CapturedTrade {
  readonly symbol: string;
  readonly id: string;
  readonly price: string;
  readonly size: string;
  readonly takerBuys: boolean;
  readonly timeUs: number;
}

/** The trades of one frame, and the frame as captured; undefined where another API is used than the captured one. */
export interface CapturedFrame {
  readonly trades: readonly CapturedTrade[];
  readonly text: string | undefined;
}

export interface VenueCapture {
  readonly frames: readonly CapturedFrame[];
  /** Captured frames of other channels, and replies. */
  readonly others: readonly string[];
}

export type CapturedVenue = 'coinbase' | 'kraken' | 'bitstamp' | 'okx' | 'bybit';
export const CAPTURED_VENUES: readonly CapturedVenue[] = ['coinbase', 'kraken', 'bitstamp', 'okx', 'bybit'];

/** Most frames of other channels that are kept, so that each kind is among them and tests stay fast. */
const OTHERS_MAX = 200;

const FILES: Readonly<Record<CapturedVenue, string>> = {
  coinbase: 'COINBASE.ws.28.0.gz',
  kraken: 'KRAKEN.ws.48.0.gz',
  bitstamp: 'BITSTAMP.ws.1.0.gz',
  okx: 'OKX.ws.1.0.gz',
  bybit: 'BYBIT.ws.26.0.gz',
};

/** The real capture of a venue. */
export async function capturedFrames(venue: CapturedVenue): Promise<VenueCapture> {
  const text = gunzipSync(await readFile(join(FOLDER, FILES[venue]))).toString();
  const frames: CapturedFrame[] = [];
  const others: string[] = [];
  // `<receive time>: <frame>`; lines of what the client sent begin with the address.
  for (const [, frame = ''] of text.matchAll(/^[\d.]+: (.+)$/gm)) {
    const trades = READERS[venue](frame);
    if (trades === undefined) others.push(frame);
    else frames.push({ trades, text: venue === 'kraken' || venue === 'bybit' ? undefined : frame });
  }
  const step = Math.max(1, Math.floor(others.length / OTHERS_MAX));
  return { frames: numbered(venue, frames), others: others.filter((_, index) => index % step === 0) };
}

/** Trades of two random walks as this venue would number them, one a frame: where the real ones are absent. */
export function syntheticFrames(venue: CapturedVenue, tradesPerMarket: number): VenueCapture {
  const trades = syntheticCapture(tradesPerMarket).flatMap((market, index) =>
    market.trades.map(({ id, price, size, timeMs, buyerIsMaker }) => ({
      symbol: SYNTHETIC_SYMBOLS[venue][index] ?? '',
      id: venue === 'bybit' ? `u-${id}` : String(venue === 'bitstamp' ? 7 * id : id),
      ...{ price, size, takerBuys: !buyerIsMaker },
      timeUs: timeMs * MICROSECONDS_PER_MILLISECOND,
    })),
  );
  const inOrder = trades.toSorted((left, right) => left.timeUs - right.timeUs);
  return { frames: inOrder.map((trade) => ({ trades: [asPaged(venue, trade)], text: undefined })), others: [] };
}

const SYNTHETIC_SYMBOLS: Readonly<Record<CapturedVenue, readonly string[]>> = {
  coinbase: ['BTC-USD', 'ETH-USD'],
  kraken: ['BTC/USD', 'ETH/USD'],
  bitstamp: ['btcusd', 'ethusd'],
  okx: ['BTC-USDT', 'ETH-USDT-SWAP'],
  bybit: ['BTCUSDT', 'ETHUSDT'],
};

/** Trades of a frame; undefined where it has none. */
const READERS: Readonly<Record<CapturedVenue, (frame: string) => readonly CapturedTrade[] | undefined>> = {
  coinbase(frame) {
    if (!/"type":"(?:last_)?match"/.test(frame)) return undefined;
    const text = (name: string) => textAt(frame, name);
    const time = text('time');
    // ISO 8601 to the microsecond: the milliseconds by Date, the other three digits by hand.
    const timeUs = Date.parse(`${time.slice(0, 23)}Z`) * MICROSECONDS_PER_MILLISECOND + Number(time.slice(23, 26));
    const takerBuys = text('side') === 'sell';
    const id = numberAt(frame, 'trade_id');
    return [{ symbol: text('product_id'), id, price: text('price'), size: text('size'), takerBuys, timeUs }];
  },
  kraken(frame) {
    if (!frame.startsWith('[') || !frame.includes('"trade",')) return undefined;
    const [, rows, , pair] = JSON.parse(frame) as [number, string[][], string, string];
    return rows.map(([price = '', size = '', time = '', side]) => ({
      symbol: pair.replace('XBT', 'BTC'),
      ...{ id: '', price, size, takerBuys: side === 'b', timeUs: Number(time.replace('.', '')) },
    }));
  },
  bitstamp(frame) {
    if (!frame.includes('"event":"trade"')) return undefined;
    const [, symbol = ''] = /"live_trades_(\w+)"/.exec(frame) ?? [];
    return [
      {
        symbol,
        id: numberAt(frame, 'id'),
        price: textAt(frame, 'price_str'),
        size: textAt(frame, 'amount_str'),
        takerBuys: numberAt(frame, 'type') === '0',
        // Its pages have whole seconds only.
        timeUs: Number(textAt(frame, 'timestamp')) * 1_000_000,
      },
    ];
  },
  okx(frame) {
    if (!frame.includes('"channel":"trades"') || !frame.includes('"data"')) return undefined;
    const [, data = ''] = frame.split('"data":');
    const ofTrade = (name: string) => textAt(data, name);
    const takerBuys = ofTrade('side') === 'buy';
    const timeUs = Number(ofTrade('ts')) * MICROSECONDS_PER_MILLISECOND;
    const id = ofTrade('tradeId');
    return [{ symbol: ofTrade('instId'), id, price: ofTrade('px'), size: ofTrade('sz'), takerBuys, timeUs }];
  },
  bybit(frame) {
    if (!frame.startsWith('{"topic":"trade.')) return undefined;
    return [...frame.matchAll(/\{"trade_time_ms":[^}]+\}/g)].map(([row]) => ({
      symbol: textAt(row, 'symbol'),
      id: textAt(row, 'trade_id'),
      price: numberAt(row, 'price'),
      size: numberAt(row, 'size'),
      takerBuys: textAt(row, 'side') === 'Buy',
      timeUs: Number(numberAt(row, 'trade_time_ms')) * MICROSECONDS_PER_MILLISECOND,
    }));
  },
};

function textAt(json: string, name: string): string {
  return new RegExp(`"${name}":"([^"]*)"`).exec(json)?.[1] ?? '';
}

function numberAt(json: string, name: string): string {
  return new RegExp(`"${name}":([\\d.]+)`).exec(json)?.[1] ?? '';
}

/** Kraken's captured API has no ids: its trades are numbered for each pair, as its present API numbers them. */
function numbered(venue: CapturedVenue, frames: readonly CapturedFrame[]): readonly CapturedFrame[] {
  if (venue !== 'kraken') return frames;
  const next = new Map<string, number>();
  return frames.map(({ trades, text }) => ({
    text,
    trades: trades.map((trade) => {
      const id = next.get(trade.symbol) ?? 4_665_906;
      next.set(trade.symbol, id + 1);
      return { ...trade, id: String(id) };
    }),
  }));
}

/** With a time as the venue's pages have it. */
function asPaged(venue: CapturedVenue, trade: CapturedTrade): CapturedTrade {
  return venue === 'bitstamp' ? { ...trade, timeUs: Math.floor(trade.timeUs / 1_000_000) * 1_000_000 } : trade;
}
