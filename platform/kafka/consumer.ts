import type { Consumer, ConsumerGroupJoinEvent, ConsumerStartBatchProcessEvent, Kafka } from 'kafkajs';
import { counted } from '../counted.ts';
import { withDeadline } from '../deadline.ts';
import type { Log } from '../log.ts';
import { noTelemetry, type Telemetry } from '../telemetry.ts';
import { without, type Assignment } from './assignment.ts';
import { BatchDelivery, type Membership } from './batch-delivery.ts';
import { kafkaUnreachable } from './client.ts';
import { refuseLostRecords, type Remedy } from './committed-offsets.ts';
import { consumerOptions } from './consumer-options.ts';
import { ConsumerTelemetry } from './consumer-telemetry.ts';
import { isLostCoordinator, isMissingCoordinator, isRebalance, lostCoordinator, plain } from './consumer-errors.ts';
import { dismissDeadMembers } from './dead-members.ts';
import { ExpectedOffsets } from './expected-offsets.ts';
import { readWholeBatches } from './fetch-response.ts';
import { OffsetCommits, type AppliedOffset } from './offset-commits.ts';
import type { BatchResult, PartitionBatch } from './partition-batch.ts';
import { PartitionPauses } from './partition-pauses.ts';
import { PartitionProgress } from './partition-progress.ts';
import { endStoppedFetchers } from './stopped-fetchers.ts';

export type { Assignment } from './assignment.ts';

/** stop() = both: the first join must be over before a member can leave without becoming a ghost. */
const JOIN_DEADLINE_MS = 4_000;
/** Before the client is started again where it does not do so itself. */
export const RUN_AGAIN_DELAY_MS = 1_000;
const LEAVE_DEADLINE_MS = 5_500;

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
   * Applies a batch. TapeproofErrors stop the consumer permanently, except transient ones (`isPassing` of platform/errors.ts). These,
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
  const { kafka, groupId, topics, offsetsAreHints = false, remedy, log } = settings;
  if (!offsetsAreHints) await refuseLostRecords(kafka, groupId, topics, remedy);
  const dead = await dismissDeadMembers(kafka, groupId).catch((error: unknown) => {
    log.debug({ error: plain(error) }, `Group ${groupId} waits for members that were killed`);
    return [];
  });
  if (dead.length > 0) {
    const sentence = `Had ${counted(dead.length, 'member')} leave group ${groupId}: killed on this machine`;
    log.event('dead-members-left', sentence, { 'tapeproof.group': groupId });
  }
  await readWholeBatches();
  endStoppedFetchers();
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
  readonly #delivery: BatchDelivery;

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
    this.#delivery = new BatchDelivery((batch) => settings.handle(batch), this.#membership());
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
   * are not committed are fetched again, so that there is a batch. Stopping and starting its consumer would do the same, and
   * have the others give up their partitions once more.
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
        eachBatch: (payload) => this.#delivery.deliver(payload),
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

  /** This membership as the delivery of batches sees it. */
  #membership(): Membership {
    const generation = () => this.#generation;
    const rebalance = () => this.#rebalance;
    const isInterrupted = () => this.#interrupted;
    const commits = () => this.#commits;
    return {
      ...{ report: this.#report, progress: this.progress, expected: this.#expected, pauses: this.#pauses },
      get generation() {
        return generation();
      },
      get rebalance() {
        return rebalance();
      },
      get isInterrupted() {
        return isInterrupted();
      },
      get commits() {
        return commits();
      },
      fail: (error) => {
        this.#fail(error);
      },
      missed: (error, of) => {
        this.#onMembershipError(error, of);
      },
      seek: ({ topic, partition, offset }) => {
        this.#consumer.seek({ topic, partition, offset: String(offset) });
      },
    };
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

  /** The client skips transaction markers itself. Uncommitted, they would be lag that nobody can work off. */
  async #passMarkers(bounds: ConsumerStartBatchProcessEvent['payload']): Promise<void> {
    if (bounds.batchSize > 0 || this.#interrupted) return;
    const { topic, partition } = bounds;
    const offset = this.#expected.pass(bounds);
    if (offset === undefined) return;
    await this.#commits.flush();
    await this.#consumer.commitOffsets([{ topic, partition, offset: String(offset) }]).catch(() => undefined);
  }
}
