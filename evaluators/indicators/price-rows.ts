import { Decimal, DECIMAL_SCALE, DECIMAL_WHOLE_BOUND } from '../../contracts/decimal.ts';
import { bigPowerOfTen } from '../exact-decimals.ts';

/** Below this many rows of the bin size rows become finer, and each decade of prices has separate rows. */
const COARSE_ROWS = 1_000;
/** Rows of such a decade: from 1,000 to 9,999 times their height. */
const DECADE_ROWS = 9_000;
/** Rows are counted from and up to here: prices beyond share the last one. A bin size that small is useless. */
const ROW_MAX = Number.MAX_SAFE_INTEGER;
const ROW_MIN = -Number.MAX_SAFE_INTEGER + DECADE_ROWS * 64;
const UNITS_BOUND = BigInt(DECIMAL_WHOLE_BOUND) * 1_000_000_000_000n;

/** A height as an integer of 10^-decimals: `units / scale`; a fraction of it in units of 10^-12 is a multiple of `unit`. */
interface Height {
  readonly height: Decimal;
  readonly units: number;
  readonly scale: number;
  readonly unit: number;
}

/**
 * How prices are divided into the rows of a volume profile: by price alone, without a gap or an overlap, upward.
 *
 * Uniform rows have the height of the bin size: row n holds `n · binSize ≤ price < (n + 1) · binSize`. That serves a
 * price as long as it stays near its beginning. If the bin size is derived from a first price, rows become finer below
 * 1,000 bins (a fall by at least nine tenths). Each decade of prices there has 9,000 rows of a tenth of the height of
 * the decade above, down to 10^-12. A price that fell by 10^4 within its session still has rows of a thousandth of it
 * or less. Below 0, rows have the bin size again.
 */
export class PriceRows {
  readonly binSize: Decimal;
  /** Decades of finer rows; 0 if rows are uniform. */
  readonly depth: number;
  /** Heights of rows: the bin size, and then those of the finer decades, downward. */
  private readonly heights: readonly Height[];
  private readonly base: Height;

  private constructor(binSize: Decimal, depth: number) {
    this.binSize = binSize;
    this.depth = depth;
    this.base = heightOf(binSize.toUnits());
    const heights = [this.base];
    for (let decade = 0, units = binSize.toUnits(); decade < depth; decade += 1) {
      units /= 10n;
      heights.push(heightOf(units));
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
    while (decade < this.depth && price.floorDivide(this.heightAt(decade).height) < COARSE_ROWS) decade += 1;
    return price.floorDivide(this.heightAt(decade).height) - DECADE_ROWS * decade;
  }

  /** Lower edge of a row. */
  lowerEdgeOf(row: number): Decimal {
    const decade = this.decadeOf(row);
    return multipleOf(this.heightAt(decade), row + this.shiftOf(row, decade));
  }

  /** From the lower edge of a row to the lower edge of a row above it. */
  distanceOf(row: number, above: number): Decimal {
    const [from, to] = [this.decadeOf(row), this.decadeOf(above)];
    const rows = above + this.shiftOf(above, to) - (row + this.shiftOf(row, from));
    if (from === to) return multipleOf(this.heightAt(from), rows);
    return decimalWithin(this.edgeUnitsOf(above) - this.edgeUnitsOf(row));
  }

  private edgeUnitsOf(row: number): bigint {
    const decade = this.decadeOf(row);
    return this.heightAt(decade).height.toUnits() * BigInt(row + this.shiftOf(row, decade));
  }

  /** Number of the decade of a row; 0 for the bin size. */
  private decadeOf(row: number): number {
    if (row >= COARSE_ROWS || row < -DECADE_ROWS * this.depth) return 0;
    return Math.min(Math.ceil((COARSE_ROWS - row) / DECADE_ROWS), this.depth);
  }

  /** Added to a row's number, gives the multiple of its height that its lower edge is. */
  private shiftOf(row: number, decade: number): number {
    return DECADE_ROWS * (decade === 0 && row < 0 ? this.depth : decade);
  }

  private heightAt(decade: number): Height {
    return this.heights[decade] ?? this.base;
  }
}

function heightOf(units: bigint): Height {
  const height = Decimal.fromUnits(units);
  const { decimals } = height;
  return {
    height,
    units: Number(height.unitsAt(decimals)),
    scale: Number(bigPowerOfTen(decimals)),
    unit: Number(bigPowerOfTen(DECIMAL_SCALE - decimals)),
  };
}

/** A multiple of a height, exact; one beyond a decimal's bounds becomes the last within. */
function multipleOf({ height, units, scale, unit }: Height, factor: number): Decimal {
  const product = units * factor;
  const whole = Math.floor(product / scale);
  // Exact products below 2^53, whose quotient by a power of ten is not rounded up to an integer: see WeightedSums.
  if (Math.abs(product) <= Number.MAX_SAFE_INTEGER && Math.abs(whole) < DECIMAL_WHOLE_BOUND - 1) {
    return new Decimal(whole, (product - whole * scale) * unit);
  }
  return decimalWithin(height.toUnits() * BigInt(factor));
}

/** A count of 10^-12 units as a decimal; one beyond a decimal's bounds becomes the last within. */
function decimalWithin(units: bigint): Decimal {
  const last = UNITS_BOUND - 1n;
  return Decimal.fromUnits(units > last ? last : units < -last ? -last : units);
}
