import type { TopicName } from '../contracts/topics.ts';

/**
 * The port between the runner and a store. A store keeps, beside a projector's values and written together with them,
 * how far each topic and partition was read: it resumes from there, never from the group's offsets.
 */

/** How far a topic's partition was read. */
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

/** What became of the records read: `read` is always the sum of the others. */
export interface Counts {
  readonly read: number;
  readonly applied: number;
  /** Had its effect before. */
  readonly duplicate: number;
  /** Claims an identity or a place that other bytes have. */
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

/** A record and what the projector made of it. */
export interface ProjectedRecord<Output> {
  readonly offset: number;
  /** In order; never empty. */
  readonly output: readonly Output[];
}

/** A run of records of one partition, decided on by the sequence check. */
export interface SinkBatch<Output> {
  readonly topic: TopicName;
  readonly partition: number;
  /** Where the store must stand. */
  readonly from: Position;
  /** Where it stands afterwards. */
  readonly to: Position;
  /** Records whose turn it is, in the order of the log. */
  readonly admitted: readonly ProjectedRecord<Output>[];
  /** Further ones, in a form of the sink's own: see `pack`. */
  readonly packed?: Pack<Output> | undefined;
  /** Records below the sequence check: they may only be compared. */
  readonly repeated: readonly ProjectedRecord<Output>[];
  readonly dead: number;
  readonly ignored: number;
}

/** Admitted records on their way to a store, in a form of its own. */
export interface Pack<Output> {
  readonly records: number;
  add(record: ProjectedRecord<Output>): void;
}

export type Application =
  | { readonly kind: 'applied'; readonly counts: Counts }
  /** The store stands elsewhere, nothing was written: go on from there. */
  | { readonly kind: 'moved'; readonly position: Position }
  /** A rebuild compares: nothing was written, try again in a moment. */
  | { readonly kind: 'frozen' }
  /** Packed records are taken to be new, and one is there already: nothing was written, try again with none packed. */
  | { readonly kind: 'collided' }
  /** Another generation took this one's place: nothing was written. */
  | { readonly kind: 'superseded' };

/** One generation of a read model, to be written. */
export interface Sink<Output> {
  readonly generation: number;
  /** @throws TapeproofError FOREIGN_TAPE when the position belongs to another tape; UNREACHABLE. */
  position(topic: TopicName, partition: number): Promise<Position>;
  /** An empty pack. Absent where records as objects are as good. */
  pack?(): Pack<Output>;
  /** Positions and values change together or not at all. @throws TapeproofError UNREACHABLE */
  apply(sinkBatch: SinkBatch<Output>): Promise<Application>;
}

/** A generation being built beside the live one. */
export interface Shadow<Output> extends Sink<Output> {
  /** The generation to be replaced. */
  readonly live: number;
  /** What the live generation has read; another tape's positions included. */
  livePositions(): Promise<readonly StoredPosition[]>;
  /**
   * After the first pass: builds what is cheaper to build at once, and settles what was put off. False where two records
   * that passed the sequence check have one key: only a load with `keysFirst` can tell which one counts.
   */
  finishLoad(): Promise<boolean>;
  /** Holds the writers of the live generation until `release`, the swap, or the end of this process. */
  freeze(): Promise<void>;
  release(): Promise<void>;
  /** Compares the two generations, ledgers aside; empty when equal. */
  differences(): Promise<readonly Difference[]>;
  /** Puts this generation in the live one's place, in one step. @throws TapeproofError when another rebuild took over. */
  swap(): Promise<void>;
}

export interface Difference {
  /** Name of the table, or `values`. */
  readonly subject: string;
  readonly liveCount: number;
  readonly shadowCount: number;
  /** Key of the first one that differs, in byte order; undefined where the two cannot be compared. */
  readonly first: string | undefined;
}

/** A projector's store. */
export interface ReadModel<Output> {
  /** The live generation; the first one is made where there is none. */
  open(tapeId: string): Promise<Sink<Output>>;
  /**
   * A new, empty generation; what unfinished rebuilds and older generations left is dropped.
   *
   * @param keysFirst loads more slowly, and sorts out at once what has one key.
   */
  beginRebuild(tapeId: string, keysFirst: boolean): Promise<Shadow<Output>>;
  /** As stored, for people and for watching; undefined where there is no generation yet. */
  status(): Promise<ReadModelStatus | undefined>;
  /** Why the store may lose what it holds, in a sentence; undefined where it does not. Absent for a store that never does. */
  hazard?(): Promise<string | undefined>;
  /** Within a second or two, also where calls hang: those fail. */
  close(): Promise<void>;
}

export interface ReadModelStatus {
  readonly generation: number;
  readonly positions: readonly StoredPosition[];
  readonly ledger: readonly LedgerEntry[];
}
