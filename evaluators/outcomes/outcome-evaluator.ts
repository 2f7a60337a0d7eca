import { Decimal } from '../../contracts/decimal.ts';
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
  /** The move to be exceeded, quote currency, instead of `minMoveBps`; null where the rule is in basis points. */
  readonly minMovePoints: Decimal | null;
  readonly referencePrice: Decimal;
}

/** How a forecast came out; both moves are null when VOID, `moveBps` also where the reference is not above 0. */
export interface Resolution {
  readonly forecast: PendingForecast;
  readonly verdict: Verdict;
  readonly moveBps: number | null;
  readonly movePoints: Decimal | null;
}

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

/** State of an {@link OutcomeEvaluator}: what is pending, in order. */
export type OutcomeEvaluatorState = readonly PendingState[];

/** Resolved entries in front of the queue that are tolerated before it is cut. */
const SPENT_ENTRIES_MAX = 1_024;

/** Six decimals of a basis point, in units of 1. */
const MOVE_SCALE = 1_000_000;

/**
 * Signed move from a reference to an observed price, basis points of the reference, six decimals, half away from zero.
 * Computed from the exact decimals. Null where the reference is not above 0: a part of that is no measure.
 */
export function moveBpsOf(reference: Decimal, observed: Decimal): number | null {
  if (!reference.isPositive()) return null;
  const from = reference.toUnits();
  const numerator = (observed.toUnits() - from) * 10_000n * BigInt(MOVE_SCALE);
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = Number((magnitude * 2n + from) / (from * 2n)) / MOVE_SCALE;
  return numerator < 0n ? 0 - rounded : rounded;
}

/** The least move of a hit rule: in points where it names them, else in basis points of the reference price. */
export type LeastMove = Pick<PendingForecast, 'minMoveBps' | 'minMovePoints'>;

/**
 * True when the move in a direction exceeds the least move; decided on exact decimals, and a tie is none. Basis points of a
 * reference that is not above 0 are none: there any move in the direction counts.
 */
export function isHit(
  direction: Direction,
  { minMoveBps, minMovePoints }: LeastMove,
  reference: Decimal,
  observed: Decimal,
): boolean {
  const order = observed.compare(reference);
  if (direction === 'NEUTRAL' || order === 0 || order > 0 !== (direction === 'LONG')) return false;
  if (minMovePoints === null && (minMoveBps === 0 || !reference.isPositive())) return true;
  const from = reference.toUnits();
  const move = observed.toUnits() - from;
  const magnitude = move < 0n ? -move : move;
  if (minMovePoints !== null) return magnitude > minMovePoints.toUnits();
  return magnitude * 10_000n * BigInt(MOVE_SCALE) > BigInt(Math.round(minMoveBps * MOVE_SCALE)) * from;
}

/**
 * Forecasts of one instrument that await their outcome, by due time and then by age.
 *
 * The first on-time trade at or after the due time resolves: HIT when the price moved in the forecast's direction by
 * more than `minMoveBps`, else MISS; VOID when that trade is later than the due time plus the grace, or when it is known
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
      else resolutions.push(voided(forecast));
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
  if (isExpired(forecast, observedTime)) return voided(forecast);
  const { direction, referencePrice } = forecast;
  return {
    forecast,
    verdict: isHit(direction, forecast, referencePrice, observedPrice) ? 'HIT' : 'MISS',
    moveBps: moveBpsOf(referencePrice, observedPrice),
    movePoints: moveOf(referencePrice, observedPrice),
  };
}

function voided(forecast: PendingForecast): Resolution {
  return { forecast, verdict: 'VOID', moveBps: null, movePoints: null };
}

/** The exact difference; null where it has more digits than a decimal of ours, as from one bound to the other. */
function moveOf(reference: Decimal, observed: Decimal): Decimal | null {
  try {
    return observed.minus(reference);
  } catch {
    return null;
  }
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

function pendingFromState(state: PendingState): PendingForecast {
  const [
    forecastId,
    kind,
    strategy,
    direction,
    probability,
    forecastTime,
    dueTime,
    graceUs,
    minMoveBps,
    price,
    points,
  ] = state;
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
    minMovePoints: points === null ? null : Decimal.of(points),
    referencePrice: Decimal.of(price),
  };
}
