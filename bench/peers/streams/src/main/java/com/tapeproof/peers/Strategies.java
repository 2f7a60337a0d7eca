package com.tapeproof.peers;

import com.tapeproof.events.Direction;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The strategies that the default configuration enables, in the order of their results, each of weight 1. */
final class Strategies {
  /** The series of the decisions, beside those of the strategies. */
  static final int DECISION = -1;

  static final List<Strategy> ENABLED =
      List.of(
          new Strategy("VWAP_REVERSION", Strategies::vwapReversion),
          new Strategy("RANGE_BREAKOUT", Strategies::rangeBreakout));

  private static final double QUALITY_WITHOUT_SIGNAL = 0.5;
  private static final double ENTRY_DEVIATIONS = 1;
  private static final double MAX_DEVIATIONS = 3;
  private static final double REVERSION_BASE_EVIDENCE = 0.02;
  private static final double REVERSION_SLOPE = 0.06;
  private static final double VOLUME_FACTOR = 1.5;
  private static final double BREAKOUT_BASE_EVIDENCE = 0.05;
  private static final double BREAKOUT_SLOPE = 0.1;

  private Strategies() {}

  record Strategy(String name, Function<Measured, Opinion> evaluate) {}

  /** A price far from the session's average returns towards it. */
  private static Opinion vwapReversion(Measured snapshot) {
    double last = Decimals.toDouble(snapshot.lastPrice());
    double vwap = snapshot.session().average();
    double deviation = snapshot.session().deviation();
    if (deviation == 0) return Opinion.neutral(0, Map.of("lastPrice", last, "vwap", vwap, "vwapDeviation", deviation));
    double deviations = (last - vwap) / deviation;
    double distance = Math.abs(deviations);
    Map<String, Double> indicators =
        Map.of("lastPrice", last, "vwap", vwap, "vwapDeviation", deviation, "deviations", deviations);
    if (distance < ENTRY_DEVIATIONS) return Opinion.neutral(QUALITY_WITHOUT_SIGNAL, indicators);
    double beyond = Math.max(Math.min(distance, MAX_DEVIATIONS) - ENTRY_DEVIATIONS, 0);
    double evidence = REVERSION_BASE_EVIDENCE + REVERSION_SLOPE * beyond;
    return new Opinion(
        deviations > 0 ? Direction.SHORT : Direction.LONG,
        Arithmetic.clamp(Arithmetic.sigmoid(evidence), 0.5, 1),
        isInside(snapshot.lastPrice(), snapshot.area()) ? 0.5 : 1,
        indicators);
  }

  private static boolean isInside(long price, VolumeProfile.ValueArea area) {
    return price >= area.low() && price < area.high() + area.binSize();
  }

  /** A price beyond the range of the previous bars, confirmed by volume, moves on. */
  private static Opinion rangeBreakout(Measured snapshot) {
    double last = Decimals.toDouble(snapshot.lastPrice());
    double volume = snapshot.barVolume();
    Range.Bounds bounds = snapshot.bounds();
    if (bounds == null) return Opinion.neutral(0, Map.of("lastPrice", last, "barVolume", volume));
    double high = Decimals.toDouble(bounds.high());
    double low = Decimals.toDouble(bounds.low());
    double mean = bounds.meanVolume();
    Map<String, Double> indicators =
        Map.of("lastPrice", last, "rangeHigh", high, "rangeLow", low, "barVolume", volume, "meanBarVolume", mean);
    boolean isAbove = snapshot.lastPrice() > bounds.high();
    double threshold = VOLUME_FACTOR * mean;
    boolean isBeyond = isAbove || snapshot.lastPrice() < bounds.low();
    if (!isBeyond || volume <= threshold) return Opinion.neutral(QUALITY_WITHOUT_SIGNAL, indicators);
    double width = high - low;
    double excess = isAbove ? last - high : low - last;
    double beyond = width > 0 ? Math.min(excess / width, 1) : 1;
    double evidence = BREAKOUT_BASE_EVIDENCE + BREAKOUT_SLOPE * beyond;
    return new Opinion(
        isAbove ? Direction.LONG : Direction.SHORT,
        Arithmetic.clamp(Arithmetic.sigmoid(evidence), 0.5, 1),
        1 - threshold / (2 * volume),
        indicators);
  }
}
