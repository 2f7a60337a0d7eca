package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/** Volume by price of one session: the traded bins, ascending, and their volumes in units of 10^-12. */
final class VolumeProfile {
  /** Beyond this many bins neighbours are merged two by two. */
  private static final int BINS_MAX = 16_384;
  private static final int INITIAL_CAPACITY = 64;
  private static final long SHARE_NUMERATOR = 7;
  private static final long SHARE_DENOMINATOR = 10;

  private final PriceRows rows;
  private int merged = 1;
  private int count;
  private long[] bins = new long[INITIAL_CAPACITY];
  private long[] volumes = new long[INITIAL_CAPACITY];
  private long total;
  private long lastPrice = Long.MIN_VALUE;
  private int lastPosition;

  VolumeProfile(PriceRows rows) {
    this.rows = rows;
  }

  /** Lower edges of bins, and the height of the value area's top bin. */
  record ValueArea(long pointOfControl, long low, long high, long binSize) {}

  void add(long price, long size) {
    if (price != lastPrice) {
      lastPosition = positionOf(Math.floorDiv(rows.rowOf(price), merged));
      lastPrice = price;
    }
    volumes[lastPosition] += size;
    total = Math.addExact(total, size);
  }

  private int positionOf(long bin) {
    int position = Arrays.binarySearch(bins, 0, count, bin);
    if (position >= 0) return position;
    if (count == BINS_MAX) {
      mergeNeighbours();
      return positionOf(Math.floorDiv(bin, 2));
    }
    insert(-position - 1, bin, 0);
    return -position - 1;
  }

  private void insert(int position, long bin, long volume) {
    if (count == bins.length) {
      bins = Arrays.copyOf(bins, count * 2);
      volumes = Arrays.copyOf(volumes, count * 2);
    }
    System.arraycopy(bins, position, bins, position + 1, count - position);
    System.arraycopy(volumes, position, volumes, position + 1, count - position);
    bins[position] = bin;
    volumes[position] = volume;
    count++;
  }

  private void mergeNeighbours() {
    int before = count;
    merged *= 2;
    count = 0;
    for (int position = 0; position < before; position++) {
      long bin = Math.floorDiv(bins[position], 2);
      long volume = volumes[position];
      if (count > 0 && bins[count - 1] == bin) {
        volumes[count - 1] += volume;
      } else {
        bins[count] = bin;
        volumes[count] = volume;
        count++;
      }
    }
  }

  /** Grows from the point of control by the neighbouring row of greater volume, a tie upward, up to its share. */
  ValueArea valueArea() {
    int peak = peak();
    long first = bins[0];
    long last = bins[count - 1];
    long low = bins[peak];
    long high = low;
    long volume = volumes[peak];
    long target = target();
    int below = peak - 1;
    int above = peak + 1;
    while (volume < target && (low > first || high < last)) {
      long rising = above >= count ? -1 : bins[above] == high + 1 ? volumes[above] : 0;
      long falling = below < 0 ? -1 : bins[below] == low - 1 ? volumes[below] : 0;
      if (falling > rising) {
        long untraded = low - 1 - bins[below];
        low = Math.max(low - (falling > 0 ? 1 : Math.max(1, untraded)), first);
        while (below >= 0 && bins[below] >= low) below--;
        volume += falling;
      } else {
        boolean isTie = rising == 0 && falling <= 0;
        long step = isTie ? Math.max(1, bins[above] - high - 1) : 1;
        high = Math.min(high + step, last);
        while (above < count && bins[above] <= high) above++;
        volume += rising;
      }
    }
    return areaOf(bins[peak], low, high);
  }

  private ValueArea areaOf(long peak, long low, long high) {
    long top = rows.lowerEdgeOf(high * merged);
    long end = rows.lowerEdgeOf((high + 1) * merged);
    return new ValueArea(rows.lowerEdgeOf(peak * merged), rows.lowerEdgeOf(low * merged), top, end - top);
  }

  /** The least volume that is the share of the total. */
  private long target() {
    long rest = total % SHARE_DENOMINATOR * SHARE_NUMERATOR;
    return total / SHARE_DENOMINATOR * SHARE_NUMERATOR + (rest + SHARE_DENOMINATOR - 1) / SHARE_DENOMINATOR;
  }

  /** The bin with most volume; of equal ones the nearest to the centre, and of two equally near the upper. */
  private int peak() {
    double centre = ((double) bins[0] + bins[count - 1]) / 2;
    int peak = 0;
    for (int position = 1; position < count; position++) {
      long volume = volumes[position];
      if (volume < volumes[peak]) continue;
      if (volume > volumes[peak] || Math.abs(bins[position] - centre) <= Math.abs(bins[peak] - centre)) peak = position;
    }
    return peak;
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(rows.binSize());
    out.writeInt(merged);
    out.writeInt(count);
    for (int position = 0; position < count; position++) {
      out.writeLong(bins[position]);
      out.writeLong(volumes[position]);
    }
  }

  static VolumeProfile read(DataInput in) throws IOException {
    VolumeProfile profile = new VolumeProfile(PriceRows.of(in.readLong()));
    profile.merged = in.readInt();
    int count = in.readInt();
    for (int position = 0; position < count; position++) {
      long bin = in.readLong();
      long volume = in.readLong();
      profile.insert(position, bin, volume);
      profile.total += volume;
    }
    return profile;
  }
}
