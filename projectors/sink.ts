import type { DerivedTopic, TopicName } from '../contracts/topics.ts';
import type { EarlierChecks, NamedRoot, RootCheck } from './engine-roots.ts';
import type { ProjectedEvent } from './projector.ts';

/**
 * The port between the runner and a store. A store keeps, beside a projector's values and written together with them,
 * the position of each topic-partition: it resumes from there, never from the group's offsets.
 */

/** How far a topic-partition was read. */
export interface Position {
  readonly nextOffset: number;
  /** Sequence of the next event; stays 0 where events have none, as on the tape. */
  readonly nextSequence: number;
}

export const BEGINNING: Position = { nextOffset: 0, nextSequence: 0 };

export interface StoredPosition extends Position {
  readonly topic: string;
  readonly partition: number;
  readonly tapeId: string;
}

/** Records read, by fate: `read` is always the sum of the others. */
export interface Counts {
  readonly read: number;
  readonly applied: number;
  /** Already had its effect. */
  readonly duplicate: number;
  /** Claims an identity or a place that has other bytes. */
  readonly conflict: number;
  /** Could not be decoded: a dead letter. */
  readonly dead: number;
  /** Has no effect in this read model. */
  readonly ignored: number;
}

export interface LedgerEntry extends Counts {
  readonly topic: string;
  readonly partition: number;
}

/** A record and the projector's output for it. */
export interface ProjectedRecord<Output> {
  readonly offset: number;
  /** In order; never empty. */
  readonly output: readonly Output[];
}

/** A run of one partition's records, judged by the sequence check. */
export interface SinkBatch<Output> {
  readonly topic: TopicName;
  readonly partition: number;
  /** The position that the store must have. */
  readonly from: Position;
  /** Its position afterwards. */
  readonly to: Position;
  /** Admitted records, in log order. */
  readonly admitted: readonly ProjectedRecord<Output>[];
  /** Further admitted ones, in the sink's own form: see `pack`. */
  readonly packed?: Pack<Output> | undefined;
  /** Records below the sequence check: they may only be compared. */
  readonly repeated: readonly ProjectedRecord<Output>[];
  readonly dead: number;
  readonly ignored: number;
}

/** Admitted records on their way to a store, in the store's own form. */
export interface Pack<Output> {
  readonly records: number;
  add(record: ProjectedRecord<Output>): void;
  /** Adds an event's record by copying its fields; false where it has to be projected and added. */
  copy?(source: ProjectedEvent): boolean;
}

export type Application =
  | { readonly kind: 'applied'; readonly counts: Counts }
  /** The store has another position, nothing was written: continue from there. */
  | { readonly kind: 'moved'; readonly position: Position }
  /** A rebuild is comparing: nothing was written, retry shortly. */
  | { readonly kind: 'frozen' }
  /** Packed records must be new, but one is already stored: nothing was written, retry without packing. */
  | { readonly kind: 'collided' }
  /** Another generation replaced this one: nothing was written. */
  | { readonly kind: 'superseded' };

/** The stored events of a generation, beside which it keeps what the engine's anchors say of them. */
export interface RootStore {
  /** The outputs that it has whole. */
  readonly outputs: readonly DerivedTopic[];
  /** Log offset in `engine.anchors` of the first anchor that may not be compared yet. @throws TapeproofError UNREACHABLE */
  nextAnchor(topic: DerivedTopic, partition: number): Promise<number>;
  /** The comparison with an anchor (hash of its manifest, hex). @throws TapeproofError UNREACHABLE */
  checkOf(topic: DerivedTopic, partition: number, anchorHash: string): Promise<RootCheck | undefined>;
  /** What a comparison goes on from. @throws TapeproofError UNREACHABLE */
  earlier(named: NamedRoot): Promise<EarlierChecks>;
  /** The stored events `[from, to)`, in order of their sequence. @throws TapeproofError UNREACHABLE */
  hashes(
    topic: DerivedTopic,
    partition: number,
    from: number,
    to: number,
  ): AsyncIterable<readonly { readonly sequence: number; readonly hash: Buffer }[]>;
  /** Replaces an earlier comparison with the same anchor. @throws TapeproofError UNREACHABLE */
  keep(check: RootCheck): Promise<void>;
  /** All comparisons so far, summed up. @throws TapeproofError UNREACHABLE */
  held(): Promise<readonly HeldOutput[]>;
}

/** One generation of a read model, for writing. */
export interface Sink<Output> {
  readonly generation: number;
  /** Absent where it has no output whole. */
  readonly roots?: RootStore;
  /** @throws TapeproofError FOREIGN_TAPE when the position belongs to another tape; UNREACHABLE. */
  position(topic: TopicName, partition: number): Promise<Position>;
  /** An empty pack. Absent where packing has no advantage. */
  pack?(): Pack<Output>;
  /** Positions and values change together or not at all. @throws TapeproofError UNREACHABLE */
  apply(sinkBatch: SinkBatch<Output>): Promise<Application>;
}

/** A generation being built beside the live one. */
export interface Shadow<Output> extends Sink<Output> {
  /** The generation to be replaced. */
  readonly live: number;
  /** The live generation's positions, another tape's included. */
  livePositions(): Promise<readonly StoredPosition[]>;
  /**
   * Says that the first pass has a topic's records: what comes from no other topic may be prepared for `finishLoad`,
   * while the others are loaded. Absent where there is nothing to prepare.
   */
  loaded?(topic: TopicName): void;
  /**
   * After the first pass: builds the keys and indexes that are left, which is cheaper in bulk, and settles deferred comparisons. False
   * where two records that passed the sequence check share a key: only a load with `keysFirst` can decide which one
   * counts.
   */
  finishLoad(): Promise<boolean>;
  /** Holds the writers of the live generation until `release`, the swap, or the end of this process. */
  freeze(): Promise<void>;
  release(): Promise<void>;
  /** Compares the two generations, ledgers aside; empty when equal. */
  differences(): Promise<readonly Difference[]>;
  /** Replaces the live generation with this one, atomically. @throws TapeproofError when another rebuild took over. */
  swap(): Promise<void>;
}

export interface Difference {
  /** Name of the table, or `values`. */
  readonly subject: string;
  readonly liveCount: number;
  readonly shadowCount: number;
  /** The key of the first difference, in byte order; undefined where the two cannot be compared. */
  readonly first: string | undefined;
}

/** A projector's store. */
export interface ReadModel<Output> {
  /** The live generation; created where there is none. */
  open(tapeId: string): Promise<Sink<Output>>;
  /**
   * A new, empty generation; remains of unfinished rebuilds and older generations are dropped.
   *
   * @param keysFirst loads more slowly, and resolves shared keys at once.
   */
  beginRebuild(tapeId: string, keysFirst: boolean): Promise<Shadow<Output>>;
  /** The stored status, for people and monitoring; undefined where there is no generation yet. */
  status(): Promise<ReadModelStatus | undefined>;
  /** Why the store may lose data, in a sentence; undefined where it does not. Absent for a store that never does. */
  hazard?(): Promise<string | undefined>;
  /** Takes a second or two at most; hanging calls then fail. */
  close(): Promise<void>;
}

/** How far the stored events of one output are held to the engine's roots. */
export interface HeldOutput {
  readonly topic: string;
  readonly partition: number;
  /** Sequence after the last event that an agreeing root covers. */
  readonly heldTo: number;
  /** Anchors by their comparison: see {@link RootCheck}. */
  readonly agreeing: number;
  readonly differing: number;
  readonly awaited: number;
  /** What is wrong, of the differing one with the fewest events, or else of an awaited one. */
  readonly difference: string | null;
}

export interface ReadModelStatus {
  readonly generation: number;
  readonly positions: readonly StoredPosition[];
  readonly ledger: readonly LedgerEntry[];
}
