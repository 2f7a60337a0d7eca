/** A quotient of integers; the denominator is above 0. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * Two doubles of 2^-300 or more differ from the middle between them in no digit beyond this one, so that a tie is
 * never mistaken for its neighbourhood.
 */
const FRACTION_DIGITS = 400;
const FRACTION_SCALE = powerOfTen(FRACTION_DIGITS);

/**
 * The double nearest to a quotient, ties to even. Another way than the engine's, so that a fault of one is not repeated
 * here: the quotient is written out as a decimal, and V8 reads a decimal of any length correctly rounded.
 */
export function nearestOf({ numerator, denominator }: Rational): number {
  if (numerator < 0n) return -nearestOf({ numerator: -numerator, denominator });
  const scaled = numerator * FRACTION_SCALE;
  const digits = (scaled / denominator).toString().padStart(FRACTION_DIGITS + 1, '0');
  // A further digit stands for the rest, so that only an exact tie is a tie.
  const rest = scaled % denominator === 0n ? '' : '1';
  return Number(`${digits.slice(0, -FRACTION_DIGITS)}.${digits.slice(-FRACTION_DIGITS)}${rest}`);
}

/** The quotient as which a number is written: 0.7 is 7/10, not the double nearest to it. */
export function writtenRational(value: number): Rational {
  const [mantissa = '', exponentText = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText) - fraction.length;
  const power = powerOfTen(Math.abs(exponent));
  const units = BigInt(`${whole}${fraction}`);
  return exponent < 0 ? { numerator: units, denominator: power } : { numerator: units * power, denominator: 1n };
}

/** The greatest integer that is not above a quotient. */
export function floorOf({ numerator, denominator }: Rational): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient;
}

/** 10^exponent. */
export function powerOfTen(exponent: number): bigint {
  return BigInt('1'.padEnd(exponent + 1, '0'));
}
