package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.List;
import java.util.TreeSet;

/** All that the engine knows about one instrument: which trades count, what they add up to, and pending forecasts. */
final class Instrument {
  private static final long CADENCE_US = 1_000_000L;
  private static final int SILENT_SESSIONS_MAX = 64;

  final String name;
  final Outcomes outcomes = new Outcomes();
  final Identities seen = new Identities();
  ReferenceRate reference = new ReferenceRate();
  private final ForecastSeries[] series = new ForecastSeries[Strategies.ENABLED.size() + 1];
  private MarketClock clock = new MarketClock();
  private Sessions sessions = new Sessions();
  private Range range = new Range();
  /** Sessions in which a price below 0 was refused: nothing is decided in them. */
  private final TreeSet<Long> silentSessions = new TreeSet<>();
  private long nextSnapshotUs;
  private List<MarketClock.Unproven> proven = List.of();
  /** Whether the store has to take it at the next commit. */
  boolean isChanged;

  Instrument(String name) {
    this.name = name;
    for (int index = 0; index < series.length; index++) series[index] = new ForecastSeries();
  }

  ForecastSeries seriesOf(int strategy) {
    return series[strategy + 1];
  }

  /** True when a trade is on time: it first resolves forecasts, and is then counted. Any other trade is done with. */
  boolean admit(Tick trade, long offset) {
    if (trade.price() <= 0) {
      if (trade.price() < 0) silence(Session.indexOf(trade.time()));
      return false;
    }
    switch (clock.judge(trade.time())) {
      case ON_TIME:
        if (!seen.add(trade.tradeId(), trade.time())) return false;
        if (clock.isAnyWaiting()) passBy(clock.endWaiting(Long.MIN_VALUE).disproved());
        return true;
      case AHEAD:
        if (!clock.isWaiting(trade.tradeId(), trade.time())) await(new MarketClock.Unproven(trade, offset, true));
        return false;
      case CONFIRMED:
        return !clock.isWaiting(trade.tradeId(), trade.time()) && confirm(trade);
      case CONTESTED:
        fallBackTo(trade.time());
        return seen.add(trade.tradeId(), trade.time());
      default:
        if (clock.isAnyWaiting()) waitBehind(trade, offset);
        else countLate(trade, offset);
        return false;
    }
  }

  /** Trades that waited and that the last one has proven, in the order of the tape. */
  List<MarketClock.Unproven> takeProven() {
    List<MarketClock.Unproven> taken = proven;
    proven = List.of();
    return taken;
  }

  /** Like admit, for a trade that is proven. */
  boolean admitProven(Tick trade, long offset) {
    if (trade.time() >= clock.timeUs()) return seen.add(trade.tradeId(), trade.time());
    countLate(trade, offset);
    return false;
  }

  private boolean confirm(Tick trade) {
    if (seen.has(trade.tradeId(), trade.time())) return false;
    MarketClock.Verdicts verdicts = clock.endWaitingConfirmedBy(trade.time());
    proven = verdicts.proven();
    passBy(verdicts.disproved());
    return true;
  }

  private void await(MarketClock.Unproven unproven) {
    MarketClock.Unproven crowdedOut = clock.await(unproven);
    if (crowdedOut != null) passBy(List.of(crowdedOut));
  }

  private void waitBehind(Tick trade, long offset) {
    if (isBeyondMemory(trade)) return;
    if (seen.has(trade.tradeId(), trade.time()) || clock.isWaiting(trade.tradeId(), trade.time())) return;
    await(new MarketClock.Unproven(trade, offset, false));
  }

  private void countLate(Tick trade, long offset) {
    if (isBeyondMemory(trade) || !seen.add(trade.tradeId(), trade.time())) return;
    clock.settleBy(new MarketClock.Unproven(trade, offset, false));
    countInSession(trade, offset);
    range.add(trade, offset);
  }

  private boolean isBeyondMemory(Tick trade) {
    boolean isTooOld = sessions.placeOf(Session.indexOf(trade.time())) == Sessions.Place.TOO_OLD;
    return isTooOld || !seen.canJudge(trade.time());
  }

  private void countInSession(Tick trade, long offset) {
    sessions.of(Session.indexOf(trade.time()), offset).add(trade, offset);
    seen.forgetBefore(sessions.earliestUs());
  }

  /** Trades that waited and did not happen then: a session takes those it can. */
  private void passBy(List<MarketClock.Unproven> trades) {
    for (MarketClock.Unproven each : trades) {
      Tick trade = each.trade();
      if (trade.time() <= clock.timeUs()) countLate(trade, each.offset());
      else if (sessions.placeOf(Session.indexOf(trade.time())) != Sessions.Place.HELD) continue;
      else if (seen.add(trade.tradeId(), trade.time())) countInSession(trade, each.offset());
    }
  }

  private void fallBackTo(long timeUs) {
    clock.fallBackTo(timeUs);
    sessions.enter(Session.indexOf(clock.timeUs()), 0);
    range = new Range();
    nextSnapshotUs = 0;
  }

  private void silence(long session) {
    silentSessions.add(session);
    if (sessions.current() != null) silentSessions.removeIf(each -> each < sessions.current().index);
    while (silentSessions.size() > SILENT_SESSIONS_MAX) silentSessions.pollLast();
  }

  /** Counts an on-time trade; the forecasts that it resolves were resolved before. */
  void count(Tick trade, long offset) {
    clock.moveTo(trade.time());
    Session before = sessions.current();
    Session session = sessions.enter(Session.indexOf(trade.time()), offset);
    if (session != before) seen.forgetBefore(sessions.earliestUs());
    session.add(trade, offset);
    range.add(trade, offset);
    if (!clock.isSettled()) clock.settleBy(new MarketClock.Unproven(trade, offset, false));
  }

  boolean isSnapshotDue(long timeUs) {
    if (timeUs < nextSnapshotUs || outcomes.isFull()) return false;
    return silentSessions.isEmpty() || sessions.current() == null || !silentSessions.contains(sessions.current().index);
  }

  /** The indicators at an on-time trade that was just counted; notes that a snapshot was taken. */
  Measured measure(Tick trade) {
    nextSnapshotUs = (Math.floorDiv(trade.time(), CADENCE_US) + 1) * CADENCE_US;
    Session session = sessions.current();
    return new Measured(
        trade.price(),
        session.sums.measures(),
        session.profile.valueArea(),
        range.bounds(),
        Decimals.toDouble(range.currentVolume()),
        session.trades);
  }

  Range range() {
    return range;
  }

  /** First offset that any of the indicators covers. */
  long firstOffset(long offset) {
    return Math.min(sessions.current().firstOffset, range.firstOffset(offset));
  }

  /** All but the identities and the pending forecasts, which are values of their own in the store. */
  void write(DataOutput out) throws IOException {
    clock.write(out);
    sessions.write(out);
    range.write(out);
    reference.write(out);
    for (ForecastSeries each : series) each.write(out);
    out.writeByte(silentSessions.size());
    for (long session : silentSessions) out.writeLong(session);
    out.writeLong(nextSnapshotUs);
    out.writeLong(seen.forgottenBeforeUs());
  }

  /** Returns the time before which identities are forgotten, microseconds. */
  long read(DataInput in) throws IOException {
    clock = MarketClock.read(in);
    sessions = Sessions.read(in);
    range = Range.read(in);
    reference = ReferenceRate.read(in);
    for (int index = 0; index < series.length; index++) series[index] = ForecastSeries.read(in);
    for (int left = in.readByte(); left > 0; left--) silentSessions.add(in.readLong());
    nextSnapshotUs = in.readLong();
    return in.readLong();
  }
}
