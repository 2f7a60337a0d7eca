import { encodeBody } from '../contracts/codec.ts';
import { recordOfDeadLetter } from '../contracts/dead-letter.ts';
import type { DeadLetter, RecordName, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { TradeIdentities } from '../contracts/trade-identities.ts';
import { FormerIds, isFormerId } from './former-ids.ts';
import { NewestMap } from './newest-map.ts';
import { OrderClock } from './survey-order.ts';

/** The most trades of the tape, in the time of one file, that a run remembers. */
export const HELD_TRADES_MAX = 100_000_000;
/** The most refused rows of files that a run remembers; some 100 bytes each. */
export const HELD_DEAD_LETTERS_MAX = 1_000_000;

/** The most new ids of corrected trades that a run remembers for each instrument. */
const RENAMED_MAX = 100_000;
/** An id is unique within a day. */
const DAY_US = 86_400_000_000;

const MICROSECONDS_PER_MILLISECOND = 1000;

/** A row that becomes a record. */
export type KeptRow =
  { readonly kind: 'trade'; readonly trade: Trade } | { readonly kind: 'dead-letter'; readonly deadLetter: DeadLetter };

/** Event times, microseconds, both included. */
export interface EventSpan {
  readonly firstEventTimeUs: number;
  readonly lastEventTimeUs: number;
}

/** A record for the tape or for the dead letters, before it is framed. */
export interface PlannedRecord {
  readonly topic: TopicName;
  readonly partition: number;
  readonly key: string;
  readonly type: RecordName;
  readonly body: Buffer;
  readonly timestampUs: number;
}

/**
 * The record of a row: a trade goes to its instrument's partition, stamped with its event time; the dead letters of a
 * file all go to one partition, so that their order is the file's.
 *
 * @param lastEventTimeUs event time of the last trade before it: a refused row has none
 */
export function recordOf(row: KeptRow, partitions: number, lastEventTimeUs: number): PlannedRecord {
  if (row.kind === 'trade') {
    const { instrument, eventTime } = row.trade;
    return {
      topic: TAPE_TOPIC,
      partition: partitionOf(instrument, partitions),
      key: instrument,
      type: 'Trade',
      body: encodeBody('Trade', row.trade),
      timestampUs: eventTime,
    };
  }
  const { name } = row.deadLetter.source;
  return {
    ...recordOfDeadLetter(row.deadLetter),
    partition: partitionOf(name, partitions),
    key: name,
    timestampUs: lastEventTimeUs,
  };
}

/**
 * The trades and refused rows of a file that Kafka already has, whichever ingest put them there. They are recognised
 * by their identities: trade id and event time within the instrument, or the dead letter's id.
 */
export class Holdings {
  private readonly spans: ReadonlyMap<string, EventSpan>;
  private readonly heldMax: number;
  private readonly instruments = new Map<string, HeldTrades>();
  private readonly deadLetterIds = new NewestMap<string, true>(HELD_DEAD_LETTERS_MAX);
  private trades = 0;

  /** @param spans the instruments of the file, and the range of their event times */
  constructor(spans: ReadonlyMap<string, EventSpan>, heldMax: number = HELD_TRADES_MAX) {
    this.spans = spans;
    this.heldMax = heldMax;
  }

  /** Whether the file has trades of this instrument. */
  isAskedFor(instrument: string): boolean {
    return this.spans.has(instrument);
  }

  /**
   * Takes a trade of the tape, in the order of the tape.
   *
   * @throws RangeError beyond {@link HELD_TRADES_MAX}
   */
  hold(trade: Trade): void {
    const { instrument, eventTime } = trade;
    const span = this.spans.get(instrument);
    if (span === undefined) return;
    let held = this.instruments.get(instrument);
    if (held === undefined) this.instruments.set(instrument, (held = new HeldTrades(this.heldMax)));
    held.clock.accept(eventTime, 0);
    if (eventTime < span.firstEventTimeUs || eventTime > span.lastEventTimeUs) return;
    if (this.trades >= this.heldMax) throw new RangeError(`more than ${this.heldMax} trades`);
    if (held.add(trade)) this.trades += 1;
  }

  /** A correction on the tape gave one of its trades this id: a file may show the trade under it. */
  rename(instrument: string, newId: string, eventTime: number): void {
    this.instruments.get(instrument)?.rename(newId, eventTime);
  }

  /** Takes the id of a refused row. At {@link HELD_DEAD_LETTERS_MAX} the oldest are forgotten: readers drop repetitions. */
  holdDeadLetter(deadLetterId: string): void {
    this.deadLetterIds.set(deadLetterId, true);
  }

  /** Whether Kafka already has the row. */
  has(row: KeptRow): boolean {
    if (row.kind === 'dead-letter') return this.deadLetterIds.has(row.deadLetter.deadLetterId);
    return this.instruments.get(row.trade.instrument)?.has(row.trade) === true;
  }

  /** The instrument's clock at the end of the tape; undefined where the tape has no trade of the instrument. */
  clockOf(instrument: string): OrderClock | undefined {
    return this.instruments.get(instrument)?.clock;
  }

  /** Whether some row of the file may already be on the tape, or is older than its end. */
  meetsTheTape(): boolean {
    return [...this.instruments].some(
      ([name, { clock }]) => (clock.latestUs ?? 0) >= (this.spans.get(name)?.firstEventTimeUs ?? 0),
    );
  }
}

/** One instrument's trades on the tape. */
class HeldTrades {
  readonly clock = new OrderClock();
  private readonly known: TradeIdentities;
  private readonly former = new FormerIds();
  private readonly renamed = new NewestMap<string, number>(RENAMED_MAX);

  constructor(heldMax: number) {
    this.known = new TradeIdentities({ identitiesMax: heldMax });
  }

  add(trade: Trade): boolean {
    const tradeId = isFormerId(trade) ? this.former.contentIdOf(trade) : trade.tradeId;
    return tradeId !== undefined && this.known.add(tradeId, trade.eventTime);
  }

  rename(newId: string, eventTime: number): void {
    this.renamed.set(newId, eventTime);
  }

  has({ tradeId, eventTime }: Trade): boolean {
    const renamedUs = this.renamed.get(tradeId);
    const isRenamed = renamedUs !== undefined && Math.abs(eventTime - renamedUs) < DAY_US;
    return isRenamed || this.known.has(tradeId, eventTime);
  }
}

/** Paces a file that is replayed at N times the speed of its market. */
export class Pace {
  private readonly speed: number;
  private firstEventTimeUs: number | undefined;

  /** @param speed 1 is the market's own speed. */
  constructor(speed: number) {
    this.speed = speed;
  }

  /** Milliseconds until the trade is due; not positive when it is already due, as a late trade always is. */
  delayMs(eventTimeUs: number, elapsedMs: number): number {
    this.firstEventTimeUs ??= eventTimeUs;
    return (eventTimeUs - this.firstEventTimeUs) / MICROSECONDS_PER_MILLISECOND / this.speed - elapsedMs;
  }
}
