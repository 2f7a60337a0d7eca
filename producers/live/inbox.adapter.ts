import type { DeadLetterReason, Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, isUnreadable, type RefusedTrade, type Venue } from '../venue.ts';
import { DEAD_LETTERS_PER_SECOND_MAX, deadLetterOf, RateBound } from './dead-letters.ts';
import type { Lane } from './lane.ts';
import { recordOfDeadLetter, type LiveRecord } from './live-records.ts';
import type { LiveObserver } from './observer.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;
/** Dead letters that wait for Kafka, those on their way included; more are counted and not kept. */
const DEAD_LETTERS_WAITING_MAX = 200;

/** Sorts what the stream brings by instrument, and keeps what is refused. */
export class Inbox {
  private readonly venue: Venue;
  private readonly lanes: ReadonlyMap<string, Lane>;
  private readonly partitions: number;
  private readonly observer: LiveObserver;
  private readonly bound = new RateBound(DEAD_LETTERS_PER_SECOND_MAX);
  private waiting: LiveRecord[] = [];
  /** Taken, and not acknowledged yet. */
  private readonly sent = new Set<LiveRecord>();
  deadLettersNotKept = 0;

  /** @param partitions of the dead letters */
  constructor(venue: Venue, lanes: ReadonlyMap<string, Lane>, partitions: number, observer: LiveObserver) {
    this.venue = venue;
    this.lanes = lanes;
    this.partitions = partitions;
    this.observer = observer;
  }

  /** @param receivedAt microseconds since 1970 */
  frame(text: string, receivedAt: number): void {
    const nowMs = performance.now();
    const parsed = this.venue.stream.parseFrame(text, receivedAt);
    if (isUnreadable(parsed)) this.refused({ refusal: parsed, instrument: undefined, tradeId: undefined, text }, nowMs);
    else for (const item of parsed) this.sort(item, nowMs);
  }

  refused({ refusal, instrument, text }: RefusedTrade, nowMs: number): void {
    const isKept = this.bound.allows(nowMs) && this.waiting.length + this.sent.size < DEAD_LETTERS_WAITING_MAX;
    if (!isKept) {
      this.notKept(instrument, refusal.reason);
      return;
    }
    const deadLetter = deadLetterOf(this.venue.name, text, refusal, Date.now() * MICROSECONDS_PER_MILLISECOND);
    this.waiting.push(recordOfDeadLetter(deadLetter, instrument, this.partitions));
  }

  /** The next dead letter to send. It is remembered until it is acknowledged. */
  nextDeadLetter(): LiveRecord | undefined {
    const next = this.waiting.shift();
    if (next !== undefined) this.sent.add(next);
    return next;
  }

  /** Kafka has these records. */
  acknowledged(records: readonly LiveRecord[]): void {
    for (const record of records) this.sent.delete(record);
  }

  /** Those that were not acknowledged wait again, before all others. One that arrived after all has the same identity. */
  putBack(): void {
    this.waiting = [...this.sent, ...this.waiting];
    this.sent.clear();
  }

  /** At the end: what Kafka has not acknowledged is not kept. */
  giveUp(): void {
    this.putBack();
    for (const { event } of this.waiting.splice(0)) {
      if (event.kind === 'dead-letter') this.notKept(event.instrument, event.reason);
    }
  }

  private notKept(instrument: string | undefined, reason: DeadLetterReason): void {
    this.deadLettersNotKept += 1;
    this.observer.refused({ instrument, reason, kept: false });
  }

  private sort(item: Trade | RefusedTrade, nowMs: number): void {
    const { instrument } = item;
    const lane = instrument === undefined ? undefined : this.lanes.get(instrument);
    if (lane !== undefined) lane.fromStream(item, nowMs);
    else if (instrument !== undefined) this.observer.notAskedFor({ instrument });
    else if (isRefusedTrade(item)) this.refused(item, nowMs);
  }
}
