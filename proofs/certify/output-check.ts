import { createHash } from 'node:crypto';
import { FINGERPRINTS } from '../../contracts/codec.ts';
import type { Foreign } from '../../contracts/foreign-record.ts';
import { TAPE_TOPIC, type DerivedEvent } from '../../contracts/topics.ts';
import type { DerivedRecord } from '../../evaluators/advance.ts';
import { Framed, framedIn } from '../../platform/kafka/framed-record.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { fieldDifferences, type Difference, type DifferenceKind } from './difference.ts';
import { readAhead } from '../../platform/kafka/read-ahead.ts';
import { firstCopyOf, type OutputAccess, type OutputPartition } from './sequence-search.ts';

/** The hashes of so many of the last events are kept: a repetition by a killed engine is compared without reading. */
const HASHES_KEPT = 65_536;
const HASH_BYTES = 32;
/** Hashes that the digest takes at once; divides the number that is kept. */
const HASHES_PER_UPDATE = 256;
/** Older repetitions that are looked up in the log; a killed engine repeats only what it sent last. */
const LOOK_UPS_MAX = 1_000;
/** Records after a different one among which the derived event is searched for, to name the kind of difference. */
const LOOK_AHEAD_RECORDS = 256;

/** An output's part of a range. */
export interface OutputFigures {
  readonly topic: string;
  /** Log offsets: first, and first that is not included. */
  readonly log: { readonly from: number; readonly to: number };
  readonly sequences: { readonly from: number; readonly to: number };
  readonly events: number;
  /** Repetitions with the same bytes, set aside. */
  readonly duplicates: number;
  /** SHA-256 (hex) of the events' hashes in sequence, 32 bytes each. */
  readonly digest: string;
}

/** ENDED: the log ends before the event. */
export type Verdict = true | 'ENDED' | Difference;

/**
 * Compares one output of a partition with the events derived again, record by record: nothing may stand in the log that
 * the engine does not derive, except repetitions with the same bytes.
 */
export class OutputCheck {
  readonly #access: OutputAccess;
  readonly #output: OutputPartition;
  readonly #from: number;
  readonly #firstSequence: number;
  readonly #hashes = Buffer.alloc(HASHES_KEPT * HASH_BYTES);
  readonly #digest = createHash('sha256');
  #batches: AsyncGenerator<readonly LogRecord[], void>;
  #records: readonly LogRecord[] = [];
  #next = 0;
  #position: number;
  #nextSequence: number;
  /** First sequence whose hash the digest does not have yet. */
  #undigested: number;
  #duplicates = 0;
  #lookUps = 0;

  /**
   * @param from - log offset of the first record.
   * @param firstSequence - of the first event that will be asked for.
   */
  constructor(access: OutputAccess, output: OutputPartition, from: number, firstSequence: number) {
    this.#access = access;
    this.#output = output;
    this.#from = this.#position = from;
    this.#firstSequence = this.#nextSequence = this.#undigested = firstSequence;
    this.#batches = this.#read();
  }

  /** The figures so far. */
  get figures(): OutputFigures {
    this.#digestKept();
    return {
      topic: this.#output.topic,
      log: { from: this.#from, to: this.#position },
      sequences: { from: this.#firstSequence, to: this.#nextSequence },
      events: this.#nextSequence - this.#firstSequence,
      duplicates: this.#duplicates,
      digest: this.#digest.copy().digest('hex'),
    };
  }

  /**
   * Whether the log holds the next derived event; each must come in sequence, and none after an answer other than true.
   * A promise only where more than a comparison of bytes is needed: most of the time is spent here.
   */
  holds(derived: DerivedRecord): true | Promise<Verdict> {
    const record = this.#records[this.#next];
    if (record !== undefined) {
      const framed = framedIn(this.#access.registry, record);
      if (framed instanceof Framed && isEqual(framed, derived)) {
        this.#match(derived, record);
        return true;
      }
    }
    return this.#search(derived);
  }

  /**
   * Reads what follows the range's last event up to the log's end, at the end of the tape: no event may follow that the
   * tape does not cause.
   *
   * @param tapeTo - end of the range.
   * @param tapeEnd - gives the tape's end now.
   */
  async rest(tapeTo: number, tapeEnd: () => Promise<number>): Promise<Difference | undefined> {
    while (true) {
      const record = this.#records[this.#next] ?? (await this.#fetch());
      if (record === undefined) return undefined;
      const read = await this.#readRecord(record);
      if ('difference' in read) return read.difference;
      const { framed, event } = read;
      if (event.sequence >= this.#nextSequence) {
        // A running engine goes on with the tape.
        if (event.tape.offset >= tapeTo && event.tape.offset < (await tapeEnd())) return undefined;
        const detail =
          event.tape.offset < tapeTo
            ? 'the engine derives no event with this sequence from the tape'
            : `it names a tape offset that ${TAPE_TOPIC} does not have`;
        return this.#difference('FORGED', record, event, detail);
      }
      const difference = await this.#duplicate(record, framed, event);
      if (difference !== undefined) return difference;
    }
  }

  async close(): Promise<void> {
    await this.#batches.return();
  }

  async #search(derived: DerivedRecord): Promise<Verdict> {
    while (true) {
      const record = this.#records[this.#next] ?? (await this.#fetch());
      if (record === undefined) return 'ENDED';
      const read = await this.#readRecord(record);
      if ('difference' in read) return read.difference;
      const { framed, event } = read;
      if (isEqual(framed, derived)) {
        this.#match(derived, record);
        return true;
      }
      if (event.sequence >= derived.sequence) return await this.#differs(derived, record, event);
      const difference = await this.#duplicate(record, framed, event);
      if (difference !== undefined) return difference;
    }
  }

  #match({ hash, sequence }: DerivedRecord, { offset }: LogRecord): void {
    this.#next += 1;
    this.#position = offset + 1;
    this.#nextSequence = sequence + 1;
    hash.copy(this.#hashes, (sequence % HASHES_KEPT) * HASH_BYTES);
    if (this.#nextSequence % HASHES_PER_UPDATE === 0) this.#digestKept();
  }

  /** Adds to the digest the hashes that were kept since the last time: one at a time would take as long as comparing. */
  #digestKept(): void {
    const from = this.#undigested % HASHES_KEPT;
    const bytes = (this.#nextSequence - this.#undigested) * HASH_BYTES;
    this.#digest.update(this.#hashes.subarray(from * HASH_BYTES, from * HASH_BYTES + bytes));
    this.#undigested = this.#nextSequence;
  }

  async #readRecord(
    record: LogRecord,
  ): Promise<{ readonly framed: Framed; readonly event: DerivedEvent } | { readonly difference: Difference }> {
    const framed = await framedIn(this.#access.registry, record);
    if ('reason' in framed) return { difference: this.#foreign(record, framed) };
    const event = framed.read() as DerivedEvent | undefined;
    return event === undefined ? { difference: this.#foreign(record, framed.unreadable) } : { framed, event };
  }

  /** A repetition of an earlier event: passed over where it has the same bytes. */
  async #duplicate(record: LogRecord, framed: Framed, event: DerivedEvent): Promise<Difference | undefined> {
    const { sequence } = event;
    const isKept = sequence >= Math.max(this.#firstSequence, this.#nextSequence - HASHES_KEPT);
    const at = (sequence % HASHES_KEPT) * HASH_BYTES;
    if (!isKept || !framed.hash.equals(this.#hashes.subarray(at, at + HASH_BYTES))) {
      this.#lookUps += 1;
      if (this.#lookUps > LOOK_UPS_MAX) {
        const detail = `more than ${LOOK_UPS_MAX} events from long before are repeated here: they are not looked up`;
        return this.#difference('NOT_COMPARED', record, event, detail);
      }
      const first = await firstCopyOf(this.#access, this.#output, sequence, record.offset);
      if (first?.hash !== framed.hash.toString('hex')) {
        const detail =
          first === undefined
            ? 'it repeats a sequence that the log does not hold before it'
            : `it repeats the event at log offset ${first.offset} with other bytes`;
        return this.#difference('CHANGED_DUPLICATE', record, event, detail, first?.event);
      }
    }
    this.#duplicates += 1;
    this.#next += 1;
    this.#position = record.offset + 1;
    return undefined;
  }

  /** The record is not the derived event, and does not precede it. */
  async #differs(derived: DerivedRecord, record: LogRecord, event: DerivedEvent): Promise<Difference> {
    const { eventId } = derived.event;
    const trueOffset = await this.#findAhead(derived, record.offset + 1);
    if (event.sequence === derived.sequence) {
      if (trueOffset === undefined) {
        const detail = 'the engine derives this event with other bytes';
        return this.#difference('CHANGED', record, event, detail, derived.event);
      }
      const detail = `the engine does not derive it; the event with this sequence that it derives follows at log offset ${trueOffset}`;
      return this.#difference('FORGED', record, event, detail, derived.event);
    }
    if (trueOffset !== undefined) {
      const detail = `it stands before sequence ${derived.sequence} (${eventId}), which follows at log offset ${trueOffset}`;
      return this.#difference('OUT_OF_ORDER', record, event, detail, derived.event);
    }
    return {
      ...this.#difference('MISSING', record, derived.event, ''),
      detail: `the engine derives it, and the log goes on with sequence ${event.sequence} (${event.eventId}) instead`,
    };
  }

  /** The log offset of a derived event among the next records. */
  async #findAhead(derived: DerivedRecord, from: number): Promise<number | undefined> {
    const { reader, registry } = this.#access;
    const { topic, partition } = this.#output;
    if (from >= (await reader.endOffset(topic, partition))) return undefined;
    for await (const records of reader.read({ topic, partition, from, to: from + LOOK_AHEAD_RECORDS })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        if (framed instanceof Framed && isEqual(framed, derived)) return record.offset;
      }
    }
    return undefined;
  }

  #foreign(record: LogRecord, { detail }: Foreign): Difference {
    return {
      ...{ kind: 'NOT_AN_EVENT', ...this.#output, logOffset: record.offset, sequence: undefined, eventId: undefined },
      ...{ tapeOffset: undefined, fields: [] },
      detail: `the engine did not write this record: ${detail}`,
    };
  }

  #difference(
    kind: DifferenceKind,
    { offset }: LogRecord,
    event: DerivedEvent,
    detail: string,
    expected?: DerivedEvent,
  ): Difference {
    const { sequence, eventId, tape } = event;
    const fields = expected === undefined ? [] : fieldDifferences(expected, event);
    return { kind, ...this.#output, logOffset: offset, sequence, eventId, tapeOffset: tape.offset, detail, fields };
  }

  /** The next record; undefined at the log's present end. */
  async #fetch(): Promise<LogRecord | undefined> {
    let batch = await this.#batches.next();
    if (batch.done === true) {
      // A running engine may have written more meanwhile.
      const { topic, partition } = this.#output;
      if (this.#position >= (await this.#access.reader.endOffset(topic, partition))) return undefined;
      this.#batches = this.#read();
      batch = await this.#batches.next();
    }
    this.#records = batch.done === true ? [] : batch.value;
    this.#next = 0;
    return this.#records[0];
  }

  #read(): AsyncGenerator<readonly LogRecord[], void> {
    const { topic, partition } = this.#output;
    return readAhead(
      this.#access.reader.read({ topic, partition, from: this.#position, to: Number.POSITIVE_INFINITY }),
    );
  }
}

function isEqual(framed: Framed, derived: DerivedRecord): boolean {
  return framed.fingerprint === FINGERPRINTS[derived.type] && framed.body.equals(derived.body);
}
