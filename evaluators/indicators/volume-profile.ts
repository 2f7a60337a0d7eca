import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';
import { bigPowerOfTen } from '../exact-decimals.ts';
import { shareOf } from './share.ts';
import { valueAreaOf, type ValueAreaRule } from './value-area.ts';

/** Distinct price bins a profile holds; beyond, neighbouring bins are merged two by two. */
export const PROFILE_BINS_MAX = 16_384;
const INITIAL_CAPACITY = 64;
const SAFE = Number.MAX_SAFE_INTEGER;

/** State of a {@link VolumeProfile}. */
export interface VolumeProfileState {
  readonly binSize: string;
  /** Configured bins in one bin held: 1, 2, 4, … */
  readonly merged: number;
  /** Volumes are whole units of 10^-sizeDecimals. */
  readonly sizeDecimals: number;
  /** Bin numbers, ascending. */
  readonly bins: readonly number[];
  /** Their volumes: texts where they are beyond what a double holds. */
  readonly volumes: readonly number[] | readonly string[];
}

/** What engine versions 1 and 2 wrote: bin number and volume alternating, volumes as sums of doubles. */
export interface RoundedProfileState {
  readonly binSize: string;
  readonly merged: number;
  readonly total: number;
  readonly bins: readonly number[];
}

export interface ValueAreaPrices {
  readonly pointOfControl: Decimal;
  readonly valueAreaLow: Decimal;
  readonly valueAreaHigh: Decimal;
  /** Height of the bins held: each holds prices from its lower edge up to, and without, the next one's. */
  readonly profileBinSize: Decimal;
}

/**
 * Volume by price of one session: bin `floor(price / binSize)`, by integers, because the division of doubles puts one
 * price in nine into the bin below.
 *
 * Volumes are whole units of the finest size so far, so that a tie is a tie, their order does not matter and a trade can be
 * taken out again. A double holds them up to 2^53 units in all; beyond that they are BigInts. Only bins that were traded are
 * held, sorted; memory is bounded by {@link PROFILE_BINS_MAX}: a session of more distinct bins continues at twice the bin
 * size.
 */
export class VolumeProfile {
  readonly binSize: Decimal;
  private merged = 1;
  private sizeDecimals = 0;
  /** 10^sizeDecimals, and 10^(12 − sizeDecimals). */
  private scale = 1;
  private unit = 1e12;
  private total = 0;
  private count = 0;
  private bins = new Float64Array(INITIAL_CAPACITY);
  private volumes = new Float64Array(INITIAL_CAPACITY);
  /** In the place of `volumes` and `total` once the total is beyond what a double holds. */
  private wide: { readonly volumes: bigint[]; total: bigint } | undefined;
  private lastPrice: Decimal = Decimal.ZERO;
  private lastPosition = -1;

  constructor(binSize: Decimal) {
    this.binSize = binSize;
  }

  static fromState({ binSize, merged, sizeDecimals, bins, volumes }: VolumeProfileState): VolumeProfile {
    const profile = new VolumeProfile(Decimal.of(binSize));
    profile.merged = merged;
    profile.refine(sizeDecimals);
    if (volumes.some((volume) => typeof volume === 'string')) profile.widen();
    for (const [position, bin] of bins.entries()) {
      profile.insert(position, bin);
      profile.put(position, BigInt(volumes[position] ?? 0));
    }
    return profile;
  }

  /**
   * As good as sums of doubles tell: each volume to the most decimals, 12 at most, with which their total stays below 2^52
   * units.
   */
  static fromRounded({ binSize, merged, total, bins }: RoundedProfileState): VolumeProfile {
    const profile = new VolumeProfile(Decimal.of(binSize));
    profile.merged = merged;
    let decimals = DECIMAL_SCALE;
    while (decimals > 0 && total * Number(bigPowerOfTen(decimals)) >= SAFE / 2) decimals -= 1;
    profile.refine(decimals);
    for (let index = 0; index + 1 < bins.length; index += 2) {
      const units = Math.round((bins[index + 1] ?? 0) * profile.scale);
      if (units <= 0) continue;
      profile.insert(profile.count, bins[index] ?? 0);
      profile.put(profile.count - 1, BigInt(units));
    }
    return profile;
  }

  toState(): VolumeProfileState {
    const { binSize, merged, sizeDecimals, count, wide } = this;
    return {
      ...{ binSize: binSize.toString(), merged, sizeDecimals },
      bins: Array.from(this.bins.subarray(0, count)),
      volumes: wide === undefined ? Array.from(this.volumes.subarray(0, count)) : wide.volumes.map(String),
    };
  }

  /** Number of bins held. */
  get size(): number {
    return this.count;
  }

  add(price: Decimal, size: Decimal): void {
    const { lastPrice } = this;
    if (this.lastPosition < 0 || price.whole !== lastPrice.whole || price.fraction !== lastPrice.fraction) {
      this.lastPosition = this.positionOf(this.binOf(price));
      this.lastPrice = price;
    }
    const position = this.lastPosition;
    const part = size.fraction / this.unit;
    const units = size.whole * this.scale + part;
    // A quotient of integers below 2^53 that is whole leaves no remainder, see `WeightedSums`.
    if (this.wide === undefined && Math.floor(part) === part && this.total + units <= SAFE) {
      this.total += units;
      this.volumes[position] = (this.volumes[position] ?? 0) + units;
      return;
    }
    this.put(position, this.exactUnitsOf(size));
  }

  /** Takes a trade out that was counted. A bin without volume is none, so all is as if it had never been. */
  remove(price: Decimal, size: Decimal): void {
    const position = this.positionOf(this.binOf(price));
    this.lastPosition = -1;
    this.put(position, -this.exactUnitsOf(size));
    const left = this.wide === undefined ? (this.volumes[position] ?? 0) : (this.wide.volumes[position] ?? 0n);
    if (left <= 0) this.takeOut(position);
  }

  /**
   * Point of control and value area, each as the lower edge of its bin, in the quote currency; undefined while empty.
   *
   * @param share - the part of the volume that the value area holds, for example 0.7: taken as the decimal that it is
   *   written as.
   */
  valueArea(share: number, rule: ValueAreaRule): ValueAreaPrices | undefined {
    const { wide, count } = this;
    const target = shareOf(share, wide?.total ?? BigInt(this.total));
    const bins = this.bins.subarray(0, count);
    // BigInts pass for numbers here: the area is found by +, > and < alone.
    const area =
      wide === undefined
        ? valueAreaOf(bins, this.volumes.subarray(0, count), Number(target), rule)
        : valueAreaOf(bins, wide.volumes as unknown as number[], target as unknown as number, rule, ZERO);
    if (area === undefined) return undefined;
    return {
      pointOfControl: this.lowerEdgeOf(area.pointOfControl),
      valueAreaLow: this.lowerEdgeOf(area.low),
      valueAreaHigh: this.lowerEdgeOf(area.high),
      profileBinSize: this.binSize.times(this.merged),
    };
  }

  private lowerEdgeOf(bin: number): Decimal {
    return this.binSize.times(bin * this.merged);
  }

  /** Prices beyond 2^53 bins share the last one: a configured bin that small is no bin. */
  private binOf(price: Decimal): number {
    const bin = Math.max(Math.min(price.floorDivide(this.binSize), SAFE), -SAFE);
    return this.merged === 1 ? bin : Math.floor(bin / this.merged);
  }

  /** Whole units of a size; takes smaller units first where they are needed. */
  private exactUnitsOf(size: Decimal): bigint {
    if (size.decimals > this.sizeDecimals) this.refine(size.decimals);
    return size.unitsAt(this.sizeDecimals);
  }

  private put(position: number, units: bigint): void {
    const total = (this.wide?.total ?? BigInt(this.total)) + units;
    if (this.wide === undefined && total > BigInt(SAFE)) this.widen();
    const { wide } = this;
    if (wide === undefined) {
      this.total = Number(total);
      this.volumes[position] = (this.volumes[position] ?? 0) + Number(units);
    } else {
      wide.total = total;
      wide.volumes[position] = (wide.volumes[position] ?? 0n) + units;
    }
  }

  private widen(): void {
    const volumes = Array.from(this.volumes.subarray(0, this.count), BigInt);
    this.wide = { volumes, total: BigInt(this.total) };
  }

  /** Takes more decimals: the same volumes in smaller units. */
  private refine(decimals: number): void {
    const factor = bigPowerOfTen(decimals - this.sizeDecimals);
    if (this.wide === undefined && BigInt(this.total) * factor > BigInt(SAFE)) this.widen();
    const { wide } = this;
    if (wide === undefined) {
      this.total *= Number(factor);
      for (let position = 0; position < this.count; position += 1) {
        this.volumes[position] = (this.volumes[position] ?? 0) * Number(factor);
      }
    } else {
      wide.total *= factor;
      for (const [position, volume] of wide.volumes.entries()) wide.volumes[position] = volume * factor;
    }
    this.sizeDecimals = decimals;
    this.scale = Number(bigPowerOfTen(decimals));
    this.unit = Number(bigPowerOfTen(DECIMAL_SCALE - decimals));
  }

  /** Position of a bin, which is made where it is missing. */
  private positionOf(bin: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bins[middle] ?? 0) < bin) low = middle + 1;
      else high = middle;
    }
    if (low < this.count && this.bins[low] === bin) return low;
    if (this.count === PROFILE_BINS_MAX) {
      this.mergeNeighbours();
      return this.positionOf(Math.floor(bin / 2));
    }
    this.insert(low, bin);
    return low;
  }

  private insert(position: number, bin: number): void {
    if (this.count === this.bins.length) {
      this.bins = grown(this.bins);
      this.volumes = grown(this.volumes);
    }
    this.bins.copyWithin(position + 1, position, this.count);
    this.volumes.copyWithin(position + 1, position, this.count);
    this.bins[position] = bin;
    this.volumes[position] = 0;
    this.wide?.volumes.splice(position, 0, 0n);
    this.count += 1;
  }

  private takeOut(position: number): void {
    this.bins.copyWithin(position, position + 1, this.count);
    this.volumes.copyWithin(position, position + 1, this.count);
    this.wide?.volumes.splice(position, 1);
    this.count -= 1;
  }

  private mergeNeighbours(): void {
    const { bins, volumes, count, wide } = this;
    this.merged *= 2;
    let last = -1;
    for (let position = 0; position < count; position += 1) {
      const bin = Math.floor((bins[position] ?? 0) / 2);
      if (last < 0 || bins[last] !== bin) {
        last += 1;
        bins[last] = bin;
        if (wide === undefined) volumes[last] = volumes[position] ?? 0;
        else wide.volumes[last] = wide.volumes[position] ?? 0n;
      } else if (wide === undefined) volumes[last] = (volumes[last] ?? 0) + (volumes[position] ?? 0);
      else wide.volumes[last] = (wide.volumes[last] ?? 0n) + (wide.volumes[position] ?? 0n);
    }
    this.count = last + 1;
    if (wide !== undefined) wide.volumes.length = this.count;
  }
}

const ZERO = 0n as unknown as number;

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
