import type { ContextKind } from '../../contracts/context-rules.ts';
import type { ContextSignal } from '../../contracts/generated/events.ts';

/** A signal as the engine holds it and strategies see it: what a decision may depend on, and its place on the tape. */
export interface Signal {
  readonly signalId: string;
  readonly kind: ContextKind;
  readonly source: string;
  /** Null when it is about the whole market. */
  readonly instrument: string | null;
  /** −1 to 1. */
  readonly value: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** In force at market times in `[validFrom, validUntil)`, microseconds. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Of the tape record that brought it, in the partition of whoever holds it. */
  readonly offset: number;
}

export const NO_SIGNALS: readonly Signal[] = [];

/** @param signal - a well-formed one: see `refusalOfSignal`. */
export function signalOf(
  { signalId, kind, source, instrument, value, confidence, validFrom, validUntil }: ContextSignal,
  offset: number,
): Signal {
  return { signalId, kind: kind as ContextKind, source, instrument, value, confidence, validFrom, validUntil, offset };
}

export function isInForceAt({ validFrom, validUntil }: Signal, timeUs: number): boolean {
  return validFrom <= timeUs && timeUs < validUntil;
}

/** The name of a signal among an event's causes, by its place on the tape. */
export function signalCauseOf(partition: number, { offset }: Signal): string {
  return `signal-${partition}-${offset}-0`;
}
