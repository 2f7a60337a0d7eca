import { Decimal } from '../../contracts/decimal.ts';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { figuresOf, type CountedTrade } from '../../proofs/evidence.ts';
import { PROFILE_ROWS_MAX, type ProfileRow } from '../contract/series.ts';

/** Prices and sizes are counted in units of 10^-12. */
const UNITS_PER_ONE = 1e12;

type ProfileSnapshot = Pick<IndicatorSnapshot, 'pointOfControl' | 'valueAreaLow' | 'valueAreaHigh' | 'profileBinSize'>;

export interface ProfileRows {
  /** Bins of the indicator in one row. */
  readonly binsPerRow: number;
  /** Lowest price first, from the lowest to the highest that was traded; rows without volume are among them. */
  readonly rows: readonly ProfileRow[];
}

/** Volume by price of the trades behind a snapshot, in rows of whole bins of its indicator. */
export function profileRowsOf(
  trades: readonly CountedTrade[],
  snapshot: ProfileSnapshot,
  binSize: Decimal,
): ProfileRows {
  const bin = binSize.toUnits();
  const prices = trades.map((trade) => floorDivided(figuresOf(trade).price.toUnits(), bin));
  const [lowest, highest] = [least(prices), -least(prices.map((price) => -price))];
  const binsPerRow = ceilingDivided(highest - lowest + 1n, BigInt(PROFILE_ROWS_MAX));
  const height = bin * binsPerRow;
  // Rows begin at the lowest bin, so that there are never more of them than allowed.
  const rowOf = (units: bigint): number => Number((floorDivided(units, bin) - lowest) / binsPerRow);
  const volumes = Array.from({ length: Number((highest - lowest) / binsPerRow) + 1 }, () => 0n);
  for (const trade of trades) {
    const { price, size } = figuresOf(trade);
    const row = rowOf(price.toUnits());
    volumes[row] = (volumes[row] ?? 0n) + size.toUnits();
  }
  const [from, to, control] = [snapshot.valueAreaLow, snapshot.valueAreaHigh, snapshot.pointOfControl].map((edge) =>
    rowOf(edge.toUnits()),
  );
  return {
    binsPerRow: Number(binsPerRow),
    rows: volumes.map((volume, row) => {
      const low = lowest * bin + BigInt(row) * height;
      return {
        low: Decimal.fromUnits(low).toString(),
        high: Decimal.fromUnits(low + height).toString(),
        volume: Number(volume) / UNITS_PER_ONE,
        isInValueArea: row >= (from ?? 0) && row <= (to ?? 0),
        isPointOfControl: row === control,
      };
    }),
  };
}

function floorDivided(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function ceilingDivided(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((low, value) => (value < low ? value : low), values[0] ?? 0n);
}
