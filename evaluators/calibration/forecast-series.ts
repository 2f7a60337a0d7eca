import type { Calibration } from '../../contracts/generated/events.ts';
import { clamp, logit, sigmoid, toNineDecimals, toSixDecimals } from '../arithmetic.ts';
import type { ForecastEvidence } from '../outcomes/outcome-evaluator.ts';
import { aggregate, reweighted } from './aggregation.ts';
import { overlapWeight } from './reference-rate.ts';

/** Which probability is published. */
export type Publish = 'RAW' | 'CALIBRATED' | 'AGGREGATED';

export interface CalibrationParameters {
  readonly publish: Publish;
  /** Mean of the normal prior of a slope. */
  readonly priorSlope: number;
  /** Its precision, 1 / variance. */
  readonly priorPrecision: number;
  /** Precision of the normal prior of an intercept, whose mean is 0. */
  readonly interceptPrecision: number;
  /** η of the aggregating forecaster. */
  readonly learningRate: number;
  /** Probabilities are kept within [epsilon, 1 − epsilon]. */
  readonly epsilon: number;
}

/** State of a {@link ForecastSeries}. */
export interface ForecastSeriesState {
  readonly slope: number;
  readonly precision: number;
  readonly intercept: number;
  readonly interceptPrecision: number;
  readonly weights: readonly number[];
  readonly effectiveN: number;
  readonly lastForecastUs: number | null;
  readonly lastOutcomeOffset: number | null;
}

type Named = Pick<Calibration, 'slope' | 'intercept' | 'weights' | 'effectiveN' | 'lastOutcomeOffset'>;

/** The experts: reference rate, raw and calibrated probability. */
const EXPERTS = 3;

/** A forecast's evidence beyond the reference rate, log odds in its direction, nine decimals. */
export interface Evidence {
  /** The evidence that the slope scales. */
  readonly evidence: number;
  /** The same with every slope at 1. */
  readonly rawEvidence: number;
}

/** The evidence of a NEUTRAL forecast: its probability is the reference rate. */
export const NO_EVIDENCE: Evidence = { evidence: 0, rawEvidence: 0 };

/** The reference rate with its log odds, which many forecasts share. */
export interface Reference {
  readonly rate: number;
  readonly logOdds: number;
}

/** A probability, and how it was computed. */
export interface Published {
  /** Six decimals. */
  readonly probability: number;
  readonly calibration: Calibration;
}

/**
 * What outcomes show about the evidence of one strategy's forecasts, or of the decisions, in one market under one hit
 * rule.
 *
 * Recalibration by intercept and slope (Cox 1958, Biometrika 45:562): `p = σ(logit p0 + a + max(0, β) · e)`, both priors
 * normal. Each outcome moves them by a sequential Laplace step with its overlap weight w: `P ← P + w·p(1 − p)·e²`,
 * `β ← β + w·(o − p)·e / P`, and the same for a with 1 in place of e. So evidence that outcomes contradict fades to 0,
 * and returns when they support it; a is for a market in which every such forecast does better or worse.
 *
 * The published probability is computed from the rounded figures that the event names: an audit computes it from them
 * again.
 */
export class ForecastSeries {
  private readonly parameters: CalibrationParameters;
  private slope: number;
  private precision: number;
  private intercept: number;
  private interceptPrecision: number;
  private weights: readonly number[];
  private effectiveN: number;
  private lastForecastUs: number | null;
  private lastOutcomeOffset: number | null;
  /** The figures as named in events, until the next outcome. */
  private named: Named | undefined;

  constructor(parameters: CalibrationParameters, state?: ForecastSeriesState) {
    this.parameters = parameters;
    this.slope = state?.slope ?? parameters.priorSlope;
    this.precision = state?.precision ?? parameters.priorPrecision;
    this.intercept = state?.intercept ?? 0;
    this.interceptPrecision = state?.interceptPrecision ?? parameters.interceptPrecision;
    this.weights = state?.weights ?? Array.from({ length: EXPERTS }, () => 1 / EXPERTS);
    this.effectiveN = state?.effectiveN ?? 0;
    this.lastForecastUs = state?.lastForecastUs ?? null;
    this.lastOutcomeOffset = state?.lastOutcomeOffset ?? null;
  }

  toState(): ForecastSeriesState {
    const { slope, precision, intercept, interceptPrecision, weights, effectiveN, lastForecastUs, lastOutcomeOffset } =
      this;
    return { slope, precision, intercept, interceptPrecision, weights, effectiveN, lastForecastUs, lastOutcomeOffset };
  }

  publish(reference: Reference, said: Evidence): Published {
    const figures = { referenceRate: reference.rate, evidence: said.evidence, ...this.figures() };
    return publishedFrom(figures, reference.logOdds, said.rawEvidence, this.parameters);
  }

  /**
   * Learns from a forecast's outcome.
   *
   * @param offset - of the tape record that caused the outcome.
   * @returns its overlap weight.
   */
  learn(
    { evidence, rawProbability, calibratedProbability }: ForecastEvidence,
    reference: Reference,
    isHit: boolean,
    forecastTime: number,
    horizonUs: number,
    offset: number,
  ): number {
    const overlap = overlapWeight(this.lastForecastUs, forecastTime, horizonUs);
    this.lastForecastUs = forecastTime;
    this.lastOutcomeOffset = offset;
    this.effectiveN += overlap;
    const probability = sigmoid(reference.logOdds + this.intercept + Math.max(0, this.slope) * evidence);
    const information = overlap * probability * (1 - probability);
    const surprise = overlap * ((isHit ? 1 : 0) - probability);
    this.precision += information * evidence * evidence;
    this.slope += (surprise * evidence) / this.precision;
    this.interceptPrecision += information;
    this.intercept += surprise / this.interceptPrecision;
    const { learningRate } = this.parameters;
    const experts = [reference.rate, rawProbability, calibratedProbability];
    this.weights = reweighted(this.weights, experts, isHit, learningRate, overlap);
    this.named = undefined;
    return overlap;
  }

  private figures(): Named {
    this.named ??= {
      slope: toNineDecimals(this.slope),
      intercept: toNineDecimals(this.intercept),
      weights: this.weights.map(toNineDecimals),
      effectiveN: toSixDecimals(this.effectiveN),
      lastOutcomeOffset: this.lastOutcomeOffset,
    };
    return this.named;
  }
}

type Figures = Omit<Calibration, 'rawProbability' | 'calibratedProbability'>;

/** The published probability from the figures that an event names: for the engine, and for audits. */
export function publishedFrom(
  figures: Figures,
  referenceLogOdds: number,
  rawEvidence: number,
  { publish, learningRate, epsilon }: CalibrationParameters,
): Published {
  const { referenceRate, evidence, slope, intercept, weights } = figures;
  if (evidence === 0 && rawEvidence === 0) {
    const probability = toSixDecimals(referenceRate);
    return {
      probability,
      calibration: { ...figures, rawProbability: probability, calibratedProbability: probability },
    };
  }
  const within = (probability: number): number => toSixDecimals(clamp(probability, epsilon, 1 - epsilon));
  const rawProbability = within(sigmoid(referenceLogOdds + rawEvidence));
  const calibratedProbability = within(sigmoid(referenceLogOdds + intercept + Math.max(0, slope) * evidence));
  const probability =
    publish === 'RAW'
      ? rawProbability
      : publish === 'CALIBRATED'
        ? calibratedProbability
        : within(aggregate(weights, [referenceRate, rawProbability, calibratedProbability], learningRate));
  return { probability, calibration: { ...figures, rawProbability, calibratedProbability } };
}

export function referenceOf(rate: number): Reference {
  return { rate, logOdds: logit(rate) };
}
