import { FINGERPRINTS } from '../contracts/codec.ts';
import { DERIVED_TOPICS, perTopic, type DerivedEvent, type DerivedTopic } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { Foreign } from '../contracts/foreign-record.ts';
import { PassedOverRecords, type PassedOver } from '../platform/kafka/foreign-records.ts';
import { framedIn, type Framed } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { readAhead } from '../platform/kafka/read-ahead.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import type { LogAccess } from './anchor-log.adapter.ts';
import type { DerivedRecord } from './advance.ts';
import type { ForeignEvent } from './foreign-events.ts';
import { RecentHashes } from './recent-hashes.ts';

/** Records at the end of an output that are searched for the greatest sequence: a zombie may have written last. */
const TAIL_RECORDS = 256;
/** Repetitions named for each output. */
const REPETITIONS_MAX = 10_000;
const UNREADABLE: Foreign = { reason: 'UNDECODABLE', detail: 'its bytes are not an event' };

/** The commits that a difference names. */
export interface Commits {
  /** Of the build that derives now. */
  readonly derivedBy: string;
  /** Named by the activation in force: of the build that should have written. */
  readonly activatedBy: string;
}

/**
 * Compares the events derived again with those in the outputs of a partition, byte for byte: every recovery is a proof.
 *
 * It reads each output once, forward, up to the end it had at the beginning, one fetch at a time. The usual record
 * costs one comparison of bytes; only a different one is decoded.
 */
export class OutputComparison {
  readonly #cursors: Readonly<Record<DerivedTopic, OutputCursor>>;
  readonly #foreign: PassedOverRecords;
  #compared = 0;

  private constructor(cursors: Readonly<Record<DerivedTopic, OutputCursor>>, foreign: PassedOverRecords) {
    this.#cursors = cursors;
    this.#foreign = foreign;
  }

  /**
   * @param nextSequence - per output, the sequence of the first event that will be queried.
   * @param hints - log offsets where to look for it.
   */
  static async open(
    access: LogAccess,
    partition: number,
    nextSequence: Readonly<Record<DerivedTopic, number>>,
    hints: Readonly<Partial<Record<DerivedTopic, number>>>,
  ): Promise<OutputComparison> {
    const cursors: Partial<Record<DerivedTopic, OutputCursor>> = {};
    const foreign = new PassedOverRecords();
    for (const topic of DERIVED_TOPICS) {
      const start = await access.reader.startOffset(topic, partition);
      const end = await access.reader.endOffset(topic, partition);
      const greatest = await greatestSequence(access, topic, partition);
      const output = { topic, partition, start, end, greatest };
      const hint = hints[topic];
      // At the end, a wrong hint could not be detected.
      const isWrong = hint === end && greatest >= nextSequence[topic];
      const recent = new RecentHashes(nextSequence[topic]);
      cursors[topic] = new OutputCursor(access, output, isWrong ? undefined : hint, { foreign, recent });
    }
    return new OutputComparison(cursors as Record<DerivedTopic, OutputCursor>, foreign);
  }

  /** Events found equal so far. */
  get compared(): number {
    return this.#compared;
  }

  /** Records among the outputs that are not events, so far: they are neither compared nor counted as such. */
  get passedOver(): readonly PassedOver[] {
    return this.#foreign.all;
  }

  /** Events among the outputs that repeat an earlier sequence, so far. */
  get repetitions(): readonly ForeignEvent[] {
    return DERIVED_TOPICS.flatMap((topic) => this.#cursors[topic].repetitions);
  }

  /** The end that each output had at the beginning: log offset of its next record then. */
  get ends(): Readonly<Record<DerivedTopic, number>> {
    return perTopic((topic) => this.#cursors[topic].end);
  }

  /** True when every output was read to the end that it had: all later events are new. */
  get isOver(): boolean {
    return DERIVED_TOPICS.every((topic) => this.#cursors[topic].isAtEnd);
  }

  /** Lower bounds of the log offset of each output's next event; undefined for an output read to its end. */
  get positions(): Readonly<Record<DerivedTopic, number | undefined>> {
    return perTopic((topic) => this.#cursors[topic].position);
  }

  /** The log offset where each output's next event is searched for: its end where it was read to that. */
  get nextOffsets(): Readonly<Record<DerivedTopic, number>> {
    return perTopic((topic) => this.#cursors[topic].nextOffset);
  }

  /**
   * Whether the output holds this event; each topic's events must come in sequence.
   *
   * @throws TapeproofError CONFLICT when it holds another event under the same sequence; SEQUENCE_GAP when it holds
   *   only later ones.
   */
  async holds(derived: DerivedRecord, commits: Commits): Promise<boolean> {
    const isHeld = await this.#cursors[derived.topic].holds(derived, commits);
    if (isHeld) this.#compared += 1;
    return isHeld;
  }

  async close(): Promise<void> {
    for (const topic of DERIVED_TOPICS) await this.#cursors[topic].close();
  }
}

interface Output {
  readonly topic: DerivedTopic;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** Greatest sequence near the end. */
  readonly greatest: number;
}

class OutputCursor {
  readonly #reader: LogReader;
  readonly #registry: Registry;
  readonly #output: Output;
  readonly #foreign: PassedOverRecords;
  readonly #recent: RecentHashes;
  readonly repetitions: ForeignEvent[] = [];
  #position: number;
  #mayBeginAgain: boolean;
  #batches: AsyncGenerator<readonly LogRecord[], void, undefined>;
  #records: readonly LogRecord[] = [];
  #next = 0;

  constructor(
    { reader, registry }: LogAccess,
    output: Output,
    hint: number | undefined,
    { foreign, recent }: { readonly foreign: PassedOverRecords; readonly recent: RecentHashes },
  ) {
    this.#foreign = foreign;
    this.#recent = recent;
    this.#reader = reader;
    this.#registry = registry;
    this.#output = output;
    const isUsable = hint !== undefined && hint > output.start && hint <= output.end;
    this.#position = isUsable ? hint : output.start;
    this.#mayBeginAgain = isUsable;
    this.#batches = this.#readFrom(this.#position);
  }

  get end(): number {
    return this.#output.end;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#output.end;
  }

  get nextOffset(): number {
    return this.#position;
  }

  get position(): number | undefined {
    return this.isAtEnd ? undefined : this.#position;
  }

  async close(): Promise<void> {
    await this.#batches.return();
  }

  async holds(derived: DerivedRecord, commits: Commits): Promise<boolean> {
    const isHeld = await this.#find(derived, commits);
    this.#recent.add(derived.hash);
    return isHeld;
  }

  async #find(derived: DerivedRecord, commits: Commits): Promise<boolean> {
    while (true) {
      const record = this.#records[this.#next] ?? (await this.#nextBatch());
      if (record === undefined) {
        if (!this.#mayBeginAgain || derived.sequence > this.#output.greatest) return false;
        await this.#beginAgain();
        continue;
      }
      const framed = await framedIn(this.#registry, record);
      if ('reason' in framed) {
        this.#foreign.add(record, framed);
        this.#pass(record);
        continue;
      }
      if (framed.fingerprint === FINGERPRINTS[derived.type] && framed.body.equals(derived.body)) {
        this.#pass(record);
        this.#mayBeginAgain = false;
        return true;
      }
      const sequence = sequenceOf(framed);
      if (sequence === undefined) this.#foreign.add(record, UNREADABLE);
      if (sequence === undefined || sequence < derived.sequence) {
        if (sequence !== undefined) this.#noteRepetition(record, framed, sequence);
        this.#pass(record);
        continue;
      }
      if (sequence === derived.sequence) throw conflictWith(derived, this.#output.partition, record.offset, commits);
      if (!this.#mayBeginAgain) throw this.#gap(derived, sequence);
      await this.#beginAgain();
    }
  }

  /** By a zombie process, with the same bytes, or forged. */
  #noteRepetition({ offset }: LogRecord, framed: Framed, sequence: number): void {
    if (this.repetitions.length >= REPETITIONS_MAX) return;
    const { topic, partition } = this.#output;
    const isEqual = this.#recent.isEqual(sequence, framed.hash);
    const fate = isEqual === undefined ? 'unverified' : isEqual ? 'repeated' : 'differing';
    this.repetitions.push({ topic, partition, offset, fate });
  }

  #pass(record: LogRecord): void {
    this.#next += 1;
    this.#position = record.offset + 1;
  }

  async #nextBatch(): Promise<LogRecord | undefined> {
    const batch = await this.#batches.next();
    if (batch.done === true) {
      this.#position = this.#output.end;
      this.#records = [];
      this.#next = 0;
      return undefined;
    }
    this.#records = batch.value;
    this.#next = 0;
    return this.#records[0];
  }

  /** The hint was beyond the event: start from the log's beginning. */
  async #beginAgain(): Promise<void> {
    await this.#batches.return();
    this.#mayBeginAgain = false;
    this.#position = this.#output.start;
    this.#batches = this.#readFrom(this.#position);
    this.#records = [];
    this.#next = 0;
  }

  #readFrom(from: number): AsyncGenerator<readonly LogRecord[], void, undefined> {
    const { topic, partition, end } = this.#output;
    return readAhead(this.#reader.read({ topic, partition, from, to: end }));
  }

  #gap({ event, sequence }: DerivedRecord, found: number): TapeproofError {
    const { topic, partition } = this.#output;
    return recordsGone(topic, `${topic}-${partition} holds sequence ${found} but not ${sequence} (${event.eventId})`);
  }
}

/** @param offset - in the log, of the record found in place of the event. */
export function conflictWith(
  { topic, event, sequence }: DerivedRecord,
  partition: number,
  offset: number,
  commits: Commits,
): TapeproofError {
  return new TapeproofError(
    'CONFLICT',
    `${topic}-${partition} holds another event at log offset ${offset}, not ${event.eventId} (sequence ${sequence}), which commit ${commits.derivedBy} derives from the same tape; the activation in force names commit ${commits.activatedBy}: if that one is right, run it; if this one is, stop the engines, run "npx tapeproof topics recreate --derived" and start them again: they derive everything again from the tape.`,
  );
}

/** Missing records cannot be put back into a hole in a log. */
function recordsGone(topic: DerivedTopic, what: string): TapeproofError {
  return new TapeproofError(
    'SEQUENCE_GAP',
    `${what}: earlier records are missing; stop the engines, run "npx tapeproof topics recreate ${topic}" and start them again: they derive the topic again from the tape.`,
  );
}

/** The sequence of an event; undefined for bytes that are not one. */
export function sequenceOf(framed: Framed): number | undefined {
  const event = framed.read() as Partial<DerivedEvent> | undefined;
  return typeof event?.sequence === 'number' ? event.sequence : undefined;
}

/**
 * Whether every output of a partition reaches the given sequences: an anchor that promises more than the outputs hold
 * must not be used.
 */
export async function outputsReach(
  access: LogAccess,
  partition: number,
  nextSequence: Readonly<Record<string, number>>,
): Promise<boolean> {
  for (const topic of DERIVED_TOPICS) {
    const wanted = (nextSequence[topic] ?? 0) - 1;
    if (wanted >= 0 && (await greatestSequence(access, topic, partition)) < wanted) return false;
  }
  return true;
}

/** @throws TapeproofError SEQUENCE_GAP when the first events of an output are missing and later ones exist. */
export async function refuseCutOutputs(access: LogAccess, partition: number): Promise<void> {
  for (const topic of DERIVED_TOPICS) {
    const first = await firstSequence(access, topic, partition);
    if (first !== undefined && first > 0) {
      throw recordsGone(topic, `${topic}-${partition} begins with sequence ${first}`);
    }
  }
}

/** The sequence of the first event of an output; undefined when it is empty. */
async function firstSequence(
  { reader, registry }: LogAccess,
  topic: DerivedTopic,
  partition: number,
): Promise<number | undefined> {
  const from = await reader.startOffset(topic, partition);
  const to = await reader.endOffset(topic, partition);
  for await (const records of reader.read({ topic, partition, from, to })) {
    for (const record of records) {
      const sequence = await sequenceIn(registry, record);
      if (sequence !== undefined) return sequence;
    }
  }
  return undefined;
}

/**
 * The greatest sequence among the last records of an output, or among earlier ones while none of these is an event; −1
 * if there is no event.
 */
async function greatestSequence(
  { reader, registry }: LogAccess,
  topic: DerivedTopic,
  partition: number,
): Promise<number> {
  const start = await reader.startOffset(topic, partition);
  let greatest = -1;
  for (let to = await reader.endOffset(topic, partition); to > start && greatest < 0; to -= TAIL_RECORDS) {
    const from = Math.max(start, to - TAIL_RECORDS);
    for await (const records of reader.read({ topic, partition, from, to })) {
      for (const record of records) greatest = Math.max(greatest, (await sequenceIn(registry, record)) ?? -1);
    }
  }
  return greatest;
}

async function sequenceIn(registry: Registry, record: LogRecord): Promise<number | undefined> {
  const framed = await framedIn(registry, record);
  return 'reason' in framed ? undefined : sequenceOf(framed);
}
