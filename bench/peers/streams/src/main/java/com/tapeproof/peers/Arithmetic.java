package com.tapeproof.peers;

/** Logarithm and exponential from + − × ÷ alone, and the roundings of stored figures: bit by bit the engine's. */
final class Arithmetic {
  private static final double LN2_HIGH = 6.9314718036912381649e-1;
  private static final double LN2_LOW = 1.90821492927058770002e-10;
  private static final double SQRT_HALF = 0.7071067811865476;
  private static final double EXP_OVERFLOW = 709.782712893384;
  private static final double EXP_UNDERFLOW = -745.1332191019412;
  private static final double[] RECIPROCAL_FACTORIALS = new double[13];
  private static final double[] ATANH_COEFFICIENTS = new double[11];

  static {
    double factorial = 1;
    for (int index = 0; index < RECIPROCAL_FACTORIALS.length; index++) {
      factorial *= index + 2;
      RECIPROCAL_FACTORIALS[index] = 1 / factorial;
    }
    for (int index = 0; index < ATANH_COEFFICIENTS.length; index++) ATANH_COEFFICIENTS[index] = 2.0 / (2 * index + 3);
  }

  private Arithmetic() {}

  /** Natural logarithm of a positive normal number. */
  static double ln(double value) {
    long bits = Double.doubleToRawLongBits(value);
    int exponent = (int) (bits >>> 52) - 1022;
    double mantissa = Double.longBitsToDouble((bits & 0x000f_ffff_ffff_ffffL) | 0x3fe0_0000_0000_0000L);
    if (mantissa < SQRT_HALF) {
      mantissa *= 2;
      exponent--;
    }
    double excess = mantissa - 1;
    double ratio = excess / (2 + excess);
    double square = ratio * ratio;
    double series = 0;
    for (int index = ATANH_COEFFICIENTS.length - 1; index >= 0; index--) {
      series = square * (ATANH_COEFFICIENTS[index] + series);
    }
    double logarithm = exponent * LN2_LOW - ratio * (excess - series);
    return exponent * LN2_HIGH + (logarithm + excess);
  }

  static double exp(double value) {
    if (value > EXP_OVERFLOW) return Double.POSITIVE_INFINITY;
    if (value < EXP_UNDERFLOW) return 0;
    long exponent = Math.round(value / (LN2_HIGH + LN2_LOW));
    double rest = value - exponent * LN2_HIGH - exponent * LN2_LOW;
    double series = 0;
    for (int index = RECIPROCAL_FACTORIALS.length - 1; index >= 0; index--) {
      series = rest * (RECIPROCAL_FACTORIALS[index] + series);
    }
    double power = 1 + (rest + rest * series);
    long half = exponent / 2;
    return power * powerOfTwo(half) * powerOfTwo(exponent - half);
  }

  private static double powerOfTwo(long exponent) {
    return Double.longBitsToDouble((exponent + 1023) << 52);
  }

  static double logit(double probability) {
    return ln(probability / (1 - probability));
  }

  static double sigmoid(double logOdds) {
    if (logOdds >= 0) return 1 / (1 + exp(-logOdds));
    double odds = exp(logOdds);
    return odds / (1 + odds);
  }

  static double toSixDecimals(double value) {
    return Math.round(value * 1e6) / 1e6;
  }

  static double toNineDecimals(double value) {
    return Math.round(value * 1e9) / 1e9;
  }

  static double clamp(double value, double low, double high) {
    return Math.min(Math.max(value, low), high);
  }
}
