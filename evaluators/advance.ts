import type { DeadLetter, EngineActivated, Trade } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { DerivedEvent, DerivedName, DerivedTopic } from '../contracts/topics.ts';
import type { AnchorRecord } from './anchor.ts';
import type { UnprovenTrade } from './market-clock.ts';
import type { SetAsideKind, TradeCounts } from './trade-counts.ts';

/** A record of the tape. */
export interface TapeRecord {
  readonly partition: number;
  readonly offset: number;
  readonly content: TapeContent;
}

/** A derived event with the bytes that are written and the hash that stands for it. */
export interface DerivedRecord {
  readonly topic: DerivedTopic;
  readonly type: DerivedName;
  readonly sequence: number;
  readonly event: DerivedEvent;
  readonly body: Buffer;
  readonly hash: Buffer;
}

/** What became of one instrument's trades so far. */
export interface InstrumentOverview {
  readonly name: string;
  readonly counts: TradeCounts;
  /** Trades beyond the clock's bound that are neither proven nor disproved yet. */
  readonly waiting: readonly UnprovenTrade[];
  /** Why nothing is decided now; undefined where decisions go on. */
  readonly silence: string | undefined;
}

/** What one tape record led to. */
export interface Advance {
  /** Set where a trade decides nothing, or a record changes what a trade counted for. */
  readonly setAside?: SetAside;
  readonly derived: readonly DerivedRecord[];
  readonly deadLetters: readonly DeadLetter[];
  /** Set where an anchor is due right after this record. */
  readonly anchor: AnchorRecord | undefined;
  /**
   * Set when another engine version (or other schemas) is in force from this record on: nothing was applied, and the
   * anchor, where one can be made, is at exactly this record's offset.
   */
  readonly foreignActivation?: EngineActivated;
}

/** What became of one trade of the tape that did not take the ordinary way. */
export interface SetAside {
  readonly kind: SetAsideKind;
  readonly instrument: string;
  readonly tradeId: string;
  /** Microseconds. */
  readonly eventTime: number;
}

export function setAsideOf(
  kind: SetAsideKind,
  { instrument, tradeId, eventTime }: Pick<Trade, 'instrument' | 'tradeId' | 'eventTime'>,
): SetAside {
  return { kind, instrument, tradeId, eventTime };
}
