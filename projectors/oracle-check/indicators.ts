import type { Decimal } from '../../contracts/decimal.ts';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import type { CountedTrade, CountedTrades } from './counted-trades.ts';
import { nearestOf } from './rational.ts';
import type { IndicatorRules } from './rules.ts';
import { valueAreaOf } from './volume-rows.ts';

/** Units of 10^-12 in 1. */
const ONE = 1_000_000_000_000n;

/** A figure recomputed: prices as a count of 10^-12, null where the snapshot has to say null. */
type Figure = bigint | number | null;
type Figures = Partial<Record<keyof IndicatorSnapshot, Figure>>;

/** A field whose published value is not the recomputed one, as text. */
export interface Divergence {
  readonly field: string;
  readonly published: string;
  readonly recomputed: string;
}

export interface Comparison {
  readonly divergences: readonly Divergence[];
  /** Fields that were not compared, because the window alone does not decide them. */
  readonly leftOut: readonly string[];
}

const RANGE_FIELDS = [
  ...['rangeHigh', 'rangeLow', 'rangeFirstPrice', 'barVolume', 'meanBarVolume'],
  ...['takerBuyVolume', 'takerSellVolume', 'takerUnknownVolume'],
] as const;
const PROFILE_FIELDS = ['pointOfControl', 'valueAreaLow', 'valueAreaHigh', 'profileBinSize'] as const;

/** Compares every indicator of a snapshot with its definition, over the trades that count. */
export function compared(snapshot: IndicatorSnapshot, counted: CountedTrades, rules: IndicatorRules): Comparison {
  const { trades, amendedBars, beginning } = counted;
  const ofSession = trades.filter(({ session }) => session === rules.sessionAt(snapshot.eventTime));
  const isAmended = amendedBars.size > 0;
  const profile = valueAreaOf(ofSession, beginning?.price ?? 0n, rules);
  // How often rows were doubled depends on when trades were taken out.
  const knowsProfile = profile.area !== undefined && !(profile.isMerged && isAmended);
  const bars = barsOf(trades);
  const held = bars.slice(-rules.bars - 1);
  // A bar that lost its highest or lowest trade is dropped, for as long as it would be among the last.
  const oldest = held[0]?.index ?? Number.NEGATIVE_INFINITY;
  const knowsRange = ![...amendedBars].some((bar) => bar >= oldest);
  const first = Math.min(
    beginning?.offset ?? Number.POSITIVE_INFINITY,
    firstOf(bars, rules.bars)?.firstOffset ?? Number.POSITIVE_INFINITY,
  );
  const figures: Figures = {
    tradeCount: ofSession.length,
    ...sumsOf(ofSession),
    ...(knowsProfile ? profile.area : {}),
    ...(knowsRange ? rangeOf(bars, rules.bars) : {}),
    ...(isAmended ? {} : { firstOffset: first }),
  };
  return {
    divergences: Object.entries(figures).flatMap(([field, figure]) => divergenceOf(snapshot, field, figure)),
    leftOut: [
      ...(knowsProfile ? [] : PROFILE_FIELDS),
      ...(knowsRange ? [] : RANGE_FIELDS),
      ...(isAmended ? ['firstOffset'] : []),
    ],
  };
}

function divergenceOf(snapshot: IndicatorSnapshot, field: string, figure: Figure): readonly Divergence[] {
  const value = snapshot[field as keyof IndicatorSnapshot] as Decimal | number | null;
  const published = typeof value === 'object' && value !== null ? value.toUnits() : value;
  if (Object.is(published, figure)) return [];
  return [{ field, published: value === null ? 'null' : value.toString(), recomputed: textOf(figure) }];
}

/** Decimals are counts of 10^-12. */
export function textOf(figure: Figure): string {
  if (typeof figure !== 'bigint') return String(figure);
  const magnitude = figure < 0n ? -figure : figure;
  const fraction = (magnitude % ONE).toString().padStart(12, '0').replace(/0+$/, '');
  return `${figure < 0n ? '-' : ''}${magnitude / ONE}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * Σ q; the average Σ p·q / Σ q; and the deviation about it, √(Σ q·(p − average)² / Σ q). Each is exact and rounded once,
 * the deviation before and after its root.
 */
function sumsOf(trades: readonly CountedTrade[]): Figures {
  let [volume, turnover] = [0n, 0n];
  for (const { price, size } of trades) {
    volume += size;
    turnover += price * size;
  }
  if (volume === 0n) return { sessionVolume: 0, vwap: Number.NaN, vwapDeviation: Number.NaN };
  // Distances from the average are quotients by the volume: they are added up times it.
  let squares = 0n;
  for (const { price, size } of trades) {
    const distance = price * volume - turnover;
    squares += size * distance * distance;
  }
  const variance = nearestOf({ numerator: squares, denominator: volume * volume * volume * ONE * ONE });
  return {
    sessionVolume: volumeOf(volume),
    vwap: nearestOf({ numerator: turnover, denominator: volume * ONE }),
    vwapDeviation: Math.sqrt(variance),
  };
}

interface Bar {
  readonly index: number;
  readonly firstOffset: number;
  readonly trades: CountedTrade[];
}

/** The bars, stretches with at least one trade, in order. */
function barsOf(trades: readonly CountedTrade[]): Bar[] {
  const bars = new Map<number, Bar>();
  for (const trade of trades) {
    if (trade.bar === undefined) continue;
    const bar = bars.get(trade.bar);
    if (bar === undefined) bars.set(trade.bar, { index: trade.bar, firstOffset: trade.offset, trades: [trade] });
    else bar.trades.push(trade);
  }
  return [...bars.values()];
}

/** The oldest bar that the range still needs. */
function firstOf(bars: readonly Bar[], count: number): Bar | undefined {
  return bars.slice(-count - 1)[0];
}

/** Highest and lowest price, first price and mean volume of the last completed bars, and the takers' volumes. */
function rangeOf(bars: readonly Bar[], count: number): Figures {
  const current = bars.at(-1)?.trades ?? [];
  const completed = bars.slice(0, -1).slice(-count);
  const barVolume = volumeOf(sizeOf(current));
  if (completed.length < count) {
    const unknown = Object.fromEntries(RANGE_FIELDS.map((field) => [field, null]));
    return { ...unknown, barVolume };
  }
  const before = completed.flatMap(({ trades }) => trades);
  const prices = before.map(({ price }) => price);
  const all = [...before, ...current];
  const takenBy = (wanted: CountedTrade['side']): number => volumeOf(sizeOf(all.filter(({ side }) => side === wanted)));
  return {
    rangeHigh: prices.reduce((high, price) => (price > high ? price : high)),
    rangeLow: prices.reduce((low, price) => (price < low ? price : low)),
    rangeFirstPrice: before[0]?.price ?? null,
    barVolume,
    meanBarVolume: nearestOf({ numerator: sizeOf(before), denominator: ONE * BigInt(count) }),
    takerBuyVolume: takenBy('BUY'),
    takerSellVolume: takenBy('SELL'),
    takerUnknownVolume: takenBy('UNKNOWN'),
  };
}

function sizeOf(trades: readonly CountedTrade[]): bigint {
  return trades.reduce((sum, { size }) => sum + size, 0n);
}

function volumeOf(units: bigint): number {
  return nearestOf({ numerator: units, denominator: ONE });
}
