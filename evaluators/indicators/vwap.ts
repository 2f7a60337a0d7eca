import type { Decimal } from '../../contracts/decimal.ts';
import { bigPowerOfTen, nearestDouble } from '../exact-decimals.ts';
import { WeightedSums } from './weighted-sums.ts';

/** State of a {@link Vwap}: the exact Σ q, Σ p·q and Σ p²·q as decimals, and the number of trades. */
export type VwapState = readonly [volume: string, first: string, second: string, tradeCount: number];

interface Measures {
  readonly volume: number;
  readonly average: number;
  readonly deviation: number;
}

/** Half-open sessions `[anchor + k·length, anchor + (k + 1)·length)`, microseconds. */
export interface SessionWindow {
  readonly anchorUs: number;
  readonly lengthUs: number;
}

/** Number of the session that a time falls in: `floor((t − anchor) / length)`, never a calendar day. */
export function sessionIndexOf(eventTimeUs: number, window: SessionWindow): number {
  return Math.floor((eventTimeUs - window.anchorUs) / window.lengthUs);
}

/**
 * Volume-weighted average price of one session, `Σ p·q / Σ q`, and the volume-weighted standard deviation about it,
 * `√(Σ q·(p − VWAP)² / Σ q)`. Prices in the quote, volume in the base currency.
 *
 * From exact sums, so that neither the order of the trades nor trades that were taken out again leave a trace:
 * `(Σ p²·q · Σ q − (Σ p·q)²) / (Σ q)²` is the variance without cancellation. Average and variance are rounded once.
 */
export class Vwap {
  private sums = new WeightedSums();
  private trades = 0;
  private measures: Measures | undefined;

  static fromState([volume, first, second, tradeCount]: VwapState): Vwap {
    const vwap = new Vwap();
    vwap.sums = WeightedSums.fromState([volume, first, second]);
    vwap.trades = tradeCount;
    return vwap;
  }

  /** From the doubles of engine version 2: Σ q, average, Σ q·(p − average)², trades. See {@link WeightedSums.fromRounded}. */
  static fromRounded(volume: number, average: number, squares: number, tradeCount: number): Vwap {
    const vwap = new Vwap();
    if (volume > 0) vwap.sums = WeightedSums.fromRounded(volume, average, squares);
    vwap.trades = tradeCount;
    return vwap;
  }

  toState(): VwapState {
    return [...this.sums.toState(), this.trades];
  }

  /** Counts a trade. A size of 0 has no weight: alone, it leaves the average undefined. */
  add(price: Decimal, size: Decimal): void {
    this.trades += 1;
    this.measures = undefined;
    this.sums.count(price, size, 1);
  }

  /** Removes a trade that was counted: all is as if it had never existed. */
  remove(price: Decimal, size: Decimal): void {
    if (this.trades === 0) throw new RangeError('there is no trade to remove');
    this.trades -= 1;
    this.measures = undefined;
    this.sums.count(price, size, -1);
  }

  /** Undefined while no volume was traded: an average of nothing is not 0. */
  get average(): number | undefined {
    const { volume, average } = this.measured();
    return volume > 0 ? average : undefined;
  }

  /** Undefined while no volume was traded; exactly 0 at one price. */
  get deviation(): number | undefined {
    const { volume, deviation } = this.measured();
    return volume > 0 ? deviation : undefined;
  }

  get totalVolume(): number {
    return this.measured().volume;
  }

  get tradeCount(): number {
    return this.trades;
  }

  private measured(): Measures {
    return (this.measures ??= measuresOf(this.sums));
  }
}

function measuresOf(sums: WeightedSums): Measures {
  const { volume, first, second, reference, priceDecimals, sizeDecimals } = sums.totals();
  if (volume === 0n) return { volume: 0, average: 0, deviation: 0 };
  const scale = bigPowerOfTen(priceDecimals);
  const scaled = volume * scale;
  return {
    volume: nearestDouble(volume, bigPowerOfTen(sizeDecimals)),
    average: nearestDouble(first + reference * volume, scaled),
    deviation: Math.sqrt(nearestDouble(second * volume - first * first, scaled * scaled)),
  };
}
