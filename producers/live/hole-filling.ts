import type { Period } from '../venue.ts';
import { NOT_SERVED_ANSWERS } from './gap.ts';
import type { Filled } from './opaque-reorder-buffer.ts';

/**
 * Requests, page by page, the trades of an instrument without numbered ids that the newest pages no longer show: by the
 * venue's token where it gives one, else from the time of the last trade on. Pure: milliseconds by a monotonic clock.
 */
export class HoleFilling {
  private readonly tradesMax: number;
  private readonly retryMs: number;
  private sinceUs = 0;
  private pageToken: string | undefined;
  private taken = 0;
  private answersWithout = 0;
  private askAtMs = -Infinity;

  /** @param tradesMax more trades than this are given up */
  constructor(tradesMax: number, retryMs: number) {
    this.tradesMax = tradesMax;
    this.retryMs = retryMs;
  }

  /** A hole opened. */
  begin(): void {
    this.pageToken = undefined;
    this.taken = 0;
    this.answersWithout = 0;
    this.askAtMs = -Infinity;
  }

  /** The page to request; undefined while it is not due. @param afterUs time of the last trade before the hole */
  wanted(afterUs: number, nowMs: number): Period | undefined {
    if (nowMs < this.askAtMs) return undefined;
    // A token continues the request that it came from.
    if (this.pageToken === undefined) this.sinceUs = afterUs;
    return { sinceUs: this.sinceUs, untilUs: undefined, pageToken: this.pageToken };
  }

  /**
   * A page arrived.
   *
   * @param trades on it
   * @returns why going on is pointless, if it is
   */
  answered(
    filled: Filled,
    trades: number,
    nextToken: string | undefined,
    nowMs: number,
  ): 'NOT_SERVED' | 'BEYOND_LIMIT' | undefined {
    this.pageToken = nextToken;
    this.taken += trades;
    const isFurther = filled !== 'NOTHING' || nextToken !== undefined;
    this.answersWithout = isFurther ? 0 : this.answersWithout + 1;
    if (!isFurther) this.askAtMs = nowMs + this.retryMs;
    if (filled === 'JOINED') return undefined;
    if (this.answersWithout >= NOT_SERVED_ANSWERS) return 'NOT_SERVED';
    return this.taken > this.tradesMax ? 'BEYOND_LIMIT' : undefined;
  }
}
