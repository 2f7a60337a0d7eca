import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';
import { exactOfDouble, exactText } from '../exact-decimals.ts';
import { ExactVolume } from './exact-volume.ts';

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
  readonly volume: ExactVolume;
  /** False once a trade at its highest or lowest price was taken out: what the next one is, is not known. */
  hasExtremes: boolean;
  /** True once a late trade of its time was left out of it, because it was completed. */
  hasLateTrades: boolean;
}

type BarState = readonly [
  index: number,
  firstOffset: number,
  high: string,
  low: string,
  volume: string,
  hasExtremes: boolean,
  hasLateTrades: boolean,
];

/** State of a {@link Range}. */
export interface RangeState {
  readonly completed: readonly BarState[];
  readonly current: BarState | null;
}

type RoundedBarState = readonly [index: number, firstOffset: number, high: string, low: string, volume: number];

/** State of engine version 2, whose volumes were doubles. */
export interface RoundedRangeState {
  readonly completed: readonly RoundedBarState[];
  readonly current: RoundedBarState | null;
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
 * candles. A late trade counts into the current bar where it belongs there, and never changes a completed one. Volumes
 * are exact, so those of a bar do not depend on the order of its trades.
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

  /** From a state of engine version 2; volumes to 15 significant digits and 12 decimals. */
  static fromRounded(parameters: RangeParameters, { completed, current }: RoundedRangeState): Range {
    return Range.fromState(parameters, {
      // Whether late trades were left out of a completed bar was not kept: that they may have been is the safe side.
      completed: completed.map((bar) => barFromRounded(bar, true)),
      current: current === null ? null : barFromRounded(current, false),
    });
  }

  toState(): RangeState {
    return {
      completed: this.completed.map(barToState),
      current: this.current === undefined ? null : barToState(this.current),
    };
  }

  add(eventTimeUs: number, price: Decimal, size: Decimal, offset: number): void {
    const index = this.indexOf(eventTimeUs);
    const { current } = this;
    if (current?.index === index) {
      if (current.volume.isZero()) begin(current, price);
      current.volume.add(size);
      if (price.compare(current.high) > 0) current.high = price;
      else if (price.compare(current.low) < 0) current.low = price;
      return;
    }
    if (current !== undefined) {
      if (index < current.index) {
        this.leaveOut(index);
        return;
      }
      this.complete(current);
    }
    const volume = new ExactVolume();
    volume.add(size);
    this.current = {
      index,
      firstOffset: offset,
      high: price,
      low: price,
      volume,
      hasExtremes: true,
      hasLateTrades: false,
    };
  }

  /**
   * Takes a trade out of its bar, where that is still held. A bar that had its highest or lowest price of it is not
   * known any more, nor is one that may have left it out as a late trade: such a bar is dropped, the current one at its
   * end, and there is no range until another bar is completed.
   */
  remove(eventTimeUs: number, price: Decimal, size: Decimal): void {
    const index = this.indexOf(eventTimeUs);
    const { current } = this;
    const bar = current?.index === index ? current : this.completed.find((each) => each.index === index);
    if (bar === undefined) return;
    bar.volume.subtract(size);
    const isAtEdge = price.compare(bar.high) >= 0 || price.compare(bar.low) <= 0;
    if (isAtEdge || bar.hasLateTrades || bar.volume.isNegative()) bar.hasExtremes = false;
    if (bar === current) return;
    if (!bar.hasExtremes) this.completed = this.completed.filter((each) => each !== bar);
    this.currentBounds = this.computeBounds();
  }

  /** Counts a trade with the figures that hold for it now; after {@link remove}, to correct it. */
  addBack(eventTimeUs: number, price: Decimal, size: Decimal): void {
    const index = this.indexOf(eventTimeUs);
    const { current } = this;
    const bar = current?.index === index ? current : this.completed.find((each) => each.index === index);
    if (bar === undefined) return;
    if (bar.volume.isZero()) begin(bar, price);
    bar.volume.add(size);
    if (price.compare(bar.high) > 0) bar.high = price;
    if (price.compare(bar.low) < 0) bar.low = price;
    if (bar !== current) this.currentBounds = this.computeBounds();
  }

  /** Undefined until N bars are completed. */
  get bounds(): RangeBounds | undefined {
    return this.currentBounds;
  }

  /** Volume of the current bar so far, base currency: the double nearest to it. */
  get barVolume(): number {
    return this.current?.volume.dividedBy(1) ?? 0;
  }

  /** First tape offset that the bars held cover; undefined while there is none. */
  get firstOffset(): number | undefined {
    return this.completed[0]?.firstOffset ?? this.current?.firstOffset;
  }

  private indexOf(eventTimeUs: number): number {
    return Math.floor(eventTimeUs / this.parameters.barUs);
  }

  /** Notes that a late trade was left out, so that taking it out again does not take what was never counted. */
  private leaveOut(index: number): void {
    const bar = this.completed.findLast((each) => each.index === index);
    if (bar !== undefined) bar.hasLateTrades = true;
  }

  private complete(bar: Bar): void {
    // A bar that was emptied lost a trade at its edge, too.
    if (!bar.hasExtremes) return;
    this.completed.push(bar);
    if (this.completed.length > this.parameters.bars) this.completed.shift();
    this.currentBounds = this.computeBounds();
  }

  private computeBounds(): RangeBounds | undefined {
    const [first] = this.completed;
    if (first === undefined || this.completed.length < this.parameters.bars) return undefined;
    let { high, low } = first;
    const volume = new ExactVolume();
    for (const bar of this.completed) {
      if (bar.high.compare(high) > 0) high = bar.high;
      if (bar.low.compare(low) < 0) low = bar.low;
      volume.addAll(bar.volume);
    }
    return { high, low, meanVolume: volume.dividedBy(this.completed.length) };
  }
}

/** A bar whose every trade was taken out begins again. */
function begin(bar: Bar, price: Decimal): void {
  bar.high = price;
  bar.low = price;
  bar.hasExtremes = true;
}

function barToState({ index, firstOffset, high, low, volume, hasExtremes, hasLateTrades }: Bar): BarState {
  return [index, firstOffset, high.toString(), low.toString(), volume.toString(), hasExtremes, hasLateTrades];
}

function barFromState([index, firstOffset, high, low, volume, hasExtremes, hasLateTrades]: BarState): Bar {
  return {
    index,
    firstOffset,
    high: Decimal.of(high),
    low: Decimal.of(low),
    volume: ExactVolume.of(volume),
    hasExtremes,
    hasLateTrades,
  };
}

function barFromRounded(bar: RoundedBarState, hasLateTrades: boolean): BarState {
  const [index, firstOffset, high, low, volume] = bar;
  return [index, firstOffset, high, low, exactText(exactOfDouble(volume, DECIMAL_SCALE)), true, hasLateTrades];
}
