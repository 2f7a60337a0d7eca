import type { AmendmentName, TapeContent } from '../contracts/tape-content.ts';
import type { Trade, TradeGap } from '../contracts/generated/events.ts';
import { displayName } from '../contracts/instrument-name.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { refusalOf, refusalOfAmendment, refusalOfGap, type Amendment } from '../contracts/trade-rules.ts';

/** Instruments that are counted one by one; records of further ones are counted together. */
export const INSTRUMENTS_LISTED_MAX = 65_536;

/**
 * The form of an instrument's trade ids. NUMBERED: whole numbers. CONTENT: made from time, price and size, if the
 * source has none. OPAQUE: anything else. MIXED: of more than one kind.
 */
export type IdsKind = 'NUMBERED' | 'CONTENT' | 'OPAQUE' | 'MIXED';

const NUMBERED = /^(?:0|[1-9][0-9]*)$/;
const CONTENT = /^c[0-9a-f]{16}-[0-9]+$/;

/** The records of an instrument on the tape: a trade that was appended twice is two records. */
export interface TapeInstrument {
  readonly instrument: string;
  /** For people, with the venue's own letters. */
  readonly displayName: string;
  readonly partition: number;
  readonly tradeRecords: number;
  /** Least and greatest event time of its trades, microseconds since 1970; undefined when there is none. */
  readonly firstTradeUs: number | undefined;
  readonly lastTradeUs: number | undefined;
  /** Undefined when there is no trade. */
  readonly tradeIds: IdsKind | undefined;
  /** Gaps on the tape, and the trades missing in them; a gap that was filled later is among them. */
  readonly gaps: number;
  readonly missingTrades: number;
  /** Records that take a trade back, correct it, or vouch for it. */
  readonly cancelled: number;
  readonly corrected: number;
  readonly released: number;
}

export interface TapeInventory {
  /** By name. */
  readonly instruments: readonly TapeInstrument[];
  /** Trades, gaps and amendments of instruments beyond the bound of those that are listed. */
  readonly recordsNotListed: number;
  /** Trades, gaps and amendments that break a rule or are in the wrong partition: the engine refuses them. */
  readonly recordsRefused: number;
  /** Records that nobody can read. */
  readonly recordsUnusable: number;
}

type Entry = { -readonly [Key in keyof Omit<TapeInstrument, 'displayName'>]: TapeInstrument[Key] };

const COUNTED_AS = {
  TradeCancelled: 'cancelled',
  TradeCorrected: 'corrected',
  TradeReleased: 'released',
} as const satisfies Record<AmendmentName, keyof Entry>;

/** Counts the tape's records by instrument; memory is bounded by the number of instruments. */
export class TapeInstruments {
  readonly #partitions: number;
  readonly #instrumentsMax: number;
  readonly #entries = new Map<string, Entry>();
  #notListed = 0;
  #refused = 0;
  #unusable = 0;

  /** @param partitions of the tape */
  constructor(partitions: number, instrumentsMax = INSTRUMENTS_LISTED_MAX) {
    this.#partitions = partitions;
    this.#instrumentsMax = instrumentsMax;
  }

  /** Watermarks and activations do not belong to a single instrument. */
  add(partition: number, content: TapeContent): void {
    if (content.kind === 'unusable') this.#unusable += 1;
    else if (content.kind === 'trade') this.#addTrade(partition, content.trade);
    else if (content.kind === 'gap') this.#addGap(partition, content.gap);
    else if (content.kind === 'amendment') this.#addAmendment(partition, content.name, content.amendment);
  }

  inventory(): TapeInventory {
    const instruments = [...this.#entries.values()]
      .sort(({ instrument: left }, { instrument: right }) => (left < right ? -1 : 1))
      .map((entry) => ({ ...entry, displayName: displayName(entry.instrument) }));
    return {
      instruments,
      recordsNotListed: this.#notListed,
      recordsRefused: this.#refused,
      recordsUnusable: this.#unusable,
    };
  }

  #addTrade(partition: number, trade: Trade): void {
    const entry = this.#entryOf(partition, trade.instrument, refusalOf(trade) !== undefined);
    if (entry === undefined) return;
    const { eventTime } = trade;
    entry.tradeRecords += 1;
    if (entry.firstTradeUs === undefined || eventTime < entry.firstTradeUs) entry.firstTradeUs = eventTime;
    if (entry.lastTradeUs === undefined || eventTime > entry.lastTradeUs) entry.lastTradeUs = eventTime;
    const kind = idsKindOf(trade.tradeId);
    entry.tradeIds = entry.tradeIds === undefined || entry.tradeIds === kind ? kind : 'MIXED';
  }

  #addGap(partition: number, gap: TradeGap): void {
    const entry = this.#entryOf(partition, gap.instrument, refusalOfGap(gap) !== undefined);
    if (entry === undefined) return;
    entry.gaps += 1;
    entry.missingTrades += gap.missingTrades;
  }

  #addAmendment(partition: number, name: AmendmentName, amendment: Amendment): void {
    const entry = this.#entryOf(partition, amendment.instrument, refusalOfAmendment(amendment) !== undefined);
    if (entry !== undefined) entry[COUNTED_AS[name]] += 1;
  }

  /** The entry in which a record is counted; undefined without an instrument's entry, and then it is counted as such. */
  #entryOf(partition: number, instrument: string, isRefused: boolean): Entry | undefined {
    const known = isRefused ? undefined : this.#entries.get(instrument);
    if (known?.partition === partition) return known;
    if (isRefused || partitionOf(instrument, this.#partitions) !== partition) {
      this.#refused += 1;
      return undefined;
    }
    if (this.#entries.size >= this.#instrumentsMax) {
      this.#notListed += 1;
      return undefined;
    }
    const entry = emptyEntry(instrument, partition);
    this.#entries.set(instrument, entry);
    return entry;
  }
}

function emptyEntry(instrument: string, partition: number): Entry {
  return {
    instrument,
    partition,
    tradeRecords: 0,
    firstTradeUs: undefined,
    lastTradeUs: undefined,
    tradeIds: undefined,
    gaps: 0,
    missingTrades: 0,
    cancelled: 0,
    corrected: 0,
    released: 0,
  };
}

function idsKindOf(tradeId: string): IdsKind {
  if (NUMBERED.test(tradeId)) return 'NUMBERED';
  return CONTENT.test(tradeId) ? 'CONTENT' : 'OPAQUE';
}
