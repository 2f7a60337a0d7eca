import type { Interval } from '../../evaluators/outcomes/wilson.ts';
import type { Withheld } from '../scores/batch-means.ts';
import type { CurveStep } from '../scores/corp.ts';
import type { CalibrationErrorNull } from '../scores/calibration-error.ts';
import type { Drift } from '../scores/drift-alarm.ts';
import type { ReliabilityBin } from '../scores/reliability-bins.ts';
import type { Banded } from '../scores/resampling.ts';
import type { MergedGroup } from './forecast-group.ts';
import type { RegretTerms } from './regret.ts';

/** Properties by which rows may be split. */
export const PART_KINDS = ['direction', 'level', 'horizon', 'period', 'lead'] as const;
export type PartKind = (typeof PART_KINDS)[number];

/** A part of a group. */
export interface Part {
  readonly by: PartKind;
  /** LONG, HIGH, `300 s`, the period's first instant, `0.25 to 0.5 horizons`. */
  readonly value: string;
}

/**
 * Why figures are not shown: too few outcomes, hits or misses too rare, outcomes all alike, no reference rate, or no
 * valid bound.
 */
export type WithheldReason = Withheld | 'NO_REFERENCE' | 'NOT_A_WHOLE_SERIES';

/** Figures that are not shown, and why. */
export interface WithheldFigures {
  readonly figures: readonly string[];
  readonly reason: WithheldReason;
  /** The same for people. */
  readonly sentence: string;
}

/**
 * The results of a group's forecasts. Shares are of 1. Figures weigh each outcome by its overlap weight, and each has
 * its n, its effective n and an interval of 95 %; a figure without one is null, and `withheld` gives the reason.
 */
export interface ScoreRow extends MergedGroup {
  /** Null for a whole group. */
  readonly part: Part | null;
  readonly hits: number;
  readonly misses: number;
  readonly voids: number;
  /** Hits and misses. */
  readonly n: number;
  /** Sum of the overlap weights: horizons' worth of outcomes. */
  readonly effectiveN: number;
  readonly hitRate: number | null;
  /** By batch means. */
  readonly hitRateInterval: Interval | null;
  readonly meanPublished: number | null;
  /** Mean of the reference rates p0 at which the forecasts were made. */
  readonly referenceRate: number | null;
  readonly brierPublished: number | null;
  /** By a block bootstrap. */
  readonly brierPublishedInterval: Interval | null;
  readonly brierReference: number | null;
  readonly brierReferenceInterval: Interval | null;
  /** 1 − Brier score / the reference rate's Brier score: the knowledge beyond it. */
  readonly skillAgainstReference: number | null;
  /** By batch means of a ratio. */
  readonly skillAgainstReferenceInterval: Interval | null;
  /** 1 − Brier score / the Brier score of always forecasting the hit rate, which only hindsight knows. */
  readonly skillAgainstClimatology: number | null;
  readonly skillAgainstClimatologyInterval: Interval | null;
  /** Mean of 100·log2(2·probability of the actual outcome): a coin has 0. */
  readonly logScore: number | null;
  readonly logScoreInterval: Interval | null;
  /** `brier = miscalibration − discrimination + uncertainty`, free of bins. */
  readonly corp: CorpBands | null;
  /** `brier = reliability − resolution + uncertainty + withinVariance − withinCovariance`. */
  readonly binned: BinnedBands | null;
  readonly calibrationError: CalibrationErrorBesideNull | null;
  readonly reliability: Reliability | null;
  readonly regret: RegretTerms | null;
  readonly drift: DriftAlarms | null;
  /** Mean time from a forecast to its settlement as a hit or a miss, milliseconds; null without one. */
  readonly meanLeadMs: number | null;
  readonly withheld: readonly WithheldFigures[];
}

export interface CorpBands {
  readonly miscalibration: Banded;
  readonly discrimination: Banded;
  readonly uncertainty: Banded;
}

export interface BinnedBands {
  readonly reliability: Banded;
  readonly resolution: Banded;
  readonly uncertainty: Banded;
  readonly withinVariance: Banded;
  readonly withinCovariance: Banded;
}

/**
 * The expected calibration error, which is above 0 even for a perfect forecaster, beside the error that such a
 * forecaster would show.
 */
export interface CalibrationErrorBesideNull {
  readonly value: number;
  readonly ofPerfectForecaster: CalibrationErrorNull;
  readonly isMiscalibrated: boolean;
}

/** The content of a reliability diagram. */
export interface Reliability {
  /** The recalibrated curve, by pool-adjacent-violators, of probabilities rounded to 10^-3. */
  readonly curve: readonly CurveStep[];
  readonly bins: readonly ReliabilityBin[];
}

/** The result of the drift alarm over all outcomes. */
export interface DriftAlarms {
  readonly alarms: number;
  /** The last one, with the time of its outcome, ISO 8601. */
  readonly last: { readonly drift: Drift; readonly time: string } | null;
  /** A calibrated forecaster raises one alarm in at least this many horizons. */
  readonly horizonsToFalseAlarm: number;
}
