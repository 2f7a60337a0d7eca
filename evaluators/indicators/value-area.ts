import { bigPowerOfTen, exactOfWritten, floorOf } from '../exact-decimals.ts';

/**
 * How the value area grows from the point of control until it holds its share.
 *
 * - `ONE_ROW`: by the neighbouring row of greater volume; a tie goes upward.
 * - `TWO_ROW`: by two rows at once; downward only if the two below hold strictly more than the two above.
 *
 * Rows are all bins from the lowest to the highest traded; an untraded one between them holds 0.
 */
export type ValueAreaRule = 'ONE_ROW' | 'TWO_ROW';

/** Bin numbers of the point of control and of the value area's lowest and highest row, with the volume held. */
export interface ValueArea<Volume = number> {
  readonly pointOfControl: number;
  readonly low: number;
  readonly high: number;
  readonly volume: Volume;
}

/** A part of the whole as a quotient of integers. */
export interface Share {
  readonly written: number;
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** @param written - taken as the decimal number as which it is written: 0.7 is 7/10, not the nearest double. */
export function shareOf(written: number): Share {
  const { units, decimals } = exactOfWritten(written);
  return { written, numerator: units, denominator: bigPowerOfTen(decimals) };
}

/** The least whole number of units that is the share of a total: the volume that a value area must hold. */
export function targetOf(total: bigint, { numerator, denominator }: Share): bigint {
  return -floorOf(-total * numerator, denominator);
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
 * The value area of a sparse profile. A run of untraded rows is crossed in one step, so the time is linear in the
 * number of traded bins, however far apart they are.
 *
 * @param bins - traded bins, ascending.
 * @param volumes - their volumes, in the same order: integers whose sum is below 2^53, so that every sum is exact.
 * @param target - volume that the area must hold, see {@link targetOf}.
 * @returns undefined for an empty profile.
 */
export function valueAreaOf(
  bins: Float64Array,
  volumes: Float64Array,
  target: number,
  rule: ValueAreaRule,
): ValueArea | undefined {
  const count = bins.length;
  if (count === 0) return undefined;
  const rows = rule === 'ONE_ROW' ? 1 : 2;
  const first = bins[0] ?? 0;
  const last = bins[count - 1] ?? 0;
  const peak = peakOf(bins, volumes);
  const pointOfControl = bins[peak] ?? 0;
  let low = pointOfControl;
  let high = pointOfControl;
  let volume = volumes[peak] ?? 0;
  // Positions of the next traded bins outside. Hot: thousands of rows at each snapshot, so no calls in this loop.
  let below = peak - 1;
  let above = peak + 1;
  while (volume < target && (low > first || high < last)) {
    let rising = -1;
    if (above < count) {
      rising = (bins[above] ?? 0) <= high + rows ? (volumes[above] ?? 0) : 0;
      if (rows === 2 && above + 1 < count && (bins[above + 1] ?? 0) <= high + 2) rising += volumes[above + 1] ?? 0;
    }
    let falling = -1;
    if (below >= 0) {
      falling = (bins[below] ?? 0) >= low - rows ? (volumes[below] ?? 0) : 0;
      if (rows === 2 && below >= 1 && (bins[below - 1] ?? 0) >= low - 2) falling += volumes[below - 1] ?? 0;
    }
    if (falling > rising) {
      // Over untraded rows it goes down only at the profile's upper edge, and then up to the next traded one.
      const untraded = low - 1 - (bins[below] ?? 0);
      low = Math.max(low - (falling > 0 ? rows : Math.max(rows, untraded - (untraded % rows))), first);
      while (below >= 0 && (bins[below] ?? 0) >= low) below -= 1;
      volume += falling;
    } else {
      // Untraded on both sides, each step would be a tie, upward, until a traded row is reached.
      const untraded = (bins[above] ?? 0) - high - 1;
      const isTie = rising === 0 && falling <= 0;
      high = Math.min(high + (isTie ? Math.max(rows, untraded - (untraded % rows)) : rows), last);
      while (above < count && (bins[above] ?? 0) <= high) above += 1;
      volume += rising;
    }
  }
  return { pointOfControl, low, high, volume };
}
