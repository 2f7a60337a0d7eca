import { DECIMAL_SCALE, type Decimal } from '../../contracts/decimal.ts';
import { numericText, numericUnits } from '../exact-numeric.ts';

/** An amount as a projector writes it or as the database returns it. */
type Amount = Decimal | string;

/** A bar of one or more trades. */
export interface Bar {
  readonly [column: string]: Amount | number;
  readonly open: Amount;
  readonly high: Amount;
  readonly low: Amount;
  readonly close: Amount;
  readonly volume: Amount;
  readonly trades: number;
  readonly open_time: number;
  readonly open_offset: number;
  readonly close_time: number;
  readonly close_offset: number;
}

/**
 * Merges two bars of the same minute, in any order and grouping. The open is the price of the earliest trade and the
 * close that of the latest, by event time and then by offset on the tape.
 */
export function mergeBars(left: Bar, right: Bar): Bar {
  const opensLeft = left.open_time - right.open_time || left.open_offset - right.open_offset;
  const closesLeft = right.close_time - left.close_time || right.close_offset - left.close_offset;
  const first = opensLeft <= 0 ? left : right;
  const last = closesLeft <= 0 ? left : right;
  return {
    ...left,
    open: first.open,
    open_time: first.open_time,
    open_offset: first.open_offset,
    high: unitsOf(left.high) >= unitsOf(right.high) ? left.high : right.high,
    low: unitsOf(left.low) <= unitsOf(right.low) ? left.low : right.low,
    close: last.close,
    close_time: last.close_time,
    close_offset: last.close_offset,
    volume: textOf(unitsOf(left.volume) + unitsOf(right.volume)),
    trades: left.trades + right.trades,
  };
}

/** Units of 10^-12, exact; a sum may exceed the range of a single trade's {@link Decimal}. */
function unitsOf(amount: Amount): bigint {
  return numericUnits(String(amount), DECIMAL_SCALE);
}

function textOf(units: bigint): string {
  return numericText(units, DECIMAL_SCALE);
}
