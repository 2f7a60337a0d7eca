import { Decimal, DECIMAL_WHOLE_BOUND } from '../../contracts/decimal.ts';
import type { Direction, ForecastKind, Verdict } from '../../contracts/generated/events.ts';

/** A LONG or SHORT forecast with the rule registered when it was made. Times in microseconds. */
export interface PendingForecast {
  readonly forecastId: string;
  readonly kind: ForecastKind;
  /** Null for a decision. */
  readonly strategy: string | null;
  readonly direction: Direction;
  readonly probability: number;
  readonly forecastTime: number;
  readonly dueTime: number;
  readonly graceUs: number;
  readonly minMoveBps: number;
  /** Least move in the quote currency, which stands in place of the basis points; null where these decide. */
  readonly minMovePoints: Decimal | null;
  readonly referencePrice: Decimal;
}

/** Both ways to say how far a price moved. */
export interface Move {
  /** See {@link moveBpsOf}. */
  readonly moveBps: number | null;
  /** Signed, in the quote currency, exact; null when beyond what a `Decimal` holds. */
  readonly movePoints: Decimal | null;
}

/** How a forecast came out; its moves are null when VOID. */
export interface Resolution extends Move {
  readonly forecast: PendingForecast;
  readonly verdict: Verdict;
}

/** The least move that a hit must exceed. */
export type LeastMove = Pick<PendingForecast, 'minMoveBps' | 'minMovePoints'>;

type PendingState = readonly [
  forecastId: string,
  kind: ForecastKind,
  strategy: string | null,
  direction: Direction,
  probability: number,
  forecastTime: number,
  dueTime: number,
  graceUs: number,
  minMoveBps: number,
  referencePrice: string,
  minMovePoints: string | null,
];

/** Up to engine version 2 there was no least move in the quote currency. */
type FormerPendingState = PendingState extends readonly [...infer Former, unknown] ? readonly [...Former] : never;

/** State of an {@link OutcomeEvaluator}: what is pending, in order. */
export type OutcomeEvaluatorState = readonly (PendingState | FormerPendingState)[];

/** Resolved entries in front of the queue that are tolerated before it is cut. */
const SPENT_ENTRIES_MAX = 1_024;

/** Six decimals of a basis point, in units of 1. */
const MOVE_SCALE = 1_000_000;
const NO_MOVE: Move = { moveBps: null, movePoints: null };

/**
 * Signed move from a reference to an observed price, basis points of the reference, six decimals, half away from zero.
 * Computed from the exact decimals. Null where the reference is not above 0: a part of it would say nothing.
 */
export function moveBpsOf(reference: Decimal, observed: Decimal): number | null {
  if (!reference.isPositive()) return null;
  const from = reference.toUnits();
  const numerator = (observed.toUnits() - from) * 10_000n * BigInt(MOVE_SCALE);
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = Number((magnitude * 2n + from) / (from * 2n)) / MOVE_SCALE;
  return numerator < 0n ? 0 - rounded : rounded;
}

/** The move from a reference to an observed price, in basis points and in the quote currency. */
export function moveOf(reference: Decimal, observed: Decimal): Move {
  const whole = observed.whole - reference.whole;
  // One less than the bound on each side: the fractions may carry.
  const isHeld = Math.abs(whole) < DECIMAL_WHOLE_BOUND - 1;
  return { moveBps: moveBpsOf(reference, observed), movePoints: isHeld ? observed.minus(reference) : null };
}

/**
 * True when the move in a direction exceeds the least move; decided on exact decimals, and a tie is none. A least move in
 * basis points is a part of the reference's magnitude: 0 of a reference of 0, so that any move exceeds it.
 */
export function isHit(direction: Direction, least: LeastMove, reference: Decimal, observed: Decimal): boolean {
  const order = observed.compare(reference);
  if (direction === 'NEUTRAL' || order === 0 || order > 0 !== (direction === 'LONG')) return false;
  const { minMoveBps, minMovePoints } = least;
  if (minMovePoints === null && minMoveBps === 0) return true;
  const from = reference.toUnits();
  const move = observed.toUnits() - from;
  const magnitude = move < 0n ? -move : move;
  if (minMovePoints !== null) return magnitude > minMovePoints.toUnits();
  const base = from < 0n ? -from : from;
  return magnitude * 10_000n * BigInt(MOVE_SCALE) > BigInt(Math.round(minMoveBps * MOVE_SCALE)) * base;
}

/**
 * Forecasts of one instrument that await their outcome, by due time and then by age.
 *
 * The first on-time trade at or after the due time resolves: HIT when the price moved in the forecast's direction by
 * more than the least move, else MISS; VOID when that trade is later than the due time plus the grace, or when it is known
 * before any such trade that none came in time.
 */
export class OutcomeEvaluator {
  private queue: PendingForecast[] = [];
  private head = 0;
  private nextDue = Number.POSITIVE_INFINITY;

  static fromState(state: OutcomeEvaluatorState): OutcomeEvaluator {
    const evaluator = new OutcomeEvaluator();
    evaluator.queue = state.map(pendingFromState);
    evaluator.refreshNextDue();
    return evaluator;
  }

  toState(): OutcomeEvaluatorState {
    return this.queue.slice(this.head).map(pendingToState);
  }

  get pendingCount(): number {
    return this.queue.length - this.head;
  }

  /** Due time of the first pending forecast, microseconds; infinite when none is pending. */
  get nextDueTime(): number {
    return this.nextDue;
  }

  register(forecast: PendingForecast): void {
    let position = this.queue.length;
    while (position > this.head && (this.queue[position - 1]?.dueTime ?? 0) > forecast.dueTime) position -= 1;
    if (position === this.queue.length) this.queue.push(forecast);
    else this.queue.splice(position, 0, forecast);
    this.refreshNextDue();
  }

  /**
   * Takes out as VOID everything whose grace ended before a time up to which every trade is known. By due time and then
   * by age, as {@link resolve}; a forecast with a longer grace stays, whatever is due after it.
   */
  expire(completeUntil: number): Resolution[] {
    if (this.nextDue >= completeUntil) return [];
    const kept: PendingForecast[] = [];
    const resolutions: Resolution[] = [];
    for (const forecast of this.queue.slice(this.head)) {
      if (!isExpired(forecast, completeUntil)) kept.push(forecast);
      else resolutions.push({ forecast, verdict: 'VOID', ...NO_MOVE });
    }
    if (resolutions.length === 0) return resolutions;
    this.queue = kept;
    this.head = 0;
    this.refreshNextDue();
    return resolutions;
  }

  /** Takes out and resolves everything that is due at an on-time trade. */
  resolve(observedTime: number, observedPrice: Decimal): Resolution[] {
    const resolutions: Resolution[] = [];
    while (this.nextDue <= observedTime) {
      const forecast = this.queue[this.head];
      if (forecast === undefined) break;
      this.head += 1;
      this.refreshNextDue();
      resolutions.push(resolutionOf(forecast, observedTime, observedPrice));
    }
    if (this.head > SPENT_ENTRIES_MAX) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return resolutions;
  }

  private refreshNextDue(): void {
    this.nextDue = this.queue[this.head]?.dueTime ?? Number.POSITIVE_INFINITY;
  }
}

/** The one rule of VOID: observed later than the due time plus the grace, by a trade as by a tick. */
function isExpired(forecast: PendingForecast, observedTime: number): boolean {
  return observedTime > forecast.dueTime + forecast.graceUs;
}

function resolutionOf(forecast: PendingForecast, observedTime: number, observedPrice: Decimal): Resolution {
  if (isExpired(forecast, observedTime)) return { forecast, verdict: 'VOID', ...NO_MOVE };
  const hit = isHit(forecast.direction, forecast, forecast.referencePrice, observedPrice);
  return { forecast, verdict: hit ? 'HIT' : 'MISS', ...moveOf(forecast.referencePrice, observedPrice) };
}

function pendingToState(forecast: PendingForecast): PendingState {
  return [
    forecast.forecastId,
    forecast.kind,
    forecast.strategy,
    forecast.direction,
    forecast.probability,
    forecast.forecastTime,
    forecast.dueTime,
    forecast.graceUs,
    forecast.minMoveBps,
    forecast.referencePrice.toString(),
    forecast.minMovePoints?.toString() ?? null,
  ];
}

function pendingFromState(state: PendingState | FormerPendingState): PendingForecast {
  const [forecastId, kind, strategy, direction, probability, forecastTime, dueTime, graceUs, minMoveBps, price] = state;
  const minMovePoints = state[10] ?? null;
  return {
    forecastId,
    kind,
    strategy,
    direction,
    probability,
    forecastTime,
    dueTime,
    graceUs,
    minMoveBps,
    minMovePoints: minMovePoints === null ? null : Decimal.of(minMovePoints),
    referencePrice: Decimal.of(price),
  };
}
