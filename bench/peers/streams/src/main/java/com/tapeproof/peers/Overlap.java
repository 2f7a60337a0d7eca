package com.tapeproof.peers;

/** The weight of an outcome beside those it overlaps. */
final class Overlap {
  /** Stands for the time of the last forecast before there is one. */
  static final long NEVER = Long.MIN_VALUE;

  private Overlap() {}

  static double weight(long lastForecastUs, long forecastTime) {
    if (lastForecastUs == NEVER) return 1;
    double horizons = (double) (forecastTime - lastForecastUs) / Outcomes.HORIZON_US;
    return Arithmetic.toNineDecimals(Arithmetic.clamp(horizons, 0, 1));
  }
}
