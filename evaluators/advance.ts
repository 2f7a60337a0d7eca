import type { ContextSignal, DeadLetter, Trade } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { DerivedEvent, DerivedName, DerivedTopic } from '../contracts/topics.ts';
import type { ActivationTerms } from './activation-terms.ts';
import type { AnchorRecord } from './anchor.ts';
import type { SignalFate } from './context/partition-context.ts';
import type { UnprovenTrade } from './market-clock.ts';
import type { SetAsideKind, TradeCounts } from './trade-counts.ts';

/** A record of the tape. */
export interface TapeRecord {
  readonly partition: number;
  readonly offset: number;
  readonly content: TapeContent;
}

/** A derived event with the bytes that are written and their hash. */
export interface DerivedRecord {
  readonly topic: DerivedTopic;
  readonly type: DerivedName;
  readonly sequence: number;
  readonly event: DerivedEvent;
  readonly body: Buffer;
  readonly hash: Buffer;
}

/** The fates of one instrument's trades so far. */
export interface InstrumentOverview {
  readonly name: string;
  readonly counts: TradeCounts;
  /** Trades beyond the clock's bound that are neither proven nor disproved yet. */
  readonly waiting: readonly UnprovenTrade[];
  /** Why nothing is decided now; undefined while decisions are made. */
  readonly silence: string | undefined;
}

/** The results of one tape record. */
export interface Advance {
  /** Set when a trade decides nothing, when a record changes how a trade counts, or when a signal has no effect. */
  readonly setAside?: SetAside | SignalSetAside;
  readonly derived: readonly DerivedRecord[];
  readonly deadLetters: readonly DeadLetter[];
  /** Set when an anchor is due right after this record. */
  readonly anchor: AnchorRecord | undefined;
  /**
   * Set when another engine version (or other schemas) is in force from this record on: nothing was applied, and the
   * anchor, if one can be made, is at exactly this record's offset.
   */
  readonly foreignActivation?: ActivationTerms;
}

/** The fate of one trade of the tape that was not processed in the ordinary way. */
export interface SetAside {
  readonly kind: SetAsideKind;
  readonly instrument: string;
  readonly tradeId: string;
  /** Microseconds. */
  readonly eventTime: number;
}

/** A well-formed signal without an effect. */
export interface SignalSetAside {
  readonly kind: Exclude<SignalFate, 'TAKEN'>;
  readonly signal: ContextSignal;
}

export function setAsideOf(
  kind: SetAsideKind,
  { instrument, tradeId, eventTime }: Pick<Trade, 'instrument' | 'tradeId' | 'eventTime'>,
): SetAside {
  return { kind, instrument, tradeId, eventTime };
}

/** True where a record has no result: nearly always. */
export function isSilent({ derived, deadLetters, anchor, foreignActivation, setAside }: Advance): boolean {
  return (
    derived.length === 0 &&
    deadLetters.length === 0 &&
    anchor === undefined &&
    foreignActivation === undefined &&
    setAside === undefined
  );
}
