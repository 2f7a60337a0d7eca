import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, isUnreadable, type RefusedTrade, type Venue } from '../venue.ts';
import { DEAD_LETTERS_PER_SECOND_MAX, deadLetterOf, RateBound } from './dead-letters.ts';
import type { Lane } from './lane.ts';
import { recordOfDeadLetter, type LiveRecord } from './live-records.ts';
import type { LiveObserver } from './observer.ts';

const MICROSECONDS_PER_MILLISECOND = 1_000;
/** Dead letters that wait for Kafka; more are counted and not kept. */
const DEAD_LETTERS_WAITING_MAX = 200;

/** Sorts what the stream brings by instrument, and keeps what is refused. */
export class Inbox {
  private readonly venue: Venue;
  private readonly lanes: ReadonlyMap<string, Lane>;
  private readonly partitions: number;
  private readonly observer: LiveObserver;
  private readonly bound = new RateBound(DEAD_LETTERS_PER_SECOND_MAX);
  private readonly waiting: LiveRecord[] = [];
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
    const kept = this.bound.allows(nowMs) && this.waiting.length < DEAD_LETTERS_WAITING_MAX;
    this.observer.refused({ instrument, reason: refusal.reason, kept });
    if (!kept) {
      this.deadLettersNotKept += 1;
      return;
    }
    const deadLetter = deadLetterOf(this.venue.name, text, refusal, Date.now() * MICROSECONDS_PER_MILLISECOND);
    this.waiting.push(recordOfDeadLetter(deadLetter, this.partitions));
  }

  /** The next dead letter to send. */
  nextDeadLetter(): LiveRecord | undefined {
    return this.waiting.shift();
  }

  private sort(item: Trade | RefusedTrade, nowMs: number): void {
    const { instrument } = item;
    const lane = instrument === undefined ? undefined : this.lanes.get(instrument);
    if (lane !== undefined) lane.fromStream(item, nowMs);
    else if (instrument !== undefined) this.observer.notAskedFor({ instrument });
    else if (isRefusedTrade(item)) this.refused(item, nowMs);
  }
}
