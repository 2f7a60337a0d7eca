import type { LiveTiming } from './timing.ts';

/**
 * How long trades wait for a page after a tear; the same bounds as for a gap. Pure: milliseconds by a monotonic clock.
 */
export class TearDeadline {
  private readonly timing: Pick<LiveTiming, 'gapDeadlineMs' | 'gapBlockedMaxMs'>;
  private tornAtMs = 0;
  private progressAtMs = 0;

  constructor(timing: Pick<LiveTiming, 'gapDeadlineMs' | 'gapBlockedMaxMs'>) {
    this.timing = timing;
  }

  torn(nowMs: number): void {
    this.tornAtMs = this.progressAtMs = nowMs;
  }

  /** The venue forbids requests for now: that time does not count, within a bound. */
  cannotAsk(nowMs: number): void {
    if (nowMs - this.tornAtMs < this.timing.gapBlockedMaxMs) this.progressAtMs = nowMs;
  }

  isOver(nowMs: number): boolean {
    return nowMs - this.progressAtMs >= this.timing.gapDeadlineMs;
  }
}
