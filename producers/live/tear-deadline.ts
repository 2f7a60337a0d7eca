import type { LiveTiming } from './timing.ts';

/**
 * When trades may last have been missed where ids are opaque, and how long others wait for a page; the same bounds as
 * for a gap. Pure: milliseconds by a monotonic clock.
 */
export class TearDeadline {
  private readonly timing: Pick<LiveTiming, 'gapDeadlineMs' | 'gapBlockedMaxMs'>;
  private openedAtMs = 0;
  private lastAtMs = 0;
  private progressAtMs = 0;

  constructor(timing: Pick<LiveTiming, 'gapDeadlineMs' | 'gapBlockedMaxMs'>) {
    this.timing = timing;
  }

  /** @param isOpen whether trades were waiting for a page before */
  torn(nowMs: number, isOpen: boolean): void {
    this.lastAtMs = nowMs;
    if (!isOpen) this.openedAtMs = this.progressAtMs = nowMs;
  }

  /** A page arrived: others wait from now on. */
  progressed(nowMs: number): void {
    this.openedAtMs = this.progressAtMs = nowMs;
  }

  /** Whether a page that was requested then shows what may have been missed. */
  isCoveredBy(askedAtMs: number): boolean {
    return askedAtMs >= this.lastAtMs;
  }

  /** The venue forbids requests for now: that time does not count, within a bound. */
  cannotAsk(nowMs: number): void {
    if (nowMs - this.openedAtMs < this.timing.gapBlockedMaxMs) this.progressAtMs = nowMs;
  }

  isOver(nowMs: number): boolean {
    return nowMs - this.progressAtMs >= this.timing.gapDeadlineMs;
  }
}
