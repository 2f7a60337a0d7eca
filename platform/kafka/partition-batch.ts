import type { Batch, KafkaMessage } from 'kafkajs';
import { NO_HEADERS, type LogRecord } from './log-record.ts';

/** Consecutive records of one partition. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** Where the batch begins: at the first record, or at a transaction's marker before it, which is not delivered. */
  readonly firstOffset: number;
  /** At least one. Values share the memory of their fetch: copy what is kept for long. */
  readonly records: readonly LogRecord[];
  /** Offset that the partition's next record will get. */
  readonly highWatermark: number;
  /**
   * Also sent once a second in the background; await it before keeping the event loop busy for seconds. Never rejects.
   */
  readonly heartbeat: () => Promise<void>;
  /**
   * True when the consumer is stopping or the group is rebalancing: stop applying and return what was applied. Call it
   * between pieces of the work: the call also shows that a long batch is making progress.
   */
  readonly interrupted: () => boolean;
}

/**
 * The result of handling a batch.
 *
 * - `nextOffset`: everything before it is applied downstream: it is committed. The batch's first offset means that
 *   nothing was: the same records are redelivered, after a growing pause; `waitsFor` says why, for people.
 * - `resumeAt`: nothing is committed and reading continues at this offset.
 * - `appliedUpTo`: everything before it was applied downstream, and it is beyond the batch: it is committed, and
 *   reading continues there.
 */
export type BatchResult = Applied | { readonly resumeAt: number } | { readonly appliedUpTo: number };

export interface Applied {
  readonly nextOffset: number;
  readonly waitsFor?: string;
}

/** Converts a batch of kafkajs. */
export function partitionBatchOf(
  batch: Batch,
  { heartbeat, interrupted }: Pick<PartitionBatch, 'heartbeat' | 'interrupted'>,
): PartitionBatch {
  const { topic, partition, messages } = batch;
  const records = messages.map((message) => new FetchedRecord(topic, partition, message));
  return {
    topic,
    partition,
    firstOffset: Number(batch.firstOffset() ?? 0),
    records,
    highWatermark: Number(batch.highWatermark),
    heartbeat,
    interrupted,
  };
}

/** A record as kafkajs fetched it. Headers and time, which few handlers read, are built when read. */
class FetchedRecord implements LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #message: KafkaMessage;

  constructor(topic: string, partition: number, message: KafkaMessage) {
    this.topic = topic;
    this.partition = partition;
    this.offset = Number(message.offset);
    this.key = message.key;
    this.value = message.value;
    this.#message = message;
  }

  get headers(): Readonly<Record<string, string>> {
    return headersOf(this.#message.headers);
  }

  get timestampMs(): number {
    return Number(this.#message.timestamp);
  }
}

function headersOf(headers: KafkaMessage['headers']): Readonly<Record<string, string>> {
  if (headers === undefined) return NO_HEADERS;
  const texts: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) texts[name] = last.toString();
  }
  return texts;
}
