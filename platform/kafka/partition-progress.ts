import { REBALANCE_TIMEOUT_MS } from './consumer-options.ts';
import type { AppliedOffset } from './offset-commits.ts';
import { topicPartitionKey, type TopicPartition } from './topic-partition.ts';

/** The progress of one of this member's partitions; times by `performance.now()`. */
export interface Progress {
  /** When a part of it was last committed, or a first attempt at a batch was seen working; at first, the join. */
  readonly movedAtMs: number;
  /** Why it makes no progress, for people; undefined where unknown. */
  readonly reason: string | undefined;
  /** How long only other partitions have had batches in hand, since the start: nothing is fetched meanwhile. */
  readonly othersBusyMs: number;
}

interface State {
  movedAtMs: number;
  committed: number | undefined;
  /** The failure of the last attempt. */
  waitsFor: string | undefined;
  /** When the batch in hand began. */
  inHandSinceMs: number | undefined;
  /** How long batches of it were in hand before that. */
  busyMs: number;
}

/** The progress of one membership in a group, partition by partition: the source for judging whether it is stalled. */
export class PartitionProgress {
  readonly #states = new Map<string, State>();
  #joinedAtMs = performance.now();
  #commitFailure: string | undefined;
  /** Batches in hand. */
  #inHand = 0;
  /** When the first of them began. */
  #busySinceMs = 0;
  /** Before that. */
  #busyMs = 0;
  /** When the rebalance that has not ended yet was announced. */
  #rebalancingSinceMs: number | undefined;

  /**
   * True from the announcement of a rebalance to the next join, when no progress is expected; but no longer than the
   * group waits for its members. A join that takes longer is an outage: of the coordinator, or of all brokers that know
   * a new one.
   */
  get isRebalancing(): boolean {
    const sinceMs = this.#rebalancingSinceMs;
    return sinceMs !== undefined && performance.now() - sinceMs < REBALANCE_TIMEOUT_MS;
  }

  /** A new membership: the failures of the one before do not apply to it. */
  joined(): void {
    this.#states.clear();
    this.#commitFailure = undefined;
    this.#rebalancingSinceMs = undefined;
    this.#joinedAtMs = performance.now();
  }

  rebalanceAnnounced(): void {
    this.#rebalancingSinceMs ??= performance.now();
  }

  began(place: TopicPartition): void {
    this.#stateOf(place).inHandSinceMs = performance.now();
    if (this.#inHand === 0) this.#busySinceMs = performance.now();
    this.#inHand += 1;
  }

  ended(place: TopicPartition): void {
    const state = this.#stateOf(place);
    state.busyMs = busyMsOf(state);
    state.inHandSinceMs = undefined;
    this.#inHand -= 1;
    if (this.#inHand === 0) this.#busyMs += performance.now() - this.#busySinceMs;
  }

  /** A batch in hand makes progress. Not counted while attempts fail: repeating the same beginning leads nowhere. */
  worked(place: TopicPartition): void {
    const state = this.#stateOf(place);
    if (state.waitsFor === undefined) state.movedAtMs = performance.now();
  }

  /** An attempt failed or applied nothing. */
  waits(place: TopicPartition, reason: string): void {
    this.#stateOf(place).waitsFor = reason;
  }

  committed({ offset, ...place }: AppliedOffset): void {
    this.#commitFailure = undefined;
    const state = this.#stateOf(place);
    if (state.committed === offset) return;
    state.committed = offset;
    state.waitsFor = undefined;
    state.movedAtMs = performance.now();
  }

  commitFailed(error: Error): void {
    this.#commitFailure = `Kafka does not take the offsets: ${error.message}`;
  }

  of({ topic, partition }: TopicPartition): Progress {
    const state = this.#states.get(topicPartitionKey({ topic, partition })) ?? this.#newState();
    const { movedAtMs, waitsFor, inHandSinceMs } = state;
    const inHand = inHandSinceMs === undefined ? undefined : 'the batch in hand does not end';
    const busyMs = this.#busyMs + (this.#inHand === 0 ? 0 : performance.now() - this.#busySinceMs);
    const othersBusyMs = busyMs - busyMsOf(state);
    return { movedAtMs, reason: waitsFor ?? this.#commitFailure ?? inHand, othersBusyMs };
  }

  #stateOf(place: TopicPartition): State {
    const key = topicPartitionKey(place);
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = this.#newState()));
    return state;
  }

  #newState(): State {
    return {
      movedAtMs: this.#joinedAtMs,
      committed: undefined,
      waitsFor: undefined,
      inHandSinceMs: undefined,
      busyMs: 0,
    };
  }
}

function busyMsOf({ busyMs, inHandSinceMs }: State): number {
  return busyMs + (inHandSinceMs === undefined ? 0 : performance.now() - inHandSinceMs);
}
