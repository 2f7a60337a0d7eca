import { Decimal, DECIMAL_WHOLE_BOUND } from '../../contracts/decimal.ts';
import type { Direction, HitRuleKind } from '../../contracts/generated/events.ts';

/** The least move of a hit rule; if barriers decide, their distance from the reference price. */
export interface LeastMove {
  readonly kind: HitRuleKind;
  /** Basis points of the reference's magnitude. */
  readonly minMoveBps: number;
  /** In the quote currency, in place of the basis points; null when these decide. */
  readonly minMovePoints: Decimal | null;
}

/** A hit rule as it is registered with a forecast. */
export interface HitRuleTerms extends LeastMove {
  readonly horizonMs: number;
  /** How long after the horizon a trade may still resolve. */
  readonly graceMs: number;
  /** One text for each rule: outcomes are counted separately by rule. */
  readonly key: string;
}

export function hitRuleTerms(rule: Omit<HitRuleTerms, 'key'>): HitRuleTerms {
  const { kind, horizonMs, graceMs, minMoveBps, minMovePoints } = rule;
  const least = minMovePoints === null ? `${minMoveBps} bps` : minMovePoints.toString();
  return { ...rule, key: `${kind} ${horizonMs} ${graceMs} ${least}` };
}

/** Which way the price went, by a rule: NONE for neither. */
export type Course = 'UP' | 'DOWN' | 'NONE';

/** A price's move in both units. */
export interface Move {
  /** See {@link moveBpsOf}. */
  readonly moveBps: number | null;
  /** Signed, in the quote currency, exact; null when beyond what a `Decimal` holds. */
  readonly movePoints: Decimal | null;
}

/** Six decimals of a basis point, in units of 1. */
const MOVE_SCALE = 1_000_000;
/** A whole, in millionths of a basis point. */
const WHOLE_SCALED = 10_000n * BigInt(MOVE_SCALE);

/**
 * Signed move from a reference to an observed price, basis points of the reference, six decimals, half away from zero.
 * Computed from the exact decimals. Null when the reference is not above 0: a fraction of it would be meaningless.
 */
export function moveBpsOf(reference: Decimal, observed: Decimal): number | null {
  if (!reference.isPositive()) return null;
  const from = reference.toUnits();
  const numerator = (observed.toUnits() - from) * WHOLE_SCALED;
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
 * Which way an observed price differs from a reference, decided on exact decimals. It must exceed the least move, and a
 * tie is NONE; a barrier is touched when it is reached. A least move in basis points is a fraction of the reference's
 * magnitude: 0 of a reference of 0, so that any move exceeds it.
 */
export function courseOf(least: LeastMove, reference: Decimal, observed: Decimal): Course {
  const order = observed.compare(reference);
  if (order === 0) return 'NONE';
  const course = order > 0 ? 'UP' : 'DOWN';
  const { kind, minMoveBps, minMovePoints } = least;
  if (minMovePoints === null && minMoveBps === 0) return course;
  const from = reference.toUnits();
  const move = observed.toUnits() - from;
  const magnitude = move < 0n ? -move : move;
  const distance = distanceUnits(least, reference);
  if (kind === 'FIRST_TOUCH') return magnitude >= distance.up ? course : 'NONE';
  return magnitude > distance.down ? course : 'NONE';
}

/** True when the price went in a direction, by {@link courseOf}. */
export function isHit(direction: Direction, least: LeastMove, reference: Decimal, observed: Decimal): boolean {
  return isHitBy(direction, courseOf(least, reference, observed));
}

/** True when a course is a direction's. */
export function isHitBy(direction: Direction, course: Course): boolean {
  return course === 'UP' ? direction === 'LONG' : course === 'DOWN' && direction === 'SHORT';
}

/**
 * The barriers of a rule around a reference price: touched by prices at or beyond them. Null when a `Decimal` cannot
 * hold one.
 */
export function barriersOf(
  least: LeastMove,
  reference: Decimal,
): { readonly upper: Decimal; readonly lower: Decimal } | null {
  const distance = distanceUnits(least, reference).up;
  const from = reference.toUnits();
  const bound = BigInt(DECIMAL_WHOLE_BOUND - 1) * Decimal.of('1').toUnits();
  if (from + distance >= bound || from - distance <= -bound) return null;
  return { upper: Decimal.fromUnits(from + distance), lower: Decimal.fromUnits(from - distance) };
}

/** The least move in units of 10^-12, rounded up and down: magnitudes are whole units. */
function distanceUnits({ minMoveBps, minMovePoints }: LeastMove, reference: Decimal): { up: bigint; down: bigint } {
  if (minMovePoints !== null) {
    const units = minMovePoints.toUnits();
    return { up: units, down: units };
  }
  const from = reference.toUnits();
  const scaled = BigInt(Math.round(minMoveBps * MOVE_SCALE)) * (from < 0n ? -from : from);
  const down = scaled / WHOLE_SCALED;
  return { up: down * WHOLE_SCALED === scaled ? down : down + 1n, down };
}
