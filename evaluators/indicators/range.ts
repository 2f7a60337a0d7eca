import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';
import type { TakerSide } from '../../contracts/generated/events.ts';
import { exactOfDouble, exactText } from '../exact-decimals.ts';
import { contentOf } from '../state-pages.ts';
import { partsOf, runsOf, type Runs } from '../state-runs.ts';
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
  /**
   * Price of the first trade that was counted; undefined once a trade at that price was taken out: it may have been the
   * first.
   */
  first: Decimal | undefined;
  high: Decimal;
  low: Decimal;
  readonly volume: ExactVolume;
  /** Parts of the volume whose taker is known to have bought or sold. */
  bought: ExactVolume;
  sold: ExactVolume;
  /** False once a trade at its highest or lowest price was taken out: the next highest or lowest is not known. */
  hasExtremes: boolean;
  /** True once a late trade of its time was left out of it, because it was completed. */
  hasLateTrades: boolean;
}

type BarStateOfForm3 = readonly [
  index: number,
  firstOffset: number,
  high: string,
  low: string,
  volume: string,
  hasExtremes: boolean,
  hasLateTrades: boolean,
];

type BarState = readonly [...BarStateOfForm3, first: string | null, bought: string, sold: string];

/** State of a {@link Range}. */
export interface RangeState {
  readonly completed: Runs<BarState>;
  readonly current: BarState | null;
}

/** State of engine version 4: its bars are not in runs. */
export interface RangeStateOfForm4 {
  readonly completed: readonly BarState[];
  readonly current: BarState | null;
}

/** State of engine version 3, which kept neither the first price nor the takers of a bar. */
export interface RangeStateOfForm3 {
  readonly completed: readonly BarStateOfForm3[];
  readonly current: BarStateOfForm3 | null;
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

/** Volume of the previous N completed bars and of the current one so far, by the taker's side. */
export interface TakerVolumes {
  readonly buy: number;
  readonly sell: number;
  readonly unknown: number;
}

/**
 * Donchian range: `max(high)` and `min(low)` over the previous N completed bars. The current bar is excluded, because no
 * price can be above a maximum that includes it.
 *
 * A bar is a stretch of `barUs` with at least one trade; stretches without a trade are not bars, as in most venues'
 * candles. A late trade counts into the current bar if it belongs there, and never changes a completed one. Volumes are
 * exact, so those of a bar do not depend on the order of its trades.
 *
 * The record that takes a trade back or corrects it does not name its taker's side: from there on, the sides of the
 * volume that its bar had so far are unknown.
 */
export class Range {
  private readonly parameters: RangeParameters;
  private completed: Bar[] = [];
  private current: Bar | undefined;
  private currentBounds: RangeBounds | undefined;
  /** Of the completed bars together; not used while there are no bounds. */
  private completedVolumes = volumesOf([]);

  constructor(parameters: RangeParameters) {
    this.parameters = parameters;
  }

  static fromState(parameters: RangeParameters, state: RangeState): Range {
    const range = new Range(parameters);
    range.completed = state.completed.flatMap(contentOf).map(barFromState);
    range.current = state.current === null ? undefined : barFromState(state.current);
    range.currentBounds = range.computeBounds();
    return range;
  }

  /** From a state of engine version 2; volumes to 15 significant digits and 12 decimals. */
  static fromRounded(parameters: RangeParameters, { completed, current }: RoundedRangeState): Range {
    const bars = {
      // Whether late trades were left out of a completed bar was not kept: it is safe to assume that they were.
      completed: completed.map((bar) => barFromRounded(bar, true)),
      current: current === null ? null : barFromRounded(current, false),
    };
    return Range.fromState(parameters, rangeFromForm4(bars));
  }

  toState(): RangeState {
    return {
      completed: partsOf(
        runsOf(this.completed, ({ index }) => index),
        barToState,
      ),
      current: this.current === undefined ? null : barToState(this.current),
    };
  }

  add(eventTimeUs: number, price: Decimal, size: Decimal, side: TakerSide, offset: number): void {
    const index = this.indexOf(eventTimeUs);
    const { current } = this;
    if (current?.index === index) {
      if (current.volume.isZero()) begin(current, price);
      current.volume.add(size);
      if (side === 'BUY') current.bought.add(size);
      else if (side === 'SELL') current.sold.add(size);
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
    const begun = barAt(index, offset, price);
    begun.volume.add(size);
    if (side === 'BUY') begun.bought.add(size);
    else if (side === 'SELL') begun.sold.add(size);
    this.current = begun;
  }

  /**
   * Takes a trade out of its bar, if that is still held. A bar whose highest or lowest price was the trade's is no
   * longer known, nor is a bar that may have left it out as late. Such a bar is dropped, the current one at its end,
   * and there is no range until another bar is completed.
   */
  remove(eventTimeUs: number, price: Decimal, size: Decimal): void {
    const index = this.indexOf(eventTimeUs);
    const { current } = this;
    const bar = current?.index === index ? current : this.completed.find((each) => each.index === index);
    if (bar === undefined) return;
    bar.volume.subtract(size);
    bar.bought = new ExactVolume();
    bar.sold = new ExactVolume();
    if (bar.first?.compare(price) === 0) bar.first = undefined;
    const isAtEdge = price.compare(bar.high) >= 0 || price.compare(bar.low) <= 0;
    if (isAtEdge || bar.hasLateTrades || bar.volume.isNegative()) bar.hasExtremes = false;
    if (bar === current) return;
    if (!bar.hasExtremes) this.completed = this.completed.filter((each) => each !== bar);
    this.currentBounds = this.computeBounds();
  }

  /**
   * A trade of this time was taken back, and whether its bar had it is no longer known: the bar is dropped like one that
   * lost its highest price.
   */
  drop(eventTimeUs: number): void {
    const index = this.indexOf(eventTimeUs);
    if (this.current?.index === index) this.current.hasExtremes = false;
    if (!this.completed.some((bar) => bar.index === index)) return;
    this.completed = this.completed.filter((bar) => bar.index !== index);
    this.currentBounds = this.computeBounds();
  }

  /** Counts a trade with its present figures; after {@link remove}, to correct it. */
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

  /** Price of the first trade of the bars behind {@link bounds}; undefined when it is not known. */
  get firstPrice(): Decimal | undefined {
    return this.currentBounds === undefined ? undefined : this.completed[0]?.first;
  }

  /** Undefined until N bars are completed. */
  get takerVolumes(): TakerVolumes | undefined {
    if (this.currentBounds === undefined) return undefined;
    const { volume, bought, sold } = volumesOf(
      this.current === undefined ? [this.completedVolumes] : [this.completedVolumes, this.current],
    );
    const unknown = volume.minus(bought).minus(sold);
    return { buy: bought.dividedBy(1), sell: sold.dividedBy(1), unknown: unknown.dividedBy(1) };
  }

  /** First tape offset that the bars in memory cover; undefined while there is none. */
  get firstOffset(): number | undefined {
    return this.completed[0]?.firstOffset ?? this.current?.firstOffset;
  }

  private indexOf(eventTimeUs: number): number {
    return Math.floor(eventTimeUs / this.parameters.barUs);
  }

  /** Notes that a late trade was left out, so that taking it out does not subtract a trade that was never counted. */
  private leaveOut(index: number): void {
    const bar = this.completed.findLast((each) => each.index === index);
    if (bar !== undefined) bar.hasLateTrades = true;
  }

  private complete(bar: Bar): void {
    // A bar that was emptied also lost a trade at its edge.
    if (!bar.hasExtremes) return;
    this.completed.push(bar);
    if (this.completed.length > this.parameters.bars) this.completed.shift();
    this.currentBounds = this.computeBounds();
  }

  private computeBounds(): RangeBounds | undefined {
    const [first] = this.completed;
    if (first === undefined || this.completed.length < this.parameters.bars) return undefined;
    let { high, low } = first;
    for (const bar of this.completed) {
      if (bar.high.compare(high) > 0) high = bar.high;
      if (bar.low.compare(low) < 0) low = bar.low;
    }
    this.completedVolumes = volumesOf(this.completed);
    return { high, low, meanVolume: this.completedVolumes.volume.dividedBy(this.completed.length) };
  }
}

function barAt(index: number, firstOffset: number, price: Decimal): Bar {
  return {
    index,
    firstOffset,
    first: price,
    high: price,
    low: price,
    ...volumesOf([]),
    hasExtremes: true,
    hasLateTrades: false,
  };
}

/** A bar from which every trade was taken out begins again. */
function begin(bar: Bar, price: Decimal): void {
  bar.first = price;
  bar.high = price;
  bar.low = price;
  bar.hasExtremes = true;
}

type BarVolumes = Pick<Bar, 'volume' | 'bought' | 'sold'>;

function volumesOf(bars: readonly BarVolumes[]): BarVolumes {
  const sum = { volume: new ExactVolume(), bought: new ExactVolume(), sold: new ExactVolume() };
  for (const { volume, bought, sold } of bars) {
    sum.volume.addAll(volume);
    sum.bought.addAll(bought);
    sum.sold.addAll(sold);
  }
  return sum;
}

function barToState(bar: Bar): BarState {
  const { index, firstOffset, first, high, low, volume, bought, sold, hasExtremes, hasLateTrades } = bar;
  return [
    ...([index, firstOffset, high.toString(), low.toString(), volume.toString(), hasExtremes, hasLateTrades] as const),
    ...([first?.toString() ?? null, bought.toString(), sold.toString()] as const),
  ];
}

function barFromState(state: BarState): Bar {
  const [index, firstOffset, high, low, volume, hasExtremes, hasLateTrades, first, bought, sold] = state;
  return {
    index,
    firstOffset,
    first: first === null ? undefined : Decimal.of(first),
    high: Decimal.of(high),
    low: Decimal.of(low),
    volume: ExactVolume.of(volume),
    bought: ExactVolume.of(bought),
    sold: ExactVolume.of(sold),
    hasExtremes,
    hasLateTrades,
  };
}

/** The state of engine version 4, converted to this version's. */
export function rangeFromForm4({ completed, current }: RangeStateOfForm4): RangeState {
  return { completed: [completed], current };
}

/** The state of engine version 3, converted to version 4's. */
export function rangeFromForm3({ completed, current }: RangeStateOfForm3): RangeStateOfForm4 {
  return { completed: completed.map(barFromForm3), current: current === null ? null : barFromForm3(current) };
}

function barFromForm3(bar: BarStateOfForm3): BarState {
  return [...bar, null, '0', '0'];
}

function barFromRounded(bar: RoundedBarState, hasLateTrades: boolean): BarState {
  const [index, firstOffset, high, low, volume] = bar;
  const exact = exactText(exactOfDouble(volume, DECIMAL_SCALE));
  return barFromForm3([index, firstOffset, high, low, exact, true, hasLateTrades]);
}
