import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { withDeadline } from '../deadline.ts';
import { isPassing, TapeproofError } from '../errors.ts';
import type { Log } from '../log.ts';
import { unobserved, type Observation } from '../observation.ts';
import { without, type Assignment } from './assignment.ts';
import { kafkaUnreachable, RIDE_OUT_RETRY } from './client.ts';
import { refuseLostRecords, remedyText } from './committed-offsets.ts';
import { ConsumerReport } from './consumer-report.ts';
import { isProgrammingError, isRebalance, plain } from './delivery-errors.ts';
import { OffsetCommits } from './offset-commits.ts';
import { partitionBatchOf, type BatchResult, type PartitionBatch } from './partition-batch.ts';
import { PartitionPauses } from './partition-pauses.ts';
import { HEARTBEAT_INTERVAL_MS, startPulse } from './pulse.ts';

export type { Assignment } from './assignment.ts';

/** A member that says nothing for this long is dead: its partitions move. The time that a kill -9 costs. */
const SESSION_TIMEOUT_MS = 10_000;
/** How long the others wait for a member to finish its batch and join again. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** Bounds of one fetch, and so of the memory that undelivered records take. */
const FETCH_BYTES_MAX = 8 * 1_048_576;
const PARTITION_BYTES_MAX = 1_048_576;
/** The broker answers as soon as there is a byte; this is how long it holds a fetch that finds none. */
const FETCH_WAIT_MS_MAX = 250;
/** stop() = both: the first join must be over before a member can leave without becoming a ghost. */
const JOIN_DEADLINE_MS = 4_000;
const LEAVE_DEADLINE_MS = 5_500;
/** A mistake in code does not heal: after so many attempts at one batch the consumer stops. */
const PROGRAMMING_ERRORS_MAX = 3;
/** So many resumptions of a partition in a row are free of delay. */
const RESUMES_FREE = 3;

export interface ConsumerSettings {
  /** Of its own for each group in a process. */
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * True where the handler knows better than the group how far it is, and begins wherever a batch begins: then an offset of
   * the group that is not in the log is not refused.
   */
  readonly offsetsAreHints?: boolean;
  /** What to do where records of a topic are gone that the group has read, or has not: the end of a sentence. */
  readonly remedy?: (topic: string) => string;
  /**
   * Applies a batch. TapeproofErrors stop the consumer for good, but for those that pass ({@link isPassing}): these, and any
   * other error, are an outage: nothing is committed, the partition pauses, the same records come again.
   */
  handle(batch: PartitionBatch): Promise<BatchResult>;
  /** After each join, with all that this member now has. */
  onAssigned?(assignment: Assignment): void;
  /** With what this member had and has no more; all of it at the end. */
  onRevoked?(assignment: Assignment): void;
  readonly log: Log;
  readonly observation?: Observation;
  /** Batches of different partitions handled side by side. */
  readonly concurrency?: number;
}

export interface RunningConsumer {
  /** Resolves after stop(); rejects when the consumer cannot go on. */
  readonly done: Promise<void>;
  /** What this member has now. */
  readonly assignment: Assignment;
  /**
   * Goes on reading one of this member's partitions at `offset`, for a downstream that says where it stands: nothing is
   * delivered again by itself where the log holds no news. A batch fetched before may still arrive.
   */
  seek(topic: string, partition: number, offset: number): void;
  /** Lets running batches finish, commits what was applied and leaves the group, within ten seconds. */
  stop(): Promise<void>;
}

/**
 * Delivers records at least once, in order per partition, and commits only what was applied: some times a second, also
 * while stopping and before partitions move to another member.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer or a topic is missing; SEQUENCE_GAP when records that
 *   the group has not read, or has read, are gone from the log.
 */
export async function startConsumer(settings: ConsumerSettings): Promise<RunningConsumer> {
  const { kafka, groupId, topics, offsetsAreHints = false, remedy } = settings;
  if (!offsetsAreHints) await refuseLostRecords(kafka, groupId, topics, remedy);
  const delivery = new Delivery(settings);
  await delivery.start();
  return delivery;
}

/** One membership in a group, from join to leave. */
class Delivery implements RunningConsumer {
  readonly done: Promise<void>;
  readonly #settings: ConsumerSettings;
  readonly #report: ConsumerReport;
  readonly #consumer: Consumer;
  readonly #resolveDone: () => void;
  readonly #rejectDone: (error: Error) => void;

  /** Grows with each join: what was begun before it must not be committed after it. */
  #generation = 0;
  #assignment: Assignment = {};
  #joined = Promise.withResolvers<undefined>();
  /** Of this membership: the next one commits nothing that was applied in it. */
  #commits: OffsetCommits;
  /** The error by which the broker announced a rebalance, until the next join. kafkajs joins again when it meets it. */
  #rebalance: Error | undefined;
  #fatal: Error | undefined;
  #stopped: Promise<void> | undefined;
  /** Per partition: where the next batch must begin. */
  readonly #expected = new Map<string, number>();
  readonly #pauses = new PartitionPauses();

  constructor(settings: ConsumerSettings) {
    this.#settings = settings;
    this.#report = new ConsumerReport(settings.groupId, settings.log, settings.observation ?? unobserved());
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.done = promise;
    this.done.catch(() => undefined);
    this.#resolveDone = () => {
      resolve(undefined);
    };
    this.#rejectDone = reject;
    this.#commits = this.#newCommits();
    this.#consumer = settings.kafka.consumer({
      groupId: settings.groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      maxWaitTimeInMs: FETCH_WAIT_MS_MAX,
      // Nothing here rests on transactions, and kafkajs delivers aborted records at times: every reader sees all.
      readUncommitted: true,
      retry: { ...RIDE_OUT_RETRY, restartOnFailure: () => Promise.resolve(true) },
    });
  }

  async start(): Promise<void> {
    const { topics, concurrency = 1 } = this.#settings;
    const { GROUP_JOIN, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => {
      this.#onJoin(event);
    });
    // Told before the request to join, which this one precedes: the broker still takes it.
    this.#consumer.on(REBALANCING, () => void this.#commits.flush());
    this.#consumer.on(CRASH, ({ payload }) => {
      this.#commits.close();
      if (payload.restart) {
        this.#joined = Promise.withResolvers();
        this.#report.crashed(payload.error);
      } else this.#fail(payload.error);
    });
    this.#report.started();
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
    } catch (error) {
      await this.#consumer.disconnect().catch(() => undefined);
      throw kafkaUnreachable(error);
    }
    // Resolves after the first join; stop() must be possible before.
    this.#consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: concurrency,
        eachBatch: (payload) => this.#deliver(payload),
      })
      .catch((error: unknown) => {
        this.#fail(plain(error));
      });
  }

  seek(topic: string, partition: number, offset: number): void {
    if (this.#stopped !== undefined) return;
    // Batches fetched before begin elsewhere: that is no gap.
    this.#expected.delete(keyOf(topic, partition));
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  get #interrupted(): boolean {
    return this.#stopped !== undefined || this.#fatal !== undefined || this.#rebalance !== undefined;
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  #onJoin({ payload }: ConsumerGroupJoinEvent): void {
    this.#generation += 1;
    this.#rebalance = undefined;
    this.#commits.close();
    this.#commits = this.#newCommits();
    this.#expected.clear();
    const lost = without(this.#assignment, payload.memberAssignment);
    this.#assignment = payload.memberAssignment;
    this.#giveUp(lost);
    this.#report.joined(payload.memberId, this.#assignment);
    this.#settings.onAssigned?.(this.#assignment);
    this.#joined.resolve(undefined);
  }

  #giveUp(lost: Assignment): void {
    if (Object.keys(lost).length === 0) return;
    this.#report.revoked(lost);
    this.#settings.onRevoked?.(lost);
  }

  async #leave(): Promise<void> {
    if (this.#fatal === undefined) this.#report.leaving();
    let failure: Error | undefined;
    this.#pauses.close();
    try {
      await withDeadline(this.#joined.promise, JOIN_DEADLINE_MS, () => new Error('the join takes too long'))
        .catch(() => undefined)
        .then(() => withDeadline(this.#commitAndDisconnect(), LEAVE_DEADLINE_MS, () => new Error('no answer')));
    } catch (error) {
      failure = plain(error);
    }
    this.#commits.close();
    this.#giveUp(this.#assignment);
    this.#assignment = {};
    this.#report.left(failure);
    if (this.#fatal === undefined) this.#resolveDone();
    else this.#rejectDone(this.#fatal);
  }

  /** The batches in hand, which it waits for, commit what they still apply. */
  async #commitAndDisconnect(): Promise<void> {
    await Promise.all([this.#commits.flush(), this.#consumer.disconnect()]);
  }

  #fail(error: Error): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = error;
    this.#joined.resolve(undefined);
    this.#report.stopped(error);
    void this.stop();
  }

  async #deliver(payload: EachBatchPayload): Promise<void> {
    // Fetched before: whoever gets the partition next reads it again.
    if (this.#rebalance !== undefined) throw this.#rebalance;
    // Stale: fetched before a seek() that is still to be followed.
    if (this.#interrupted || payload.isStale() || this.#hasGap(payload)) return;
    const generation = this.#generation;
    const pulse = startPulse(
      () => payload.heartbeat(),
      (error) => {
        this.#onMembershipError(error, generation);
      },
    );
    let result: BatchResult | Error;
    try {
      result = await this.#settings.handle(
        partitionBatchOf(payload.batch, {
          heartbeat: pulse.beat,
          interrupted: () => pulse.error() !== undefined || this.#interrupted,
        }),
      );
    } catch (error) {
      result = plain(error);
    } finally {
      await pulse.end();
    }
    // The group moved on meanwhile: the offsets belong to somebody else now.
    if (generation !== this.#generation) return;
    if (result instanceof Error) this.#onError(payload, result);
    else if ('resumeAt' in result) this.#resumeAt(payload, result.resumeAt);
    else if ('appliedUpTo' in result) this.#skipTo(payload, result.appliedUpTo);
    else this.#goOn(payload, result.nextOffset);
    await this.#commitIfInterrupted();
    const missed = pulse.error();
    if (missed !== undefined) throw missed;
  }

  /** The last chance, where no batch may follow in this membership. */
  async #commitIfInterrupted(): Promise<void> {
    if (this.#interrupted) await this.#commits.flush();
  }

  #newCommits(): OffsetCommits {
    const generation = this.#generation;
    return new OffsetCommits({
      onCommitted: ({ offset, ...place }) => {
        this.#report.committed(place, offset);
      },
      onError: (error) => {
        if (!isRebalance(error)) this.#report.notCommitted(error);
        this.#onMembershipError(error, generation);
      },
    });
  }

  #onMembershipError(error: Error, generation: number): void {
    if (isRebalance(error) && generation === this.#generation) this.#noteRebalance(error);
  }

  #noteRebalance(error: Error): void {
    if (this.#rebalance === undefined) this.#report.rebalanceAnnounced(error);
    this.#rebalance ??= error;
  }

  #hasGap({ batch }: EachBatchPayload): boolean {
    const { topic, partition } = batch;
    const first = Number(batch.firstOffset());
    const expected = this.#expected.get(keyOf(topic, partition)) ?? first;
    this.#expected.set(keyOf(topic, partition), expected);
    if (first <= expected) return false;
    this.#fail(
      new TapeproofError(
        'SEQUENCE_GAP',
        `Partition ${partition} of ${topic} goes on at offset ${first} where ${expected} was next: records are gone from the log${remedyText(topic, this.#settings.remedy)}.`,
      ),
    );
    return true;
  }

  #goOn(payload: EachBatchPayload, nextOffset: number): void {
    const { batch } = payload;
    const { topic, partition, messages } = batch;
    const first = Number(messages[0]?.offset);
    const last = Number(messages.at(-1)?.offset);
    if (nextOffset < first || nextOffset > last + 1) {
      this.#fail(new Error(`nextOffset ${nextOffset} is outside the batch ${first} to ${last} of ${topic}`));
      return;
    }
    if (nextOffset === first) {
      if (!this.#interrupted) this.#pauses.pause(payload, this.#pauses.countAttempt(batch));
      return;
    }
    // Behind the last record there may be a transaction's marker, which nobody sees.
    const position = nextOffset === last + 1 ? Number(batch.lastOffset()) + 1 : nextOffset;
    this.#pauses.progressed(batch);
    // Not where a seek() is under way: what comes next begins where that says.
    if (!payload.isStale()) this.#expected.set(keyOf(topic, partition), position);
    this.#commits.applied({ topic, partition, offset: position }, payload);
    this.#report.applied(batch, nextOffset > last ? messages.length : recordsBefore(messages, nextOffset));
    payload.resolveOffset(String(nextOffset - 1));
  }

  /** What a new group reads from the start may be in the store already: without this its lag would stay. */
  #skipTo(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#resumeAt(payload, offset);
    this.#commits.applied({ topic, partition, offset }, payload);
  }

  #resumeAt(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#expected.set(keyOf(topic, partition), offset);
    this.#consumer.seek({ topic, partition, offset: String(offset) });
    const attempts = this.#pauses.countAttempt(payload.batch);
    if (attempts > RESUMES_FREE) this.#pauses.pause(payload, attempts - RESUMES_FREE);
  }

  #onError(payload: EachBatchPayload, error: Error): void {
    const { topic, partition } = payload.batch;
    const attempts = this.#pauses.countAttempt(payload.batch);
    const outage = error instanceof TapeproofError ? isPassing(error.code) : !isProgrammingError(error);
    if (error instanceof TapeproofError && !outage) {
      this.#fail(error);
      return;
    }
    if (!outage && attempts >= PROGRAMMING_ERRORS_MAX) {
      this.#fail(new Error(`Partition ${partition} of ${topic} cannot be handled: ${error.message}`, { cause: error }));
      return;
    }
    if (!this.#interrupted) this.#pauses.pause(payload, attempts);
    this.#report.paused(payload.batch, attempts, error);
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

/** How many of an interrupted batch's records lie before an offset. */
function recordsBefore(messages: readonly { readonly offset: string }[], offset: number): number {
  const left = messages.findIndex((message) => Number(message.offset) >= offset);
  return left === -1 ? messages.length : left;
}
