package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The snapshots whose forecasts await their outcome, by due time. The hit rule is a move at the horizon: the first
 * trade at or after it resolves, or makes VOID when it comes after the grace.
 */
final class Outcomes {
  static final long HORIZON_MS = 300_000;
  static final long GRACE_MS = 60_000;
  static final long HORIZON_US = HORIZON_MS * 1_000;
  private static final long GRACE_US = GRACE_MS * 1_000;
  private static final int POINTS_MAX = 131_072;

  enum Course {
    UP,
    DOWN,
    NONE,
    VOID
  }

  /** A snapshot's price, with the forecasts made there. */
  static final class Point {
    /** Names the point in the store. */
    final long number;
    final long forecastTime;
    final long referencePrice;
    final double referenceRate;
    final List<Forecast> forecasts;
    private boolean isStored;
    private boolean isResolved;

    Point(long number, long forecastTime, long referencePrice, double referenceRate, List<Forecast> forecasts) {
      this.number = number;
      this.forecastTime = forecastTime;
      this.referencePrice = referencePrice;
      this.referenceRate = referenceRate;
      this.forecasts = forecasts;
    }

    long dueTime() {
      return forecastTime + HORIZON_US;
    }

    void write(DataOutput out) throws IOException {
      out.writeLong(forecastTime);
      out.writeLong(referencePrice);
      out.writeDouble(referenceRate);
      out.writeByte(forecasts.size());
      for (Forecast forecast : forecasts) forecast.write(out);
    }

    static Point read(long number, DataInput in) throws IOException {
      long forecastTime = in.readLong();
      long referencePrice = in.readLong();
      double referenceRate = in.readDouble();
      List<Forecast> forecasts = new ArrayList<>();
      for (int left = in.readByte(); left > 0; left--) forecasts.add(Forecast.read(in));
      Point point = new Point(number, forecastTime, referencePrice, referenceRate, forecasts);
      point.isStored = true;
      return point;
    }
  }

  private final ArrayDeque<Point> pending = new ArrayDeque<>();
  private final List<Point> unstored = new ArrayList<>();
  private final List<Long> spent = new ArrayList<>();
  private long nextNumber;
  private long nextDue = Long.MAX_VALUE;

  boolean isDue(long timeUs) {
    return nextDue <= timeUs;
  }

  boolean isFull() {
    return pending.size() >= POINTS_MAX;
  }

  void register(long forecastTime, long referencePrice, double referenceRate, List<Forecast> forecasts) {
    Point point = new Point(nextNumber++, forecastTime, referencePrice, referenceRate, forecasts);
    unstored.add(point);
    enqueue(point);
  }

  /** By due time, and of equal ones by age; nearly always the last. */
  private void enqueue(Point point) {
    ArrayDeque<Point> later = new ArrayDeque<>(0);
    while (!pending.isEmpty() && pending.peekLast().forecastTime > point.forecastTime) {
      later.addFirst(pending.pollLast());
    }
    pending.addLast(point);
    pending.addAll(later);
    nextDue = pending.peekFirst().dueTime();
  }

  /** Removes the first point if it is due; null if none is. */
  Point takeDue(long timeUs) {
    if (nextDue > timeUs) return null;
    Point point = pending.pollFirst();
    point.isResolved = true;
    if (point.isStored) spent.add(point.number);
    nextDue = pending.isEmpty() ? Long.MAX_VALUE : pending.peekFirst().dueTime();
    return point;
  }

  static Course courseOf(Point point, long timeUs, long price) {
    if (timeUs > point.dueTime() + GRACE_US) return Course.VOID;
    return price > point.referencePrice ? Course.UP : price < point.referencePrice ? Course.DOWN : Course.NONE;
  }

  /** Points that the store has to take. */
  List<Point> takeUnstored() {
    List<Point> taken = new ArrayList<>(unstored.size());
    for (Point point : unstored) {
      if (point.isResolved) continue;
      point.isStored = true;
      taken.add(point);
    }
    unstored.clear();
    return taken;
  }

  /** Numbers of points that the store no longer needs. */
  List<Long> takeSpent() {
    List<Long> taken = List.copyOf(spent);
    spent.clear();
    return taken;
  }

  void restore(Point point) {
    nextNumber = Math.max(nextNumber, point.number + 1);
    enqueue(point);
  }
}
