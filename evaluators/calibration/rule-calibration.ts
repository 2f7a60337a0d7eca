import type { ForecastPoint, HitRuleState, PendingForecast, Resolution } from '../outcomes/outcome-evaluator.ts';
import { hitRuleFromState, hitRuleToState } from '../outcomes/outcome-evaluator.ts';
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

/** The part of the configuration in force that calibration needs. */
export interface CalibrationRules {
  readonly reference: ReferenceParameters;
  readonly calibration: CalibrationParameters;
  /** Their parameters as one text: a state learned under others is not continued. */
  readonly key: string;
  /** By strategy, and for the decisions under {@link DECISIONS}: the definition of their evidence, as one text. */
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

/**
 * The calibration of one market under each of its hit rules, by the rule's key, in the order of the rules.
 *
 * @param states - of calibrations until now; a rule that has none begins anew.
 */
export function calibrationsOf(
  hitRules: readonly HitRuleTerms[],
  rules: CalibrationRules,
  states: readonly RuleCalibrationState[],
): ReadonlyMap<string, RuleCalibration> {
  const known = new Map(states.map((state) => [hitRuleFromState(state.rule).key, state]));
  return new Map(hitRules.map((rule) => [rule.key, new RuleCalibration(rule, rules, known.get(rule.key))]));
}

/** The calibration of one market under one hit rule: the reference rate, and each forecast's series. */
export class RuleCalibration {
  readonly rule: HitRuleTerms;
  private readonly rules: CalibrationRules;
  private readonly referenceRate: ReferenceRate;
  private readonly series = new Map<string, NamedSeries>();
  private current: Reference;

  /** @param state - of the same rule; a part that was learned under other rules than the present ones restarts. */
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
    if (named === undefined) throw new Error(`there is no calibration of ${strategy ?? 'decisions'}`);
    return named.series.publish(this.current, said);
  }

  /** Learns how often an undirected forecast comes true. */
  learnPoint({ point, course }: Resolution): void {
    if (course === 'VOID' || point.referenceRate === null) return;
    this.referenceRate.learn(course === 'NONE', point.forecastTime, this.rule.horizonMs * US_PER_MS);
    this.current = referenceOf(this.referenceRate.rate);
  }

  /**
   * Learns from the outcome of a point's forecast.
   *
   * @returns its overlap weight; null if nothing is learned from it: VOID, or made by an earlier engine version or by a
   *   strategy that is no longer in force.
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

/** A forecast under a configuration that was replaced says nothing about the formulas in force now. */
function isOfOthers({ madeUnder }: ForecastPoint): boolean {
  return madeUnder !== null;
}
