import { numericText, numericUnits } from '../exact-numeric.ts';

/**
 * Weighted sums that are exact: a weight, a probability and a logarithm are integer multiples of 10^-9, and a product
 * of three of them is an integer multiple of 10^-27.
 */
const NINE_DECIMALS = 1_000_000_000;
const SUM_SCALE = 27;

/** 1 in units of 10^-9. */
export const ONE = BigInt(NINE_DECIMALS);

export function nineDecimals(value: number): bigint {
  return BigInt(Math.round(value * NINE_DECIMALS));
}

/** Units of 10^-27 of a stored sum. */
export function sumUnits(text: unknown): bigint {
  return numericUnits(String(text), SUM_SCALE);
}

export function sumText(units: bigint): string {
  return numericText(units, SUM_SCALE);
}
