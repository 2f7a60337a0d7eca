import { isoTimeOf } from '../../contracts/iso-time.ts';
import { ln } from '../../evaluators/arithmetic.ts';
import type { Interval } from '../../evaluators/outcomes/wilson.ts';
import { BatchMeans, EFFECTIVE_N_MIN, rateEstimate, type BatchedMean } from '../scores/batch-means.ts';
import { BinnedBootstrap } from '../scores/binned-bootstrap.ts';
import { BlockBootstrap } from '../scores/block-bootstrap.ts';
import { ScoreSums, squaredError, type ScoredForecast } from '../scores/brier.ts';
import { calibrationError, calibrationErrorNull } from '../scores/calibration-error.ts';
import { CELLS_PER_UNIT, cellOf, recalibrated } from '../scores/corp.ts';
import { DriftAlarm, HORIZONS_TO_FALSE_ALARM } from '../scores/drift-alarm.ts';
import { ReliabilityBins } from '../scores/reliability-bins.ts';
import type { Banded } from '../scores/resampling.ts';
import type { MergedGroup } from './forecast-group.ts';
import type { KeptOutcome, OutcomeColumns } from './outcome-columns.ts';
import { Regret } from './regret.ts';
import type { CalibrationErrorBesideNull, DriftAlarms, Part, Reliability, ScoreRow } from './score-row.ts';
import { withheldOf } from './withheld.ts';

const BINS = 10;
const US_PER_MS = 1_000;

export interface RowOf {
  readonly group: MergedGroup;
  readonly part: Part | null;
  /** In recorded order. */
  readonly outcomes: OutcomeColumns;
  /** True when they are all outcomes of one group, from its first one on. */
  readonly isWholeSeries: boolean;
}

/** The row of a group, or of a part of one: one pass over its outcomes, and the bands. */
export function scoreRow({ group, part, outcomes, isWholeSeries }: RowOf): ScoreRow {
  const sums = new RowSums();
  for (const outcome of outcomes) sums.observe(outcome);
  return { ...group, part, ...sums.figures(isWholeSeries) };
}

type Figures = Omit<ScoreRow, keyof MergedGroup | 'part'>;

/** All figures of a row, O(1) for each outcome. */
class RowSums {
  private hits = 0;
  private misses = 0;
  private voids = 0;
  private leadUs = 0;
  /** Outcomes without a reference rate. */
  private unreferenced = 0;
  private readonly sums = new ScoreSums();
  private readonly hitRate = new BatchMeans();
  private readonly skill = new BatchMeans();
  private readonly referenceLoss = new BatchMeans();
  private readonly logScore = new BatchMeans();
  private readonly bootstrap = new BlockBootstrap();
  private readonly binned = new BinnedBootstrap(BINS);
  private readonly bins = new ReliabilityBins(BINS);
  private readonly cells = new Float64Array(2 * (CELLS_PER_UNIT + 1));
  private readonly regret = new Regret();
  private readonly alarm = new DriftAlarm();
  private alarms = 0;
  private lastAlarm: DriftAlarms['last'] = null;

  observe(outcome: KeptOutcome): void {
    const { verdict, weight, published, reference, eventTime, forecastTime } = outcome;
    if (verdict === 'VOID') {
      this.voids += 1;
      return;
    }
    const isHit = verdict === 'HIT';
    if (isHit) this.hits += 1;
    else this.misses += 1;
    this.leadUs += eventTime - forecastTime;
    const isReferenced = !Number.isNaN(reference);
    const forecast = { probability: published, reference: isReferenced ? reference : published, isHit, weight };
    this.observeForecast(forecast);
    this.observeDrift(forecast, eventTime);
    if (!isReferenced) {
      this.unreferenced += 1;
      return;
    }
    const referenceLoss = squaredError(reference, isHit);
    this.skill.observe(weight, referenceLoss - squaredError(published, isHit), referenceLoss);
    this.referenceLoss.observe(weight, referenceLoss);
    this.regret.observe(outcome);
  }

  figures(isWholeSeries: boolean): Figures {
    const { hits, misses, voids, unreferenced } = this;
    const n = hits + misses;
    const scores = this.sums.scores();
    const effectiveN = scores?.effectiveN ?? 0;
    const isEnough = scores !== undefined && effectiveN >= EFFECTIVE_N_MIN;
    const isReferenced = isEnough && unreferenced === 0;
    const bands = isEnough ? this.bootstrap.bands() : undefined;
    const hitRate = rateEstimate(this.hitRate);
    const skill = this.skill.estimate();
    const regret = isReferenced && isWholeSeries ? this.regret.terms() : undefined;
    return {
      ...{ hits, misses, voids, n, effectiveN },
      ...named('hitRate', bounded(hitRate)),
      meanPublished: isEnough ? scores.meanProbability : null,
      referenceRate: isReferenced ? scores.meanReference : null,
      ...named('brierPublished', bandOf(bands?.brier)),
      ...named('brierReference', isReferenced ? bounded(this.referenceLoss.estimate(), scores.referenceBrier) : null),
      ...named('skillAgainstReference', isReferenced ? bounded(skill) : null),
      ...named('skillAgainstClimatology', bandOf(bands?.climatologySkill)),
      ...named('logScore', isEnough ? bounded(this.logScore.estimate(), scores.logScore) : null),
      corp:
        bands?.miscalibration && bands.discrimination && bands.uncertainty
          ? {
              miscalibration: bands.miscalibration,
              discrimination: bands.discrimination,
              uncertainty: bands.uncertainty,
            }
          : null,
      binned: this.binned.bands() ?? null,
      calibrationError: isEnough ? this.calibrationError() : null,
      reliability: isEnough ? this.reliability() : null,
      regret: regret ?? null,
      drift: isEnough
        ? { alarms: this.alarms, last: this.lastAlarm, horizonsToFalseAlarm: HORIZONS_TO_FALSE_ALARM }
        : null,
      meanLeadMs: n > 0 ? this.leadUs / n / US_PER_MS : null,
      withheld: withheldOf({ effectiveN, hitRate, skill, unreferenced, n, isWholeSeries }),
    };
  }

  private observeForecast(forecast: ScoredForecast): void {
    const { probability, isHit, weight } = forecast;
    this.sums.observe(forecast);
    this.hitRate.observe(weight, isHit ? 1 : 0);
    this.logScore.observe(weight, logScoreOf(isHit ? probability : 1 - probability));
    this.bootstrap.observe(forecast);
    this.binned.observe(forecast);
    this.bins.observe(forecast);
    const cell = 2 * cellOf(probability);
    this.cells[cell] = (this.cells[cell] ?? 0) + weight;
    if (isHit) this.cells[cell + 1] = (this.cells[cell + 1] ?? 0) + weight;
  }

  private observeDrift(forecast: ScoredForecast, eventTime: number): void {
    const drift = this.alarm.observe(forecast);
    if (drift === undefined) return;
    this.alarms += 1;
    this.lastAlarm = { drift, time: isoTimeOf(eventTime) };
  }

  private calibrationError(): CalibrationErrorBesideNull | null {
    const rows = this.bins.rows();
    const [value, expected] = [calibrationError(rows), calibrationErrorNull(rows)];
    if (value === undefined || expected === undefined) return null;
    return { value, ofPerfectForecaster: expected, isMiscalibrated: value > expected.high };
  }

  private reliability(): Reliability {
    const points = Array.from({ length: CELLS_PER_UNIT + 1 }, (_, cell) => ({
      probability: cell / CELLS_PER_UNIT,
      weight: this.cells[2 * cell] ?? 0,
      hits: this.cells[2 * cell + 1] ?? 0,
    }));
    return { curve: recalibrated(points.filter(({ weight }) => weight > 0)), bins: this.bins.rows() };
  }
}

interface Bounded {
  readonly value: number;
  readonly interval: Interval;
}

/** A mean with its interval; null when it is withheld. */
function bounded({ mean, interval }: BatchedMean, value = mean): Bounded | null {
  return value === undefined || interval === undefined ? null : { value, interval };
}

function bandOf(banded: Banded | null | undefined): Bounded | null {
  return banded == null ? null : { value: banded.estimate, interval: banded.band };
}

type NamedFigure<Name extends string> = Readonly<
  Record<Name, number | null> & Record<`${Name}Interval`, Interval | null>
>;

/** A figure and its interval under their names. */
function named<Name extends string>(name: Name, figure: Bounded | null): NamedFigure<Name> {
  const both = { [name]: figure?.value ?? null, [`${name}Interval`]: figure?.interval ?? null };
  return both as NamedFigure<Name>;
}

const LN_2 = 0.6931471805599453;
/** A certainty that fails would have an infinite loss. */
const LOG_SCORE_EPSILON = 1e-6;

/** 100·log2(2p) for the probability p of the actual outcome. */
function logScoreOf(probability: number): number {
  return 100 * (1 + ln(Math.max(probability, LOG_SCORE_EPSILON)) / LN_2);
}
