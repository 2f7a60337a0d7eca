import type { VenueAmendment } from '../venue.ts';

/** Amendments that wait for a look at the tape, or for their trade; more are refused. */
export const AMENDMENTS_PENDING_MAX = 1_000;
/** Amendments looked up at a time. */
export const LOOKED_UP_AT_ONCE = 16;
/** Marks on past trades that are remembered, so that a page shown again asks nothing again. */
const MARKS_MAX = 10_000;

interface Pending {
  readonly amendment: VenueAmendment;
  readonly deadlineMs: number;
  isDue: boolean;
}

/** An amendment that is due. `isLast`: its time is over; it waits no longer. */
export interface DueAmendment {
  readonly amendment: VenueAmendment;
  readonly isLast: boolean;
}

/**
 * Amendments of a venue until they are settled. Each is looked up when it arrives, when a trade with its id reaches the
 * tape, and a last time when its deadline is over and no trade of its instrument waits. Pure: the time comes with each
 * call, in milliseconds of a clock that never goes back.
 */
export class PendingAmendments {
  private readonly waitMs: number;
  private readonly pending = new Map<VenueAmendment, Pending>();
  private readonly marks = new Set<string>();

  constructor(waitMs: number) {
    this.waitMs = waitMs;
  }

  get size(): number {
    return this.pending.size;
  }

  /** False where there is no room. */
  add(amendment: VenueAmendment, nowMs: number): boolean {
    if (amendment.origin === 'PAGE' && this.isKnownMark(amendment)) return true;
    if (this.pending.size >= AMENDMENTS_PENDING_MAX) return false;
    this.pending.set(amendment, { amendment, deadlineMs: nowMs + this.waitMs, isDue: true });
    return true;
  }

  /** A trade is on the tape, or has a new id there. */
  arrived(instrument: string, tradeId: string): void {
    for (const each of this.pending.values()) {
      const { amendment } = each;
      if (amendment.tradeId === tradeId && amendment.instrument === instrument) each.isDue = true;
    }
  }

  /**
   * The next ones due; they are due again only when something happens.
   *
   * @param isWaiting whether trades of an instrument wait to be appended
   */
  take(nowMs: number, isWaiting: (instrument: string) => boolean): readonly DueAmendment[] {
    const due: DueAmendment[] = [];
    for (const each of this.pending.values()) {
      const { amendment } = each;
      const isLast = nowMs >= each.deadlineMs && !isWaiting(amendment.instrument);
      if (!each.isDue && !isLast) continue;
      each.isDue = false;
      if (due.push({ amendment, isLast }) >= LOOKED_UP_AT_ONCE) break;
    }
    return due;
  }

  /** They could not be looked up: they are due again. */
  putBack(due: readonly DueAmendment[]): void {
    for (const { amendment } of due) {
      const pending = this.pending.get(amendment);
      if (pending !== undefined) pending.isDue = true;
    }
  }

  settled(amendment: VenueAmendment): void {
    this.pending.delete(amendment);
  }

  /** Removes and returns all. */
  takeAll(): readonly VenueAmendment[] {
    const all = [...this.pending.keys()];
    this.pending.clear();
    return all;
  }

  private isKnownMark({ instrument, tradeId, window }: VenueAmendment): boolean {
    const key = `${instrument} ${tradeId} ${window.fromUs}`;
    if (this.marks.has(key)) return true;
    if (this.marks.size >= MARKS_MAX) this.marks.clear();
    this.marks.add(key);
    return false;
  }
}
