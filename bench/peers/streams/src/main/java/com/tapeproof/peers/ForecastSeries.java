package com.tapeproof.peers;

import com.tapeproof.events.Calibration;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** What outcomes show about the evidence of one strategy's forecasts, or of the decisions, of one instrument. */
final class ForecastSeries {
  static final double EPSILON = 0.001;
  private static final double PRIOR_SLOPE = 1;
  private static final double PRIOR_PRECISION = 0.25;
  private static final double INTERCEPT_PRECISION = 100;
  private static final double LEARNING_RATE = 2;
  private static final double WEIGHT_MIN = 1e-6;
  private static final int EXPERTS = 3;

  private double slope = PRIOR_SLOPE;
  private double precision = PRIOR_PRECISION;
  private double intercept;
  private double interceptPrecision = INTERCEPT_PRECISION;
  private final double[] weights = {1.0 / EXPERTS, 1.0 / EXPERTS, 1.0 / EXPERTS};
  private double effectiveN;
  private long lastForecastUs = Overlap.NEVER;
  private Long lastOutcomeOffset;
  /** The figures as events name them, until the next outcome. */
  private Named named;

  private record Named(double slope, double intercept, List<Double> weights, double effectiveN) {}

  /** The published probability, and how it was computed. */
  record Published(double probability, Calibration calibration) {}

  /** @param evidence the evidence that the slope scales. @param rawEvidence the same with every slope at 1. */
  Published publish(ReferenceRate reference, double evidence, double rawEvidence) {
    if (named == null) named = name();
    double rate = reference.rate();
    if (evidence == 0 && rawEvidence == 0) {
      double probability = Arithmetic.toSixDecimals(rate);
      return new Published(probability, calibration(rate, evidence, probability, probability));
    }
    double raw = within(Arithmetic.sigmoid(reference.logOdds() + rawEvidence));
    double scaled = reference.logOdds() + named.intercept + Math.max(0, named.slope) * evidence;
    double calibrated = within(Arithmetic.sigmoid(scaled));
    double probability = within(aggregate(rate, raw, calibrated));
    return new Published(probability, calibration(rate, evidence, raw, calibrated));
  }

  /** Learns from the outcome of a forecast. Returns its overlap weight. */
  double learn(Forecast forecast, double rate, double logOdds, boolean isHit, long forecastTime, long offset) {
    double overlap = Overlap.weight(lastForecastUs, forecastTime);
    double evidence = forecast.evidence();
    lastForecastUs = forecastTime;
    lastOutcomeOffset = offset;
    effectiveN += overlap;
    double probability = Arithmetic.sigmoid(logOdds + intercept + Math.max(0, slope) * evidence);
    double information = overlap * probability * (1 - probability);
    double surprise = overlap * ((isHit ? 1 : 0) - probability);
    precision += information * evidence * evidence;
    slope += surprise * evidence / precision;
    interceptPrecision += information;
    intercept += surprise / interceptPrecision;
    reweight(new double[] {rate, forecast.rawProbability(), forecast.calibratedProbability()}, isHit, overlap);
    named = null;
    return overlap;
  }

  private double aggregate(double rate, double raw, double calibrated) {
    double[] probabilities = {rate, raw, calibrated};
    double miss = 0;
    double hit = 0;
    for (int index = 0; index < EXPERTS; index++) {
      double weight = named.weights.get(index);
      double probability = probabilities[index];
      miss += weight * Arithmetic.exp(-LEARNING_RATE * probability * probability);
      hit += weight * Arithmetic.exp(-LEARNING_RATE * (1 - probability) * (1 - probability));
    }
    return 0.5 + Arithmetic.ln(hit / miss) / (2 * LEARNING_RATE);
  }

  private void reweight(double[] probabilities, boolean isHit, double overlap) {
    double sum = 0;
    for (int index = 0; index < EXPERTS; index++) {
      double miss = probabilities[index] - (isHit ? 1 : 0);
      weights[index] = Math.max(weights[index] * Arithmetic.exp(-LEARNING_RATE * overlap * miss * miss), WEIGHT_MIN);
      sum += weights[index];
    }
    for (int index = 0; index < EXPERTS; index++) weights[index] /= sum;
  }

  private Named name() {
    return new Named(
        Arithmetic.toNineDecimals(slope),
        Arithmetic.toNineDecimals(intercept),
        Arrays.stream(weights).map(Arithmetic::toNineDecimals).boxed().toList(),
        Arithmetic.toSixDecimals(effectiveN));
  }

  private Calibration calibration(double rate, double evidence, double raw, double calibrated) {
    return new Calibration(
        rate,
        evidence,
        raw,
        calibrated,
        named.slope,
        named.intercept,
        named.weights,
        named.effectiveN,
        lastOutcomeOffset);
  }

  private static double within(double probability) {
    return Arithmetic.toSixDecimals(Arithmetic.clamp(probability, EPSILON, 1 - EPSILON));
  }

  void write(DataOutput out) throws IOException {
    double[] figures = {slope, precision, intercept, interceptPrecision, effectiveN};
    for (double figure : figures) out.writeDouble(figure);
    for (double weight : weights) out.writeDouble(weight);
    out.writeLong(lastForecastUs);
    out.writeBoolean(lastOutcomeOffset != null);
    if (lastOutcomeOffset != null) out.writeLong(lastOutcomeOffset);
  }

  static ForecastSeries read(DataInput in) throws IOException {
    ForecastSeries series = new ForecastSeries();
    series.slope = in.readDouble();
    series.precision = in.readDouble();
    series.intercept = in.readDouble();
    series.interceptPrecision = in.readDouble();
    series.effectiveN = in.readDouble();
    for (int index = 0; index < EXPERTS; index++) series.weights[index] = in.readDouble();
    series.lastForecastUs = in.readLong();
    if (in.readBoolean()) series.lastOutcomeOffset = in.readLong();
    return series;
  }
}
