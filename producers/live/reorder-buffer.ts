import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import type { TradeOrigin } from './telemetry.ts';

/** Ids that are missing, both ends included. */
export interface Missing {
  readonly first: number;
  readonly last: number;
}

/** Missing ids that were given up, with what stands around them. */
export interface GivenUpGap extends Missing {
  readonly reason: TradeGapReason;
  /** Event time of the last trade before, microseconds; null where it is not known. */
  readonly fromTime: number | null;
  /** Event time of the first trade after, microseconds. */
  readonly toTime: number;
}

/** What may go on to the tape, in this order. */
export type Released =
  | { readonly kind: 'trade'; readonly trade: Trade; readonly origin: TradeOrigin; readonly late: boolean }
  | { readonly kind: 'gap'; readonly gap: GivenUpGap };

/** What the tape holds of an instrument. */
export interface HeldByTape {
  /** The greatest id on it, trades and gaps; undefined where ids are not numbers. */
  readonly lastId: number | undefined;
  /** Event time of the trade with that id, microseconds. */
  readonly lastTime: number | null;
  /** Ids of gaps on it that did not come later. */
  readonly declaredGaps: readonly Missing[];
  /** Ids of its last trades, for venues whose ids tell no order. */
  readonly recentIds: readonly string[];
}

/** NEW: it waits for its turn or goes on; LATE: of a gap given up; FORGOTTEN: no room, it is to be asked for again. */
export type Offered = 'NEW' | 'LATE' | 'DUPLICATE' | 'FORGOTTEN';

/**
 * One instrument's trades on their way to the tape: each once, in the venue's order as far as it is known. Properties and
 * `missing` are questions and change nothing.
 */
export interface ReorderBuffer {
  /** Trades that wait, those that may go on included. */
  readonly waiting: number;
  /** Whether something may go on now, an id that is passed over included. */
  readonly isReady: boolean;
  /** Whether a first trade is settled. Until then all wait. */
  readonly isStarted: boolean;
  /** The id after the last that is here; undefined before the start and where ids are not numbers. */
  readonly nextId: number | undefined;
  /** Event time of the last trade that went on, microseconds. */
  readonly lastTime: number | null;
  /** The first that may go on now; `drop` takes it out. */
  readonly first: Released | undefined;
  /** The first ids that are missing; undefined where nothing is known to be. */
  readonly missing: Missing | undefined;
  /** Whether this id, or a later one, was heard of. */
  hasHeard(tradeId: string): boolean;

  /**
   * Goes on behind what the tape holds, also after the tape did not take what was released. Where it holds nothing: from
   * where it began, or, the first time, not yet.
   */
  resume(held: HeldByTape | undefined): void;
  /** Begins with this trade; undefined: with the first that waits or comes. */
  begin(tradeId: string | undefined): void;
  /** Takes a trade in, and says what became of it. */
  offer(trade: Trade, origin: TradeOrigin): Offered;
  /** A trade with this id was refused for good: nothing is missing for it. False where that was known. */
  account(tradeId: string): boolean;
  /** The venue has a trade with this id. */
  hear(tradeId: string): void;
  /** Gives the first missing ids up, if a newer trade waits: their gap goes on right before it. */
  giveUp(reason: TradeGapReason): GivenUpGap | undefined;
  /** Passes over refused ids whose turn has come. */
  passRefused(): void;
  /** Takes `first` out: it went on. */
  drop(): void;
}

/** Gaps on the tape whose trades may still come; the oldest are forgotten. */
export const DECLARED_GAPS_MAX = 1_000;
/** Late trades that wait to go on. */
export const LATE_TRADES_MAX = 10_000;
