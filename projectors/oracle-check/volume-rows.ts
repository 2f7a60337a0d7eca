import { floorOf, powerOfTen, type Rational } from './rational.ts';
import type { CountedTrade } from './counted-trades.ts';
import type { IndicatorRules } from './rules.ts';

/** Units of 10^-12 in 1. */
const ONE = 1_000_000_000_000n;
/** Below this many rows of a derived height, rows become finer: each decade of prices has 9,000. */
const COARSE_ROWS = 1_000n;
const DECADE_ROWS = 9_000n;
const DERIVED_ROWS_PER_DECADE = 10_000n;
/** A profile of more distinct rows has rows of twice the height. */
const DISTINCT_ROWS_MAX = 16_384;
/** Steps of one row after which a value area is given up: prices so far apart are not worth the time. */
const STEPS_MAX = 2_000_000;

/** Prices in units of 10^-12. */
export interface ValueArea {
  readonly pointOfControl: bigint;
  readonly valueAreaLow: bigint;
  readonly valueAreaHigh: bigint;
  readonly profileBinSize: bigint;
}

/** Rows of a profile: a price's row by number, and the lower edge of each. */
class Rows {
  private readonly height: bigint;
  /** Heights below it; empty where rows are uniform. */
  private readonly decades: readonly bigint[];

  constructor(rules: IndicatorRules, firstPrice: bigint) {
    this.height = rules.binUnits ?? derivedHeight(firstPrice);
    const decades: bigint[] = [];
    if (rules.binUnits === undefined)
      for (let height = this.height / 10n; height > 0n; height /= 10n) decades.push(height);
    this.decades = decades;
  }

  rowOf(price: bigint): bigint {
    const row = floorOf({ numerator: price, denominator: this.height });
    const shift = DECADE_ROWS * BigInt(this.decades.length);
    if (row >= COARSE_ROWS || this.decades.length === 0) return row;
    if (row < 0n) return row - shift;
    const found = this.decades.findIndex((height) => price / height >= COARSE_ROWS);
    const decade = found < 0 ? this.decades.length - 1 : found;
    return price / (this.decades[decade] ?? 1n) - DECADE_ROWS * BigInt(decade + 1);
  }

  lowerEdgeOf(row: bigint): bigint {
    if (row >= COARSE_ROWS || this.decades.length === 0) return row * this.height;
    const shift = DECADE_ROWS * BigInt(this.decades.length);
    if (row < -shift) return (row + shift) * this.height;
    for (const [index, height] of this.decades.entries()) {
      const multiple = row + DECADE_ROWS * BigInt(index + 1);
      if (multiple >= COARSE_ROWS || index === this.decades.length - 1) return multiple * height;
    }
    return row * this.height;
  }
}

/** The power of ten of a first price, divided by 10,000; at least the last digit. 0 counts as 1. */
function derivedHeight(firstPrice: bigint): bigint {
  const magnitude = firstPrice === 0n ? ONE : firstPrice < 0n ? -firstPrice : firstPrice;
  const height = powerOfTen(magnitude.toString().length - 1) / DERIVED_ROWS_PER_DECADE;
  return height === 0n ? 1n : height;
}

/**
 * The value area of one session, by the definition: rows are joined to the point of control one step at a time until they
 * hold the share. Undefined when the rows are too far apart for that.
 *
 * @param firstPrice - of the first trade that was counted, before any correction; it decides the height of rows.
 */
export function valueAreaOf(
  trades: readonly CountedTrade[],
  firstPrice: bigint,
  rules: IndicatorRules,
): { readonly area: ValueArea | undefined; readonly isMerged: boolean } {
  const rows = new Rows(rules, firstPrice);
  let volumes = new Map<bigint, bigint>();
  for (const { price, size } of trades) addTo(volumes, rows.rowOf(price), size);
  let merged = 1n;
  while (volumes.size > DISTINCT_ROWS_MAX) {
    const halved = new Map<bigint, bigint>();
    for (const [row, volume] of volumes) addTo(halved, floorOf({ numerator: row, denominator: 2n }), volume);
    volumes = halved;
    merged *= 2n;
  }
  const isMerged = merged > 1n;
  const place = grown(volumes, rules.valueAreaShare, rules.valueAreaRows);
  if (place === undefined) return { area: undefined, isMerged };
  const edgeOf = (row: bigint): bigint => rows.lowerEdgeOf(row * merged);
  const valueAreaHigh = edgeOf(place.high);
  return {
    isMerged,
    area: {
      pointOfControl: edgeOf(place.peak),
      valueAreaLow: edgeOf(place.low),
      valueAreaHigh,
      profileBinSize: edgeOf(place.high + 1n) - valueAreaHigh,
    },
  };
}

function grown(volumes: ReadonlyMap<bigint, bigint>, share: Rational, step: 1 | 2) {
  const sorted = [...volumes.keys()].sort((left, right) => (left < right ? -1 : 1));
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined || last - first > STEPS_MAX) return undefined;
  let total = 0n;
  for (const volume of volumes.values()) total += volume;
  const volumeAt = (row: bigint): bigint => volumes.get(row) ?? 0n;
  const peak = peakOf(sorted, volumeAt);
  let [low, high, held] = [peak, peak, volumeAt(peak)];
  while (held * share.denominator < total * share.numerator && (low > first || high < last)) {
    let [above, below] = [high < last ? 0n : -1n, low > first ? 0n : -1n];
    for (let row = 1n; row <= step; row += 1n) {
      if (high + row <= last) above += volumeAt(high + row);
      if (low - row >= first) below += volumeAt(low - row);
    }
    if (below > above) {
      held += below;
      low = low - BigInt(step) < first ? first : low - BigInt(step);
    } else {
      held += above;
      high = high + BigInt(step) > last ? last : high + BigInt(step);
    }
  }
  return { peak, low, high };
}

/** The row of most volume; a tie goes to the one nearest the centre, and of two equally near to the upper. */
function peakOf(rows: readonly bigint[], volumeAt: (row: bigint) => bigint): bigint {
  const twiceCentre = (rows[0] ?? 0n) + (rows.at(-1) ?? 0n);
  const distanceOf = (row: bigint): bigint =>
    2n * row > twiceCentre ? 2n * row - twiceCentre : twiceCentre - 2n * row;
  return rows.reduce((peak, row) => {
    const [volume, greatest] = [volumeAt(row), volumeAt(peak)];
    if (volume !== greatest) return volume > greatest ? row : peak;
    return distanceOf(row) <= distanceOf(peak) ? row : peak;
  });
}

function addTo(volumes: Map<bigint, bigint>, row: bigint, volume: bigint): void {
  volumes.set(row, (volumes.get(row) ?? 0n) + volume);
}
