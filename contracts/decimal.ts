/** Digits after the point that a price or size may have (Avro `decimal`, scale 12). */
export const DECIMAL_SCALE = 12;
/** The absolute value of prices and sizes is below this, which keeps the whole part exact in a double. */
export const DECIMAL_WHOLE_BOUND = 1e15;

const FRACTION_UNITS = 1e12;
const FRACTION_UNITS_BIG = 1_000_000_000_000n;
const SAFE = Number.MAX_SAFE_INTEGER;
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12] as const;
const PATTERN = /^([+-]?)(\d{1,40})(?:\.(\d{1,60}))?$/;

/** For {@link Decimal.copyBytes}: 10^12 in limbs of 24 bits, and room for a sign byte and 96 bits. */
const LIMB = 16_777_216;
const FRACTION_UNITS_LOW = FRACTION_UNITS % LIMB;
const FRACTION_UNITS_HIGH = Math.floor(FRACTION_UNITS / LIMB);
const UNITS_BYTES = 13;
const unitsBytes = new Uint8Array(UNITS_BYTES);

function putLimb(at: number, limb: number): void {
  unitsBytes[at] = limb >>> 16;
  unitsBytes[at + 1] = limb >>> 8;
  unitsBytes[at + 2] = limb;
}

/** Why a text is not a valid price or size. */
export type DecimalProblem = 'NOT_A_NUMBER' | 'OUT_OF_BOUNDS' | 'PRECISION';

function powerOfTen(exponent: number): number {
  const power = POWERS_OF_TEN[exponent];
  if (power === undefined) throw new RangeError(`no power of ten for ${exponent}`);
  return power;
}

/**
 * An exact decimal with up to 15 digits before and 12 after the point: a price or a size.
 *
 * Two integers that a double holds exactly, so the hot path needs no BigInt: the floor, and the remainder above it. So
 * −0.25 has a whole of −1 and a fraction of 0.75, and order and floor follow from the two parts.
 */
export class Decimal {
  static readonly ZERO = new Decimal(0, 0);

  /** Units of one, the floor, an integer in [−10^15, 10^15). */
  readonly whole: number;
  /** Units of 10^-12, an integer in [0, 10^12). */
  readonly fraction: number;

  constructor(whole: number, fraction: number) {
    this.whole = whole;
    this.fraction = fraction;
  }

  /**
   * Reads `123.45` and `-0.5`; trailing zeros are ignored, a nonzero digit beyond the twelfth is PRECISION. No
   * exponents.
   */
  static parse(text: string): Decimal | DecimalProblem {
    const match = PATTERN.exec(text);
    if (match === null) return 'NOT_A_NUMBER';
    const digits = match[2] ?? '';
    const decimals = (match[3] ?? '').replace(/0+$/, '');
    if (decimals.length > DECIMAL_SCALE) return 'PRECISION';
    const whole = Number(digits);
    if (whole >= DECIMAL_WHOLE_BOUND) return 'OUT_OF_BOUNDS';
    const magnitude = new Decimal(whole, Number(decimals.padEnd(DECIMAL_SCALE, '0')));
    return match[1] === '-' ? magnitude.negated() : magnitude;
  }

  /** Like {@link parse}; a text that is not a decimal is a programming error. */
  static of(text: string): Decimal {
    const decimal = Decimal.parse(text);
    if (typeof decimal === 'string') throw new TypeError(`"${text}" is not a valid decimal: ${decimal}`);
    return decimal;
  }

  /** From a count of 10^-12 units. */
  static fromUnits(units: bigint): Decimal {
    const magnitude = units < 0n ? -units : units;
    if (magnitude >= BigInt(DECIMAL_WHOLE_BOUND) * FRACTION_UNITS_BIG) throw new RangeError('decimal out of bounds');
    if (units < 0n) return Decimal.fromUnits(magnitude).negated();
    return new Decimal(Number(units / FRACTION_UNITS_BIG), Number(units % FRACTION_UNITS_BIG));
  }

  /**
   * Reads an Avro decimal's two's-complement bytes, without BigInt: long division by 10^12, one byte at a time; every
   * intermediate stays below 256 × 10^12 < 2^53.
   *
   * @param begin - where they begin. @param end - and end.
   * @throws RangeError when out of bounds.
   */
  static fromBytes(bytes: Uint8Array, begin = 0, end = bytes.length): Decimal {
    if ((bytes[begin] ?? 0) >= 0x80 && begin < end) {
      return Decimal.fromUnits(BigInt.asIntN((end - begin) * 8, unsignedOf(bytes.subarray(begin, end))));
    }
    let whole = 0;
    let remainder = 0;
    for (let index = begin; index < end; index += 1) {
      const byte = bytes[index] ?? 0;
      const dividend = remainder * 256 + byte;
      const quotient = Math.floor(dividend / FRACTION_UNITS);
      remainder = dividend - quotient * FRACTION_UNITS;
      whole = whole * 256 + quotient;
      if (whole >= DECIMAL_WHOLE_BOUND) throw new RangeError('decimal out of bounds');
    }
    return new Decimal(whole, remainder);
  }

  /** Digits after the point, without trailing zeros: 0 to 12. */
  get decimals(): number {
    let { fraction } = this;
    if (fraction === 0) return 0;
    let decimals = DECIMAL_SCALE;
    for (; fraction % 10 === 0; decimals -= 1) fraction /= 10;
    return decimals;
  }

  /** Count of 10^-decimals units, exact. @throws RangeError when it has more decimals. */
  unitsAt(decimals: number): bigint {
    const units = this.fraction / powerOfTen(DECIMAL_SCALE - decimals);
    return BigInt(this.whole) * BigInt(powerOfTen(decimals)) + BigInt(units);
  }

  /** Count of 10^-12 units. */
  toUnits(): bigint {
    return BigInt(this.whole) * FRACTION_UNITS_BIG + BigInt(this.fraction);
  }

  /** The shortest two's-complement bytes, big-endian, as Avro writes a decimal: 13 at most. */
  toBytes(): Buffer {
    const bytes = Buffer.allocUnsafe(UNITS_BYTES);
    return bytes.subarray(0, this.copyBytes(bytes, 0));
  }

  /**
   * Writes the bytes of {@link toBytes} from a position on, and returns their number. Without BigInt: whole ×
   * 10^12 + fraction in limbs of 24 bits; every intermediate stays below 2^50. For a negative number u of units these
   * are the bytes of −1 − u, which is not negative, with every bit inverted.
   */
  copyBytes(target: Uint8Array, position: number): number {
    const isNegative = this.whole < 0;
    const whole = isNegative ? -1 - this.whole : this.whole;
    const fraction = isNegative ? FRACTION_UNITS - 1 - this.fraction : this.fraction;
    const inverted = isNegative ? 0xff : 0;
    const low = whole % LIMB;
    const rest = Math.floor(whole / LIMB);
    const middle = rest % LIMB;
    const high = Math.floor(rest / LIMB);
    const sum0 = low * FRACTION_UNITS_LOW + (fraction % LIMB);
    const sum1 =
      low * FRACTION_UNITS_HIGH + middle * FRACTION_UNITS_LOW + Math.floor(fraction / LIMB) + Math.floor(sum0 / LIMB);
    const sum2 = middle * FRACTION_UNITS_HIGH + high * FRACTION_UNITS_LOW + Math.floor(sum1 / LIMB);
    const sum3 = high * FRACTION_UNITS_HIGH + Math.floor(sum2 / LIMB);
    putLimb(1, sum3);
    putLimb(4, sum2 % LIMB);
    putLimb(7, sum1 % LIMB);
    putLimb(10, sum0 % LIMB);
    let start = 1;
    while (start < UNITS_BYTES - 1 && unitsBytes[start] === 0) start += 1;
    // A leading 1 bit would be read as the sign.
    if ((unitsBytes[start] ?? 0) >= 0x80) start -= 1;
    for (let index = start; index < UNITS_BYTES; index += 1) {
      target[position + index - start] = (unitsBytes[index] ?? 0) ^ inverted;
    }
    return UNITS_BYTES - start;
  }

  /** The double nearest to the exact value (ties to even). */
  toNumber(): number {
    if (this.fraction === 0) return this.whole;
    if (this.whole < 0) return -this.negated().toNumber();
    let fraction = this.fraction;
    let scale = DECIMAL_SCALE;
    // Drop trailing zeros: a quotient of two exact integers below 2^53 is correctly rounded by IEEE 754.
    if (fraction % 1e6 === 0) {
      fraction /= 1e6;
      scale -= 6;
    }
    while (fraction % 10 === 0) {
      fraction /= 10;
      scale -= 1;
    }
    const divisor = powerOfTen(scale);
    const units = this.whole * divisor + fraction;
    if (units <= SAFE) return units / divisor;
    // ECMAScript reads a literal of up to 20 significant digits correctly rounded, V8 of any length.
    return Number(this.toString());
  }

  isZero(): boolean {
    return this.whole === 0 && this.fraction === 0;
  }

  /** True above 0. */
  isPositive(): boolean {
    return this.whole > 0 || (this.whole === 0 && this.fraction > 0);
  }

  /** This times −1. */
  negated(): Decimal {
    if (this.fraction === 0) return new Decimal(0 - this.whole, 0);
    return new Decimal(-1 - this.whole, FRACTION_UNITS - this.fraction);
  }

  /** The exact sum. @throws RangeError when out of bounds. */
  plus(other: Decimal): Decimal {
    const fraction = this.fraction + other.fraction;
    const carries = fraction >= FRACTION_UNITS;
    const sum = new Decimal(
      this.whole + other.whole + (carries ? 1 : 0),
      carries ? fraction - FRACTION_UNITS : fraction,
    );
    const isBelow = sum.whole < -DECIMAL_WHOLE_BOUND || (sum.whole === -DECIMAL_WHOLE_BOUND && sum.fraction === 0);
    if (isBelow || sum.whole >= DECIMAL_WHOLE_BOUND) throw new RangeError('decimal out of bounds');
    return sum;
  }

  /** The exact difference. @throws RangeError when out of bounds. */
  minus(other: Decimal): Decimal {
    return this.plus(other.negated());
  }

  /** Negative, 0 or positive, as for Array.prototype.sort. */
  compare(other: Decimal): number {
    return this.whole - other.whole || this.fraction - other.fraction;
  }

  /**
   * floor(this / divisor), exact, downward below 0, too. Plain floor(a / b) in doubles is wrong for one price in nine.
   *
   * @param divisor - above 0.
   */
  floorDivide(divisor: Decimal): number {
    if (divisor.isZero()) throw new RangeError('division by zero');
    for (let scale = divisor.whole === 0 ? 1 : 0; scale <= DECIMAL_SCALE; scale += 1) {
      const unit = powerOfTen(DECIMAL_SCALE - scale);
      if (divisor.fraction % unit !== 0) continue;
      // Both below are integers. With a dividend below 2^53 the quotient cannot be rounded up to the next integer.
      const divisorUnits = divisor.whole * powerOfTen(scale) + divisor.fraction / unit;
      const dividendUnits = this.whole * powerOfTen(scale) + Math.floor(this.fraction / unit);
      if (Math.abs(dividendUnits) <= SAFE && divisorUnits <= SAFE) return Math.floor(dividendUnits / divisorUnits);
      break;
    }
    const [dividendUnits, divisorUnits] = [this.toUnits(), divisor.toUnits()];
    const quotient = dividendUnits / divisorUnits;
    return Number(dividendUnits < 0n && quotient * divisorUnits !== dividendUnits ? quotient - 1n : quotient);
  }

  /** This times an integer, exact. */
  times(factor: number): Decimal {
    return Decimal.fromUnits(this.toUnits() * BigInt(factor));
  }

  /** Shortest text without exponent: `61837.63`. */
  toString(): string {
    if (this.fraction === 0) return String(this.whole);
    if (this.whole < 0) return `-${this.negated().toString()}`;
    return `${this.whole}.${String(this.fraction).padStart(DECIMAL_SCALE, '0').replace(/0+$/, '')}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

function unsignedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  return value;
}
