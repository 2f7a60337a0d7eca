package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The market's time by one instrument's trades. A trade far ahead of it waits until others confirm that time has
 * advanced; the first trades may be contested by one far before them.
 */
final class MarketClock {
  private static final long MAX_STEP_US = 3_600_000_000L;
  private static final int CONFIRMING_TRADES = 3;
  private static final int WAITING_TRADES_MAX = 64;

  enum Standing {
    ON_TIME,
    LATE,
    AHEAD,
    CONFIRMED,
    CONTESTED
  }

  /** A trade that is not yet proven or disproved, with its place on the tape. */
  record Unproven(Tick trade, long offset, boolean isAhead) {}

  /** The trades that a confirmed time proves, and all others, each in the order of the tape. */
  record Verdicts(List<Unproven> proven, List<Unproven> disproved) {}

  private long time;
  private List<Unproven> waiting = new ArrayList<>();
  private List<Unproven> first = new ArrayList<>();
  private boolean isSettled;

  long timeUs() {
    return time;
  }

  boolean isAnyWaiting() {
    return !waiting.isEmpty();
  }

  boolean isSettled() {
    return isSettled;
  }

  Standing judge(long timeUs) {
    if (timeUs < time) return !isSettled && timeUs < time - MAX_STEP_US ? Standing.CONTESTED : Standing.LATE;
    if (timeUs <= time + MAX_STEP_US || time == 0) return Standing.ON_TIME;
    int supporters = 1;
    for (Unproven each : waiting) if (each.isAhead && each.trade.time() <= timeUs) supporters++;
    return supporters >= CONFIRMING_TRADES ? Standing.CONFIRMED : Standing.AHEAD;
  }

  void moveTo(long timeUs) {
    if (timeUs > time) time = timeUs;
  }

  /** Nothing waits any more. */
  Verdicts endWaiting(long provenUntilUs) {
    Verdicts verdicts = new Verdicts(new ArrayList<>(), new ArrayList<>());
    for (Unproven each : waiting) {
      (each.trade.time() <= provenUntilUs ? verdicts.proven : verdicts.disproved).add(each);
    }
    waiting = new ArrayList<>();
    return verdicts;
  }

  Verdicts endWaitingConfirmedBy(long timeUs) {
    return endWaiting(timeUs + MAX_STEP_US);
  }

  /** Lets a trade wait. Returns the one that gave way, or null. */
  Unproven await(Unproven unproven) {
    waiting.add(unproven);
    return waiting.size() > WAITING_TRADES_MAX ? waiting.remove(0) : null;
  }

  boolean isWaiting(String tradeId, long timeUs) {
    for (Unproven each : waiting) {
      if (each.trade.time() == timeUs && each.trade.tradeId().equals(tradeId)) return true;
    }
    return false;
  }

  /** Notes one of the first trades: enough of them settle the clock. */
  void settleBy(Unproven unproven) {
    if (isSettled) return;
    first.add(unproven);
    if (first.size() < CONFIRMING_TRADES) return;
    isSettled = true;
    first = new ArrayList<>();
  }

  /** Goes back to a trade that contests the first ones. */
  void fallBackTo(long timeUs) {
    first.removeIf(each -> each.trade.time() > timeUs + MAX_STEP_US);
    time = timeUs;
    for (Unproven each : first) time = Math.max(time, each.trade.time());
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(time);
    out.writeBoolean(isSettled);
    writeAll(out, waiting);
    writeAll(out, first);
  }

  static MarketClock read(DataInput in) throws IOException {
    MarketClock clock = new MarketClock();
    clock.time = in.readLong();
    clock.isSettled = in.readBoolean();
    clock.waiting = readAll(in);
    clock.first = readAll(in);
    return clock;
  }

  private static void writeAll(DataOutput out, List<Unproven> trades) throws IOException {
    out.writeByte(trades.size());
    for (Unproven each : trades) {
      each.trade.write(out);
      out.writeLong(each.offset);
      out.writeBoolean(each.isAhead);
    }
  }

  private static List<Unproven> readAll(DataInput in) throws IOException {
    List<Unproven> trades = new ArrayList<>();
    for (int left = in.readByte(); left > 0; left--) {
      trades.add(new Unproven(Tick.read(in), in.readLong(), in.readBoolean()));
    }
    return trades;
  }
}
