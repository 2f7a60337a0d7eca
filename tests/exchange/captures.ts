import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { drawsOf, whole } from './draws.ts';
import type { ExchangeTrade, Market } from './market.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/data/binance-spot');
const DAYS = ['20240808', '20240809'];
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'] as const;

/** The real captures are beside the checkout, if present. */
export const REAL_CAPTURE_IS_PRESENT = existsSync(FOLDER);

/** BTCUSDT 3735683259..3735703162 and ETHUSDT 1520538925..1520553439 of 8 August 2024, across midnight UTC. */
export function realCapture(): Promise<Market[]> {
  return Promise.all(SYMBOLS.map(readMarket));
}

async function readMarket(symbol: string): Promise<Market> {
  const trades: ExchangeTrade[] = [];
  for (const day of DAYS) {
    const bytes = await readFile(join(FOLDER, `spot_${symbol.toLowerCase()}_${day}.gz`));
    for (const line of gunzipSync(bytes).toString().split('\n')) {
      if (!line.includes('@trade"')) continue;
      const { data } = JSON.parse(line.slice(line.indexOf('{'))) as { data: Captured };
      trades.push({ id: data.t, price: data.p, size: data.q, timeMs: data.T, buyerIsMaker: data.m });
    }
  }
  return { symbol, trades };
}

/** The fields of a captured `@trade` message that are used here. */
interface Captured {
  readonly t: number;
  readonly p: string;
  readonly q: string;
  readonly T: number;
  readonly m: boolean;
}

const SYNTHETIC_SEED = 20_250_325;
const SYNTHETIC_START_MS = 1_742_943_600_000;
/** Mean time between two trades that are not simultaneous. */
const SYNTHETIC_GAP_MS = 60;
const SYNTHETIC_MARKETS = [
  { symbol: 'BTCUSDT', firstId: 4_711_000_001, cents: 8_700_000 },
  { symbol: 'ETHUSDT', firstId: 2_203_999_990, cents: 206_000 },
] as const;
/** Trades of each market of the synthetic capture. */
export const SYNTHETIC_TRADES = 2_000;

/** Two random walks, four trades of ten at the time of the one before; always the same for the same number. */
export function syntheticCapture(tradesPerMarket = SYNTHETIC_TRADES): Market[] {
  const draw = drawsOf(SYNTHETIC_SEED);
  return SYNTHETIC_MARKETS.map(({ symbol, firstId, cents }, market) => {
    let timeMs = SYNTHETIC_START_MS;
    let price = cents;
    const trades = Array.from({ length: tradesPerMarket }, (_, index): ExchangeTrade => {
      if (draw('moves', market, index) < 0.6) timeMs += whole(draw('gap', market, index), 1, 2 * SYNTHETIC_GAP_MS);
      price += whole(draw('step', market, index), -10, 10);
      return {
        id: firstId + index,
        price: `${Math.floor(price / 100)}.${String(price % 100).padStart(2, '0')}000000`,
        size: `${whole(draw('whole', market, index), 0, 2)}.${String(whole(draw('size', market, index), 1, 99_999)).padStart(5, '0')}000`,
        timeMs,
        buyerIsMaker: draw('side', market, index) < 0.5,
      };
    });
    return { symbol, trades };
  });
}
