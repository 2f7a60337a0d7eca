package com.tapeproof.peers;

import com.tapeproof.events.ConfidenceLevel;
import com.tapeproof.events.Direction;
import com.tapeproof.events.StrategyResult;

/** Pools forecasts into a decision by their evidence, and says how far each can be trusted. */
final class Pooling {
  static final double WEIGHT = 1;
  private static final double MIN_EVIDENCE = 0.01;
  private static final double HALF_SAMPLE_TRADES = 200;
  private static final double MEDIUM_FROM = 0.4;
  private static final double HIGH_FROM = 0.7;

  private Pooling() {}

  /** @param evidence log odds. @param rawEvidence the same with every slope at 1, in the decision's direction. */
  record Pooled(Direction direction, double evidence, double rawEvidence, double confidence) {}

  /** The evidence of a formula's probability at even odds, log odds in its direction. */
  static double evidenceOf(Opinion opinion) {
    if (opinion.direction() == Direction.NEUTRAL) return 0;
    double epsilon = ForecastSeries.EPSILON;
    return Arithmetic.toNineDecimals(Arithmetic.logit(Arithmetic.clamp(opinion.probability(), epsilon, 1 - epsilon)));
  }

  /** Log odds, positive for LONG. */
  static double signedEvidence(StrategyResult result) {
    double factor = Math.max(0, result.getCalibration().getSlope());
    return Arithmetic.toNineDecimals(signOf(result.getDirection()) * factor * result.getCalibration().getEvidence());
  }

  static Pooled pool(StrategyResult[] results) {
    double weighted = 0;
    double rawWeighted = 0;
    double confidenceWeight = 0;
    double weight = 0;
    for (StrategyResult result : results) {
      double share = WEIGHT * result.getConfidence();
      weighted += share * signedEvidence(result);
      rawWeighted += share * signOf(result.getDirection()) * result.getCalibration().getEvidence();
      confidenceWeight += share;
      weight += WEIGHT;
    }
    double pooled = confidenceWeight > 0 ? Arithmetic.toNineDecimals(weighted / confidenceWeight) : 0;
    double rawPooled = confidenceWeight > 0 ? Arithmetic.toNineDecimals(rawWeighted / confidenceWeight) : 0;
    double confidence = Arithmetic.toSixDecimals(confidenceWeight / weight);
    if (Math.abs(pooled) < MIN_EVIDENCE) return new Pooled(Direction.NEUTRAL, 0, 0, confidence);
    Direction direction = pooled > 0 ? Direction.LONG : Direction.SHORT;
    return new Pooled(direction, Math.abs(pooled), signOf(direction) * rawPooled + 0.0, confidence);
  }

  static double confidenceOf(double quality, long trades) {
    return Arithmetic.toSixDecimals(Arithmetic.clamp(quality, 0, 1) * trades / (trades + HALF_SAMPLE_TRADES));
  }

  static ConfidenceLevel levelOf(double confidence) {
    if (confidence >= HIGH_FROM) return ConfidenceLevel.HIGH;
    return confidence >= MEDIUM_FROM ? ConfidenceLevel.MEDIUM : ConfidenceLevel.LOW;
  }

  private static int signOf(Direction direction) {
    return direction == Direction.LONG ? 1 : direction == Direction.SHORT ? -1 : 0;
  }
}
