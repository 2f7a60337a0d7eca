import type { EachBatchPayload } from 'kafkajs';
import { isPassing, TapeproofError } from '../errors.ts';
import { isProgrammingError, plain } from './consumer-errors.ts';
import type { ConsumerTelemetry } from './consumer-telemetry.ts';
import type { ExpectedOffsets } from './expected-offsets.ts';
import type { RecordSequence } from './log-record.ts';
import type { OffsetCommits } from './offset-commits.ts';
import {
  recordsOf,
  type Applied,
  type BatchResult,
  type FetchedRecords,
  type PartitionBatch,
} from './partition-batch.ts';
import type { PartitionPauses } from './partition-pauses.ts';
import type { PartitionProgress } from './partition-progress.ts';
import { startPulse, type Pulse } from './pulse.ts';
import type { TopicPartition } from './topic-partition.ts';

/** A bug does not heal: after this many attempts at one batch the consumer stops. */
const PROGRAMMING_ERRORS_MAX = 3;
/** This many consecutive resumptions of a partition are not delayed. */
const RESUMES_FREE = 3;

/** What the delivery of a batch needs of the membership in which it was fetched. */
export interface Membership {
  /** Grows with each join: work begun before a join must not be committed after it. */
  readonly generation: number;
  /** The error by which the broker announced a rebalance, until the next join. */
  readonly rebalance: Error | undefined;
  /** True when the member must stop or give up partitions. */
  readonly isInterrupted: boolean;
  readonly commits: OffsetCommits;
  readonly report: ConsumerTelemetry;
  readonly progress: PartitionProgress;
  readonly expected: ExpectedOffsets;
  readonly pauses: PartitionPauses;
  /** Ends it for good. */
  fail(error: Error): void;
  /** A heartbeat's error. */
  missed(error: Error, generation: number): void;
  /** Continues reading a partition elsewhere. */
  seek(place: TopicPartition & { readonly offset: number }): void;
}

/**
 * Hands fetched batches to the handler and acts on its answer: commit and go on, begin elsewhere, pause, or stop.
 *
 *     batch ─► gap? ─► handle ─► applied: commit, next │ elsewhere: seek │ nothing, outage: pause │ refusal: stop
 */
export class BatchDelivery {
  readonly #handler: (batch: PartitionBatch) => Promise<BatchResult>;
  readonly #member: Membership;

  constructor(handler: (batch: PartitionBatch) => Promise<BatchResult>, member: Membership) {
    this.#handler = handler;
    this.#member = member;
  }

  /** @throws the error by which the group announced a rebalance: the client rejoins when it meets it. */
  async deliver(payload: EachBatchPayload): Promise<void> {
    // Fetched before: the next owner of the partition reads it again.
    if (this.#member.rebalance !== undefined) throw this.#member.rebalance;
    // Stale: fetched before a seek() that has not taken effect.
    if (this.#member.isInterrupted || payload.isStale()) return;
    const fetched = recordsOf(payload.batch);
    if (this.#hasGap(fetched)) return;
    const generation = this.#member.generation;
    const pulse = startPulse(
      () => payload.heartbeat(),
      (error) => {
        this.#member.missed(error, generation);
      },
    );
    let result: BatchResult | Error;
    this.#member.progress.began(fetched);
    try {
      result = await this.#handle(fetched, pulse);
    } catch (error) {
      result = plain(error);
    } finally {
      this.#member.progress.ended(fetched);
      await pulse.end();
    }
    // The group has moved on: the offsets now belong to another member.
    if (generation !== this.#member.generation) return;
    if (result instanceof Error) this.#onError(payload, result);
    else if ('resumeAt' in result) this.#resumeAt(payload, result.resumeAt);
    else if ('appliedUpTo' in result) this.#skipTo(payload, result.appliedUpTo);
    else this.#goOn(payload, fetched, result);
    await this.#commitIfInterrupted();
    const missed = pulse.error();
    if (missed !== undefined) throw missed;
  }

  async #handle(fetched: FetchedRecords, pulse: Pulse): Promise<BatchResult> {
    // Compaction removed them.
    if (fetched.records.length === 0) return { nextOffset: fetched.lastOffset + 1 };
    return this.#handler({
      ...fetched,
      heartbeat: pulse.beat,
      interrupted: () => {
        this.#member.progress.worked(fetched);
        return pulse.error() !== undefined || this.#member.isInterrupted;
      },
    });
  }

  /** The last chance: this membership may get no further batch. */
  async #commitIfInterrupted(): Promise<void> {
    if (this.#member.isInterrupted) await this.#member.commits.flush();
  }

  #hasGap(fetched: FetchedRecords): boolean {
    const gap = this.#member.expected.gapBefore(fetched);
    if (gap !== undefined) this.#member.fail(gap);
    return gap !== undefined;
  }

  #goOn(payload: EachBatchPayload, fetched: FetchedRecords, { nextOffset, waitsFor }: Applied): void {
    const { topic, partition, records, firstOffset, lastOffset } = fetched;
    const last = records.at(-1)?.offset ?? lastOffset;
    if (nextOffset < firstOffset || nextOffset > last + 1) {
      this.#member.fail(
        new Error(`nextOffset ${nextOffset} is outside the batch ${firstOffset} to ${last} of ${topic}`),
      );
      return;
    }
    if (nextOffset === firstOffset) {
      this.#member.progress.waits(fetched, waitsFor ?? 'the last attempt took nothing');
      if (!this.#member.isInterrupted) this.#member.pauses.pause(payload, this.#member.pauses.countAttempt(fetched));
      return;
    }
    // The last record may be followed by a transaction's marker, which no handler sees.
    const position = nextOffset === last + 1 ? lastOffset + 1 : nextOffset;
    this.#member.pauses.progressed(fetched);
    // Not during a seek(): the next batch begins where that points.
    if (!payload.isStale()) this.#member.expected.set(topic, partition, position);
    this.#member.commits.applied({ topic, partition, offset: position }, payload);
    this.#member.report.applied(fetched, nextOffset > last ? records.length : recordsBefore(records, nextOffset));
    payload.resolveOffset(String(position - 1));
  }

  /** The store may already have what a new group reads from the start: without this its lag would stay. */
  #skipTo(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#resumeAt(payload, offset);
    this.#member.commits.applied({ topic, partition, offset }, payload);
  }

  #resumeAt(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#member.expected.set(topic, partition, offset);
    this.#member.seek({ topic, partition, offset });
    const attempts = this.#member.pauses.countAttempt(payload.batch);
    if (attempts > RESUMES_FREE) this.#member.pauses.pause(payload, attempts - RESUMES_FREE);
  }

  #onError(payload: EachBatchPayload, error: Error): void {
    const { topic, partition } = payload.batch;
    const attempts = this.#member.pauses.countAttempt(payload.batch);
    const outage = error instanceof TapeproofError ? isPassing(error.code) : !isProgrammingError(error);
    if (error instanceof TapeproofError && !outage) {
      this.#member.fail(error);
      return;
    }
    if (!outage && attempts >= PROGRAMMING_ERRORS_MAX) {
      this.#member.fail(
        new Error(`Partition ${partition} of ${topic} cannot be handled: ${error.message}`, { cause: error }),
      );
      return;
    }
    if (!this.#member.isInterrupted) this.#member.pauses.pause(payload, attempts);
    this.#member.progress.waits(payload.batch, error.message);
    this.#member.report.paused(payload.batch, attempts, error);
  }
}

/** The number of an interrupted batch's records before an offset. */
function recordsBefore(records: RecordSequence, offset: number): number {
  let count = 0;
  for (const record of records) {
    if (record.offset >= offset) break;
    count += 1;
  }
  return count;
}
