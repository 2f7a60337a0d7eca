/**
 * Logarithm and exponential from + − × ÷ alone. IEEE 754 fixes these four bit by bit; ECMAScript leaves `Math.log`,
 * `Math.exp` and `Math.pow` to the implementation, so a decision computed with them could not be computed again
 * elsewhere.
 */

/** ln 2 in two parts: the first has 21 trailing zero bits, so that its product with an exponent is exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const SQRT_HALF = 0.7071067811865476;
const EXPONENT_BIAS = 1023;
/** Beyond these, e^x is not a finite or not a positive double. */
const EXP_OVERFLOW = 709.782712893384;
const EXP_UNDERFLOW = -745.1332191019412;
const TWO_TO_54 = 18_014_398_509_481_984;
/** 1/n! for n = 2 … 14: the next term is below half a unit in the last place for |r| ≤ ln 2 / 2. */
const RECIPROCAL_FACTORIALS = reciprocalFactorials(14);
/** 2/(2k + 1) for k = 1 … 11: the next term is below half a unit in the last place for |s| ≤ 0.1716. */
const ATANH_COEFFICIENTS = Array.from({ length: 11 }, (_, index) => 2 / (2 * index + 3));

const bits = new DataView(new ArrayBuffer(8));

function reciprocalFactorials(last: number): number[] {
  let factorial = 1;
  return Array.from({ length: last - 1 }, (_, index) => 1 / (factorial *= index + 2));
}

/** 2^exponent for a normal exponent, exact. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + EXPONENT_BIAS) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/**
 * Natural logarithm: x = m·2^k with m in [√½, √2); ln m = 2·atanh(s), s = (m − 1)/(m + 1), by its Taylor series.
 * NaN below 0, −∞ at 0; within 2 units in the last place.
 */
export function ln(value: number): number {
  if (Number.isNaN(value) || value < 0) return Number.NaN;
  if (value === 0) return Number.NEGATIVE_INFINITY;
  if (value === Number.POSITIVE_INFINITY) return value;
  const subnormal = value < Number.MIN_VALUE * TWO_TO_54 * 0.25;
  bits.setFloat64(0, subnormal ? value * TWO_TO_54 : value);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - EXPONENT_BIAS + 1 - (subnormal ? 54 : 0);
  bits.setUint32(0, (high & 0x000f_ffff) | ((EXPONENT_BIAS - 1) << 20));
  let mantissa = bits.getFloat64(0);
  if (mantissa < SQRT_HALF) {
    mantissa *= 2;
    exponent -= 1;
  }
  const excess = mantissa - 1;
  const ratio = excess / (2 + excess);
  const square = ratio * ratio;
  let series = 0;
  for (let index = ATANH_COEFFICIENTS.length - 1; index >= 0; index -= 1) {
    series = square * ((ATANH_COEFFICIENTS[index] ?? 0) + series);
  }
  // 2s = excess − s·excess: the greatest term stays exact.
  const logarithm = exponent * LN2_LOW - ratio * (excess - series);
  return exponent * LN2_HIGH + (logarithm + excess);
}

/**
 * e^x: x = k·ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor series; then 2^k. Within 2 units in the last place.
 */
export function exp(value: number): number {
  if (Number.isNaN(value)) return value;
  if (value > EXP_OVERFLOW) return Number.POSITIVE_INFINITY;
  if (value < EXP_UNDERFLOW) return 0;
  const exponent = Math.round(value / (LN2_HIGH + LN2_LOW));
  const rest = value - exponent * LN2_HIGH - exponent * LN2_LOW;
  let series = 0;
  for (let index = RECIPROCAL_FACTORIALS.length - 1; index >= 0; index -= 1) {
    series = rest * ((RECIPROCAL_FACTORIALS[index] ?? 0) + series);
  }
  const power = 1 + (rest + rest * series);
  // In two steps, because 2^1024 is not a double, and 2^-1074 is not a normal one.
  const half = Math.trunc(exponent / 2);
  return power * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/** Log odds ln(p / (1 − p)) of a probability in (0, 1). */
export function logit(probability: number): number {
  return ln(probability / (1 - probability));
}

/** Probability 1 / (1 + e^−x) of log odds. */
export function sigmoid(logOdds: number): number {
  if (logOdds >= 0) return 1 / (1 + exp(-logOdds));
  const odds = exp(logOdds);
  return odds / (1 + odds);
}

/** Nearest multiple of 10^-6, ties upward, never −0: how probabilities and confidences are stored. */
export function toSixDecimals(value: number): number {
  return Math.round(value * 1e6) / 1e6 + 0;
}

/** Nearest multiple of 10^-9, ties upward, never −0: how evidence is stored. */
export function toNineDecimals(value: number): number {
  return Math.round(value * 1e9) / 1e9 + 0;
}

/** `value` limited to [low, high]. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
