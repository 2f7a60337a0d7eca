package com.tapeproof.peers;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;

/**
 * Prices, sizes and a session's volume as a long count of 10^-12, which holds them below 9.2 million: enough for the
 * tapes of the benchmark. A greater one stops the application.
 */
final class Decimals {
  static final int SCALE = 12;
  private static final long EXACT_DOUBLE_MAX = 1L << 53;
  private static final long[] POWERS_OF_TEN = new long[SCALE + 7];
  private static final int QUOTIENT_BITS = 66;
  private static final long BPS_SCALED = 10_000_000_000L;
  private static final long SIX_DECIMALS = 1_000_000L;

  static {
    POWERS_OF_TEN[0] = 1;
    for (int index = 1; index < POWERS_OF_TEN.length; index++) POWERS_OF_TEN[index] = POWERS_OF_TEN[index - 1] * 10;
  }

  private Decimals() {}

  static long powerOfTen(int exponent) {
    return POWERS_OF_TEN[exponent];
  }

  /** Reads Avro's two's-complement bytes. */
  static long unitsOf(ByteBuffer bytes) {
    int length = bytes.remaining();
    if (length > Long.BYTES) throw new ArithmeticException("a price or size is 9.2 million or more");
    int start = bytes.position();
    long units = bytes.get(start);
    for (int index = 1; index < length; index++) units = units << 8 | bytes.get(start + index) & 0xff;
    return units;
  }

  /** The shortest two's-complement bytes. */
  static ByteBuffer bytesOf(long units) {
    int signBits = Long.numberOfLeadingZeros(units < 0 ? ~units : units);
    int length = (Long.SIZE - signBits) / 8 + 1;
    byte[] bytes = new byte[length];
    for (int index = length - 1, shift = 0; index >= 0; index--, shift += 8) bytes[index] = (byte) (units >> shift);
    return ByteBuffer.wrap(bytes);
  }

  /** Digits after the point, without trailing zeros. */
  static int decimalsOf(long units) {
    int decimals = SCALE;
    while (decimals > 0 && units % 10 == 0) {
      units /= 10;
      decimals--;
    }
    return decimals;
  }

  /** The nearest double: IEEE 754 rounds a quotient of two exact integers once. */
  static double toDouble(long units) {
    if (units == 0) return 0;
    int scale = SCALE;
    if (units % SIX_DECIMALS == 0) {
      units /= SIX_DECIMALS;
      scale -= 6;
    }
    while (scale > 0 && units % 10 == 0) {
      units /= 10;
      scale--;
    }
    if (Math.abs(units) <= EXACT_DOUBLE_MAX) return (double) units / POWERS_OF_TEN[scale];
    return BigDecimal.valueOf(units, scale).doubleValue();
  }

  /** The double nearest to a quotient, ties to even. */
  static double nearestDouble(BigInteger numerator, BigInteger denominator) {
    if (numerator.bitLength() < 53 && denominator.bitLength() < 53) {
      return (double) numerator.longValue() / denominator.longValue();
    }
    if (numerator.signum() == 0) return 0;
    BigInteger magnitude = numerator.abs();
    int shift = QUOTIENT_BITS - magnitude.bitLength() + denominator.bitLength();
    BigInteger dividend = shift > 0 ? magnitude.shiftLeft(shift) : magnitude;
    BigInteger divisor = shift < 0 ? denominator.shiftLeft(-shift) : denominator;
    BigInteger[] parts = dividend.divideAndRemainder(divisor);
    // Any remainder counts as one more beyond a double's last bit, so a tie is one only if it is exact.
    BigInteger quotient = parts[1].signum() == 0 ? parts[0] : parts[0].setBit(0);
    double rounded = Math.scalb(quotient.doubleValue(), -shift);
    return numerator.signum() < 0 ? -rounded : rounded;
  }

  /** The signed move in basis points of the reference, above 0; six decimals, half away from zero. */
  static double moveBps(long reference, long observed) {
    long move = observed - reference;
    long from = reference;
    if (move % SIX_DECIMALS == 0 && from % SIX_DECIMALS == 0) {
      move /= SIX_DECIMALS;
      from /= SIX_DECIMALS;
    }
    long magnitude = Math.abs(move);
    long rounded;
    if (magnitude < Long.MAX_VALUE / (4 * BPS_SCALED) && from < Long.MAX_VALUE / 4) {
      rounded = (magnitude * 2 * BPS_SCALED + from) / (2 * from);
    } else {
      BigInteger twice = BigInteger.valueOf(from).shiftLeft(1);
      BigInteger scaled = BigInteger.valueOf(magnitude).multiply(BigInteger.valueOf(2 * BPS_SCALED));
      rounded = scaled.add(BigInteger.valueOf(from)).divide(twice).longValueExact();
    }
    double bps = rounded / 1e6;
    return move < 0 ? 0 - bps : bps;
  }
}
