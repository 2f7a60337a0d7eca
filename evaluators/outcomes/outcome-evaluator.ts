import { Decimal } from '../../contracts/decimal.ts';
import type { ConfidenceLevel, Direction } from '../../contracts/generated/events.ts';
import { contentOf } from '../state-pages.ts';
import { KnownRuns, type Runs } from '../state-runs.ts';
import { barriersOf, courseOf, hitRuleTerms, moveOf, type Course, type HitRuleTerms, type Move } from './hit-rule.ts';

const US_PER_MS = 1_000;

/** A LONG or SHORT forecast that was made at a {@link ForecastPoint}. */
export interface PendingForecast {
  readonly forecastId: string;
  /** Null for a decision. */
  readonly strategy: string | null;
  readonly direction: Direction;
  /** As published. */
  readonly probability: number;
  /** Null when an engine version before 4 made the forecast. */
  readonly level: ConfidenceLevel | null;
  /** The input of calibration; null when an engine version before 4 made the forecast. */
  readonly evidence: ForecastEvidence | null;
}

/** A forecast's evidence, before and after calibration. */
export interface ForecastEvidence {
  /** Log odds beyond the reference rate that the slope scales. */
  readonly evidence: number;
  readonly rawProbability: number;
  readonly calibratedProbability: number;
}

/** The origin of a point whose activation is no longer in force. */
export interface MadeUnder {
  readonly engineVersion: string;
  readonly configHash: string;
}

/**
 * A snapshot's price under one hit rule, with the forecasts made there, which it resolves together. One without
 * forecasts shows how often an undirected forecast comes true. Times in microseconds.
 */
export interface ForecastPoint {
  readonly rule: HitRuleTerms;
  readonly forecastTime: number;
  readonly referencePrice: Decimal;
  /** The rate p0 at that time; null when an engine version before 4 made the forecasts. */
  readonly referenceRate: number | null;
  readonly forecasts: readonly PendingForecast[];
  /** Null while the activation under which it was made is still in force. */
  readonly madeUnder: MadeUnder | null;
}

/** A point's outcome; its moves are null when VOID. */
export interface Resolution extends Move {
  readonly point: ForecastPoint;
  readonly dueTime: number;
  readonly course: Course | 'VOID';
}

type PendingState = readonly [
  forecastId: string,
  strategy: string | null,
  direction: Direction,
  probability: number,
  level: ConfidenceLevel | null,
  evidence: readonly [evidence: number, raw: number, calibrated: number] | null,
];

export type PointState = readonly [
  forecastTime: number,
  referencePrice: string,
  referenceRate: number | null,
  madeUnder: readonly [engineVersion: string, configHash: string] | null,
  forecasts: readonly PendingState[],
];

/** A hit rule in a state. */
export interface HitRuleState {
  readonly kind: HitRuleTerms['kind'];
  readonly horizonMs: number;
  readonly graceMs: number;
  readonly minMoveBps: number;
  readonly minMovePoints: string | null;
}

/** State of an {@link OutcomeEvaluator}: the pending points by rule, in order. */
export type OutcomeEvaluatorState = readonly { readonly rule: HitRuleState; readonly points: Runs<PointState> }[];

/** Resolved points at the front of a queue that are tolerated before it is cut. */
const SPENT_POINTS_MAX = 1_024;
const NO_MOVE: Move = { moveBps: null, movePoints: null };
const NONE: readonly Resolution[] = [];

export function hitRuleToState(rule: HitRuleTerms): HitRuleState {
  const { kind, horizonMs, graceMs, minMoveBps, minMovePoints } = rule;
  return { kind, horizonMs, graceMs, minMoveBps, minMovePoints: minMovePoints?.toString() ?? null };
}

export function hitRuleFromState({ minMovePoints, ...rest }: HitRuleState): HitRuleTerms {
  return hitRuleTerms({ ...rest, minMovePoints: minMovePoints === null ? null : Decimal.of(minMovePoints) });
}

/**
 * Forecasts of one instrument that await their outcome.
 *
 * MOVE: the first on-time trade at or after the due time resolves, by its price. FIRST_TOUCH: the first on-time trade at or
 * before the due time that touches a barrier resolves; if none did, the first one after it proves so. VOID when the
 * trade at the due time came later than the grace, or when it is known before any such trade that none came in time.
 *
 * Points that one trade resolves are in the order of the due times, and then of the forecasts; points that it touches
 * come after them.
 */
export class OutcomeEvaluator {
  private readonly queues = new Map<string, RuleQueue>();
  private nextDue = Number.POSITIVE_INFINITY;
  private pending = 0;
  private upper: Decimal | undefined;
  private lower: Decimal | undefined;

  static fromState(state: OutcomeEvaluatorState): OutcomeEvaluator {
    const evaluator = new OutcomeEvaluator();
    for (const { rule: ruleState, points } of state) {
      const rule = hitRuleFromState(ruleState);
      for (const point of points.flatMap(contentOf)) evaluator.register(pointFromState(point, rule));
    }
    return evaluator;
  }

  toState(): OutcomeEvaluatorState {
    return [...this.queues.values()]
      .filter(({ isEmpty }) => !isEmpty)
      .map((queue) => ({ rule: hitRuleToState(queue.rule), points: queue.toState() }));
  }

  /** Points that are pending. */
  get pendingCount(): number {
    return this.pending;
  }

  /** Forecasts that are pending, by due time: for tests and audits. */
  get forecasts(): readonly PendingForecast[] {
    return [...this.queues.values()].flatMap(({ points }) => points.flatMap(({ forecasts }) => forecasts));
  }

  /** True when an on-time trade resolves something. */
  isDue(time: number, price: Decimal): boolean {
    return this.nextDue <= time || this.touches(price);
  }

  register(point: ForecastPoint): void {
    this.queueOf(point.rule).push(point);
    this.pending += 1;
    this.refresh();
  }

  /** Marks all pending points as made under an activation that is no longer in force. */
  replaceActivation(former: MadeUnder): void {
    for (const queue of this.queues.values()) queue.markMadeUnder(former);
  }

  /**
   * Removes as VOID every point whose grace ended before a time up to which every trade is known, in the order of
   * {@link resolve}.
   */
  expire(completeUntil: number): readonly Resolution[] {
    if (this.nextDue >= completeUntil) return NONE;
    return this.takeInOrder((queue) => queue.nextDue + queue.graceUs < completeUntil, NO_PRICE);
  }

  /** Removes and resolves every point that is due at an on-time trade, or that it touches. */
  resolve(observedTime: number, observedPrice: Decimal): readonly Resolution[] {
    const observed = { time: observedTime, price: observedPrice };
    const due = this.takeInOrder((queue) => queue.nextDue <= observedTime, observed);
    if (!this.touches(observedPrice)) return due;
    const touched = [...this.queues.values()].flatMap((queue) => queue.takeTouched(observedPrice));
    this.pending -= touched.length;
    this.refresh();
    return [...due, ...touched];
  }

  private takeInOrder(isReady: (queue: RuleQueue) => boolean, observed: Observed): readonly Resolution[] {
    const taken: Resolution[] = [];
    for (let queue = this.first(isReady); queue !== undefined; queue = this.first(isReady)) {
      taken.push(queue.takeFirst(observed));
    }
    if (taken.length === 0) return NONE;
    this.pending -= taken.length;
    this.refresh();
    return taken;
  }

  /** The ready queue whose first point is due first; of several, the one with the oldest forecast. */
  private first(isReady: (queue: RuleQueue) => boolean): RuleQueue | undefined {
    let first: RuleQueue | undefined;
    for (const queue of this.queues.values()) {
      if (queue.isEmpty || !isReady(queue)) continue;
      if (first === undefined || queue.isBefore(first)) first = queue;
    }
    return first;
  }

  private queueOf(rule: HitRuleTerms): RuleQueue {
    const { key } = rule;
    let queue = this.queues.get(key);
    if (queue === undefined) {
      // In the order of the keys, not of arrival: the state of the same forecasts is the same.
      const queues = [...this.queues, [key, new RuleQueue(rule)] as const].sort(([a], [b]) => (a < b ? -1 : 1));
      this.queues.clear();
      for (const [name, of] of queues) this.queues.set(name, of);
      queue = this.queues.get(key) ?? new RuleQueue(rule);
    }
    return queue;
  }

  private touches(price: Decimal): boolean {
    const { upper, lower } = this;
    return upper !== undefined && lower !== undefined && (price.compare(upper) >= 0 || price.compare(lower) <= 0);
  }

  private refresh(): void {
    this.nextDue = Number.POSITIVE_INFINITY;
    this.upper = this.lower = undefined;
    for (const queue of this.queues.values()) {
      this.nextDue = Math.min(this.nextDue, queue.nextDue);
      const { upper, lower } = queue;
      if (upper !== undefined && (this.upper === undefined || upper.compare(this.upper) < 0)) this.upper = upper;
      if (lower !== undefined && (this.lower === undefined || lower.compare(this.lower) > 0)) this.lower = lower;
    }
  }
}

interface Observed {
  readonly time: number;
  readonly price: Decimal | undefined;
}

/** Nothing was observed, and it is known up to which time nothing happened. */
const NO_PRICE: Observed = { time: Number.POSITIVE_INFINITY, price: undefined };

/** The pending points of one rule, by due time and then by age. */
class RuleQueue {
  readonly rule: HitRuleTerms;
  readonly horizonUs: number;
  readonly graceUs: number;
  nextDue = Number.POSITIVE_INFINITY;
  /** The nearest barriers of all points; undefined when the rule has none, or nothing is pending. */
  upper: Decimal | undefined;
  lower: Decimal | undefined;
  private queue: ForecastPoint[] = [];
  private head = 0;
  private readonly runs = new KnownRuns((point: ForecastPoint) => point.forecastTime, pointToState);

  constructor(rule: HitRuleTerms) {
    this.rule = rule;
    this.horizonUs = rule.horizonMs * US_PER_MS;
    this.graceUs = rule.graceMs * US_PER_MS;
  }

  get points(): readonly ForecastPoint[] {
    return this.queue.slice(this.head);
  }

  toState(): Runs<PointState> {
    return this.runs.of(this.points);
  }

  get isEmpty(): boolean {
    return this.head === this.queue.length;
  }

  isBefore(other: RuleQueue): boolean {
    if (this.nextDue !== other.nextDue) return this.nextDue < other.nextDue;
    return (this.queue[this.head]?.forecastTime ?? 0) < (other.queue[other.head]?.forecastTime ?? 0);
  }

  push(point: ForecastPoint): void {
    let position = this.queue.length;
    while (position > this.head && (this.queue[position - 1]?.forecastTime ?? 0) > point.forecastTime) position -= 1;
    if (position === this.queue.length) this.queue.push(point);
    else this.queue.splice(position, 0, point);
    this.nextDue = this.dueAt(this.head);
    if (this.rule.kind === 'FIRST_TOUCH') this.narrow(point);
  }

  markMadeUnder(former: MadeUnder): void {
    this.queue = this.points.map((point) => (point.madeUnder === null ? { ...point, madeUnder: former } : point));
    this.head = 0;
  }

  takeFirst({ time, price }: Observed): Resolution {
    const point = this.queue[this.head];
    if (point === undefined) throw new Error('an empty queue has no first point');
    const dueTime = this.nextDue;
    this.head += 1;
    if (this.head > SPENT_POINTS_MAX) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    this.nextDue = this.dueAt(this.head);
    if (this.rule.kind === 'FIRST_TOUCH') this.measureBarriers();
    if (price === undefined || time > dueTime + this.graceUs) return { point, dueTime, course: 'VOID', ...NO_MOVE };
    const { referencePrice, rule } = point;
    // A barrier that is touched after the horizon was not touched within it.
    const counts = rule.kind === 'MOVE' || time === dueTime;
    const course = counts ? courseOf(rule, referencePrice, price) : 'NONE';
    return { point, dueTime, course, ...moveOf(referencePrice, price) };
  }

  takeTouched(price: Decimal): Resolution[] {
    if (this.rule.kind !== 'FIRST_TOUCH') return [];
    const touched: Resolution[] = [];
    const left: ForecastPoint[] = [];
    for (const point of this.points) {
      const { referencePrice, forecastTime } = point;
      const course = courseOf(this.rule, referencePrice, price);
      if (course === 'NONE') left.push(point);
      else touched.push({ point, dueTime: forecastTime + this.horizonUs, course, ...moveOf(referencePrice, price) });
    }
    if (touched.length > 0) {
      this.queue = left;
      this.head = 0;
      this.nextDue = this.dueAt(0);
      this.measureBarriers();
    }
    return touched;
  }

  private dueAt(index: number): number {
    const point = this.queue[index];
    return point === undefined ? Number.POSITIVE_INFINITY : point.forecastTime + this.horizonUs;
  }

  private measureBarriers(): void {
    this.upper = this.lower = undefined;
    for (let index = this.head; index < this.queue.length; index += 1) {
      const point = this.queue[index];
      if (point !== undefined) this.narrow(point);
    }
  }

  private narrow({ rule, referencePrice }: ForecastPoint): void {
    const barriers = barriersOf(rule, referencePrice);
    if (barriers === null) return;
    if (this.upper === undefined || barriers.upper.compare(this.upper) < 0) this.upper = barriers.upper;
    if (this.lower === undefined || barriers.lower.compare(this.lower) > 0) this.lower = barriers.lower;
  }
}

function pointToState(point: ForecastPoint): PointState {
  const { forecastTime, referencePrice, referenceRate, madeUnder, forecasts } = point;
  return [
    forecastTime,
    referencePrice.toString(),
    referenceRate,
    madeUnder === null ? null : [madeUnder.engineVersion, madeUnder.configHash],
    forecasts.map(({ forecastId, strategy, direction, probability, level, evidence: said }): PendingState => {
      const evidence =
        said === null ? null : ([said.evidence, said.rawProbability, said.calibratedProbability] as const);
      return [forecastId, strategy, direction, probability, level, evidence];
    }),
  ];
}

function pointFromState(
  [forecastTime, referencePrice, referenceRate, madeUnder, forecasts]: PointState,
  rule: HitRuleTerms,
): ForecastPoint {
  return {
    rule,
    forecastTime,
    referencePrice: Decimal.of(referencePrice),
    referenceRate,
    madeUnder: madeUnder === null ? null : { engineVersion: madeUnder[0], configHash: madeUnder[1] },
    forecasts: forecasts.map(([forecastId, strategy, direction, probability, level, said]) => {
      const evidence =
        said === null ? null : { evidence: said[0], rawProbability: said[1], calibratedProbability: said[2] };
      return { forecastId, strategy, direction, probability, level, evidence };
    }),
  };
}
