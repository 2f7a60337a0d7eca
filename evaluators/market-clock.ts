import type { Trade } from '../contracts/generated/events.ts';

/** How far a clock may step, and what a further step requires. */
export interface ClockRules {
  /** A trade stamped further than this after the clock does not move it alone, microseconds. */
  readonly maxStepUs: number;
  /** Trades beyond that bound, none on time between them, that confirm that time has advanced; at least 2. */
  readonly confirmingTrades: number;
}

/** Trades that wait at the same time; of more, the oldest is passed by. */
export const WAITING_TRADES_MAX = 64;

/** A trade that is not yet proven or disproved, with its place on the tape. */
export interface UnprovenTrade {
  readonly trade: Trade;
  readonly offset: number;
  /** True for one beyond the bound; false for one that waits behind such a one. */
  readonly isAhead: boolean;
}

/** State of a {@link MarketClock}. */
export interface MarketClockState {
  readonly timeUs: number;
  readonly watermarkUs: number | null;
  readonly waiting: readonly UnprovenTrade[];
  readonly first: readonly UnprovenTrade[];
  readonly isSettled: boolean;
}

/**
 * A trade's time relative to the clock.
 *
 * - `ON_TIME`: not before it, and not beyond its bound.
 * - `LATE`: before it.
 * - `AHEAD`: beyond its bound: the trade waits.
 * - `CONFIRMED`: beyond its bound, and enough trades were: time has advanced.
 * - `CONTESTED`: far before a clock that rests on fewer trades than confirm a step: the clock is in doubt, not it.
 */
export type Standing = 'ON_TIME' | 'LATE' | 'AHEAD' | 'CONFIRMED' | 'CONTESTED';

/**
 * The market's time by one instrument's trades: the latest trade's time, but no single time stamp far ahead moves it. A
 * source's wrong time stamp (a month mistaken, a unit mixed up) would make every later trade late, and so silence the
 * instrument.
 *
 * A trade beyond the bound waits. When `confirmingTrades` of them have come, each not before those that count for it,
 * time has advanced: a night, a holiday, an outage. Those that waited for it are then on time in their order. When a
 * trade on time comes first, the waiting ones did not happen then. A watermark alone proves that time has advanced. The
 * first trades have no clock to be compared with: until there are `confirmingTrades` of them, a trade far before them
 * contests them.
 *
 * A function of the trades alone, so the same in files, live and in a replay.
 */
export class MarketClock {
  rules: ClockRules;
  private time = 0;
  private watermark: number | null = null;
  private waiting: UnprovenTrade[] = [];
  private first: UnprovenTrade[] = [];
  private isSettled = false;

  constructor(rules: ClockRules, state?: MarketClockState) {
    this.rules = rules;
    if (state === undefined) return;
    this.time = state.timeUs;
    this.watermark = state.watermarkUs;
    this.waiting = [...state.waiting];
    this.first = [...state.first];
    this.isSettled = state.isSettled;
  }

  toState(): MarketClockState {
    const { time, watermark, waiting, first, isSettled } = this;
    return { timeUs: time, watermarkUs: watermark, waiting: [...waiting], first: [...first], isSettled };
  }

  /** Time of the latest trade that moved it, microseconds; 0 before the first. */
  get timeUs(): number {
    return this.time;
  }

  /** Time of the latest watermark, microseconds; null before the first. */
  get watermarkUs(): number | null {
    return this.watermark;
  }

  /** Trades that wait, in the order of the tape. */
  get waitingTrades(): readonly UnprovenTrade[] {
    return this.waiting;
  }

  /** A trade's time relative to the clock; changes nothing. */
  judge(timeUs: number): Standing {
    if (timeUs < this.time) {
      return !this.isSettled && timeUs < this.time - this.rules.maxStepUs ? 'CONTESTED' : 'LATE';
    }
    if (timeUs <= this.limitUs() || this.time === 0) return 'ON_TIME';
    let supporters = 1;
    for (const { trade, isAhead } of this.waiting) if (isAhead && trade.eventTime <= timeUs) supporters += 1;
    return supporters >= this.rules.confirmingTrades ? 'CONFIRMED' : 'AHEAD';
  }

  /** Moves to a trade's time, or to a time that an operator vouches for. */
  moveTo(timeUs: number): void {
    if (timeUs > this.time) this.time = timeUs;
  }

  /**
   * Nothing waits any more.
   *
   * @param confirmedUs - the time of the trade that confirms some of them; undefined when none does.
   * @returns in the order of the tape, the trades that it proves, and all others.
   */
  endWaiting(confirmedUs?: number): {
    readonly proven: readonly UnprovenTrade[];
    readonly disproved: readonly UnprovenTrade[];
  } {
    const limit = confirmedUs === undefined ? Number.NEGATIVE_INFINITY : confirmedUs + this.rules.maxStepUs;
    const proven = this.waiting.filter(({ trade }) => trade.eventTime <= limit);
    const disproved = this.waiting.filter(({ trade }) => trade.eventTime > limit);
    this.waiting = [];
    return { proven, disproved };
  }

  /**
   * Lets a trade wait: one beyond the bound, or any other that comes while one waits, so that all are taken in the order of
   * the tape. @returns the one that gave way, when there were too many.
   */
  wait(unproven: UnprovenTrade): UnprovenTrade | undefined {
    this.waiting.push(unproven);
    return this.waiting.length > WAITING_TRADES_MAX ? this.waiting.shift() : undefined;
  }

  /** Takes a waiting trade out by its identity; undefined when it does not wait. */
  takeOut(tradeId: string, eventTimeUs: number): UnprovenTrade | undefined {
    const position = this.waiting.findIndex(
      ({ trade }) => trade.eventTime === eventTimeUs && trade.tradeId === tradeId,
    );
    return position < 0 ? undefined : this.waiting.splice(position, 1)[0];
  }

  isWaiting(tradeId: string, eventTimeUs: number): boolean {
    return this.waiting.some(({ trade }) => trade.eventTime === eventTimeUs && trade.tradeId === tradeId);
  }

  /** Notes one of the first trades: enough of them settle the clock. */
  settleBy(unproven: UnprovenTrade): void {
    if (this.isSettled) return;
    this.first.push(unproven);
    if (this.first.length < this.rules.confirmingTrades) return;
    this.isSettled = true;
    this.first = [];
  }

  get settled(): boolean {
    return this.isSettled;
  }

  /** Goes back to a trade that contests the first ones. @returns those that are too far after it to be valid. */
  fallBackTo(timeUs: number): readonly UnprovenTrade[] {
    const limit = timeUs + this.rules.maxStepUs;
    const disproved = this.first.filter(({ trade }) => trade.eventTime > limit);
    this.first = this.first.filter(({ trade }) => trade.eventTime <= limit);
    this.time = this.first.reduce((time, { trade }) => Math.max(time, trade.eventTime), timeUs);
    return disproved;
  }

  /** A watermark: the market is known up to a time. @returns the waiting trades that this proves. */
  watermarkTo(timeUs: number): readonly UnprovenTrade[] {
    this.watermark = timeUs;
    if (this.waiting.length === 0) return [];
    const limit = this.limitUs();
    const proven = this.waiting.filter(({ trade }) => trade.eventTime <= limit);
    this.waiting = this.waiting.filter(({ trade }) => trade.eventTime > limit);
    return proven;
  }

  private limitUs(): number {
    const known = this.watermark !== null && this.watermark > this.time ? this.watermark : this.time;
    return known + this.rules.maxStepUs;
  }
}
