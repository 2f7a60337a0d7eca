import type { AppliedOffset } from './offset-commits.ts';
import { topicPartitionKey, type TopicPartition } from './topic-partition.ts';

/** How a partition of this member stands, by `performance.now()`. */
export interface Progress {
  /** When something of it was committed, or a first attempt at a batch was seen at work; the join at the latest. */
  readonly movedAtMs: number;
  /** Why it does not move, for people; undefined where nothing is known. */
  readonly reason: string | undefined;
}

interface State {
  movedAtMs: number;
  committed: number | undefined;
  /** What the last attempt met. */
  waitsFor: string | undefined;
  isInHand: boolean;
}

/** What one membership in a group gets done, partition by partition: whoever judges whether it is stalled asks here. */
export class PartitionProgress {
  readonly #states = new Map<string, State>();
  #joinedAtMs = performance.now();
  #commitFailure: string | undefined;
  #isRebalancing = false;

  /** True from the announcement of a rebalance to the next join: nothing is expected to move. */
  get isRebalancing(): boolean {
    return this.#isRebalancing;
  }

  /** Another membership: what the one before met says nothing of it. */
  joined(): void {
    this.#states.clear();
    this.#commitFailure = undefined;
    this.#isRebalancing = false;
    this.#joinedAtMs = performance.now();
  }

  rebalanceAnnounced(): void {
    this.#isRebalancing = true;
  }

  began(place: TopicPartition): void {
    this.#stateOf(place).isInHand = true;
  }

  ended(place: TopicPartition): void {
    this.#stateOf(place).isInHand = false;
  }

  /** A batch in hand goes on. Not while attempts fail: the same beginning, again and again, leads nowhere. */
  worked(place: TopicPartition): void {
    const state = this.#stateOf(place);
    if (state.waitsFor === undefined) state.movedAtMs = performance.now();
  }

  /** An attempt failed or took nothing. */
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
    const { movedAtMs, waitsFor, isInHand } =
      this.#states.get(topicPartitionKey({ topic, partition })) ?? this.#newState();
    const inHand = isInHand ? 'the batch in hand does not end' : undefined;
    return { movedAtMs, reason: waitsFor ?? this.#commitFailure ?? inHand };
  }

  #stateOf(place: TopicPartition): State {
    const key = topicPartitionKey(place);
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = this.#newState()));
    return state;
  }

  #newState(): State {
    return { movedAtMs: this.#joinedAtMs, committed: undefined, waitsFor: undefined, isInHand: false };
  }
}
