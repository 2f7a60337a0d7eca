import type { Batch } from 'kafkajs';
import type { BatchMessage } from './fetch-response.ts';
import { FetchedSequence } from './fetched-batch.ts';
import type { RecordSequence } from './log-record.ts';

/** Consecutive records of one partition. */
export interface PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  /** Where they begin: at the first record, or at a transaction's marker before it, which is not delivered. */
  readonly firstOffset: number;
  /** Values share the memory of their fetch: copy what is kept for long. */
  readonly records: RecordSequence;
  /** Offset that the partition's next record will get. */
  readonly highWatermark: number;
}

/** Records, at least one, to be handled. */
export interface PartitionBatch extends PartitionRecords {
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

/** The records that one fetch returned. */
export interface FetchedRecords extends PartitionRecords {
  /** Of the last record, or of a marker or a record that compaction removed after it. */
  readonly lastOffset: number;
}

/** Reads what kafkajs delivers. @throws RangeError for bytes that are not a record batch. */
export function recordsOf(delivered: Batch): FetchedRecords {
  // It passes on what decodeFetchResponse() made, and has no type for that.
  const { topic, partition, fetchedOffset, messages, messagesWithinOffset } = delivered as unknown as BatchOfBatches;
  const from = Number(fetchedOffset);
  const batches = messages.map(({ batch }) => batch);
  const records = new FetchedSequence(batches, topic, partition, from);
  const [first] = messagesWithinOffset;
  return {
    topic,
    partition,
    firstOffset: first?.isControlRecord === true ? first.batch.firstOffset : (records.at(0)?.offset ?? from),
    lastOffset: Number(delivered.lastOffset()),
    highWatermark: Number(delivered.highWatermark),
    records,
  };
}

interface BatchOfBatches {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string;
  /** Without markers. */
  readonly messages: readonly BatchMessage[];
  readonly messagesWithinOffset: readonly BatchMessage[];
}
