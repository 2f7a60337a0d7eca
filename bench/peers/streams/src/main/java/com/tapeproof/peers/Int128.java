package com.tapeproof.peers;

import java.math.BigInteger;

/** A sum of products of longs, exact. */
final class Int128 {
  private long high;
  private long low;

  void addProduct(long left, long right) {
    long product = left * right;
    long sum = low + product;
    high += Math.multiplyHigh(left, right) + (Long.compareUnsigned(sum, low) < 0 ? 1 : 0);
    low = sum;
  }

  /** The sum, which begins again at 0. */
  BigInteger take() {
    BigInteger upper = BigInteger.valueOf(high).add(low < 0 ? BigInteger.ONE : BigInteger.ZERO);
    BigInteger sum = upper.shiftLeft(Long.SIZE).add(BigInteger.valueOf(low));
    high = 0;
    low = 0;
    return sum;
  }
}
