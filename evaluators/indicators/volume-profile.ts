import { Decimal, DECIMAL_SCALE } from '../../contracts/decimal.ts';
import { bigPowerOfTen, exactOf, exactOfDouble, exactText, unitsAt } from '../exact-decimals.ts';
import { contentOf } from '../state-pages.ts';
import { partsOf, runsOf, type Runs } from '../state-runs.ts';
import { PriceRows } from './price-rows.ts';
import { shareOf, targetOf, valueAreaOf, type Share, type ValueArea, type ValueAreaRule } from './value-area.ts';
import { wideValueAreaOf } from './wide-value-area.ts';

/** Distinct price bins a profile holds; beyond, neighbouring bins are merged two by two. */
export const PROFILE_BINS_MAX = 16_384;
const INITIAL_CAPACITY = 64;

/** State of a {@link VolumeProfile}: the same for the same trades in any order, as long as no bins were merged. */
export interface VolumeProfileState {
  readonly binSize: string;
  /** Decades of finer rows, see {@link PriceRows}. */
  readonly depth: number;
  /** Rows in one bin held: 1, 2, 4, … */
  readonly merged: number;
  /** Ascending. */
  readonly bins: Runs<BinState>;
}

/** The volume is an exact decimal. */
type BinState = readonly [bin: number, volume: string];

/** State of engine version 4: bin numbers, ascending, and their volumes. */
export type ProfileStateOfForm4 = Omit<VolumeProfileState, 'bins'> & {
  readonly bins: readonly number[];
  readonly volumes: readonly string[];
};

/** State of engine version 2: bin number and volume, a double, alternating. */
export interface RoundedProfileState {
  readonly binSize: string;
  readonly merged: number;
  readonly bins: readonly number[];
}

/** Lower edges of bins, and the height of the value area's top bin, which ends that much above `valueAreaHigh`. */
export interface ValueAreaPrices {
  readonly pointOfControl: Decimal;
  readonly valueAreaLow: Decimal;
  readonly valueAreaHigh: Decimal;
  readonly profileBinSize: Decimal;
}

/**
 * Volume by price of one session, in bins of {@link PriceRows}, by integers, because the division of doubles puts one
 * price in nine into the bin below.
 *
 * Only bins that were traded are held, sorted; memory is bounded by {@link PROFILE_BINS_MAX}: a session with more
 * distinct bins continues with bins of twice the height. Volumes are exact integers of 10^-k, k the most decimals seen
 * so far: in doubles while their sum is below 2^53, and as BigInt from then on.
 */
export class VolumeProfile {
  readonly rows: PriceRows;
  private merged = 1;
  private sizeDecimals = 0;
  private sizeScale = 1;
  private sizeUnit = 1e12;
  private count = 0;
  private bins = new Float64Array(INITIAL_CAPACITY);
  private total = 0;
  private volumes = new Float64Array(INITIAL_CAPACITY);
  /** In place of `volumes` and `total` once these would round. */
  private wide: { total: bigint; readonly volumes: bigint[] } | undefined;
  private lastPrice: Decimal = Decimal.ZERO;
  private lastPosition = -1;
  /** The share last asked for. */
  private share: Share | undefined;

  constructor(rows: PriceRows) {
    this.rows = rows;
  }

  static fromState(state: VolumeProfileState): VolumeProfile {
    const profile = new VolumeProfile(PriceRows.of(Decimal.of(state.binSize), state.depth));
    profile.merged = state.merged;
    const bins = state.bins.flatMap(contentOf);
    const volumes = bins.map(([, volume]) => exactOf(volume));
    profile.refine(volumes.reduce((decimals, volume) => Math.max(decimals, volume.decimals), 0));
    const units = volumes.map((volume) => unitsAt(volume, profile.sizeDecimals));
    const total = units.reduce((sum, volume) => sum + volume, 0n);
    bins.forEach(([bin], position) => {
      profile.insert(position, bin);
    });
    if (total <= BigInt(Number.MAX_SAFE_INTEGER)) {
      profile.total = Number(total);
      profile.volumes.set(units.map(Number));
    } else {
      profile.wide = { total, volumes: units };
    }
    return profile;
  }

  /** From a state of engine version 2, which had uniform rows: volumes to 15 significant digits and 12 decimals. */
  static fromRounded({ binSize, merged, bins }: RoundedProfileState): VolumeProfile {
    const held: BinState[] = [];
    for (let index = 0; index + 1 < bins.length; index += 2) {
      const volume = exactText(exactOfDouble(bins[index + 1] ?? 0, DECIMAL_SCALE));
      if (volume !== '0') held.push([bins[index] ?? 0, volume]);
    }
    return VolumeProfile.fromState({
      binSize,
      depth: 0,
      merged,
      bins: [held],
    });
  }

  toState(): VolumeProfileState {
    const { rows, merged, count, sizeDecimals } = this;
    const bins = Array.from({ length: count }, (_, position): BinState => [
      this.bins[position] ?? 0,
      exactText({ units: this.volumeAt(position), decimals: sizeDecimals }),
    ]);
    const runs = runsOf(bins, ([bin]) => bin);
    return { binSize: rows.binSize.toString(), depth: rows.depth, merged, bins: partsOf(runs, (bin) => bin) };
  }

  /** Number of bins held. */
  get size(): number {
    return this.count;
  }

  add(price: Decimal, size: Decimal): void {
    const fraction = size.fraction / this.sizeUnit;
    const units = size.whole * this.sizeScale + fraction;
    const total = this.total + units;
    // A quotient is an integer if and only if the division leaves no remainder: see WeightedSums.
    const isQuick = units > 0 && total <= Number.MAX_SAFE_INTEGER && Math.floor(fraction) === fraction;
    if (!isQuick || this.wide !== undefined) {
      this.addSlowly(price, size);
      return;
    }
    const position = this.positionAt(price);
    this.total = total;
    this.volumes[position] = (this.volumes[position] ?? 0) + units;
  }

  /** Removes a trade that was counted, and its bin if that has no volume left. */
  remove(price: Decimal, size: Decimal): void {
    if (size.isZero()) return;
    const bin = this.binOf(price);
    const position = this.searched(bin);
    const isHeld = position < this.count && this.bins[position] === bin && size.decimals <= this.sizeDecimals;
    const left = isHeld ? this.volumeAt(position) - size.unitsAt(this.sizeDecimals) : -1n;
    if (left < 0n) throw new RangeError(`there is no volume of ${size.toString()} at ${price.toString()} to take out`);
    if (this.wide === undefined) {
      this.total -= Number(size.unitsAt(this.sizeDecimals));
      this.volumes[position] = Number(left);
    } else {
      this.wide.total -= size.unitsAt(this.sizeDecimals);
      this.wide.volumes[position] = left;
    }
    if (left === 0n) this.takeOut(position);
  }

  /**
   * Point of control and value area, each as the lower edge of its bin, in the quote currency; undefined while empty.
   *
   * @param share - the part of the volume that the value area holds, for example 0.7.
   */
  valueArea(share: number, rule: ValueAreaRule): ValueAreaPrices | undefined {
    const area = this.areaOf(share, rule);
    if (area === undefined) return undefined;
    const { rows, merged } = this;
    const top = area.high * merged;
    return {
      pointOfControl: rows.lowerEdgeOf(area.pointOfControl * merged),
      valueAreaLow: rows.lowerEdgeOf(area.low * merged),
      valueAreaHigh: rows.lowerEdgeOf(top),
      profileBinSize: rows.distanceOf(top, top + merged),
    };
  }

  private areaOf(share: number, rule: ValueAreaRule): ValueArea<unknown> | undefined {
    const { wide } = this;
    const bins = this.bins.subarray(0, this.count);
    if (this.share?.written !== share) this.share = shareOf(share);
    if (wide !== undefined) return wideValueAreaOf(bins, wide.volumes, targetOf(wide.total, this.share), rule);
    const target = Number(targetOf(BigInt(this.total), this.share));
    return valueAreaOf(bins, this.volumes.subarray(0, this.count), target, rule);
  }

  private volumeAt(position: number): bigint {
    return this.wide === undefined ? BigInt(this.volumes[position] ?? 0) : (this.wide.volumes[position] ?? 0n);
  }

  private binOf(price: Decimal): number {
    const row = this.rows.rowOf(price);
    return this.merged === 1 ? row : Math.floor(row / this.merged);
  }

  /** A trade without size, with a finer size than those before, or one that makes the sum too great for doubles. */
  private addSlowly(price: Decimal, size: Decimal): void {
    if (size.isZero()) return;
    if (size.decimals > this.sizeDecimals) this.refine(size.decimals);
    const units = size.unitsAt(this.sizeDecimals);
    if (this.wide === undefined && BigInt(this.total) + units > BigInt(Number.MAX_SAFE_INTEGER)) this.widen(1n);
    const position = this.positionAt(price);
    const { wide } = this;
    if (wide === undefined) {
      this.total += Number(units);
      this.volumes[position] = (this.volumes[position] ?? 0) + Number(units);
    } else {
      wide.total += units;
      wide.volumes[position] = (wide.volumes[position] ?? 0n) + units;
    }
  }

  /** Takes more decimals: the same volumes in smaller units. */
  private refine(decimals: number): void {
    const factor = bigPowerOfTen(decimals - this.sizeDecimals);
    this.sizeDecimals = decimals;
    this.sizeScale = Number(bigPowerOfTen(decimals));
    this.sizeUnit = Number(bigPowerOfTen(DECIMAL_SCALE - decimals));
    if (this.wide !== undefined || BigInt(this.total) * factor > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.widen(factor);
      return;
    }
    this.total *= Number(factor);
    for (let position = 0; position < this.count; position += 1) {
      this.volumes[position] = (this.volumes[position] ?? 0) * Number(factor);
    }
  }

  /** Continues with BigInt, volumes times a factor. */
  private widen(factor: bigint): void {
    const volumes = Array.from({ length: this.count }, (_, position) => this.volumeAt(position) * factor);
    this.wide = { total: (this.wide?.total ?? BigInt(this.total)) * factor, volumes };
  }

  /** Position of a price's bin, which is created if missing. */
  private positionAt(price: Decimal): number {
    const { lastPrice } = this;
    if (this.lastPosition < 0 || price.whole !== lastPrice.whole || price.fraction !== lastPrice.fraction) {
      this.lastPosition = this.positionOf(this.binOf(price));
      this.lastPrice = price;
    }
    return this.lastPosition;
  }

  private positionOf(bin: number): number {
    const position = this.searched(bin);
    if (position < this.count && this.bins[position] === bin) return position;
    if (this.count === PROFILE_BINS_MAX) {
      this.mergeNeighbours();
      return this.positionOf(Math.floor(bin / 2));
    }
    this.insert(position, bin);
    return position;
  }

  /** Position of the first bin that is not below the one given. */
  private searched(bin: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bins[middle] ?? 0) < bin) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private insert(position: number, bin: number): void {
    if (this.count === this.bins.length) {
      this.bins = grown(this.bins);
      this.volumes = grown(this.volumes);
    }
    this.bins.copyWithin(position + 1, position, this.count);
    this.bins[position] = bin;
    this.volumes.copyWithin(position + 1, position, this.count);
    this.volumes[position] = 0;
    this.wide?.volumes.splice(position, 0, 0n);
    this.count += 1;
  }

  private takeOut(position: number): void {
    this.bins.copyWithin(position, position + 1, this.count);
    this.volumes.copyWithin(position, position + 1, this.count);
    this.wide?.volumes.splice(position, 1);
    this.count -= 1;
    this.lastPosition = -1;
  }

  private mergeNeighbours(): void {
    const { bins, volumes, wide, count } = this;
    this.merged *= 2;
    this.count = 0;
    for (let position = 0; position < count; position += 1) {
      const bin = Math.floor((bins[position] ?? 0) / 2);
      const [volume, wideVolume] = [volumes[position] ?? 0, wide?.volumes[position] ?? 0n];
      const last = this.count - 1;
      const isSame = last >= 0 && bins[last] === bin;
      const target = isSame ? last : this.count;
      bins[target] = bin;
      volumes[target] = (isSame ? (volumes[target] ?? 0) : 0) + volume;
      if (wide !== undefined) wide.volumes[target] = (isSame ? (wide.volumes[target] ?? 0n) : 0n) + wideVolume;
      if (!isSame) this.count += 1;
    }
    wide?.volumes.splice(this.count);
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** The state of engine version 4, converted to this version's. */
export function profileFromForm4({ bins, volumes, ...rest }: ProfileStateOfForm4): VolumeProfileState {
  return { ...rest, bins: [bins.map((bin, position) => [bin, volumes[position] ?? '0'] as const)] };
}
