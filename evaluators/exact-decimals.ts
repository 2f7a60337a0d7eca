/**
 * Decimals of any length as a BigInt count of 10^-decimals, and their conversion to and from doubles: for sums and
 * products of prices and sizes, which need more digits than a `Decimal` has. Pure integers, so no result depends on the
 * order.
 */
export interface ExactDecimal {
  readonly units: bigint;
  readonly decimals: number;
}

/** Powers of ten at hand: Σ p²·q of prices and sizes of 12 decimals has 36. */
const POWERS_HELD = 49;
/** Bits of a quotient before it is rounded to the 53 of a double: with a bit for any remainder, that is rounded once. */
const QUOTIENT_BITS = 66;
/** A tie of such a quotient ends in a 1 and at least this many 0. */
const TIE_BITS = 11;
const DOUBLE_FRACTION_BITS = 52n;
const DOUBLE_BIAS = 1075n;
/** Significant digits of any decimal that survive the conversion to a double and back. */
const DOUBLE_DIGITS = 15;
const EXPONENT_MASK = 0x7ff;

const POWERS_OF_TEN: readonly bigint[] = Array.from({ length: POWERS_HELD }, (_, exponent) =>
  writtenPowerOfTen(exponent),
);
const bits = new DataView(new ArrayBuffer(8));

/** 10^exponent, exact. */
export function bigPowerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? writtenPowerOfTen(exponent);
}

function writtenPowerOfTen(exponent: number): bigint {
  return BigInt(`1${'0'.repeat(exponent)}`);
}

/** The greatest integer not above a quotient. @param divisor - above 0. */
export function floorOf(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

/** The biased exponent of a double's magnitude. */
function exponentOf(value: number): number {
  bits.setFloat64(0, value);
  return (bits.getUint16(0) >>> 4) & EXPONENT_MASK;
}

/** 2^exponent for a normal exponent, exact. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + EXPONENT_MASK - 1024) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/**
 * The double nearest to a quotient of integers, ties to even: rounded once, so a function of the exact value alone.
 *
 * @param denominator - above 0; both in magnitude below 2^1000, and the quotient, if it is not 0, above 2^-900.
 */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const [dividend, divisor] = [Number(numerator), Number(denominator)];
  // Both exact, and IEEE 754 rounds a quotient once.
  if (Math.abs(dividend) <= Number.MAX_SAFE_INTEGER && divisor <= Number.MAX_SAFE_INTEGER) return dividend / divisor;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const shift = QUOTIENT_BITS - exponentOf(dividend) + exponentOf(divisor);
  const shifted = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  const scaled = shift < 0 ? denominator << BigInt(-shift) : denominator;
  const quotient = shifted / scaled;
  // The remainder decides only where the bits below a double's last look like a tie: then any remainder counts as one
  // more.
  const isTie = BigInt.asUintN(TIE_BITS, quotient) === 0n && quotient * scaled !== shifted;
  const rounded = Number(isTie ? quotient | 1n : quotient) * powerOfTwo(-shift);
  return numerator < 0n ? -rounded : rounded;
}

/** The shortest text without exponent: `-12.5`. The same number has the same text, however many zeros its units end in. */
export function exactText({ units, decimals }: ExactDecimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Reads what {@link exactText} writes. @throws SyntaxError for another text. */
export function exactOf(text: string): ExactDecimal {
  const point = text.indexOf('.');
  if (point < 0) return { units: BigInt(text), decimals: 0 };
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), decimals: text.length - point - 1 };
}

/** A number as units of 10^-decimals; it has no more decimals than that. */
export function unitsAt({ units, decimals }: ExactDecimal, wanted: number): bigint {
  return units * bigPowerOfTen(wanted - decimals);
}

/**
 * A double's exact value as a count of 10^-decimals, rounded to the nearest integer, half away from zero.
 *
 * @param value - finite.
 */
export function unitsOfDouble(value: number, decimals: number): bigint {
  bits.setFloat64(0, Math.abs(value));
  const pattern = bits.getBigUint64(0);
  const exponent = pattern >> DOUBLE_FRACTION_BITS;
  const fraction = pattern & ((1n << DOUBLE_FRACTION_BITS) - 1n);
  const mantissa = exponent === 0n ? fraction : fraction | (1n << DOUBLE_FRACTION_BITS);
  const power = (exponent === 0n ? 1n : exponent) - DOUBLE_BIAS;
  const scaled = mantissa * bigPowerOfTen(decimals);
  const units = power >= 0n ? scaled << power : ((scaled >> (-power - 1n)) + 1n) >> 1n;
  return value < 0 ? -units : units;
}

/**
 * A double to its first 15 significant digits, exact, and to no more decimals than given. These are the digits that
 * every double keeps of a decimal, so that 0.30000000000000004, summed up from tenths, is the 0.3 that it represents.
 * Zeros at the end are kept, so the last decimal is the 15th digit.
 *
 * @param value - finite.
 */
export function exactOfDouble(value: number, decimalsMax: number): ExactDecimal {
  const exponent = Number(value.toExponential().split('e')[1]);
  const decimals = Math.min(Math.max(DOUBLE_DIGITS - 1 - exponent, 0), decimalsMax);
  return { units: unitsOfDouble(value, decimals), decimals };
}

/** The decimal number as which a double is written: exactly `0.7` for 0.7. @param value - finite. */
export function exactOfWritten(value: number): ExactDecimal {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const { units, decimals } = exactOf(digits);
  const places = decimals - Number(exponent);
  return places >= 0 ? { units, decimals: places } : { units: units * bigPowerOfTen(-places), decimals: 0 };
}

/** The same number in the fewest decimals. */
export function shortest(number: ExactDecimal): ExactDecimal {
  return exactOf(exactText(number));
}
