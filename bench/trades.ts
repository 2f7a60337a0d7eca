import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';

const START_US = 1_700_000_000_000_000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/** Instruments of the benchmarks. */
export const INSTRUMENTS = ['BTC', 'ETH', 'SOL', 'ADA', 'XRP', 'DOT', 'LTC', 'BNB', 'UNI', 'XLM', 'TRX', 'EOS'].map(
  (base) => `${base}-USDT@bench`,
);

/**
 * Trades like a market's, but the same each time: instruments in turn, prices on a random walk of one-cent steps.
 *
 * @param perSecond trades of one instrument per second of event time
 */
export function* syntheticTrades(
  count: number,
  perSecond: number,
  instruments: readonly string[] = INSTRUMENTS,
  startUs = START_US,
): Generator<Trade> {
  const random = lehmer(1);
  const cents = instruments.map(() => 5_000_000);
  for (let index = 0; index < count; index += 1) {
    const which = index % instruments.length;
    const step = Math.floor(random() * 21) - 10;
    const price = (cents[which] ?? 0) + step;
    cents[which] = price;
    const turn = Math.floor(index / instruments.length);
    const eventTime = startUs + Math.floor((turn * MICROSECONDS_PER_SECOND) / perSecond);
    yield {
      venue: 'bench',
      instrument: instruments[which] ?? '',
      tradeId: String(1_000_000 + turn),
      eventTime,
      price: Decimal.of(`${Math.floor(price / 100)}.${String(price % 100).padStart(2, '0')}`),
      size: Decimal.of(`0.${String(1 + Math.floor(random() * 99_999)).padStart(5, '0')}`),
      side: random() < 0.5 ? 'BUY' : 'SELL',
      receivedAt: eventTime,
      source: 'bench',
      suspicious: false,
      conditions: [],
    };
  }
}

/** Numbers in (0, 1) by Lehmer's generator, from a seed. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
