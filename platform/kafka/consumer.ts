import type {
  Consumer,
  ConsumerGroupJoinEvent,
  ConsumerStartBatchProcessEvent,
  EachBatchPayload,
  Kafka,
} from 'kafkajs';
import { withDeadline } from '../deadline.ts';
import { isPassing, TapeproofError } from '../errors.ts';
import type { Log } from '../log.ts';
import { noTelemetry, type Telemetry } from '../telemetry.ts';
import { without, type Assignment } from './assignment.ts';
import { kafkaUnreachable } from './client.ts';
import { refuseLostRecords, type Remedy } from './committed-offsets.ts';
import { consumerOptions } from './consumer-options.ts';
import { ConsumerTelemetry } from './consumer-telemetry.ts';
import {
  isLostCoordinator,
  isMissingCoordinator,
  isProgrammingError,
  isRebalance,
  lostCoordinator,
  plain,
} from './consumer-errors.ts';
import { ExpectedOffsets } from './expected-offsets.ts';
import { readWholeBatches } from './fetch-response.ts';
import type { LogRecord } from './log-record.ts';
import { OffsetCommits, type AppliedOffset } from './offset-commits.ts';
import {
  recordsOf,
  type Applied,
  type BatchResult,
  type FetchedRecords,
  type PartitionBatch,
} from './partition-batch.ts';
import { PartitionPauses } from './partition-pauses.ts';
import { PartitionProgress } from './partition-progress.ts';
import { startPulse, type Pulse } from './pulse.ts';

export type { Assignment } from './assignment.ts';

/** stop() = both: the first join must be over before a member can leave without becoming a ghost. */
const JOIN_DEADLINE_MS = 4_000;
/** Before the client is started again where it does not do so itself. */
export const RUN_AGAIN_DELAY_MS = 1_000;
const LEAVE_DEADLINE_MS = 5_500;
/** A bug does not heal: after this many attempts at one batch the consumer stops. */
const PROGRAMMING_ERRORS_MAX = 3;
/** This many consecutive resumptions of a partition are not delayed. */
const RESUMES_FREE = 3;

export interface ConsumerSettings {
  /** A separate client for each group in a process. */
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * True where the handler knows its position better than the group does, and can begin at any batch: then an offset
   * of the group that is not in the log is not refused.
   */
  readonly offsetsAreHints?: boolean;
  readonly remedy?: Remedy;
  /**
   * Applies a batch. TapeproofErrors stop the consumer permanently, except transient ones ({@link isPassing}). These,
   * and any other error, are an outage: nothing is committed, the partition pauses, the same records are redelivered.
   */
  handle(batch: PartitionBatch): Promise<BatchResult>;
  /** After each join, with all partitions that this member now has. */
  onAssigned?(assignment: Assignment): void;
  /** With the partitions that this member no longer has; all of them at the end. */
  onRevoked?(assignment: Assignment): void;
  readonly log: Log;
  readonly telemetry?: Telemetry;
  /** Batches of different partitions handled side by side. */
  readonly concurrency?: number;
}

export interface RunningConsumer {
  /** Resolves after stop(); rejects when the consumer cannot continue. */
  readonly done: Promise<void>;
  /** The partitions that this member has now. */
  readonly assignment: Assignment;
  /** Its progress. */
  readonly progress: PartitionProgress;
  /**
   * Continues reading one of this member's partitions at `offset`, for a downstream that reports its own position:
   * without new records nothing would be redelivered. A batch fetched before may still arrive.
   */
  seek(topic: string, partition: number, offset: number): void;
  /** Lets running batches finish, commits what was applied and leaves the group, within ten seconds. */
  stop(): Promise<void>;
}

/**
 * Delivers records at least once, in order per partition, and commits only what was applied: several times a second,
 * also while stopping and before partitions move to another member.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer or a topic is missing; SEQUENCE_GAP when records that
 *   the group has not read, or has read, are gone from the log.
 */
export async function startConsumer(settings: ConsumerSettings): Promise<RunningConsumer> {
  const { kafka, groupId, topics, offsetsAreHints = false, remedy } = settings;
  if (!offsetsAreHints) await refuseLostRecords(kafka, groupId, topics, remedy);
  await readWholeBatches();
  const member = new GroupMember(settings);
  await member.start();
  return member;
}

/** One membership in a group, from join to leave. */
class GroupMember implements RunningConsumer {
  readonly done: Promise<void>;
  readonly progress = new PartitionProgress();
  readonly #settings: ConsumerSettings;
  readonly #report: ConsumerTelemetry;
  readonly #consumer: Consumer;
  readonly #resolveDone: () => void;
  readonly #rejectDone: (error: Error) => void;

  /** Grows with each join: work begun before a join must not be committed after it. */
  #generation = 0;
  #assignment: Assignment = {};
  /** Resolves with the join that is being made, if any. */
  #joined = Promise.withResolvers<undefined>();
  /** Belongs to this membership: the next one commits nothing that was applied in it. */
  #commits: OffsetCommits;
  /** The error by which the broker announced a rebalance, until the next join. kafkajs rejoins when it meets it. */
  #rebalance: Error | undefined;
  #fatal: Error | undefined;
  #stopped: Promise<void> | undefined;
  readonly #expected: ExpectedOffsets;
  readonly #pauses = new PartitionPauses();

  constructor(settings: ConsumerSettings) {
    this.#settings = settings;
    this.#report = new ConsumerTelemetry(settings.groupId, settings.log, settings.telemetry ?? noTelemetry());
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.done = promise;
    this.done.catch(() => undefined);
    this.#resolveDone = () => {
      resolve(undefined);
    };
    this.#rejectDone = reject;
    this.#commits = this.#newCommits();
    this.#expected = new ExpectedOffsets(settings.remedy);
    this.#consumer = settings.kafka.consumer(consumerOptions(settings.groupId));
  }

  async start(): Promise<void> {
    const { topics } = this.#settings;
    const { GROUP_JOIN, REBALANCING, START_BATCH_PROCESS, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => {
      this.#onJoin(event);
    });
    // Reported before the join request, which this commit precedes: the broker still accepts it.
    this.#consumer.on(REBALANCING, () => void this.#commits.flush());
    this.#consumer.on(START_BATCH_PROCESS, ({ payload }) => void this.#passMarkers(payload));
    this.#consumer.on(CRASH, ({ payload }) => {
      this.#commits.close();
      const { error, restart } = payload;
      if (!restart && !isMissingCoordinator(error)) {
        this.#fail(error);
        return;
      }
      this.#report.crashed(error);
      if (restart) this.#joined = Promise.withResolvers();
      else this.#runAgain();
    });
    this.#report.started();
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
    } catch (error) {
      await this.#consumer.disconnect().catch(() => undefined);
      throw kafkaUnreachable(error);
    }
    this.#run();
  }

  /** kafkajs restarts by itself after most outages, and this is for the others. Until then stop() has no join to await. */
  #runAgain(): void {
    this.#joined.resolve(undefined);
    setTimeout(() => {
      if (this.#isOver) return;
      this.#consumer.connect().then(
        () => {
          if (this.#isOver) void this.#consumer.disconnect().catch(() => undefined);
          else this.#run();
        },
        () => {
          this.#runAgain();
        },
      );
    }, RUN_AGAIN_DELAY_MS);
  }

  /**
   * Has kafkajs join: it does so when a batch ends with the error of a coordinator that is another one now. Records that
   * are not committed are fetched again, so that there is a batch. Stopping and starting its consumer would do the same,
   * but its fetchers never end, and leave no time to anything else, where the brokers change meanwhile.
   */
  #joinAnew(error: Error, uncommitted: readonly AppliedOffset[]): void {
    if (this.#interrupted) return;
    this.#report.crashed(error);
    this.#noteRebalance(lostCoordinator(error));
    for (const { topic, partition, offset } of uncommitted) {
      this.#consumer.seek({ topic, partition, offset: String(Math.max(0, offset - 1)) });
    }
  }

  #run(): void {
    const { concurrency = 1 } = this.#settings;
    this.#joined = Promise.withResolvers();
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
    // Batches fetched before begin elsewhere: that is not a gap.
    this.#expected.forget(topic, partition);
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  get #isOver(): boolean {
    return this.#stopped !== undefined || this.#fatal !== undefined;
  }

  get #interrupted(): boolean {
    return this.#isOver || this.#rebalance !== undefined;
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  #onJoin({ payload }: ConsumerGroupJoinEvent): void {
    this.#generation += 1;
    this.#rebalance = undefined;
    this.progress.joined();
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

  /** It waits for the batches in hand, which commit what they still apply. */
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
    // Fetched before: the next owner of the partition reads it again.
    if (this.#rebalance !== undefined) throw this.#rebalance;
    // Stale: fetched before a seek() that has not taken effect.
    if (this.#interrupted || payload.isStale()) return;
    const fetched = recordsOf(payload.batch);
    if (this.#hasGap(fetched)) return;
    const generation = this.#generation;
    const pulse = startPulse(
      () => payload.heartbeat(),
      (error) => {
        this.#onMembershipError(error, generation);
      },
    );
    let result: BatchResult | Error;
    this.progress.began(fetched);
    try {
      result = await this.#handle(fetched, pulse);
    } catch (error) {
      result = plain(error);
    } finally {
      this.progress.ended(fetched);
      await pulse.end();
    }
    // The group has moved on: the offsets now belong to another member.
    if (generation !== this.#generation) return;
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
    return this.#settings.handle({
      ...fetched,
      heartbeat: pulse.beat,
      interrupted: () => {
        this.progress.worked(fetched);
        return pulse.error() !== undefined || this.#interrupted;
      },
    });
  }

  /** The last chance: this membership may get no further batch. */
  async #commitIfInterrupted(): Promise<void> {
    if (this.#interrupted) await this.#commits.flush();
  }

  #newCommits(): OffsetCommits {
    const generation = this.#generation;
    return new OffsetCommits({
      onCommitted: (applied) => {
        this.progress.committed(applied);
        this.#report.committed(applied);
      },
      onError: (error, uncommitted) => {
        if (!isRebalance(error)) {
          this.progress.commitFailed(error);
          this.#report.notCommitted(error);
        }
        if (isLostCoordinator(error) && generation === this.#generation) this.#joinAnew(error, uncommitted);
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
    this.progress.rebalanceAnnounced();
  }

  #hasGap(fetched: FetchedRecords): boolean {
    const gap = this.#expected.gapBefore(fetched);
    if (gap !== undefined) this.#fail(gap);
    return gap !== undefined;
  }

  /** The client skips transaction markers itself. Uncommitted, they would be lag that nobody can work off. */
  async #passMarkers(bounds: ConsumerStartBatchProcessEvent['payload']): Promise<void> {
    if (bounds.batchSize > 0 || this.#interrupted) return;
    const { topic, partition } = bounds;
    const offset = this.#expected.pass(bounds);
    if (offset === undefined) return;
    await this.#commits.flush();
    await this.#consumer.commitOffsets([{ topic, partition, offset: String(offset) }]).catch(() => undefined);
  }

  #goOn(payload: EachBatchPayload, fetched: FetchedRecords, { nextOffset, waitsFor }: Applied): void {
    const { topic, partition, records, firstOffset, lastOffset } = fetched;
    const last = records.at(-1)?.offset ?? lastOffset;
    if (nextOffset < firstOffset || nextOffset > last + 1) {
      this.#fail(new Error(`nextOffset ${nextOffset} is outside the batch ${firstOffset} to ${last} of ${topic}`));
      return;
    }
    if (nextOffset === firstOffset) {
      this.progress.waits(fetched, waitsFor ?? 'the last attempt took nothing');
      if (!this.#interrupted) this.#pauses.pause(payload, this.#pauses.countAttempt(fetched));
      return;
    }
    // The last record may be followed by a transaction's marker, which no handler sees.
    const position = nextOffset === last + 1 ? lastOffset + 1 : nextOffset;
    this.#pauses.progressed(fetched);
    // Not during a seek(): the next batch begins where that points.
    if (!payload.isStale()) this.#expected.set(topic, partition, position);
    this.#commits.applied({ topic, partition, offset: position }, payload);
    this.#report.applied(fetched, nextOffset > last ? records.length : recordsBefore(records, nextOffset));
    payload.resolveOffset(String(position - 1));
  }

  /** The store may already have what a new group reads from the start: without this its lag would stay. */
  #skipTo(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#resumeAt(payload, offset);
    this.#commits.applied({ topic, partition, offset }, payload);
  }

  #resumeAt(payload: EachBatchPayload, offset: number): void {
    const { topic, partition } = payload.batch;
    this.#expected.set(topic, partition, offset);
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
    this.progress.waits(payload.batch, error.message);
    this.#report.paused(payload.batch, attempts, error);
  }
}

/** The number of an interrupted batch's records before an offset. */
function recordsBefore(records: readonly LogRecord[], offset: number): number {
  const left = records.findIndex((record) => record.offset >= offset);
  return left === -1 ? records.length : left;
}
