import { Decimal } from '../../contracts/decimal.ts';
import { ExactVolume, type ExactVolumeState } from './exact-volume.ts';

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
  /** True once a trade at its high or low was taken out: its extremes are not known any more. */
  isBroken: boolean;
}

type BarState = readonly [
  index: number,
  firstOffset: number,
  high: string,
  low: string,
  volume: ExactVolumeState,
  isBroken: boolean,
];

/** What engine versions 1 and 2 wrote: volumes as sums of doubles. */
export interface RoundedRangeState {
  readonly completed: readonly RoundedBarState[];
  readonly current: RoundedBarState | null;
}
type RoundedBarState = readonly [index: number, firstOffset: number, high: string, low: string, volume: number];

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
 * candles. A late trade counts into the current bar where it belongs there, and never changes a completed one. Volumes are
 * exact sums. A bar whose high or low was the price of a trade that is taken out again counts no more: what its extreme would
 * have been, nobody has kept. So the range is undefined until another bar is completed.
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

  /** As good as sums of doubles tell. */
  static fromRounded(parameters: RangeParameters, { completed, current }: RoundedRangeState): Range {
    const stateOf = ([index, firstOffset, high, low, volume]: RoundedBarState): BarState => {
      return [index, firstOffset, high, low, ExactVolume.fromRounded(volume).toState(), false];
    };
    return Range.fromState(parameters, {
      completed: completed.map(stateOf),
      current: current === null ? null : stateOf(current),
    });
  }

  toState(): RangeState {
    return {
      completed: this.completed.map(barToState),
      current: this.current === undefined ? null : barToState(this.current),
    };
  }

  add(eventTimeUs: number, price: Decimal, size: Decimal, offset: number): void {
    const index = Math.floor(eventTimeUs / this.parameters.barUs);
    const { current } = this;
    if (current?.index === index) {
      current.volume.add(size);
      if (price.compare(current.high) > 0) current.high = price;
      else if (price.compare(current.low) < 0) current.low = price;
      return;
    }
    if (current !== undefined) {
      if (index < current.index) return;
      this.complete(current);
    }
    const volume = new ExactVolume();
    volume.add(size);
    this.current = { index, firstOffset: offset, high: price, low: price, volume, isBroken: false };
  }

  /** Takes a trade out of its bar, where that is held. */
  remove(eventTimeUs: number, price: Decimal, size: Decimal): void {
    const bar = this.barAt(eventTimeUs);
    if (bar === undefined) return;
    bar.volume.remove(size);
    if (price.compare(bar.high) < 0 && price.compare(bar.low) > 0 && !bar.volume.isNegative) return;
    bar.isBroken = true;
    this.completed = this.completed.filter((completed) => completed !== bar);
    this.currentBounds = this.computeBounds();
  }

  /** Counts a trade with the figures that hold for it now; beside {@link remove}, to correct it. */
  addBack(eventTimeUs: number, price: Decimal, size: Decimal): void {
    const bar = this.barAt(eventTimeUs);
    if (bar === undefined) return;
    bar.volume.add(size);
    if (price.compare(bar.high) > 0) bar.high = price;
    if (price.compare(bar.low) < 0) bar.low = price;
    this.currentBounds = this.computeBounds();
  }

  private barAt(eventTimeUs: number): Bar | undefined {
    const index = Math.floor(eventTimeUs / this.parameters.barUs);
    return this.current?.index === index ? this.current : this.completed.find((bar) => bar.index === index);
  }

  /** Undefined until N bars are completed. */
  get bounds(): RangeBounds | undefined {
    return this.currentBounds;
  }

  /** Volume of the current bar so far, base currency. */
  get barVolume(): number {
    return this.current?.volume.toNumber() ?? 0;
  }

  /** First tape offset that the bars held cover; undefined while there is none. */
  get firstOffset(): number | undefined {
    return this.completed[0]?.firstOffset ?? this.current?.firstOffset;
  }

  private complete(bar: Bar): void {
    if (bar.isBroken) return;
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
    return { high, low, meanVolume: volume.toNumber() / this.completed.length };
  }
}

function barToState(bar: Bar): BarState {
  return [bar.index, bar.firstOffset, bar.high.toString(), bar.low.toString(), bar.volume.toState(), bar.isBroken];
}

function barFromState([index, firstOffset, high, low, volume, isBroken]: BarState): Bar {
  const extremes = { high: Decimal.of(high), low: Decimal.of(low) };
  return { index, firstOffset, ...extremes, volume: ExactVolume.fromState(volume), isBroken };
}
