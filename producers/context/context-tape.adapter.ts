import type { Kafka } from 'kafkajs';
import { encodeBody, FINGERPRINTS } from '../../contracts/codec.ts';
import { recordOfDeadLetter } from '../../contracts/dead-letter.ts';
import type { ContextSignal, DeadLetter } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../../contracts/topics.ts';
import type { Connections } from '../../platform/connections.ts';
import { openUnlessAborted, withDeadline, withGrace } from '../../platform/deadline.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createKafka, kafkaUnreachable } from '../../platform/kafka/client.ts';
import { framedIn, type Framed } from '../../platform/kafka/framed-record.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import { createRecordProducer, type RecordProducer } from '../../platform/kafka/producer.ts';
import { openTrustedLog } from '../../platform/kafka/trusted-log.ts';
import type { TrustedRegistry } from '../../platform/kafka/trusted-registry.ts';
import type { Log } from '../../platform/log.ts';

/** Names the producers of context in their dead letters. */
export const CONTEXT_READER = 'ingest-context';
/** Records at the end of each partition of the tape in which earlier signals are searched for. */
const SEARCHED_RECORDS = 1_000_000;
/** Dead letters at the end of each partition in which earlier ones are searched for. */
const SEARCHED_LETTERS = 100_000;
/** Identities that are remembered; beyond them the oldest is forgotten, and the engine sets a repetition aside. */
const HELD_MAX = 1_000_000;
/** After the order to stop, until an append that Kafka does not answer is given up. */
const STOP_GRACE_MS = 3_000;
const CLOSE_DEADLINE_MS = 2_000;

export interface ContextAccess {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface AppendedSignals {
  /** Records: a signal about the market is one in each partition. */
  readonly appended: number;
  readonly alreadyThere: number;
}

type Aborted = Pick<ContextAccess, 'signal'>;

/** The tape as producers of context write it: each signal once in each of its partitions, however often it is read. */
export class ContextTape {
  readonly partitions: number;
  readonly reader: LogReader;
  readonly registry: TrustedRegistry;
  private readonly producer: RecordProducer;
  private readonly signal: AbortSignal;
  private readonly held = new BoundedSet(HELD_MAX);
  private readonly heldLetters = new BoundedSet(HELD_MAX);

  private constructor(
    kafka: Kafka,
    { reader, registry, partitions, signal }: Pick<ContextTape, 'reader' | 'registry' | 'partitions'> & Aborted,
  ) {
    this.reader = reader;
    this.registry = registry;
    this.partitions = partitions;
    this.signal = signal;
    this.producer = createRecordProducer(kafka, registry);
  }

  /**
   * Reads which signals the tape has; undefined where the signal came before that. The signal ends reading, also where Kafka
   * does not answer.
   *
   * @throws TapeproofError UNREACHABLE; CHECK_FAILED while no activation that accepts signals is in force.
   */
  static async open(access: ContextAccess): Promise<ContextTape | undefined> {
    const { signal } = access;
    const reader = createLogReader(access.connections.kafkaBrokers);
    signal.addEventListener('abort', () => void reader.close(), { once: true });
    return await openUnlessAborted(ContextTape.surveyed(access, reader), signal, (late) => late?.close());
  }

  private static async surveyed(
    { connections, log, signal }: ContextAccess,
    reader: LogReader,
  ): Promise<ContextTape | undefined> {
    const { kafkaBrokers, registryUrl } = connections;
    const kafka = createKafka(kafkaBrokers, 'tapeproof-context', log);
    let tape: ContextTape | undefined;
    try {
      const { registry, partitions } = await openTrustedLog({ kafka, reader, registryUrl, log });
      tape = new ContextTape(kafka, { reader, registry, partitions, signal });
      await registry.idOf(TAPE_TOPIC, 'ContextSignal');
      await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
      await tape.survey(signal);
      return tape;
    } catch (error) {
      await (tape ?? reader).close();
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Appends those signals that the tape does not have. @throws TapeproofError UNREACHABLE */
  async append(signals: readonly ContextSignal[]): Promise<AppendedSignals> {
    const fresh = new Map<string, OutgoingRecord>();
    let alreadyThere = 0;
    for (const event of signals) {
      for (const partition of this.partitionsOf(event)) {
        const identity = identityOf(partition, event);
        if (this.held.has(identity) || fresh.has(identity)) alreadyThere += 1;
        else fresh.set(identity, recordOf(partition, event));
      }
    }
    if (fresh.size > 0) await this.send([...fresh.values()]);
    // Only now: what an outage kept away is appended by the next attempt.
    for (const identity of fresh.keys()) this.held.add(identity);
    return { appended: fresh.size, alreadyThere };
  }

  /** Appends those dead letters that are not there. @returns how many. @throws TapeproofError UNREACHABLE */
  async refuse(letters: readonly DeadLetter[], timestampUs: number): Promise<number> {
    const fresh = new Map<string, OutgoingRecord>();
    for (const letter of letters) {
      const { deadLetterId, source } = letter;
      if (this.heldLetters.has(deadLetterId)) continue;
      const partition = partitionOf(source.name, this.partitions);
      fresh.set(deadLetterId, { ...recordOfDeadLetter(letter), partition, key: source.name, timestampUs });
    }
    if (fresh.size > 0) await this.send([...fresh.values()]);
    for (const id of fresh.keys()) this.heldLetters.add(id);
    return fresh.size;
  }

  async close(): Promise<void> {
    this.registry.close();
    const closing = Promise.all([this.producer.disconnect(), this.reader.close()]);
    // What is in flight then is given up: no broker answers.
    await withDeadline(closing, CLOSE_DEADLINE_MS, kafkaUnreachable).catch(() => undefined);
  }

  private async send(records: readonly OutgoingRecord[]): Promise<void> {
    await withGrace(this.producer.send(records), this.signal, STOP_GRACE_MS, kafkaUnreachable);
  }

  private partitionsOf({ instrument }: ContextSignal): readonly number[] {
    if (instrument !== null) return [partitionOf(instrument, this.partitions)];
    return Array.from({ length: this.partitions }, (_, partition) => partition);
  }

  private async survey(signal: AbortSignal): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition += 1) {
      let accepted: readonly string[] | undefined;
      const from = await this.readEnd(TAPE_TOPIC, partition, SEARCHED_RECORDS, signal, (framed) => {
        const event = framed.as('ContextSignal');
        if (event !== undefined) this.held.add(identityOf(partition, event));
        accepted = framed.as('EngineActivated')?.acceptedTapeSchemas ?? accepted;
      });
      // One before what was read may accept them.
      const isUnknown = accepted === undefined && from > 0;
      if (!isUnknown && accepted?.includes(FINGERPRINTS.ContextSignal) !== true) {
        throw new TapeproofError(
          'CHECK_FAILED',
          `No activation that accepts signals is in force in ${TAPE_TOPIC}-${partition}: run "npx tapeproof activate" with this build first.`,
        );
      }
      await this.readEnd(DEAD_LETTERS_TOPIC, partition, SEARCHED_LETTERS, signal, (framed) => {
        const letter = framed.as('DeadLetter');
        if (letter?.reader === CONTEXT_READER) this.heldLetters.add(letter.deadLetterId);
      });
    }
  }

  /** Calls back for each record of ours among the last ones of a partition. @returns the offset of the first one read. */
  private async readEnd(
    topic: TopicName,
    partition: number,
    recordsMax: number,
    signal: AbortSignal,
    take: (framed: Framed) => void,
  ): Promise<number> {
    const [start, to] = await Promise.all([
      this.reader.startOffset(topic, partition),
      this.reader.endOffset(topic, partition),
    ]);
    const from = Math.max(start, to - recordsMax);
    if (from >= to) return from;
    for await (const records of this.reader.read({ topic, partition, from, to })) {
      signal.throwIfAborted();
      for (const record of records) {
        const found = framedIn(this.registry, record);
        const framed = found instanceof Promise ? await found : found;
        if (!('reason' in framed)) take(framed);
      }
    }
    return from;
  }
}

function identityOf(partition: number, { kind, instrument, signalId }: ContextSignal): string {
  return `${partition} ${kind} ${instrument ?? ''} ${signalId}`;
}

function recordOf(partition: number, event: ContextSignal): OutgoingRecord {
  return {
    ...{ topic: TAPE_TOPIC, partition, key: event.instrument, type: 'ContextSignal' },
    body: encodeBody('ContextSignal', event),
    timestampUs: event.eventTime,
  };
}

/** The last so many texts that were added. */
class BoundedSet {
  private readonly texts = new Set<string>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  has(text: string): boolean {
    return this.texts.has(text);
  }

  add(text: string): void {
    const [oldest] = this.texts.size >= this.max ? this.texts : [];
    if (oldest !== undefined) this.texts.delete(oldest);
    this.texts.add(text);
  }
}
