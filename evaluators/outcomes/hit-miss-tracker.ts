import type { Decimal } from '../../contracts/decimal.ts';
import type { ForecastKind, HitRuleKind, Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
import { isHit } from './hit-rule.ts';
import { wilsonInterval, type Interval } from './wilson.ts';

/** How the forecasts of one kind, strategy and instrument came out. */
export interface HitMissSummary {
  readonly instrument: string;
  readonly forecastKind: ForecastKind;
  /** Null for decisions. */
  readonly strategy: string | null;
  readonly hits: number;
  readonly misses: number;
  readonly voids: number;
  /** Hits and misses. */
  readonly n: number;
  /** Those of them whose horizons do not overlap: the count that is fit for an interval. */
  readonly effectiveN: number;
  /** Hits / n; undefined while n = 0. */
  readonly hitRate: number | undefined;
  /** 95 % interval of the hit rate, by Wilson, from the effective n. */
  readonly interval: Interval | undefined;
  /** Hit rate of forecasts in the same directions made at every decision time; undefined while none is resolved. */
  readonly baseRate: number | undefined;
}

interface VerdictCounts {
  readonly instrument: string;
  readonly forecastKind: ForecastKind;
  readonly strategy: string | null;
  hits: number;
  misses: number;
  voids: number;
  longs: number;
  effectiveN: number;
  /** Due time of the last outcome in the effective n, microseconds. */
  coveredUntil: number;
}

interface Point {
  readonly dueTime: number;
  readonly kind: HitRuleKind;
  readonly minMoveBps: number;
  readonly minMovePoints: Decimal | null;
  readonly referencePrice: Decimal;
}

interface BaseRate {
  points: Point[];
  /** Points in front that are resolved. */
  spent: number;
  resolved: number;
  longHits: number;
  shortHits: number;
}

/** Resolved points in front that are tolerated before they are cut. */
const SPENT_POINTS_MAX = 1_024;

/**
 * Counts hits and misses, and what they are worth. A pure function of the events observed, in the order of their topics.
 *
 * Base rate: at every decision time, whichever direction was decided, the rule registered there is applied to LONG and
 * to SHORT; the price it is resolved with is the reference price of the first decision at or after the due time (the
 * cadence's resolution). A group's base rate weighs the two by its own share of LONG and SHORT, so that a strategy which
 * is always LONG is compared with being always LONG.
 *
 * Effective n: of a group's resolved outcomes, taken by due time, those whose forecast was made at or after the due time
 * of the one counted before.
 */
export class HitMissTracker {
  private readonly counts = new Map<string, VerdictCounts>();
  private readonly baseRates = new Map<string, BaseRate>();

  /** A point at which a forecast could be made, and a price that resolves earlier ones. */
  observeDecision(decision: ProbabilityDecision): void {
    let base = this.baseRates.get(decision.instrument);
    if (base === undefined) {
      base = { points: [], spent: 0, resolved: 0, longHits: 0, shortHits: 0 };
      this.baseRates.set(decision.instrument, base);
    }
    const { referencePrice, horizonMs, kind, minMoveBps, minMovePoints } = decision.hitRule;
    for (let point = base.points[base.spent]; point !== undefined; point = base.points[base.spent]) {
      if (point.dueTime > decision.eventTime) break;
      base.spent += 1;
      base.resolved += 1;
      if (isHit('LONG', point, point.referencePrice, referencePrice)) base.longHits += 1;
      if (isHit('SHORT', point, point.referencePrice, referencePrice)) base.shortHits += 1;
    }
    if (base.spent > SPENT_POINTS_MAX) {
      base.points = base.points.slice(base.spent);
      base.spent = 0;
    }
    base.points.push({
      dueTime: decision.eventTime + horizonMs * 1_000,
      kind,
      minMoveBps,
      minMovePoints,
      referencePrice,
    });
  }

  observeOutcome(outcome: Outcome): void {
    const counts = this.countsOf(outcome);
    if (outcome.verdict === 'VOID') {
      counts.voids += 1;
      return;
    }
    if (outcome.verdict === 'HIT') counts.hits += 1;
    else counts.misses += 1;
    if (outcome.direction === 'LONG') counts.longs += 1;
    if (outcome.forecastTime >= counts.coveredUntil) {
      counts.effectiveN += 1;
      counts.coveredUntil = outcome.dueTime;
    }
  }

  /** One summary a group, by instrument, decisions first, then by strategy. */
  summaries(): HitMissSummary[] {
    return [...this.counts]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, counts]) => {
        const n = counts.hits + counts.misses;
        const hitRate = n > 0 ? counts.hits / n : undefined;
        return {
          instrument: counts.instrument,
          forecastKind: counts.forecastKind,
          strategy: counts.strategy,
          hits: counts.hits,
          misses: counts.misses,
          voids: counts.voids,
          n,
          effectiveN: counts.effectiveN,
          hitRate,
          interval: hitRate === undefined ? undefined : wilsonInterval(hitRate, counts.effectiveN),
          baseRate: n > 0 ? this.baseRateOf(counts.instrument, counts.longs / n) : undefined,
        };
      });
  }

  private baseRateOf(instrument: string, longShare: number): number | undefined {
    const base = this.baseRates.get(instrument);
    if (base === undefined || base.resolved === 0) return undefined;
    return (longShare * base.longHits + (1 - longShare) * base.shortHits) / base.resolved;
  }

  private countsOf(outcome: Outcome): VerdictCounts {
    const { instrument, forecastKind, strategy } = outcome;
    const key = `${instrument} ${forecastKind} ${strategy ?? ''}`;
    let counts = this.counts.get(key);
    if (counts === undefined) {
      counts = {
        instrument,
        forecastKind,
        strategy,
        hits: 0,
        misses: 0,
        voids: 0,
        longs: 0,
        effectiveN: 0,
        coveredUntil: 0,
      };
      this.counts.set(key, counts);
    }
    return counts;
  }
}
