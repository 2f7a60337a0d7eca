package com.tapeproof.peers;

import com.tapeproof.events.TakerSide;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayDeque;

/** Donchian range over the previous completed bars, with the volumes of the takers. Prices and volumes are 10^-12. */
final class Range {
  private static final long BAR_US = 60_000_000L;
  private static final int BARS = 20;
  private static final BigInteger MEAN_DIVISOR = BigInteger.valueOf(BARS * Decimals.powerOfTen(Decimals.SCALE));

  private final ArrayDeque<Bar> completed = new ArrayDeque<>(BARS + 1);
  private Bar current;
  private Bounds bounds;

  /** A stretch with at least one trade. */
  private static final class Bar {
    long index;
    long firstOffset;
    long first;
    long high;
    long low;
    long volume;
    long bought;
    long sold;

    void count(long size, TakerSide side) {
      volume = Math.addExact(volume, size);
      if (side == TakerSide.BUY) bought += size;
      else if (side == TakerSide.SELL) sold += size;
    }
  }

  /** Over the completed bars. */
  record Bounds(long first, long high, long low, double meanVolume, long volume, long bought, long sold) {}

  void add(Tick trade, long offset) {
    long index = Math.floorDiv(trade.time(), BAR_US);
    Bar bar = current;
    if (bar != null && bar.index == index) {
      bar.count(trade.size(), trade.side());
      if (trade.price() > bar.high) bar.high = trade.price();
      else if (trade.price() < bar.low) bar.low = trade.price();
      return;
    }
    if (bar != null) {
      // A completed bar never changes.
      if (index < bar.index) return;
      complete(bar);
    }
    current = new Bar();
    current.index = index;
    current.firstOffset = offset;
    current.first = current.high = current.low = trade.price();
    current.count(trade.size(), trade.side());
  }

  private void complete(Bar bar) {
    completed.addLast(bar);
    if (completed.size() > BARS) completed.removeFirst();
    measureBounds();
  }

  private void measureBounds() {
    if (completed.size() < BARS) return;
    long high = Long.MIN_VALUE;
    long low = Long.MAX_VALUE;
    long volume = 0;
    long bought = 0;
    long sold = 0;
    for (Bar each : completed) {
      high = Math.max(high, each.high);
      low = Math.min(low, each.low);
      volume = Math.addExact(volume, each.volume);
      bought += each.bought;
      sold += each.sold;
    }
    double mean = Decimals.nearestDouble(BigInteger.valueOf(volume), MEAN_DIVISOR);
    bounds = new Bounds(completed.getFirst().first, high, low, mean, volume, bought, sold);
  }

  /** Null until enough bars are completed. */
  Bounds bounds() {
    return bounds;
  }

  long currentVolume() {
    return current == null ? 0 : current.volume;
  }

  long currentBought() {
    return current == null ? 0 : current.bought;
  }

  long currentSold() {
    return current == null ? 0 : current.sold;
  }

  /** First offset that the bars cover. */
  long firstOffset(long otherwise) {
    if (!completed.isEmpty()) return completed.getFirst().firstOffset;
    return current == null ? otherwise : current.firstOffset;
  }

  void write(DataOutput out) throws IOException {
    out.writeByte(completed.size());
    for (Bar bar : completed) writeBar(out, bar);
    out.writeBoolean(current != null);
    if (current != null) writeBar(out, current);
  }

  static Range read(DataInput in) throws IOException {
    Range range = new Range();
    for (int left = in.readByte(); left > 0; left--) range.completed.addLast(readBar(in));
    range.measureBounds();
    if (in.readBoolean()) range.current = readBar(in);
    return range;
  }

  private static void writeBar(DataOutput out, Bar bar) throws IOException {
    long[] fields = {bar.index, bar.firstOffset, bar.first, bar.high, bar.low, bar.volume, bar.bought, bar.sold};
    for (long field : fields) out.writeLong(field);
  }

  private static Bar readBar(DataInput in) throws IOException {
    Bar bar = new Bar();
    bar.index = in.readLong();
    bar.firstOffset = in.readLong();
    bar.first = in.readLong();
    bar.high = in.readLong();
    bar.low = in.readLong();
    bar.volume = in.readLong();
    bar.bought = in.readLong();
    bar.sold = in.readLong();
    return bar;
  }
}
