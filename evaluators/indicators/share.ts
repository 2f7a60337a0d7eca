import { bigPowerOfTen } from '../exact-decimals.ts';

interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

let lastShare = Number.NaN;
let lastFraction: Fraction = { numerator: 0n, denominator: 1n };

/**
 * The least whole number of units that is at least a share of a total: `⌈share · total⌉`, the share as the decimal that it
 * is written as. So 0.7 is 7/10, which no double is.
 *
 * @param share - from 0 to 1.
 */
export function shareOf(share: number, total: bigint): bigint {
  if (share !== lastShare) {
    lastFraction = fractionOf(share);
    lastShare = share;
  }
  const { numerator, denominator } = lastFraction;
  return (total * numerator + denominator - 1n) / denominator;
}

/** From the shortest text that names the double, `0.7` or `7e-10`. */
function fractionOf(share: number): Fraction {
  const [digits = '', exponent = '0'] = String(share).split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const decimals = fraction.length - Number(exponent);
  if (decimals > DECIMALS_MAX) return { numerator: 1n, denominator: bigPowerOfTen(DECIMALS_MAX) };
  if (decimals <= 0) return { numerator: BigInt(whole + fraction) * bigPowerOfTen(-decimals), denominator: 1n };
  return { numerator: BigInt(whole + fraction), denominator: bigPowerOfTen(decimals) };
}

/** A share finer than that is as good as this. */
const DECIMALS_MAX = 90;
