/** State of a {@link Vwap}: volume, mean, sum of weighted squares, number of trades. */
export type VwapState = readonly [volume: number, mean: number, squares: number, tradeCount: number];

/** Half-open sessions `[anchor + k·length, anchor + (k + 1)·length)`, microseconds. */
export interface SessionWindow {
  readonly anchorUs: number;
  readonly lengthUs: number;
}

/** Number of the session that a time falls in: `floor((t − anchor) / length)`, never a calendar's day. */
export function sessionIndexOf(eventTimeUs: number, window: SessionWindow): number {
  return Math.floor((eventTimeUs - window.anchorUs) / window.lengthUs);
}

/**
 * Volume-weighted average price of one session, `Σ p·q / Σ q`, and the volume-weighted standard deviation about it.
 *
 * Both by West's update (D. H. D. West, 1979, doi 10.1145/359146.359153), the weighted form of Welford's: `Σ q·p² / Σ q
 * − VWAP²` would lose all digits to cancellation. Prices in the quote, volume in the base currency.
 */
export class Vwap {
  private volume = 0;
  private mean = 0;
  private squares = 0;
  private trades = 0;

  static fromState([volume, mean, squares, tradeCount]: VwapState): Vwap {
    const vwap = new Vwap();
    vwap.volume = volume;
    vwap.mean = mean;
    vwap.squares = squares;
    vwap.trades = tradeCount;
    return vwap;
  }

  toState(): VwapState {
    return [this.volume, this.mean, this.squares, this.trades];
  }

  /** Counts a trade. A size of 0 has no weight, and leaves the average undefined as long as it is alone. */
  add(price: number, size: number): void {
    this.trades += 1;
    if (size <= 0) return;
    this.volume += size;
    const deviation = price - this.mean;
    this.mean += (deviation * size) / this.volume;
    this.squares += size * deviation * (price - this.mean);
  }

  /** Undefined while no volume was traded: no average of nothing is 0. */
  get average(): number | undefined {
    return this.volume > 0 ? this.mean : undefined;
  }

  /** `sqrt(Σ q·(p − VWAP)² / Σ q)`; undefined while no volume was traded. */
  get deviation(): number | undefined {
    return this.volume > 0 ? Math.sqrt(Math.max(this.squares, 0) / this.volume) : undefined;
  }

  get totalVolume(): number {
    return this.volume;
  }

  get tradeCount(): number {
    return this.trades;
  }
}
