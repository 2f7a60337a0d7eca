import { Decimal } from '../../contracts/decimal.ts';
import { valueAreaOf, type ValueAreaRule } from './value-area.ts';

/** Distinct price bins a profile holds; beyond, neighbouring bins are merged two by two. */
export const PROFILE_BINS_MAX = 16_384;
const INITIAL_CAPACITY = 64;

/** State of a {@link VolumeProfile}. */
export interface VolumeProfileState {
  readonly binSize: string;
  /** Configured bins in one bin held: 1, 2, 4, … */
  readonly merged: number;
  readonly total: number;
  /** Bin number and volume, alternating, ascending. */
  readonly bins: readonly number[];
}

export interface ValueAreaPrices {
  readonly pointOfControl: Decimal;
  readonly valueAreaLow: Decimal;
  readonly valueAreaHigh: Decimal;
}

/**
 * Volume by price of one session: bin `floor(price / binSize)`, by integers, because the division of doubles puts one
 * price in nine into the bin below.
 *
 * Only bins that were traded are held, sorted; memory is bounded by {@link PROFILE_BINS_MAX}: a session of more distinct
 * bins continues at twice the bin size.
 */
export class VolumeProfile {
  readonly binSize: Decimal;
  private merged = 1;
  private total = 0;
  private count = 0;
  private bins = new Float64Array(INITIAL_CAPACITY);
  private volumes = new Float64Array(INITIAL_CAPACITY);
  private lastPrice: Decimal = Decimal.ZERO;
  private lastPosition = -1;

  constructor(binSize: Decimal) {
    this.binSize = binSize;
  }

  static fromState(state: VolumeProfileState): VolumeProfile {
    const profile = new VolumeProfile(Decimal.of(state.binSize));
    profile.merged = state.merged;
    profile.total = state.total;
    for (let index = 0; index + 1 < state.bins.length; index += 2) {
      profile.insert(profile.count, state.bins[index] ?? 0, state.bins[index + 1] ?? 0);
    }
    return profile;
  }

  toState(): VolumeProfileState {
    const bins: number[] = [];
    for (let position = 0; position < this.count; position += 1) {
      bins.push(this.bins[position] ?? 0, this.volumes[position] ?? 0);
    }
    return { binSize: this.binSize.toString(), merged: this.merged, total: this.total, bins };
  }

  /** Number of bins held. */
  get size(): number {
    return this.count;
  }

  add(price: Decimal, size: number): void {
    this.total += size;
    const { lastPrice } = this;
    if (this.lastPosition < 0 || price.whole !== lastPrice.whole || price.fraction !== lastPrice.fraction) {
      this.lastPosition = this.positionOf(this.binOf(price));
      this.lastPrice = price;
    }
    const position = this.lastPosition;
    this.volumes[position] = (this.volumes[position] ?? 0) + size;
  }

  /**
   * Point of control and value area, each as the lower edge of its bin, in the quote currency; undefined while empty.
   *
   * @param share - the part of the volume that the value area holds, for example 0.7.
   */
  valueArea(share: number, rule: ValueAreaRule): ValueAreaPrices | undefined {
    const area = valueAreaOf(
      this.bins.subarray(0, this.count),
      this.volumes.subarray(0, this.count),
      this.total,
      share,
      rule,
    );
    if (area === undefined) return undefined;
    return {
      pointOfControl: this.lowerEdgeOf(area.pointOfControl),
      valueAreaLow: this.lowerEdgeOf(area.low),
      valueAreaHigh: this.lowerEdgeOf(area.high),
    };
  }

  private lowerEdgeOf(bin: number): Decimal {
    return this.binSize.times(bin * this.merged);
  }

  /** Prices beyond 2^53 bins share the last one: a configured bin that small is no bin. */
  private binOf(price: Decimal): number {
    const bin = Math.min(price.floorDivide(this.binSize), Number.MAX_SAFE_INTEGER);
    return this.merged === 1 ? bin : Math.floor(bin / this.merged);
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
    this.insert(low, bin, 0);
    return low;
  }

  private insert(position: number, bin: number, volume: number): void {
    if (this.count === this.bins.length) {
      this.bins = grown(this.bins);
      this.volumes = grown(this.volumes);
    }
    this.bins.copyWithin(position + 1, position, this.count);
    this.volumes.copyWithin(position + 1, position, this.count);
    this.bins[position] = bin;
    this.volumes[position] = volume;
    this.count += 1;
  }

  private mergeNeighbours(): void {
    const { bins, volumes, count } = this;
    this.merged *= 2;
    this.count = 0;
    for (let position = 0; position < count; position += 1) {
      const bin = Math.floor((bins[position] ?? 0) / 2);
      const volume = volumes[position] ?? 0;
      const last = this.count - 1;
      if (last >= 0 && bins[last] === bin) {
        volumes[last] = (volumes[last] ?? 0) + volume;
      } else {
        bins[this.count] = bin;
        volumes[this.count] = volume;
        this.count += 1;
      }
    }
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
