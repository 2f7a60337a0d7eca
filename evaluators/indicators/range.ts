import { Decimal } from '../../contracts/decimal.ts';

/** Length and number of the bars of a {@link Range}. */
export interface RangeParameters {
  readonly barUs: number;
  readonly bars: number;
}

interface Bar {
  /** `floor(t / barUs)`. */
  readonly index: number;
  readonly firstOffset: number;
  high: Decimal;
  low: Decimal;
  volume: number;
}

type BarState = readonly [index: number, firstOffset: number, high: string, low: string, volume: number];

/** State of a {@link Range}. */
export interface RangeState {
  readonly completed: readonly BarState[];
  readonly current: BarState | null;
}

/** Highest price, lowest price and mean volume of the previous N completed bars. */
export interface RangeBounds {
  readonly high: Decimal;
  readonly low: Decimal;
  readonly meanVolume: number;
}

/**
 * Donchian range: `max(high)` and `min(low)` over the previous N completed bars. The current bar is excluded, because no
 * price can be above a maximum that includes it.
 *
 * A bar is a stretch of `barUs` with at least one trade; stretches without a trade are no bars, as in most venues'
 * candles. A late trade counts into the current bar where it belongs there, and never changes a completed one.
 */
export class Range {
  private readonly parameters: RangeParameters;
  private completed: Bar[] = [];
  private current: Bar | undefined;
  private currentBounds: RangeBounds | undefined;

  constructor(parameters: RangeParameters) {
    this.parameters = parameters;
  }

  static fromState(parameters: RangeParameters, state: RangeState): Range {
    const range = new Range(parameters);
    range.completed = state.completed.map(barFromState);
    range.current = state.current === null ? undefined : barFromState(state.current);
    range.currentBounds = range.computeBounds();
    return range;
  }

  toState(): RangeState {
    return {
      completed: this.completed.map(barToState),
      current: this.current === undefined ? null : barToState(this.current),
    };
  }

  add(eventTimeUs: number, price: Decimal, size: number, offset: number): void {
    const index = Math.floor(eventTimeUs / this.parameters.barUs);
    const { current } = this;
    if (current?.index === index) {
      current.volume += size;
      if (price.compare(current.high) > 0) current.high = price;
      else if (price.compare(current.low) < 0) current.low = price;
      return;
    }
    if (current !== undefined) {
      if (index < current.index) return;
      this.complete(current);
    }
    this.current = { index, firstOffset: offset, high: price, low: price, volume: size };
  }

  /** Undefined until N bars are completed. */
  get bounds(): RangeBounds | undefined {
    return this.currentBounds;
  }

  /** Volume of the current bar so far, base currency. */
  get barVolume(): number {
    return this.current?.volume ?? 0;
  }

  /** First tape offset that the bars held cover; undefined while there is none. */
  get firstOffset(): number | undefined {
    return this.completed[0]?.firstOffset ?? this.current?.firstOffset;
  }

  private complete(bar: Bar): void {
    this.completed.push(bar);
    if (this.completed.length > this.parameters.bars) this.completed.shift();
    this.currentBounds = this.computeBounds();
  }

  private computeBounds(): RangeBounds | undefined {
    const [first] = this.completed;
    if (first === undefined || this.completed.length < this.parameters.bars) return undefined;
    let { high, low } = first;
    let volume = 0;
    for (const bar of this.completed) {
      if (bar.high.compare(high) > 0) high = bar.high;
      if (bar.low.compare(low) < 0) low = bar.low;
      volume += bar.volume;
    }
    return { high, low, meanVolume: volume / this.completed.length };
  }
}

function barToState(bar: Bar): BarState {
  return [bar.index, bar.firstOffset, bar.high.toString(), bar.low.toString(), bar.volume];
}

function barFromState([index, firstOffset, high, low, volume]: BarState): Bar {
  return { index, firstOffset, high: Decimal.of(high), low: Decimal.of(low), volume };
}
