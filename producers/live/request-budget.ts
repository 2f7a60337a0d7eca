import type { VenueLimits } from '../venue.ts';

/**
 * Our share of the venue's weight, per window; the rest is for other processes at this address, above all a hot
 * standby.
 */
const STEADY_SHARE = 0.6;
/** The share of the window's weight that may be spent at once after a pause. Both together stay below 1. */
const BURST_SHARE = 0.2;
/** When the venue reports this share of its window as used, by anyone, we wait for the next window. */
const USED_SHARE_MAX = 0.9;
/** The pause between two requests, however cheap. */
const REQUEST_SPACING_MS = 60;

/**
 * How soon the next request may go: a token bucket in units of request weight, below the venue's limit, which also
 * follows the venue's own reports. One for all requests of this process to a venue. Times are by a monotonic clock.
 */
export class RequestBudget {
  private readonly perMs: number;
  private readonly burst: number;
  private readonly limit: VenueLimits['requestWeight'];
  private tokens: number;
  private countedAtMs: number | undefined;
  private blockedUntilMs = 0;

  constructor(limit: VenueLimits['requestWeight']) {
    this.limit = limit;
    this.perMs = (limit.weight * STEADY_SHARE) / limit.windowMs;
    this.burst = limit.weight * BURST_SHARE;
    this.tokens = this.burst;
  }

  /** Milliseconds until a request of this weight may go; 0 where it may go now. */
  waitMs(weight: number, nowMs: number): number {
    const tokens = this.tokensAt(nowMs);
    const untilTokensMs = tokens >= weight ? 0 : Math.ceil((weight - tokens) / this.perMs);
    return Math.max(untilTokensMs, this.blockedUntilMs - nowMs, 0);
  }

  spend(weight: number, nowMs: number): void {
    this.tokens = this.tokensAt(nowMs) - weight;
    this.countedAtMs = nowMs;
    this.blockFor(REQUEST_SPACING_MS, nowMs);
  }

  /**
   * The weight that the venue has counted in its window so far, from its header.
   *
   * @param windowLeftMs until the venue's window ends
   */
  used(weight: number, windowLeftMs: number, nowMs: number): void {
    if (weight >= this.limit.weight * USED_SHARE_MAX) this.blockFor(windowLeftMs, nowMs);
  }

  /** The venue demands a wait. */
  blockFor(durationMs: number, nowMs: number): void {
    this.blockedUntilMs = Math.max(this.blockedUntilMs, nowMs + durationMs);
  }

  private tokensAt(nowMs: number): number {
    const elapsedMs = nowMs - (this.countedAtMs ?? nowMs);
    return Math.min(this.burst, this.tokens + elapsedMs * this.perMs);
  }
}
