/** A quotient with so many bits has more than the 53 of a double and one to detect a tie. */
const QUOTIENT_BITS = 64;
const BITS_PER_HEX_DIGIT = 4;

/**
 * The double nearest to the exact value of a fraction, ties to even: `Number` of an integer is rounded so by ECMAScript,
 * and a power of two changes nothing but the exponent.
 *
 * @param denominator - above 0.
 */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -nearestDouble(-numerator, denominator);
  const shift = Math.max(0, QUOTIENT_BITS + bitsOf(denominator) - bitsOf(numerator));
  const scaled = numerator << BigInt(shift);
  const quotient = scaled / denominator;
  // A remainder sets the last bit: so only an exact tie counts as a tie.
  const isExact = quotient * denominator === scaled;
  return Number(isExact ? quotient : quotient | 1n) / 2 ** shift;
}

/** Bits of a number above 0, up to three more than it has. */
function bitsOf(value: bigint): number {
  return value.toString(16).length * BITS_PER_HEX_DIGIT;
}
