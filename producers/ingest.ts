import { createHash } from 'node:crypto';
import { encodeBody } from '../contracts/codec.ts';
import type { DeadLetter, RecordName, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';

/** More instruments than this in one file are no market data; what is remembered per instrument stays bounded. */
export const INSTRUMENTS_MAX = 10_000;

const MICROSECONDS_PER_MILLISECOND = 1000;

/** A row that becomes a record. */
export type KeptRow =
  { readonly kind: 'trade'; readonly trade: Trade } | { readonly kind: 'dead-letter'; readonly deadLetter: DeadLetter };

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
 * @param lastEventTimeUs event time of the last trade before it: a refused row has none of its own
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
    topic: DEAD_LETTERS_TOPIC,
    partition: partitionOf(name, partitions),
    key: name,
    type: 'DeadLetter',
    body: encodeBody('DeadLetter', row.deadLetter),
    timestampUs: lastEventTimeUs,
  };
}

/** The order that is kept when a file is ingested: the trades of one instrument, or the file's dead letters. */
export function laneOf(row: KeptRow): string {
  return row.kind === 'trade' ? row.trade.instrument : DEAD_LETTERS_TOPIC;
}

/** A row's identity within its lane. */
export function idOf(row: KeptRow): string {
  return row.kind === 'trade' ? row.trade.tradeId : row.deadLetter.deadLetterId;
}

/** Ids in an order, as their number and a hash: memory does not grow with the file. */
class IdSequence {
  private readonly hash = createHash('sha256');
  count = 0;

  add(id: string): void {
    this.hash.update(`${id}\n`);
    this.count += 1;
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }
}

/** What Kafka holds of one file already, lane by lane, told in the order of the log. */
export interface HeldRows {
  add(row: KeptRow): void;
  /** A new comparison with the beginning of the file. */
  comparison(): Comparison;
  /** What a run after another begins with, once the comparison has found no difference. */
  resumption(): Resumption;
}

/**
 * Compares what is held with the beginning of the file, before anything is appended. Feed it the rows in order until
 * it is complete; what is then still open is not in the file.
 */
export interface Comparison {
  accept(row: KeptRow): void;
  /** Whether everything that is held was compared, or a difference was found. */
  isComplete(): boolean;
  /** The first difference; call it when complete or at the end of the file. */
  mismatch(): Mismatch | undefined;
}

/** Tells the rows that are in Kafka already from those to append. Feed it every row, in order. */
export interface Resumption {
  /** Whether this row, the next of its lane, is there already. */
  isThere(row: KeptRow): boolean;
}

/** A lane whose records in Kafka are not the first of the file's. */
export interface Mismatch {
  readonly lane: string;
  /** Records of the lane in Kafka. */
  readonly count: number;
}

/** Rows as one run after another leaves them: exactly the first of the file. Memory does not grow with their number. */
export class OrderedHoldings implements HeldRows {
  private readonly lanes = new Map<string, IdSequence>();

  add(row: KeptRow): void {
    sequenceIn(this.lanes, laneOf(row)).add(idOf(row));
  }

  countOf(lane: string): number {
    return this.lanes.get(lane)?.count ?? 0;
  }

  digestOf(lane: string): string | undefined {
    return this.lanes.get(lane)?.digest();
  }

  laneNames(): string[] {
    return [...this.lanes.keys()];
  }

  comparison(): Comparison {
    return new OrderedComparison(this);
  }

  resumption(): Resumption {
    return new OrderedResumption(this);
  }
}

class OrderedComparison implements Comparison {
  private readonly held: OrderedHoldings;
  private readonly lanes = new Map<string, IdSequence>();
  private openLanes: number;
  private found: Mismatch | undefined;

  constructor(held: OrderedHoldings) {
    this.held = held;
    this.openLanes = held.laneNames().length;
  }

  isComplete(): boolean {
    return this.openLanes === 0 || this.found !== undefined;
  }

  accept(row: KeptRow): void {
    const lane = laneOf(row);
    const count = this.held.countOf(lane);
    if (count === 0) return;
    const sequence = sequenceIn(this.lanes, lane);
    if (sequence.count >= count) return;
    sequence.add(idOf(row));
    if (sequence.count < count) return;
    this.openLanes -= 1;
    if (sequence.digest() !== this.held.digestOf(lane)) this.found ??= { lane, count };
  }

  mismatch(): Mismatch | undefined {
    if (this.found !== undefined || this.openLanes === 0) return this.found;
    const lane = this.held.laneNames().find((name) => (this.lanes.get(name)?.count ?? 0) < this.held.countOf(name));
    return lane === undefined ? undefined : { lane, count: this.held.countOf(lane) };
  }
}

/** The first rows of each lane are there. */
class OrderedResumption implements Resumption {
  private readonly held: OrderedHoldings;
  private readonly seen = new Map<string, number>();

  constructor(held: OrderedHoldings) {
    this.held = held;
  }

  isThere(row: KeptRow): boolean {
    const lane = laneOf(row);
    const seen = this.seen.get(lane) ?? 0;
    if (seen >= this.held.countOf(lane)) return false;
    this.seen.set(lane, seen + 1);
    return true;
  }
}

/** How long to wait for a trade when a file is replayed at N times the speed of its market. */
export class Pace {
  private readonly speed: number;
  private firstEventTimeUs: number | undefined;

  /** @param speed 1 is the market's own speed. */
  constructor(speed: number) {
    this.speed = speed;
  }

  /** Milliseconds until the trade is due; not positive when it is due already, as a late trade always is. */
  delayMs(eventTimeUs: number, elapsedMs: number): number {
    this.firstEventTimeUs ??= eventTimeUs;
    return (eventTimeUs - this.firstEventTimeUs) / MICROSECONDS_PER_MILLISECOND / this.speed - elapsedMs;
  }
}

function sequenceIn(lanes: Map<string, IdSequence>, lane: string): IdSequence {
  let sequence = lanes.get(lane);
  if (sequence === undefined) {
    lanes.set(lane, (sequence = new IdSequence()));
  }
  return sequence;
}
