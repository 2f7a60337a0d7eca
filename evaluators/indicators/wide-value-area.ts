import type { ValueArea, ValueAreaRule } from './value-area.ts';

function peakOf(bins: Float64Array, volumes: readonly bigint[]): number {
  const centre = ((bins[0] ?? 0) + (bins[bins.length - 1] ?? 0)) / 2;
  let peak = 0;
  let peakVolume = -1n;
  for (let position = 0; position < bins.length; position += 1) {
    const volume = volumes[position] ?? 0n;
    if (volume < peakVolume) continue;
    if (volume > peakVolume || Math.abs((bins[position] ?? 0) - centre) <= Math.abs((bins[peak] ?? 0) - centre)) {
      peak = position;
      peakVolume = volume;
    }
  }
  return peak;
}

/**
 * Like `valueAreaOf`, line by line, for volumes whose sum is 2^53 or more. Separate, because code that handles both
 * kinds of numbers would be slow for each.
 */
export function wideValueAreaOf(
  bins: Float64Array,
  volumes: readonly bigint[],
  target: bigint,
  rule: ValueAreaRule,
): ValueArea<bigint> | undefined {
  const count = bins.length;
  if (count === 0) return undefined;
  const rows = rule === 'ONE_ROW' ? 1 : 2;
  const first = bins[0] ?? 0;
  const last = bins[count - 1] ?? 0;
  const peak = peakOf(bins, volumes);
  const pointOfControl = bins[peak] ?? 0;
  let low = pointOfControl;
  let high = pointOfControl;
  let volume = volumes[peak] ?? 0n;
  let below = peak - 1;
  let above = peak + 1;
  while (volume < target && (low > first || high < last)) {
    let rising = -1n;
    if (above < count) {
      rising = (bins[above] ?? 0) <= high + rows ? (volumes[above] ?? 0n) : 0n;
      if (rows === 2 && above + 1 < count && (bins[above + 1] ?? 0) <= high + 2) rising += volumes[above + 1] ?? 0n;
    }
    let falling = -1n;
    if (below >= 0) {
      falling = (bins[below] ?? 0) >= low - rows ? (volumes[below] ?? 0n) : 0n;
      if (rows === 2 && below >= 1 && (bins[below - 1] ?? 0) >= low - 2) falling += volumes[below - 1] ?? 0n;
    }
    if (falling > rising) {
      const untraded = low - 1 - (bins[below] ?? 0);
      low = Math.max(low - (falling > 0n ? rows : Math.max(rows, untraded - (untraded % rows))), first);
      while (below >= 0 && (bins[below] ?? 0) >= low) below -= 1;
      volume += falling;
    } else {
      const untraded = (bins[above] ?? 0) - high - 1;
      const isTie = rising === 0n && falling <= 0n;
      high = Math.min(high + (isTie ? Math.max(rows, untraded - (untraded % rows)) : rows), last);
      while (above < count && (bins[above] ?? 0) <= high) above += 1;
      volume += rising;
    }
  }
  return { pointOfControl, low, high, volume };
}
