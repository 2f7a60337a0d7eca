import type {
  ContextSignal,
  Watermark,
  EventTypes,
  Trade,
  TradeCancelled,
  TradeCorrected,
  TradeGap,
  TradeReleased,
} from '../contracts/generated/events.ts';
import { AMENDMENT_NAMES } from '../contracts/tape-content.ts';
import {
  TAPE_TOPIC,
  TOPIC_OF_DERIVED,
  type DerivedEvent,
  type DerivedName,
  type DerivedTopic,
} from '../contracts/topics.ts';
import { isDerived, type Foreign } from '../contracts/foreign-record.ts';
import { PassedOverRecords, type PassedOver } from '../platform/kafka/foreign-records.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import { PROBE_BYTES_MAX, type LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { activationOfEvent, type LoggedActivation } from './activation-log.ts';
import type { SumsBefore } from './sums-before.ts';
import { sumsBefore } from './session-sums.adapter.ts';
import { parseEventId, type EventId, type TapePlace } from './event-id.ts';
import type { Located } from './located.ts';

export type { Located } from './located.ts';

/** A record that takes a trade of the tape back, corrects it, or vouches for its time stamp. */
export type AmendmentRecord =
  | (Located<TradeCancelled> & { readonly name: 'TradeCancelled' })
  | (Located<TradeCorrected> & { readonly name: 'TradeCorrected' })
  | (Located<TradeReleased> & { readonly name: 'TradeReleased' });

/** The tape's records about the market. */
export type MarketRecord =
  | (Located<Trade> & { readonly name: 'Trade' })
  | (Located<Watermark> & { readonly name: 'Watermark' })
  | (Located<TradeGap> & { readonly name: 'TradeGap' })
  | AmendmentRecord;

type NamedRecord = Located<unknown> & { readonly name: string };

/** Records before and after an event among which others of its sequence are searched for. */
export const SEARCHED_NEAR_RECORDS = 1_000;

/** Records at the end of a log among which the newest event must be: duplicates that an engine left may follow it. */
const TAIL = 10_000;

/**
 * Looks events up in Kafka itself, outside any group. Events of a partition are in the order of the tape positions that
 * caused them, so a bisection finds them; if a zombie engine wrote duplicates out of order, a scan does.
 */
export class EventLog {
  private readonly reader: LogReader;
  private readonly registry: Registry;
  private readonly foreign = new PassedOverRecords();

  constructor(reader: LogReader, registry: Registry) {
    this.reader = reader;
    this.registry = registry;
  }

  /** Records found in derived topics that are not events: tombstones, other schemas. */
  get passedOver(): readonly PassedOver[] {
    return this.foreign.all;
  }

  /** The first copy of an event in the log; undefined when there is none. */
  async find(id: EventId): Promise<Located<DerivedEvent> | undefined> {
    const topic = TOPIC_OF_DERIVED[id.type];
    const [start, end] = await this.bounds(topic, id.partition);
    const from = await this.firstAtOrAfter(topic, id.partition, id.tapeOffset);
    for (const range of [
      { from, to: end },
      { from: start, to: from },
    ]) {
      for await (const located of this.events(topic, id.partition, range.from, range.to)) {
        if (located.event.eventId === id.text) return located;
        if (range.from === from && located.event.tape.offset > id.tapeOffset) break;
      }
    }
    return undefined;
  }

  /** Like {@link find}, for an id that another event names: it must exist. */
  async follow<Name extends DerivedName>(name: Name, text: string): Promise<Located<EventTypes[Name]> | undefined> {
    const id = parseEventId(text);
    if (id?.type !== name) return undefined;
    return (await this.find(id)) as Located<EventTypes[Name]> | undefined;
  }

  /** The outcome of a forecast; undefined while it is pending. */
  async outcomeOf(forecast: DerivedEvent, dueTime: number): Promise<Located<EventTypes['Outcome']> | undefined> {
    const topic = 'decision.outcomes';
    const { partition, offset } = forecast.tape;
    const [, end] = await this.bounds(topic, partition);
    const from = await this.firstAtOrAfter(topic, partition, offset);
    for await (const located of this.events(topic, partition, from, end)) {
      const outcome = located.event as EventTypes['Outcome'];
      if (outcome.forecastId === forecast.eventId) return { ...located, event: outcome };
      // A trade resolves an instrument's forecasts in the order they fall due; a watermark, those whose grace is over.
      const isByTrade = outcome.causes[1]?.startsWith('trade-') === true;
      if (isByTrade && outcome.instrument === forecast.instrument && outcome.dueTime > dueTime) return undefined;
    }
    return undefined;
  }

  /** The trades, watermarks, gaps and amendments on the tape in [from, to], in order. Other records are left out. */
  async *market(partition: number, from: number, to: number): AsyncGenerator<MarketRecord> {
    for await (const records of this.reader.read({ topic: TAPE_TOPIC, partition, from, to: to + 1 })) {
      for (const record of records) {
        const found = framedIn(this.registry, record);
        const framed = found instanceof Promise ? await found : found;
        const event = 'reason' in framed ? undefined : framed.read();
        if ('reason' in framed || event === undefined) continue;
        const entry = new TapeEntry(record, framed, event);
        if (isOfMarket(entry)) yield entry;
      }
    }
  }

  /** The signal at a place of the tape; undefined where there is none. */
  async signalAt({ partition, offset }: TapePlace): Promise<Located<ContextSignal> | undefined> {
    const [start, end] = await this.bounds(TAPE_TOPIC, partition);
    if (offset < start || offset >= end) return undefined;
    const range = { topic: TAPE_TOPIC, partition, from: offset, to: offset + 1, fetchBytesMax: PROBE_BYTES_MAX };
    for await (const records of this.reader.read(range)) {
      for (const record of records) {
        const located = await this.locate(record);
        if (located?.name === 'ContextSignal') return located as Located<ContextSignal> & NamedRecord;
      }
    }
    return undefined;
  }

  /** The offset that the next record of a partition's tape will get. */
  endOfTape(partition: number): Promise<number> {
    return this.reader.endOffset(TAPE_TOPIC, partition);
  }

  /**
   * The amendments among so many records of the tape after an offset, −1 for all, up to the tape's present end. No other
   * record is decoded.
   */
  async *amendmentsAfter(
    partition: number,
    fromOffset: number,
    recordsMax = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<AmendmentRecord> {
    const [start, end] = await this.bounds(TAPE_TOPIC, partition);
    const from = Math.max(start, fromOffset + 1);
    const to = Math.min(end, from + recordsMax);
    if (from >= to) return;
    for await (const records of this.reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      for (const record of records) {
        const found = framedIn(this.registry, record);
        const framed = found instanceof Promise ? await found : found;
        if ('reason' in framed || !isAmendment({ name: framed.name })) continue;
        const located = this.located(record, framed);
        if (located !== undefined && isAmendment(located)) yield located;
      }
    }
  }

  /** The events near one that claim its sequence or its identity with other bytes, in the order of the log. */
  async rivalsOf({ topic, partition, offset, hash, event }: Located<DerivedEvent>): Promise<Located<DerivedEvent>[]> {
    const [start, end] = await this.bounds(topic, partition);
    const from = Math.max(start, offset - SEARCHED_NEAR_RECORDS);
    const rivals: Located<DerivedEvent>[] = [];
    const to = Math.min(end, offset + SEARCHED_NEAR_RECORDS + 1);
    if (from >= to) return rivals;
    for await (const records of this.reader.read({ topic, partition, from, to })) {
      for (const record of records) {
        const framed = await framedIn(this.registry, record);
        const other = 'reason' in framed ? undefined : (framed.read() as DerivedEvent | undefined);
        if (other !== undefined && other.sequence !== event.sequence && other.eventId !== event.eventId) continue;
        // Only here the hash, which takes longer than reading the event.
        const located = this.located(record, framed) as Located<DerivedEvent> | undefined;
        if (located !== undefined && located.hash !== hash) rivals.push(located);
      }
    }
    return rivals;
  }

  /** The activation in force where an event was derived; undefined where the tape has none. */
  activation(event: DerivedEvent): Promise<LoggedActivation | undefined> {
    return activationOfEvent({ reader: this.reader, registry: this.registry }, event);
  }

  /** What the trades before an anchor add up to, where that can be used for a snapshot: see session-sums.adapter.ts. */
  sumsBefore(snapshot: EventTypes['IndicatorSnapshot']): Promise<SumsBefore | undefined> {
    return sumsBefore({ reader: this.reader, registry: this.registry }, snapshot);
  }

  /** The offset that the next event of a topic's partition will get. */
  endOf(topic: DerivedTopic, partition: number): Promise<number> {
    return this.reader.endOffset(topic, partition);
  }

  /** Beginning and end of a partition's log of decisions. */
  boundsOfDecisions(partition: number): Promise<[number, number]> {
    return this.bounds(TOPIC_OF_DERIVED.ProbabilityDecision, partition);
  }

  /** The events of one type in a range of its log, in order, duplicates included; other records are passed over. */
  range<Name extends DerivedName>(
    name: Name,
    partition: number,
    from: number,
    to: number,
    fetchBytesMax?: number,
  ): AsyncGenerator<Located<EventTypes[Name]>> {
    return this.events(TOPIC_OF_DERIVED[name], partition, from, to, fetchBytesMax) as AsyncGenerator<
      Located<EventTypes[Name]>
    >;
  }

  /** The decisions of an instrument's partition, newest first, until `wanted` is satisfied. */
  async newestDecision(
    partition: number,
    wanted: (decision: EventTypes['ProbabilityDecision']) => boolean,
  ): Promise<Located<EventTypes['ProbabilityDecision']> | undefined> {
    const topic = 'probability.decisions';
    const [start, end] = await this.bounds(topic, partition);
    const STRIDE = 2_000;
    for (let to = end; to > start; to -= STRIDE) {
      let newest: Located<EventTypes['ProbabilityDecision']> | undefined;
      for await (const located of this.events(topic, partition, Math.max(start, to - STRIDE), to)) {
        const decision = located.event as EventTypes['ProbabilityDecision'];
        if (wanted(decision)) newest = { ...located, event: decision };
      }
      if (newest !== undefined) return newest;
    }
    return undefined;
  }

  /** The last decisions of a partition in log order, among its last so many records; other records are skipped. */
  async *newestDecisions(
    partition: number,
    recordsMax: number,
  ): AsyncGenerator<Located<EventTypes['ProbabilityDecision']>> {
    const topic = 'probability.decisions';
    const [start, end] = await this.bounds(topic, partition);
    for await (const records of this.reader.read({
      topic,
      partition,
      from: Math.max(start, end - recordsMax),
      to: end,
    })) {
      for (const record of records) {
        const located = await this.locate(record);
        if (located?.name === 'ProbabilityDecision') yield located as Located<EventTypes['ProbabilityDecision']>;
      }
    }
  }

  /**
   * All events of a topic's partition by sequence, each once: a duplicate that an engine left is skipped.
   *
   * @param onRepeated - called for each of those; their bytes are not compared.
   */
  async *sequenced(
    topic: DerivedTopic,
    partition: number,
    onRepeated: () => void = () => undefined,
  ): AsyncGenerator<Located<DerivedEvent>> {
    const [start, end] = await this.bounds(topic, partition);
    let next = 0;
    for await (const located of this.events(topic, partition, start, end)) {
      if (located.event.sequence < next) {
        onRepeated();
        continue;
      }
      next = located.event.sequence + 1;
      yield located;
    }
  }

  /** Trades on the tape: records of that type, all partitions. */
  async tradeCount(partitions: number): Promise<number> {
    let count = 0;
    for (let partition = 0; partition < partitions; partition += 1) {
      const [from, to] = await this.bounds(TAPE_TOPIC, partition);
      for await (const records of this.reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
        for (const record of records) {
          const found = framedIn(this.registry, record);
          const framed = found instanceof Promise ? await found : found;
          if (!('reason' in framed) && framed.name === 'Trade') count += 1;
        }
      }
    }
    return count;
  }

  /** Number of events in a topic's partition, each counted once. */
  async sequenceEnd(topic: DerivedTopic, partition: number): Promise<number> {
    const [start, end] = await this.bounds(topic, partition);
    let greatest = -1;
    for (let to = end; to > start && greatest < 0; to -= TAIL) {
      for await (const { event } of this.events(topic, partition, Math.max(start, to - TAIL), to)) {
        greatest = Math.max(greatest, event.sequence);
      }
    }
    return greatest + 1;
  }

  private async *events(
    topic: string,
    partition: number,
    from: number,
    to: number,
    fetchBytesMax?: number,
  ): AsyncGenerator<Located<DerivedEvent>> {
    if (from >= to) return;
    const range = { topic, partition, from, to, ...(fetchBytesMax === undefined ? {} : { fetchBytesMax }) };
    for await (const records of this.reader.read(range)) {
      for (const record of records) {
        const located = await this.locate(record);
        if (located !== undefined) yield located as Located<DerivedEvent>;
      }
    }
  }

  private async locate(record: LogRecord): Promise<NamedRecord | undefined> {
    return this.located(record, await framedIn(this.registry, record));
  }

  private located(record: LogRecord, framed: Framed | Foreign): NamedRecord | undefined {
    const event = 'reason' in framed ? undefined : framed.read();
    if ('reason' in framed || event === undefined) {
      // Truncated: if on the tape, the engine made it a dead letter.
      this.passOver(record, 'reason' in framed ? framed : framed.unreadable);
      return undefined;
    }
    const { topic, partition, offset } = record;
    const emittedAt = record.headers['emitted-at'];
    return {
      ...{ name: framed.name, topic, partition, offset, hash: framed.hash.toString('hex'), event },
      ...(emittedAt === undefined ? {} : { emittedAt }),
    };
  }

  private passOver(record: LogRecord, foreign: Foreign): void {
    if (isDerived(record.topic)) this.foreign.add(record, foreign);
  }

  private async bounds(topic: string, partition: number): Promise<[number, number]> {
    return Promise.all([this.reader.startOffset(topic, partition), this.reader.endOffset(topic, partition)]);
  }

  /** Least log offset whose event was caused at or after a tape offset, by bisection. */
  async firstAtOrAfter(topic: string, partition: number, tapeOffset: number): Promise<number> {
    let [low, high] = await this.bounds(topic, partition);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      let before = false;
      // Records that are not events count like the next event.
      for await (const located of this.events(topic, partition, middle, high, PROBE_BYTES_MAX)) {
        before = located.event.tape.offset < tapeOffset;
        break;
      }
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A record of the tape; hardly any of a session's many trades is named by its hash, which is made when it is asked for. */
class TapeEntry implements NamedRecord {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly event: unknown;
  readonly #framed: Framed;

  constructor({ topic, partition, offset }: LogRecord, framed: Framed, event: unknown) {
    this.name = framed.name;
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.event = event;
    this.#framed = framed;
  }

  get hash(): string {
    return this.#framed.hash.toString('hex');
  }

  toJSON(): NamedRecord {
    const { name, topic, partition, offset, hash, event } = this;
    return { name, topic, partition, offset, hash, event };
  }
}

function isOfMarket(located: { readonly name: string }): located is MarketRecord {
  const { name } = located;
  return name === 'Trade' || name === 'Watermark' || name === 'TradeGap' || isAmendment(located);
}

function isAmendment(located: { readonly name: string }): located is AmendmentRecord {
  return (AMENDMENT_NAMES as readonly string[]).includes(located.name);
}
