import type { ForecastPoint, HitRuleState, PendingForecast, Resolution } from '../outcomes/outcome-evaluator.ts';
import { hitRuleToState } from '../outcomes/outcome-evaluator.ts';
import { isHitBy, type HitRuleTerms } from '../outcomes/hit-rule.ts';
import {
  ForecastSeries,
  referenceOf,
  type CalibrationParameters,
  type Evidence,
  type ForecastSeriesState,
  type Published,
  type Reference,
} from './forecast-series.ts';
import { ReferenceRate, type ReferenceParameters, type ReferenceRateState } from './reference-rate.ts';

const US_PER_MS = 1_000;

/** What calibration needs to know of the configuration in force. */
export interface CalibrationRules {
  readonly reference: ReferenceParameters;
  readonly calibration: CalibrationParameters;
  /** Their parameters as one text: what was learned under others is not gone on with. */
  readonly key: string;
  /** By strategy, and of the decisions under {@link DECISIONS}: what defines their evidence, as one text. */
  readonly seriesKeys: ReadonlyMap<string, string>;
}

/** The name of the decisions' series; no strategy has it. */
export const DECISIONS = '';

/** State of a {@link RuleCalibration}. */
export interface RuleCalibrationState {
  readonly rule: HitRuleState;
  readonly key: string;
  readonly reference: ReferenceRateState;
  /** By name; the decisions first. */
  readonly series: readonly (ForecastSeriesState & { readonly name: string; readonly definedBy: string })[];
}

interface NamedSeries {
  readonly definedBy: string;
  readonly series: ForecastSeries;
}

/** What was learned in one market under one hit rule: the reference rate, and of each forecast's series. */
export class RuleCalibration {
  readonly rule: HitRuleTerms;
  private readonly rules: CalibrationRules;
  private readonly referenceRate: ReferenceRate;
  private readonly series = new Map<string, NamedSeries>();
  private current: Reference;

  /** @param state - of the same rule; what was learned otherwise than the rules say now is begun anew. */
  constructor(rule: HitRuleTerms, rules: CalibrationRules, state?: RuleCalibrationState) {
    this.rule = rule;
    this.rules = rules;
    const kept = state?.key === rules.key ? state : undefined;
    this.referenceRate = new ReferenceRate(rules.reference, kept?.reference);
    for (const [name, definedBy] of [...rules.seriesKeys].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const before = kept?.series.find((one) => one.name === name && one.definedBy === definedBy);
      this.series.set(name, { definedBy, series: new ForecastSeries(rules.calibration, before) });
    }
    this.current = referenceOf(this.referenceRate.rate);
  }

  toState(): RuleCalibrationState {
    return {
      rule: hitRuleToState(this.rule),
      key: this.rules.key,
      reference: this.referenceRate.toState(),
      series: [...this.series].map(([name, { definedBy, series }]) => ({ name, definedBy, ...series.toState() })),
    };
  }

  /** The reference rate from the outcomes so far. */
  get reference(): Reference {
    return this.current;
  }

  /**
   * The probability that is published for a forecast, null for a decision.
   *
   * @throws Error for a strategy that is not enabled.
   */
  publish(strategy: string | null, said: Evidence): Published {
    const named = this.series.get(strategy ?? DECISIONS);
    if (named === undefined) throw new Error(`nothing is learned of ${strategy ?? 'decisions'}`);
    return named.series.publish(this.current, said);
  }

  /** Takes in how often an undirected forecast comes true. */
  learnPoint({ point, course }: Resolution): void {
    if (course === 'VOID' || point.referenceRate === null) return;
    this.referenceRate.learn(course === 'NONE', point.forecastTime, this.rule.horizonMs * US_PER_MS);
    this.current = referenceOf(this.referenceRate.rate);
  }

  /**
   * Takes in how a forecast of a point came out.
   *
   * @returns its overlap weight; null where nothing is learned of it: VOID, of an earlier engine version, or of a strategy
   *   that is not in force any more.
   */
  learnForecast({ point, course }: Resolution, forecast: PendingForecast, offset: number): number | null {
    const { evidence, strategy, direction } = forecast;
    if (course === 'VOID' || evidence === null || point.referenceRate === null) return null;
    const named = this.series.get(strategy ?? DECISIONS);
    if (named === undefined || isOfOthers(point)) return null;
    const horizonUs = this.rule.horizonMs * US_PER_MS;
    const reference = point.referenceRate === this.current.rate ? this.current : referenceOf(point.referenceRate);
    return named.series.learn(evidence, reference, isHitBy(direction, course), point.forecastTime, horizonUs, offset);
  }
}

/** A forecast of a configuration that was replaced says nothing of the formulas in force now. */
function isOfOthers({ madeUnder }: ForecastPoint): boolean {
  return madeUnder !== null;
}
