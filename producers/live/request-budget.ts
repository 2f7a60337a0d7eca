import type { VenueLimits } from '../venue.ts';

/** Our part of the venue's weight, per window; the rest is for whoever shares the address, a hot standby above all. */
const STEADY_SHARE = 0.6;
/** What may be spent at once after a pause, of the window's weight. Both together stay below 1. */
const BURST_SHARE = 0.2;
/** When the venue says that so much of its window is used, by whomever, we wait for the next. */
const USED_SHARE_MAX = 0.9;
/** Between two requests, however cheap. */
const REQUEST_SPACING_MS = 60;

/**
 * How soon the next request may go: a token bucket in units of request weight, below what the venue counts, and obedient
 * to what it says. One for all that ask a venue from this process. Times are of a clock that never goes back.
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
   * What the venue counted in its window so far, from its own header.
   *
   * @param windowLeftMs until the venue's window ends
   */
  used(weight: number, windowLeftMs: number, nowMs: number): void {
    if (weight >= this.limit.weight * USED_SHARE_MAX) this.blockFor(windowLeftMs, nowMs);
  }

  /** The venue says to wait. */
  blockFor(durationMs: number, nowMs: number): void {
    this.blockedUntilMs = Math.max(this.blockedUntilMs, nowMs + durationMs);
  }

  private tokensAt(nowMs: number): number {
    const elapsedMs = nowMs - (this.countedAtMs ?? nowMs);
    return Math.min(this.burst, this.tokens + elapsedMs * this.perMs);
  }
}
