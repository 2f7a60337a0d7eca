import { perTopic, type DerivedTopic } from '../contracts/topics.ts';
import { MerkleTree, type MerkleTreeState } from './merkle.ts';

/**
 * The Merkle tree of one output of a partition: leaf i stands for the event with sequence `firstSequence + i`, by its
 * hash. It grows with the log, so that any two of its roots can be proven consistent (RFC 6962, section 2.1).
 */
export interface LogTreeState extends MerkleTreeState {
  /** 0, or the sequence at which an engine that has such trees took over a log from one that had not. */
  readonly firstSequence: number;
}

export type LogTreesState = Readonly<Record<DerivedTopic, LogTreeState>>;

/** The trees of a partition's outputs. */
export class LogTrees {
  private readonly trees: Readonly<Record<DerivedTopic, MerkleTree>>;
  private readonly firstSequences: Readonly<Record<DerivedTopic, number>>;

  constructor(state: LogTreesState) {
    this.trees = perTopic((topic) => new MerkleTree(state[topic]));
    this.firstSequences = perTopic((topic) => state[topic].firstSequence);
  }

  /** @param hash - of the next event of that output: see `hashBody`. */
  append(topic: DerivedTopic, hash: Buffer): void {
    this.trees[topic].append(hash);
  }

  get roots(): Readonly<Record<DerivedTopic, string>> {
    return perTopic((topic) => this.trees[topic].root());
  }

  get sizes(): Readonly<Record<DerivedTopic, number>> {
    return perTopic((topic) => this.trees[topic].count);
  }

  toState(): LogTreesState {
    return perTopic((topic) => ({ firstSequence: this.firstSequences[topic], ...this.trees[topic].toState() }));
  }
}

/** Trees without events, at the outputs' next sequences. */
export function firstTrees(nextSequences: Readonly<Record<DerivedTopic, number>>): LogTreesState {
  return perTopic((topic) => ({ firstSequence: nextSequences[topic], count: 0, frontier: [] }));
}

/** At the beginning of a tape. */
export function emptyTrees(): LogTreesState {
  return firstTrees(perTopic(() => 0));
}
