import type { VenueLimits } from '../venue.ts';

/** Our share of the connections that the venue allows; a second process may use as much. */
const SHARE = 0.4;

/** How soon the next attempt to connect may be made. Times are by a monotonic clock. */
export class ConnectionBudget {
  private readonly count: number;
  private readonly windowMs: number;
  private attemptsAtMs: number[] = [];
  private blockedUntilMs = 0;

  constructor({ count, windowMs }: VenueLimits['connections']) {
    this.count = Math.max(1, Math.floor(count * SHARE));
    this.windowMs = windowMs;
  }

  waitMs(nowMs: number): number {
    const oldest = this.within(nowMs).at(-this.count);
    return Math.max(oldest === undefined ? 0 : oldest + this.windowMs - nowMs, this.blockedUntilMs - nowMs, 0);
  }

  spend(nowMs: number): void {
    this.attemptsAtMs = [...this.within(nowMs), nowMs];
  }

  /** The venue demands a wait. */
  blockFor(durationMs: number, nowMs: number): void {
    this.blockedUntilMs = Math.max(this.blockedUntilMs, nowMs + durationMs);
  }

  private within(nowMs: number): number[] {
    return this.attemptsAtMs.filter((atMs) => atMs > nowMs - this.windowMs);
  }
}
