import { TreeWindow } from '../tlog/tree-window.ts';

/** A place in a log from which it can be followed: all that a checkpoint keeps of the records before it. */
export interface LogPlace {
  /** Sequence of the first leaf's event; for the tape, the offset of its record. */
  readonly firstSequence: number;
  /** Leaves so far. */
  readonly size: number;
  /** Roots of the complete subtrees of these leaves, the largest first; 32 bytes each. */
  readonly frontier: readonly Buffer[];
  /** Log offset of the next record. */
  readonly logOffset: number;
}

/** A record that belongs to a log. */
export interface Leaf {
  /** Of the record in its log. */
  readonly offset: number;
  /** Undefined for a record of the tape: each is a leaf. */
  readonly sequence: number | undefined;
  /** 32 bytes: see `hashWritten`. */
  readonly hash: Buffer;
}

/** The root that the engine names for a size of its output. */
export interface NamedRoot {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** Tape offset of the anchor that names it. */
  readonly anchorOffset: number;
}

/**
 * One log while it is read: its Merkle tree from a place on, with each record held to its sequence and each of the
 * engine's roots to the tree. The first difference is final: nothing after it can be signed.
 */
export class FollowedLog {
  readonly topic: string;
  readonly partition: number;
  readonly firstSequence: number;
  #window: TreeWindow;
  #logOffset: number;
  #difference: string | undefined;
  #duplicates = 0;
  #unverifiedDuplicates = 0;
  /** By size. */
  readonly #awaited: { readonly size: number; readonly root: string; readonly otherwise: string }[] = [];

  constructor(topic: string, partition: number, { firstSequence, size, frontier, logOffset }: LogPlace) {
    this.topic = topic;
    this.partition = partition;
    this.firstSequence = firstSequence;
    this.#window = new TreeWindow(size, frontier);
    this.#logOffset = logOffset;
  }

  get size(): number {
    return this.#window.size;
  }

  /** Proofs about the leaves since the last {@link forget}. */
  get window(): TreeWindow {
    return this.#window;
  }

  /** Log offset of the next record. */
  get logOffset(): number {
    return this.#logOffset;
  }

  /** What is wrong with this log, one sentence; undefined while nothing is. */
  get difference(): string | undefined {
    return this.#difference;
  }

  /** Events that were there before with the same bytes, as a process that was replaced may leave them. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Repeated events from before the window, whose bytes are not at hand to compare. */
  get unverifiedDuplicates(): number {
    return this.#unverifiedDuplicates;
  }

  /** Where the log stands. */
  get place(): LogPlace {
    const { size } = this.#window;
    const frontier = this.#window.frontierAt(size);
    return { firstSequence: this.firstSequence, size, frontier, logOffset: this.#logOffset };
  }

  get root(): Buffer {
    return this.#window.rootAt(this.#window.size);
  }

  /** Passes a record that does not belong to the log. */
  passOver(offset: number): void {
    this.#logOffset = offset + 1;
  }

  /** Takes the next record. */
  take({ offset, sequence, hash }: Leaf): void {
    if (this.#difference !== undefined) return;
    const index = sequence === undefined ? this.size : sequence - this.firstSequence;
    // Events from before the engine had trees belong to no tree.
    if (index === this.size) {
      this.#window.append(hash);
      this.#check();
    } else if (index > this.size) {
      this.differ(`sequence ${this.firstSequence + this.size} is missing before log offset ${offset}`);
      return;
    } else if (index >= 0) this.#repeated(index, hash, offset);
    this.#logOffset = offset + 1;
  }

  /** Holds the tree to a root of the engine, now or when it has grown to that size. */
  holdTo({ size, root, anchorOffset }: NamedRoot): void {
    this.#hold(
      size,
      root,
      `its first ${size} events are not those of the engine's anchor at tape offset ${anchorOffset}`,
    );
  }

  /** Holds the tree to a head that was signed. */
  holdToSigned({ size, root }: Pick<NamedRoot, 'size' | 'root'>): void {
    this.#hold(size, root, `its first ${size} records are not those that were signed`);
  }

  /** Notes what is wrong with the log; the first one stays. @param what - without the log's name. */
  differ(what: string): void {
    this.#difference ??= `${this.topic}-${this.partition}: ${what}`;
  }

  #hold(size: number, root: string, otherwise: string): void {
    if (size < this.#window.firstSize) return;
    const place = this.#awaited.findLastIndex((awaited) => awaited.size <= size);
    this.#awaited.splice(place + 1, 0, { size, root, otherwise });
    this.#check();
  }

  /** Forgets the leaves so far, keeping the frontier. */
  forget(): void {
    const { size, frontier } = this.place;
    this.#window = new TreeWindow(size, frontier);
  }

  #repeated(index: number, hash: Buffer, offset: number): void {
    if (index < this.#window.firstSize) {
      this.#unverifiedDuplicates += 1;
      return;
    }
    this.#duplicates += 1;
    if (this.#window.isLeaf(index, hash)) return;
    this.differ(`log offset ${offset} repeats sequence ${this.firstSequence + index} with other bytes`);
  }

  #check(): void {
    for (let due = this.#awaited[0]; due !== undefined && due.size <= this.size; due = this.#awaited[0]) {
      this.#awaited.shift();
      if (this.#window.rootAt(due.size).toString('hex') !== due.root) this.differ(due.otherwise);
    }
  }
}
