import type { Missing } from './reorder-buffer.ts';
import type { LiveTelemetry } from './telemetry.ts';
import type { LiveTiming } from './timing.ts';

/** After this many consecutive pages that continue past missing trades without them, the venue does not serve them. */
export const NOT_SERVED_ANSWERS = 5;
const RETRY_DOUBLINGS_MAX = 3;

export type GapTiming = Pick<LiveTiming, 'gapDeadlineMs' | 'gapBlockedMaxMs' | 'gapRetryMs' | 'gapGraceMs'>;

/** Missing trades of one instrument that are requested. Pure: milliseconds by a monotonic clock. */
export class Gap {
  /** The number of ids missing when it opened. */
  readonly missing: number;
  readonly openedAtMs: number;
  private readonly timing: GapTiming;
  private range: Missing;
  /** When the last of its trades arrived. */
  private cameAtMs: number;
  /** That time, or when requests were last forbidden: the deadline runs from here. */
  private progressAtMs: number;
  private askAtMs: number;
  /** Consecutive pages that continued past it. */
  private answersBeyond = 0;
  /** Consecutive pages that ended before it. */
  private answersShort = 0;

  constructor(range: Missing, timing: GapTiming, nowMs: number) {
    this.missing = range.last - range.first + 1;
    this.openedAtMs = this.cameAtMs = this.progressAtMs = nowMs;
    this.timing = timing;
    this.range = range;
    // Trades merely out of order arrive unrequested.
    this.askAtMs = nowMs + timing.gapGraceMs;
  }

  /** The number of its ids still missing. */
  get left(): Missing {
    return this.range;
  }

  isToBeAsked(nowMs: number): boolean {
    return nowMs >= this.askAtMs;
  }

  /** Why waiting longer is pointless, if it is. */
  hopeless(nowMs: number): 'NOT_SERVED' | 'NO_ANSWER' | undefined {
    if (this.answersBeyond >= NOT_SERVED_ANSWERS) return 'NOT_SERVED';
    return nowMs - this.progressAtMs >= this.timing.gapDeadlineMs ? 'NO_ANSWER' : undefined;
  }

  /** The venue forbids requests for now: that time does not count, within a bound. */
  cannotAsk(nowMs: number): void {
    if (nowMs - this.cameAtMs < this.timing.gapBlockedMaxMs) this.progressAtMs = nowMs;
  }

  follow(missing: Missing, nowMs: number): void {
    if (missing.first > this.range.first) {
      this.cameAtMs = this.progressAtMs = this.askAtMs = nowMs;
      this.answersBeyond = 0;
      this.answersShort = 0;
    }
    this.range = missing;
  }

  /** The result of a page requested from an id on: trades present, never served, or not served yet. */
  judge(firstTradeId: number, page: readonly { readonly tradeId: string | undefined }[], nowMs: number): void {
    if (this.range.first !== firstTradeId) return;
    const ids = page.map(({ tradeId }) => Number(tradeId));
    if (ids.includes(firstTradeId)) {
      this.answersBeyond = 0;
      return;
    }
    const { gapRetryMs } = this.timing;
    if (ids.some((id) => id > firstTradeId)) {
      this.answersBeyond += 1;
      this.askAtMs = nowMs + gapRetryMs;
      return;
    }
    // REST is behind the stream: request less and less often, so that others have their turn.
    this.askAtMs = nowMs + gapRetryMs * (1 << this.answersShort);
    this.answersShort = Math.min(this.answersShort + 1, RETRY_DOUBLINGS_MAX);
  }
}

export interface GapTrackerOptions {
  readonly instrument: string;
  /** More missing trades than this are given up at once. */
  readonly missingMax: number;
  readonly timing: GapTiming;
  readonly telemetry: LiveTelemetry;
}

/** Opens, follows and closes the one gap of an instrument that is requested at a time, and reports it. */
export class GapTracker {
  private readonly options: GapTrackerOptions;
  private gap: Gap | undefined;
  private isReported = false;

  constructor(options: GapTrackerOptions) {
    this.options = options;
  }

  /** The gap being requested; undefined where there is none. */
  get open(): Gap | undefined {
    return this.gap;
  }

  /** Why the missing trades should be given up, if they should. */
  hopeless(nowMs: number): 'BEYOND_LIMIT' | 'NOT_SERVED' | 'NO_ANSWER' | undefined {
    if (this.gap === undefined) return undefined;
    const { first, last } = this.gap.left;
    return last - first + 1 > this.options.missingMax ? 'BEYOND_LIMIT' : this.gap.hopeless(nowMs);
  }

  /** The ids missing now; undefined where none are. */
  follow(missing: Missing | undefined, nowMs: number): void {
    if (this.gap !== undefined && (missing === undefined || missing.first > this.gap.left.last)) {
      this.filled(this.gap, nowMs);
    }
    if (missing === undefined) return;
    if (this.gap !== undefined) this.gap.follow(missing, nowMs);
    else {
      this.gap = new Gap(missing, this.options.timing, nowMs);
      this.isReported = false;
    }
  }

  /**
   * It is requested, or would be if the venue allowed it: reported once. Trades that arrive unrequested are never
   * reported.
   */
  report(): void {
    if (this.gap === undefined || this.isReported) return;
    this.isReported = true;
    const { first, last } = this.gap.left;
    const { telemetry, instrument } = this.options;
    telemetry({
      kind: 'gap-opened',
      instrument,
      firstTradeId: String(first),
      lastTradeId: String(last),
      missing: last - first + 1,
    });
  }

  /** The venue forbids requests for now. */
  cannotAsk(nowMs: number): void {
    if (this.gap?.isToBeAsked(nowMs) === true) this.report();
    this.gap?.cannotAsk(nowMs);
  }

  /** It was given up, or the tape is read again: anything missing after that is another gap. */
  forget(): void {
    this.gap = undefined;
  }

  private filled({ missing, openedAtMs }: Gap, nowMs: number): void {
    const { telemetry, instrument } = this.options;
    if (this.isReported) telemetry({ kind: 'gap-filled', instrument, missing, openMs: nowMs - openedAtMs });
    this.gap = undefined;
  }
}
