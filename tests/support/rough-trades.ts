import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';

/** Ten minutes before midnight, UTC: sessions change. */
const START_US = 1_700_005_800_000_000;
const SECOND_US = 1_000_000;
const HOUR_US = 3_600 * SECOND_US;
const DAY_US = 24 * HOUR_US;
/** From this part of a market's trades on, volume and price surge: out of the range. */
const SURGE_FROM = 0.8;
const SURGE_FACTOR = 8;
/** The part of its trades after which one has a price below 0. */
const NEGATIVE_AT = 0.97;

/** A market, and how its trades come. */
interface RoughMarket {
  readonly name: string;
  readonly trades: number;
  /** Units of 10^-priceDecimals. */
  readonly firstPrice: number;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** The greatest step of its price, as a part of it. */
  readonly step: number;
  /** From one trade to the next, on average. */
  readonly intervalUs: number;
}

const MARKETS: readonly RoughMarket[] = [
  {
    name: 'BTC-USDT@bench',
    trades: 2_000,
    firstPrice: 6_183_763,
    priceDecimals: 2,
    sizeDecimals: 5,
    step: 0.0004,
    intervalUs: SECOND_US,
  },
  {
    name: 'SHIB-USDT@bench',
    trades: 1_500,
    firstPrice: 1_234_567,
    priceDecimals: 11,
    sizeDecimals: 12,
    step: 0.002,
    intervalUs: 2 * SECOND_US,
  },
  // Falls by more than nine tenths: rows become finer.
  {
    name: 'LUNA-USDT@bench',
    trades: 1_500,
    firstPrice: 80_000_000,
    priceDecimals: 6,
    sizeDecimals: 3,
    step: -0.012,
    intervalUs: SECOND_US,
  },
  // A handful of prices: ties.
  {
    name: 'TIED-USDT@bench',
    trades: 800,
    firstPrice: 3,
    priceDecimals: 0,
    sizeDecimals: 2,
    step: 0.9,
    intervalUs: SECOND_US,
  },
  // More distinct bins than a profile holds.
  {
    name: 'WIDE-USDT@bench',
    trades: 36_000,
    firstPrice: 9_900_000,
    priceDecimals: 2,
    sizeDecimals: 4,
    step: 0.9,
    intervalUs: SECOND_US / 100,
  },
];

/**
 * Trades as no orderly market has them, the same each time: late, repeated, far ahead, after silences, suspect, with
 * prices of 0 and below, at the ends of sessions, in numbers and at prices that a profile has to merge or refine.
 */
export function* roughTrades(): Generator<Trade> {
  for (const market of MARKETS) yield* tradesOf(market);
}

function* tradesOf(market: RoughMarket): Generator<Trade> {
  const random = mulberry(market.firstPrice);
  // The first stamp is wrong, and contested by those that follow.
  let previous = tradeOf(market, 0, START_US + 5 * HOUR_US, market.firstPrice, random);
  yield previous;
  let timeUs = START_US;
  let price = market.firstPrice;
  for (let index = 1; index < market.trades; index += 1) {
    timeUs += Math.floor(2 * random() * market.intervalUs);
    // A silence beyond the grace of pending forecasts, and one beyond the clock's bound.
    if (index === Math.floor(market.trades * 0.5)) timeUs += 900 * SECOND_US;
    if (index === Math.floor(market.trades * 0.7)) timeUs += 2 * HOUR_US;
    price = Math.max(1, Math.floor(nextPrice(market, price, random)));
    if (index > market.trades * SURGE_FROM && market.step > 0) price = Math.ceil(price * (1 + market.step / 2));
    const chance = random();
    if (chance < 0.02) yield previous;
    const stampUs = stampOf(timeUs, chance);
    const isSuspect = chance > 0.9 && chance < 0.91;
    const shown = chance > 0.91 && chance < 0.915 ? 0 : price;
    const isSurge = index > market.trades * SURGE_FROM;
    const trade = tradeOf(market, index, stampUs, shown, random, isSurge ? SURGE_FACTOR : 1);
    yield { ...trade, suspicious: isSuspect };
    // Below 0: nothing is decided until the session ends.
    if (index === Math.floor(market.trades * NEGATIVE_AT))
      yield { ...trade, tradeId: String(market.trades), price: trade.price.negated() };
    previous = trade;
  }
}

function nextPrice({ step, firstPrice }: RoughMarket, price: number, random: () => number): number {
  // A wide market is anywhere at once.
  if (step > 0.5) return firstPrice * (1 + step * (2 * random() - 1));
  return price * (1 + (step < 0 ? step * random() : step * (2 * random() - 1)));
}

function stampOf(timeUs: number, chance: number): number {
  if (chance > 0.995) return timeUs + 3 * DAY_US;
  if (chance > 0.99) return timeUs + 2 * HOUR_US;
  if (chance > 0.985) return timeUs - 3 * DAY_US;
  if (chance > 0.98) return timeUs - 20 * HOUR_US;
  if (chance > 0.93) return timeUs - Math.floor((chance - 0.93) * 1_000 * SECOND_US);
  return timeUs;
}

function tradeOf(
  { name, priceDecimals, sizeDecimals }: RoughMarket,
  index: number,
  eventTime: number,
  price: number,
  random: () => number,
  sizeFactor = 1,
): Trade {
  const [side, size] = [random(), random()];
  return {
    venue: 'bench',
    instrument: name,
    tradeId: String(index),
    eventTime,
    price: decimalOf(price, priceDecimals),
    size: decimalOf(sizeFactor * (1 + Math.floor(size * 999_983)), sizeDecimals),
    side: side < 0.4 ? 'BUY' : side < 0.8 ? 'SELL' : 'UNKNOWN',
    receivedAt: 0,
    source: 'bench',
    suspicious: false,
    conditions: [],
  };
}

function decimalOf(units: number, decimals: number): Decimal {
  const digits = String(units).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return Decimal.of(decimals === 0 ? whole : `${whole}.${digits.slice(digits.length - decimals)}`);
}

/** Numbers in [0, 1) by the mulberry32 generator. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
