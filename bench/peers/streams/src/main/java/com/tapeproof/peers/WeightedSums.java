package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.math.BigInteger;

/**
 * The exact sums behind a session's VWAP: Σ q, Σ q·d and Σ q·d² for the distance d of a price from the first one, in
 * units of the most decimals seen so far.
 */
final class WeightedSums {
  /** Within these a product q·d fits a long, and the sum of q takes millions of trades. */
  private static final long QUANTITY_BOUND = 1L << 40;
  private static final long DISTANCE_BOUND = 1L << 22;
  private static final long VOLUME_BOUND = 1L << 61;

  private int priceDecimals;
  private int sizeDecimals;
  private long priceUnit = Decimals.powerOfTen(Decimals.SCALE);
  private long sizeUnit = Decimals.powerOfTen(Decimals.SCALE);
  private boolean isEmpty = true;
  /** The first price, units of 10^-priceDecimals. */
  private long reference;

  private long recentVolume;
  private final Int128 recentFirst = new Int128();
  private final Int128 recentSecond = new Int128();
  private BigInteger volume = BigInteger.ZERO;
  private BigInteger first = BigInteger.ZERO;
  private BigInteger second = BigInteger.ZERO;

  /** A session's measures, each rounded once. */
  record Measures(double volume, double average, double deviation) {}

  void add(long price, long size) {
    if (price % priceUnit != 0 || size % sizeUnit != 0) refine(price, size);
    long priceUnits = price / priceUnit;
    long quantity = size / sizeUnit;
    if (isEmpty) reference = priceUnits;
    isEmpty = false;
    long distance = priceUnits - reference;
    if (quantity >= QUANTITY_BOUND || distance >= DISTANCE_BOUND || distance <= -DISTANCE_BOUND) {
      addWide(BigInteger.valueOf(quantity), BigInteger.valueOf(distance));
      return;
    }
    recentVolume += quantity;
    recentFirst.addProduct(quantity, distance);
    recentSecond.addProduct(quantity * distance, distance);
    if (recentVolume > VOLUME_BOUND) settle();
  }

  Measures measures() {
    settle();
    BigInteger scale = BigInteger.valueOf(Decimals.powerOfTen(priceDecimals));
    BigInteger scaled = volume.multiply(scale);
    BigInteger aboutZero = first.add(BigInteger.valueOf(reference).multiply(volume));
    BigInteger spread = second.multiply(volume).subtract(first.multiply(first));
    return new Measures(
        Decimals.nearestDouble(volume, BigInteger.valueOf(Decimals.powerOfTen(sizeDecimals))),
        Decimals.nearestDouble(aboutZero, scaled),
        Math.sqrt(Decimals.nearestDouble(spread, scaled.multiply(scaled))));
  }

  private void addWide(BigInteger quantity, BigInteger distance) {
    BigInteger moment = quantity.multiply(distance);
    volume = volume.add(quantity);
    first = first.add(moment);
    second = second.add(moment.multiply(distance));
  }

  /** Takes more decimals: the same sums in smaller units. */
  private void refine(long price, long size) {
    settle();
    int addedToPrice = Math.max(Decimals.decimalsOf(price) - priceDecimals, 0);
    int addedToSize = Math.max(Decimals.decimalsOf(size) - sizeDecimals, 0);
    BigInteger ofPrice = BigInteger.TEN.pow(addedToPrice);
    BigInteger ofSize = BigInteger.TEN.pow(addedToSize);
    volume = volume.multiply(ofSize);
    first = first.multiply(ofSize).multiply(ofPrice);
    second = second.multiply(ofSize).multiply(ofPrice).multiply(ofPrice);
    reference *= Decimals.powerOfTen(addedToPrice);
    setDecimals(priceDecimals + addedToPrice, sizeDecimals + addedToSize);
  }

  private void setDecimals(int ofPrice, int ofSize) {
    priceDecimals = ofPrice;
    sizeDecimals = ofSize;
    priceUnit = Decimals.powerOfTen(Decimals.SCALE - ofPrice);
    sizeUnit = Decimals.powerOfTen(Decimals.SCALE - ofSize);
  }

  private void settle() {
    if (recentVolume == 0) return;
    volume = volume.add(BigInteger.valueOf(recentVolume));
    first = first.add(recentFirst.take());
    second = second.add(recentSecond.take());
    recentVolume = 0;
  }

  void write(DataOutput out) throws IOException {
    settle();
    out.writeBoolean(isEmpty);
    out.writeByte(priceDecimals);
    out.writeByte(sizeDecimals);
    out.writeLong(reference);
    for (BigInteger sum : new BigInteger[] {volume, first, second}) {
      byte[] bytes = sum.toByteArray();
      out.writeByte(bytes.length);
      out.write(bytes);
    }
  }

  static WeightedSums read(DataInput in) throws IOException {
    WeightedSums sums = new WeightedSums();
    sums.isEmpty = in.readBoolean();
    sums.setDecimals(in.readByte(), in.readByte());
    sums.reference = in.readLong();
    sums.volume = readInteger(in);
    sums.first = readInteger(in);
    sums.second = readInteger(in);
    return sums;
  }

  private static BigInteger readInteger(DataInput in) throws IOException {
    byte[] bytes = new byte[in.readByte()];
    in.readFully(bytes);
    return new BigInteger(bytes);
  }
}
