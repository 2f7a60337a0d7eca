import type { Trade, TradeGapReason } from '../../contracts/generated/events.ts';
import { TRADE_ID_LENGTH_MAX } from '../../contracts/trade-rules.ts';
import type { TradeOrigin } from './telemetry.ts';

/** Ids that are missing, both ends included. */
export interface Missing {
  readonly first: number;
  readonly last: number;
}

/** Missing trades that were given up, with the event times around them. */
export interface GivenUpGap {
  /** The first and the last missing id; where they are not known, {@link idsAround}. */
  readonly firstTradeId: string;
  readonly lastTradeId: string;
  /** Their number; 1 where it is not known. */
  readonly missingTrades: number;
  readonly reason: TradeGapReason;
  /** Event time of the last trade before, microseconds; null where unknown. */
  readonly fromTime: number | null;
  /** Event time of the first trade after, microseconds. */
  readonly toTime: number;
}

/** Missing ids that follow one another. */
export function idsOf({ first, last }: Missing): Pick<GivenUpGap, 'firstTradeId' | 'lastTradeId' | 'missingTrades'> {
  return { firstTradeId: String(first), lastTradeId: String(last), missingTrades: last - first + 1 };
}

/**
 * Missing trades whose ids are not known: those between two known ones. One at least may be missing; how many is
 * unknown.
 */
export function idsAround(
  beforeId: string,
  afterId: string,
): Pick<GivenUpGap, 'firstTradeId' | 'lastTradeId' | 'missingTrades'> {
  const place = (side: string, id: string) => `${side}:${id}`.slice(0, TRADE_ID_LENGTH_MAX);
  return { firstTradeId: place('after', beforeId), lastTradeId: place('before', afterId), missingTrades: 1 };
}

/** The records that may go to the tape, in this order. */
export type Released =
  | { readonly kind: 'trade'; readonly trade: Trade; readonly origin: TradeOrigin; readonly late: boolean }
  | { readonly kind: 'gap'; readonly gap: GivenUpGap };

/** The end of the tape for one instrument. */
export interface HeldByTape {
  /** The greatest id on it, trades and gaps; undefined where ids are not numbers. */
  readonly lastId: number | undefined;
  /** Event time of the trade with that id, or of the last trade where ids have no order, microseconds. */
  readonly lastTime: number | null;
  /** Ids in gaps on the tape that did not arrive later. */
  readonly declaredGaps: readonly Missing[];
  /** Ids of its last trades, for venues whose ids have no order. */
  readonly recentIds: readonly string[];
}

/**
 * NEW: it waits for its turn or is released; LATE: of a gap given up; FORGOTTEN: no room, it must be requested again.
 */
export type Offered = 'NEW' | 'LATE' | 'DUPLICATE' | 'FORGOTTEN';

/**
 * One instrument's trades on their way to the tape: each once, in the venue's order as far as known. Properties and
 * `missing` are questions and change nothing.
 */
export interface ReorderBuffer {
  /** Trades that wait, including those that may be released. */
  readonly waiting: number;
  /** Whether a record may be released now, or an id passed over. */
  readonly isReady: boolean;
  /** Whether the first trade is settled. Until then all wait. */
  readonly isStarted: boolean;
  /** The id after the last one present; undefined before the start and where ids are not numbers. */
  readonly nextId: number | undefined;
  /** The id after the last one released; undefined as `nextId` is. */
  readonly nextToRelease: number | undefined;
  /** Event time of the last trade released, microseconds. */
  readonly lastTime: number | null;
  /** The first record that may be released now; `drop` removes it. */
  readonly first: Released | undefined;
  /** The first missing ids; undefined where none are known to be missing. */
  readonly missing: Missing | undefined;
  /** Whether this id, or a later one, was seen. */
  hasHeard(tradeId: string): boolean;

  /**
   * Continues after the end of the tape, also when the tape did not accept the released records. Where the tape has
   * nothing: from where it began or, the first time, not yet.
   */
  resume(held: HeldByTape | undefined): void;
  /** Begins with this trade; undefined: with the first that waits or arrives. */
  begin(tradeId: string | undefined): void;
  /** Takes a trade, and returns its fate. */
  offer(trade: Trade, origin: TradeOrigin): Offered;
  /** A trade with this id was refused permanently: it does not count as missing. False where that was known. */
  account(tradeId: string): boolean;
  /** The venue has a trade with this id. */
  hear(tradeId: string): void;
  /** Gives up the first missing ids, if a newer trade waits: their gap is released right before it. */
  giveUp(reason: TradeGapReason): GivenUpGap | undefined;
  /** Passes over refused ids whose turn has come. */
  passRefused(): void;
  /** Removes `first`: it was released. */
  drop(): void;
}

/** Gaps on the tape whose trades may still arrive; the oldest are forgotten. */
export const DECLARED_GAPS_MAX = 1_000;
/** Late trades that wait to be released. */
export const LATE_TRADES_MAX = 10_000;
