import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusedTrade, type RefusedTrade } from '../venue.ts';

/** How long a measurement counts, at least; at most twice as long. */
const WINDOW_US = 60_000_000;

/**
 * The least time from a trade's stamp to its receipt in the last one to two minutes, microseconds: the offset of our
 * clock against the venue's, and the fastest delivery. Pure: time is that of the receipts.
 */
export class ClockOffset {
  private windowEndsUs = 0;
  private currentUs: number | undefined;
  private beforeUs: number | undefined;

  get leastUs(): number | undefined {
    const { currentUs, beforeUs } = this;
    return currentUs === undefined || beforeUs === undefined ? (currentUs ?? beforeUs) : Math.min(currentUs, beforeUs);
  }

  /** A page requested for its newest trades: older ones of it change nothing, because the least counts. */
  measuredByPage(page: readonly (Trade | RefusedTrade)[]): void {
    for (const item of page) if (!isRefusedTrade(item)) this.measured(item.eventTime, item.receivedAt);
  }

  measured(eventTimeUs: number, receivedAtUs: number): void {
    if (receivedAtUs >= this.windowEndsUs) {
      this.beforeUs = receivedAtUs - this.windowEndsUs < WINDOW_US ? this.currentUs : undefined;
      this.currentUs = undefined;
      this.windowEndsUs = receivedAtUs + WINDOW_US;
    }
    this.currentUs = Math.min(this.currentUs ?? Infinity, receivedAtUs - eventTimeUs);
  }
}
