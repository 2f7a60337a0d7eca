package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** The rate at which an undirected forecast comes true, from resolved snapshots, and its log odds. */
final class ReferenceRate {
  private static final double PRIOR_TIE_RATE = 0;
  private static final double PRIOR_WEIGHT = 4;
  private static final double HALF_LIFE = 300;
  private static final double LN_2 = 0.6931471805599453;
  private static final double RATE_MIN = 0.001;

  private double weight = PRIOR_WEIGHT;
  private double ties = PRIOR_WEIGHT * PRIOR_TIE_RATE;
  private long lastForecastUs = Overlap.NEVER;
  private double rate;
  private double logOdds;

  ReferenceRate() {
    measure();
  }

  double rate() {
    return rate;
  }

  double logOdds() {
    return logOdds;
  }

  /** The log odds of a rate, which is mostly the present one. */
  double logOddsOf(double otherRate) {
    return otherRate == rate ? logOdds : Arithmetic.logit(otherRate);
  }

  void learn(boolean isTie, long forecastTime) {
    double overlap = Overlap.weight(lastForecastUs, forecastTime);
    lastForecastUs = forecastTime;
    double kept = 1 / (1 + LN_2 * overlap / HALF_LIFE);
    weight = weight * kept + overlap;
    ties = ties * kept + (isTie ? overlap : 0);
    measure();
  }

  private void measure() {
    rate = Arithmetic.toNineDecimals(Arithmetic.clamp((1 - ties / weight) / 2, RATE_MIN, 0.5));
    logOdds = Arithmetic.logit(rate);
  }

  void write(DataOutput out) throws IOException {
    out.writeDouble(weight);
    out.writeDouble(ties);
    out.writeLong(lastForecastUs);
  }

  static ReferenceRate read(DataInput in) throws IOException {
    ReferenceRate reference = new ReferenceRate();
    reference.weight = in.readDouble();
    reference.ties = in.readDouble();
    reference.lastForecastUs = in.readLong();
    reference.measure();
    return reference;
  }
}
