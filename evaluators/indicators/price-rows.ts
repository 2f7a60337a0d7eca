import { Decimal, DECIMAL_WHOLE_BOUND } from '../../contracts/decimal.ts';

/** Below this many rows of the bin size, where rows become finer, each decade of prices has rows of its own. */
const COARSE_ROWS = 1_000;
/** Rows of such a decade: from 1,000 to 9,999 times their height. */
const DECADE_ROWS = 9_000;
/** Rows are counted from and up to here: what lies beyond shares the last one. A bin size that small is of no use. */
const ROW_MAX = Number.MAX_SAFE_INTEGER;
const ROW_MIN = -Number.MAX_SAFE_INTEGER + DECADE_ROWS * 64;
const UNITS_BOUND = BigInt(DECIMAL_WHOLE_BOUND) * 1_000_000_000_000n;

/**
 * How prices are divided into the rows of a volume profile: by price alone, without a gap or an overlap, upward.
 *
 * Uniform rows have the height of the bin size: row n holds `n · binSize ≤ price < (n + 1) · binSize`. That serves a
 * price as long as it stays near its beginning. Where the bin size is derived from a first price, rows go on finer below
 * 1,000 bins (a fall by nine tenths at least): each decade of prices there has 9,000 rows of a tenth of the height of the
 * decade above, down to 10^-12. A price that fell by 10^4 within its session still has rows of a thousandth of it or less.
 * Below 0 rows have the bin size again.
 */
export class PriceRows {
  readonly binSize: Decimal;
  /** Decades of finer rows; 0 where rows are uniform. */
  readonly depth: number;
  /** Heights of the finer decades, from the first below. */
  private readonly heights: readonly Decimal[];

  private constructor(binSize: Decimal, depth: number) {
    this.binSize = binSize;
    this.depth = depth;
    const heights = [binSize];
    for (let decade = 0, units = binSize.toUnits(); decade < depth; decade += 1) {
      units /= 10n;
      heights.push(Decimal.fromUnits(units));
    }
    this.heights = heights;
  }

  static uniform(binSize: Decimal): PriceRows {
    return new PriceRows(binSize, 0);
  }

  /** Rows that become finer below. @param binSize - a power of ten; else rows are uniform. */
  static finerBelow(binSize: Decimal): PriceRows {
    const units = binSize.toUnits().toString();
    return new PriceRows(binSize, /^10*$/.test(units) ? units.length - 1 : 0);
  }

  /** The rows of a state that holds bin size and depth. */
  static of(binSize: Decimal, depth: number): PriceRows {
    return depth === 0 ? PriceRows.uniform(binSize) : PriceRows.finerBelow(binSize);
  }

  rowOf(price: Decimal): number {
    const row = price.floorDivide(this.binSize);
    if (row >= COARSE_ROWS || this.depth === 0) return Math.max(Math.min(row, ROW_MAX), ROW_MIN);
    if (row < 0) return Math.max(row, ROW_MIN) - DECADE_ROWS * this.depth;
    let decade = 1;
    while (decade < this.depth && price.floorDivide(this.heightOf(decade)) < COARSE_ROWS) decade += 1;
    return price.floorDivide(this.heightOf(decade)) - DECADE_ROWS * decade;
  }

  /** Lower edge of a row, in units of 10^-12; that of the next row is its upper edge. */
  lowerEdgeOf(row: number): bigint {
    const below = DECADE_ROWS * this.depth;
    if (row >= COARSE_ROWS || this.depth === 0) return this.binSize.toUnits() * BigInt(row);
    if (row < -below) return this.binSize.toUnits() * BigInt(row + below);
    const decade = Math.min(Math.ceil((COARSE_ROWS - row) / DECADE_ROWS), this.depth);
    return this.heightOf(decade).toUnits() * BigInt(row + DECADE_ROWS * decade);
  }

  private heightOf(decade: number): Decimal {
    return this.heights[decade] ?? this.binSize;
  }
}

/** A count of 10^-12 units as a decimal; one beyond a decimal's bounds is taken for the last within. */
export function decimalWithin(units: bigint): Decimal {
  const last = UNITS_BOUND - 1n;
  return Decimal.fromUnits(units > last ? last : units < -last ? -last : units);
}
