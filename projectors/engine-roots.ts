import type { EngineAnchor } from '../contracts/generated/events.ts';
import type { DerivedTopic } from '../contracts/topics.ts';
import { MerkleTree } from '../evaluators/merkle.ts';

/**
 * Holding stored events to the engine's roots: an anchor names the Merkle root of an output's events, and the same root
 * follows from the hashes that are stored beside the rows, unless somebody else wrote an event, or one is missing.
 */

/** Counts for an event that is not stored: no event has this hash, so that no root after it is the engine's. */
const MISSING_EVENT = Buffer.alloc(32);

/** The root that an anchor names for one output of its partition. */
export interface NamedRoot {
  readonly topic: DerivedTopic;
  readonly partition: number;
  /** The root is over the events `[firstSequence, nextSequence)`. */
  readonly firstSequence: number;
  readonly nextSequence: number;
  /** Hex. */
  readonly root: string;
  readonly anchor: AnchorPlace;
}

export interface AnchorPlace {
  /** Of the manifest, hex. */
  readonly hash: string;
  readonly previousHash: string | null;
  /** Of the manifest in `engine.anchors`. */
  readonly logOffset: number;
  readonly tapeOffset: number;
}

/** A finished comparison. */
export interface RootCheck extends Omit<NamedRoot, 'anchor'> {
  readonly anchor: Omit<AnchorPlace, 'previousHash'>;
  /** The first event since the anchor before: where the roots differ, `[fromSequence, nextSequence)` is in doubt. */
  readonly fromSequence: number;
  /** `awaits`: not all of these events exist, and the anchor is compared again once they do. */
  readonly result: 'agrees' | 'differs' | 'awaits';
  /** Of the stored rows, hex; undefined where they were not compared. */
  readonly storedRoot: string | undefined;
  /** Of the stored rows: see {@link MerkleTree}. */
  readonly frontier: readonly string[];
  /** What is wrong, in words; undefined where the roots are equal. */
  readonly difference: string | undefined;
}

/** What earlier comparisons of this output found that the next one needs. */
export interface EarlierChecks {
  /** Of the same tree, the one with the most events that are among those of the new root. */
  readonly base: RootCheck | undefined;
  /** Of the anchor that the new one names as its previous one. */
  readonly predecessor: RootCheck | undefined;
  /** Whether the events of some root that was compared end where the new tree begins. */
  readonly endsAtBeginning: boolean;
}

/**
 * What an anchor names for an output; undefined where it names nothing. The trees of engine versions 1 to 4 begin anew at
 * each anchor, later ones grow with the log.
 */
export function namedRootOf(
  topic: DerivedTopic,
  { tape, nextSequence, treeRoots, treeSizes, windowRoots, windowCounts, previousAnchorHash }: EngineAnchor,
  { hash, logOffset }: Pick<AnchorPlace, 'hash' | 'logOffset'>,
): NamedRoot | undefined {
  const [next, count, root] = [
    nextSequence[topic],
    treeSizes[topic] ?? windowCounts[topic],
    treeRoots[topic] ?? windowRoots[topic],
  ];
  if (next === undefined || count === undefined || root === undefined) return undefined;
  const anchor = { hash, previousHash: previousAnchorHash, logOffset, tapeOffset: tape.offset };
  return { topic, partition: tape.partition, firstSequence: next - count, nextSequence: next, root, anchor };
}

/** One comparison, fed with the stored rows from {@link fromSequence} on. */
export class RootComparison {
  readonly #named: NamedRoot;
  readonly #earlier: EarlierChecks;
  readonly #tree: MerkleTree;
  #next: number;
  #missing = 0;
  /** What is wrong with the rows, whatever their root is. */
  #flaw: string | undefined;

  constructor(named: NamedRoot, earlier: EarlierChecks) {
    this.#named = named;
    this.#earlier = earlier;
    const { firstSequence } = named;
    const { nextSequence: next = firstSequence, frontier = [] } = earlier.base ?? {};
    this.#tree = new MerkleTree({ count: next - firstSequence, frontier });
    this.#next = next;
  }

  /**
   * Why the anchor cannot be the engine's, whatever is stored. Reading the rows of a tree that anybody may let begin
   * anywhere would cost the whole log each time.
   */
  get refusal(): string | undefined {
    const { firstSequence, nextSequence } = this.#named;
    if (firstSequence < 0 || nextSequence < firstSequence) return 'it names a tree of less than no events';
    if (firstSequence === 0 || this.#earlier.endsAtBeginning) return undefined;
    return `its tree begins at sequence ${firstSequence}, where no anchor before it ends`;
  }

  /** The first row that is needed. */
  get fromSequence(): number {
    return this.#next;
  }

  /** Takes a stored row; they come in order of their sequence. */
  take(sequence: number, hash: Buffer): void {
    if (sequence < this.#next) {
      this.#flaw ??= `sequence ${sequence} is stored twice`;
      return;
    }
    this.#passOver(sequence);
    this.#tree.append(hash);
    this.#next = sequence + 1;
  }

  /** After the last row. */
  result(): RootCheck {
    this.#passOver(this.#named.nextSequence);
    const storedRoot = this.#tree.root();
    const { frontier } = this.#tree.toState();
    const isEqual = storedRoot === this.#named.root && this.#flaw === undefined;
    const missing = this.#missing > 1 ? `, and ${this.#missing - 1} more` : '';
    const difference = isEqual ? undefined : (this.#flaw ?? 'the stored events have another root') + missing;
    return this.#checked({ result: isEqual ? 'agrees' : 'differs', storedRoot, frontier, difference });
  }

  /** For an anchor that cannot be the engine's. */
  refused(reason: string): RootCheck {
    return this.#checked({ result: 'differs', storedRoot: undefined, frontier: [], difference: reason });
  }

  /** For an anchor that names events which do not exist, yet or any more. @param applied - sequence of the next event */
  awaiting(applied: number): RootCheck {
    const missing = this.#named.nextSequence - applied;
    const difference = `${missing} of its events do not exist, the first with sequence ${applied}`;
    return this.#checked({ result: 'awaits', storedRoot: undefined, frontier: [], difference });
  }

  #checked(found: Pick<RootCheck, 'result' | 'storedRoot' | 'frontier' | 'difference'>): RootCheck {
    const { anchor, ...named } = this.#named;
    const { hash, logOffset, tapeOffset } = anchor;
    const since = this.#earlier.predecessor?.nextSequence ?? named.firstSequence;
    const fromSequence = Math.max(named.firstSequence, Math.min(since, named.nextSequence));
    return { ...named, fromSequence, anchor: { hash, logOffset, tapeOffset }, ...found };
  }

  #passOver(sequence: number): void {
    if (sequence > this.#next) this.#flaw ??= `sequence ${this.#next} is not stored`;
    for (; this.#next < sequence; this.#next += 1) {
      this.#tree.append(MISSING_EVENT);
      this.#missing += 1;
    }
  }
}
