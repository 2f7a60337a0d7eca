import type { Direction, HitRule, Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
import { overlapWeight } from '../../evaluators/calibration/reference-rate.ts';
import { ruleText } from '../scoreboard/forecast-group.ts';
import { squaredError } from '../scores/brier.ts';
import { PairedDifference } from '../scores/paired-difference.ts';
import type { Banded } from '../scores/resampling.ts';

const US_PER_MS = 1_000;

/** Scores of the decisions that both sides made and registered with the same hit rule, by the same later trades. */
export interface PairedScore {
  readonly instrument: string;
  /** The common hit rule, for people. */
  readonly hitRule: string;
  /** Pairs of which both were a HIT or a MISS. */
  readonly n: number;
  readonly effectiveN: number;
  /** Pairs among them that forecast opposite directions: each is scored by its own. */
  readonly opposite: number;
  /** Pairs without a verdict. */
  readonly voids: number;
  /** Mean of (p − o)² of what was decided, by overlap weight; null before the first pair. The same holds for the one below. */
  readonly brierRecorded: number | null;
  readonly brierHypothetical: number | null;
  /** Hypothetical less recorded, below 0 where the hypothetical is better; its band is null below an effective n of 90. */
  readonly difference: number | null;
  readonly differenceBand: Banded['band'] | null;
}

interface Side {
  readonly probability: number;
  readonly direction: Direction;
  isHit: boolean | undefined;
  isVoid: boolean;
}

interface Pair {
  readonly series: Series;
  readonly recorded: Side;
  readonly hypothetical: Side;
}

/** The pairs of one instrument and hit rule. */
class Series {
  readonly instrument: string;
  readonly rule: HitRule;
  private readonly difference = new PairedDifference();
  private n = 0;
  private opposite = 0;
  private voids = 0;
  private weight = 0;
  private recorded = 0;
  private hypothetical = 0;
  private lastForecastUs: number | null = null;

  constructor(instrument: string, rule: HitRule) {
    this.instrument = instrument;
    this.rule = rule;
  }

  settle({ recorded, hypothetical }: Pair, { forecastTime }: Outcome): void {
    if (recorded.isVoid || hypothetical.isVoid) {
      this.voids += 1;
      return;
    }
    const weight = overlapWeight(this.lastForecastUs, forecastTime, this.rule.horizonMs * US_PER_MS);
    this.lastForecastUs = forecastTime;
    const losses = [recorded, hypothetical].map((side) => squaredError(side.probability, side.isHit === true));
    const [before = 0, after = 0] = losses;
    this.n += 1;
    if (recorded.direction !== hypothetical.direction) this.opposite += 1;
    this.weight += weight;
    this.recorded += weight * before;
    this.hypothetical += weight * after;
    this.difference.observe(after - before, weight);
  }

  score(): PairedScore {
    const { instrument, n, opposite, voids, weight } = this;
    const mean = (sum: number) => (weight > 0 ? sum / weight : null);
    const { kind, horizonMs, minMoveBps, minMovePoints } = this.rule;
    const inPoints = minMovePoints?.toString() ?? null;
    return {
      instrument,
      hitRule: ruleText({
        kind,
        horizonMs,
        minMoveBps: inPoints === null ? minMoveBps : null,
        minMovePoints: inPoints,
      }),
      ...{ n, effectiveN: weight, opposite, voids },
      brierRecorded: mean(this.recorded),
      brierHypothetical: mean(this.hypothetical),
      difference: this.difference.mean,
      differenceBand: this.difference.banded()?.band ?? null,
    };
  }
}

/**
 * Scores of two derivations from one tape, on the same forecasts. A pair is open until both outcomes are there: memory is
 * bounded by the decisions of a horizon.
 */
export class PairedScores {
  private readonly series = new Map<string, Series>();
  private readonly open = new Map<string, Pair>();

  /** Takes two decisions of the same tape record; those without a direction, or with different rules, make no pair. */
  pair(recorded: ProbabilityDecision, hypothetical: ProbabilityDecision): boolean {
    if (recorded.direction === 'NEUTRAL' || hypothetical.direction === 'NEUTRAL') return false;
    if (!isSameRule(recorded.hitRule, hypothetical.hitRule)) return false;
    const key = `${recorded.instrument} ${ruleKeyOf(recorded.hitRule)}`;
    let series = this.series.get(key);
    if (series === undefined) this.series.set(key, (series = new Series(recorded.instrument, recorded.hitRule)));
    this.open.set(recorded.eventId, { series, recorded: sideOf(recorded), hypothetical: sideOf(hypothetical) });
    return true;
  }

  settle(side: 'recorded' | 'hypothetical', outcome: Outcome): void {
    const pair = this.open.get(outcome.forecastId);
    if (pair === undefined) return;
    const own = pair[side];
    own.isVoid = outcome.verdict === 'VOID';
    own.isHit = outcome.verdict === 'HIT';
    if (pair.recorded.isHit === undefined || pair.hypothetical.isHit === undefined) return;
    this.open.delete(outcome.forecastId);
    pair.series.settle(pair, outcome);
  }

  /** By instrument, then hit rule. */
  scores(): readonly PairedScore[] {
    return [...this.series].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, series]) => series.score());
  }

  /** Pairs whose outcomes are not known. */
  get pending(): number {
    return this.open.size;
  }
}

function sideOf({ probability, direction }: ProbabilityDecision): Side {
  return { probability, direction, isHit: undefined, isVoid: false };
}

/** Whether two decisions ask the same question of the market. */
export function isSameRule(left: HitRule, right: HitRule): boolean {
  return ruleKeyOf(left) === ruleKeyOf(right);
}

function ruleKeyOf({ kind, horizonMs, minMoveBps, minMovePoints }: HitRule): string {
  return `${kind} ${String(horizonMs).padStart(12, '0')} ${minMovePoints?.toString() ?? `${minMoveBps} bp`}`;
}
