import { isInForceAt, NO_SIGNALS, type Signal } from './signal.ts';

/** Signals of one kind that are held about one instrument, and as many about the whole market. */
export const SIGNALS_OF_KIND_MAX = 16;

/**
 * The fate of a signal in a book.
 *
 * - `TAKEN`: it is held. `REPEATED`: one of its kind with its identity is held already; that one stays.
 * - `CROWDED_OUT`: as many are held that are valid for longer, so it has no effect.
 */
export type BookFate = 'TAKEN' | 'REPEATED' | 'CROWDED_OUT';

/**
 * The signals held about one instrument, or about the whole market. Of each kind it holds those whose validity ends
 * last: which these are does not depend on their order on the tape, and a repetition changes nothing. What is over goes
 * only when newer ones need its room.
 */
export class SignalBook {
  /** By kind, then as {@link compare} says. */
  private held: readonly Signal[];

  constructor(held: readonly Signal[] = NO_SIGNALS) {
    this.held = held;
  }

  add(signal: Signal): BookFate {
    const ofKind = this.held.filter(({ kind }) => kind === signal.kind);
    if (ofKind.some(({ signalId }) => signalId === signal.signalId)) return 'REPEATED';
    const kept = [...ofKind, signal].sort(compare).slice(-SIGNALS_OF_KIND_MAX);
    if (!kept.includes(signal)) return 'CROWDED_OUT';
    const others = this.held.filter(({ kind }) => kind !== signal.kind);
    this.held = [...others, ...kept].sort((left, right) => textOrder(left.kind, right.kind));
    return 'TAKEN';
  }

  /** Those in force at a market time, microseconds. */
  inForceAt(timeUs: number): readonly Signal[] {
    return this.held.length === 0 ? NO_SIGNALS : this.held.filter((signal) => isInForceAt(signal, timeUs));
  }

  toState(): readonly Signal[] {
    return this.held;
  }
}

/** By the end of validity, then by identity: no two are equal. */
function compare(left: Signal, right: Signal): number {
  return left.validUntil - right.validUntil || textOrder(left.signalId, right.signalId);
}

function textOrder(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
