import { deadLetterOfMessage } from '../../contracts/dead-letter.ts';
import type { DeadLetter } from '../../contracts/generated/events.ts';
import type { Refusal } from '../../contracts/trade-rules.ts';

/** The reader named in the dead letters of live ingestion. */
export const LIVE_READER = 'ingest-live';
/** More dead letters than this in a second are a flood: the excess is counted and not kept. */
export const DEAD_LETTERS_PER_SECOND_MAX = 20;

const MILLISECONDS_PER_SECOND = 1_000;

/** @param receivedAt microseconds */
export function deadLetterOf(venue: string, text: string, refusal: Refusal, receivedAt: number): DeadLetter {
  return deadLetterOfMessage(LIVE_READER, { venue, receivedAt }, Buffer.from(text), refusal);
}

/** Lets a bounded number through in each second. */
export class RateBound {
  private readonly perSecond: number;
  private second = -1;
  private count = 0;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
  }

  /** Whether another one may pass. @param nowMs by a monotonic clock */
  allows(nowMs: number): boolean {
    return secondOf(nowMs) !== this.second || this.count < this.perSecond;
  }

  /** Records that one passes. */
  spend(nowMs: number): void {
    const second = secondOf(nowMs);
    this.count = second === this.second ? this.count + 1 : 1;
    this.second = second;
  }
}

function secondOf(nowMs: number): number {
  return Math.floor(nowMs / MILLISECONDS_PER_SECOND);
}
