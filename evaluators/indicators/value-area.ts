/**
 * How the value area grows from the point of control until it holds its share.
 *
 * - `ONE_ROW`: by the neighbouring row of greater volume; a tie goes upward.
 * - `TWO_ROW`: by two rows at once; downward only where the two below hold strictly more than the two above.
 *
 * Rows are all bins from the lowest to the highest traded; an untraded one between them holds 0.
 */
export type ValueAreaRule = 'ONE_ROW' | 'TWO_ROW';

/** Bin numbers of the point of control and of the value area's lowest and highest row, with the volume held. */
export interface ValueArea {
  readonly pointOfControl: number;
  readonly low: number;
  readonly high: number;
  readonly volume: number;
}

/**
 * Position of the bin with most volume; a tie goes to the one nearest the profile's centre, and of two equally near
 * to the upper.
 */
function peakOf(bins: Float64Array, volumes: Float64Array): number {
  const centre = ((bins[0] ?? 0) + (bins[bins.length - 1] ?? 0)) / 2;
  let peak = 0;
  let peakVolume = -1;
  for (let position = 0; position < bins.length; position += 1) {
    const volume = volumes[position] ?? 0;
    if (volume < peakVolume) continue;
    if (volume > peakVolume || Math.abs((bins[position] ?? 0) - centre) <= Math.abs((bins[peak] ?? 0) - centre)) {
      peak = position;
      peakVolume = volume;
    }
  }
  return peak;
}

/**
 * The value area of a sparse profile. Runs of untraded rows are crossed in one step, so the time is linear in the
 * traded bins however far apart they lie.
 *
 * @param bins - traded bins, ascending.
 * @param volumes - their volumes, in the same order.
 * @param total - the whole volume that `share` is a part of.
 * @returns undefined for an empty profile.
 */
export function valueAreaOf(
  bins: Float64Array,
  volumes: Float64Array,
  total: number,
  share: number,
  rule: ValueAreaRule,
): ValueArea | undefined {
  if (bins.length === 0) return undefined;
  const peak = peakOf(bins, volumes);
  const area = new GrowingArea(bins, volumes, peak, rule === 'ONE_ROW' ? 1 : 2);
  const target = share * total;
  while (area.volume < target && area.grow());
  return { pointOfControl: bins[peak] ?? 0, low: area.low, high: area.high, volume: area.volume };
}

/** A value area while it grows: rows [low, high], and the positions of the next traded bins outside. */
class GrowingArea {
  low: number;
  high: number;
  volume: number;
  private readonly bins: Float64Array;
  private readonly volumes: Float64Array;
  private readonly rows: number;
  private below: number;
  private above: number;

  constructor(bins: Float64Array, volumes: Float64Array, peak: number, rows: number) {
    this.bins = bins;
    this.volumes = volumes;
    this.rows = rows;
    this.low = this.high = bins[peak] ?? 0;
    this.volume = volumes[peak] ?? 0;
    this.below = peak - 1;
    this.above = peak + 1;
  }

  /** Takes in the next row or rows; false when the whole profile is inside. */
  grow(): boolean {
    const canRise = this.above < this.bins.length;
    const canFall = this.below >= 0;
    if (!canRise && !canFall) return false;
    const volumeAbove = canRise ? this.volumeWithin(this.above, 1, this.high + this.rows) : -1;
    const volumeBelow = canFall ? this.volumeWithin(this.below, -1, this.low - this.rows) : -1;
    if (volumeBelow > volumeAbove) this.fall(volumeBelow);
    else this.rise(volumeAbove, volumeBelow <= 0);
    return true;
  }

  /** Volume of the traded bins from a position outward, up to and including the row `limit`. */
  private volumeWithin(position: number, step: 1 | -1, limit: number): number {
    let volume = 0;
    for (let at = position; at >= 0 && at < this.bins.length; at += step) {
      if (((this.bins[at] ?? 0) - limit) * step > 0) break;
      volume += this.volumes[at] ?? 0;
    }
    return volume;
  }

  private rise(volume: number, nothingBelow: boolean): void {
    const last = this.bins[this.bins.length - 1] ?? 0;
    const empty = (this.bins[this.above] ?? 0) - this.high - 1;
    // Untraded rows on both sides: each step would be a tie, upward, until a traded row comes into reach.
    const steps = volume === 0 && nothingBelow ? Math.max(1, Math.floor(empty / this.rows)) : 1;
    this.high = Math.min(this.high + steps * this.rows, last);
    while (this.above < this.bins.length && (this.bins[this.above] ?? 0) <= this.high) this.above += 1;
    this.volume += volume;
  }

  private fall(volume: number): void {
    const first = this.bins[0] ?? 0;
    const empty = this.low - 1 - (this.bins[this.below] ?? 0);
    // Downward over untraded rows only happens at the profile's upper edge: nothing above can come in between.
    const steps = volume === 0 ? Math.max(1, Math.floor(empty / this.rows)) : 1;
    this.low = Math.max(this.low - steps * this.rows, first);
    while (this.below >= 0 && (this.bins[this.below] ?? 0) >= this.low) this.below -= 1;
    this.volume += volume;
  }
}
