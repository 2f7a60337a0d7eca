import { EMPTY_ROOT, leafHash, nodeHash, type BinaryText } from '../../evaluators/merkle.ts';
import { HASH_BYTES } from './encoding.ts';

/**
 * The end of a Merkle tree (RFC 6962): from the frontier at one size and the leaves after it, the root at any later
 * size, and proofs about the leaves after it. It holds two hashes for each of these leaves.
 *
 * The complete subtrees of 2^h leaves are level h; those that end before the window exist only in the frontier. A
 * frontier has a subtree of level h exactly where the size has bit h, and each later subtree's left child is in the
 * frontier or in the window. So a level begins at the even position at or before the window's first leaf.
 */
export class TreeWindow {
  /** The leaves before the window. */
  readonly firstSize: number;
  readonly #levels: Level[] = [];
  #size: number;

  /**
   * @param firstSize - leaves of the tree before the window.
   * @param frontier - roots of the complete subtrees at that size, the largest first; 32 bytes each.
   * @param eventHashes - what the leaves from `firstSize` on stand for; 32 bytes each.
   * @throws RangeError when the frontier is not one of that size.
   */
  constructor(firstSize: number, frontier: readonly Buffer[], eventHashes: Iterable<Buffer> = []) {
    if (!Number.isSafeInteger(firstSize) || firstSize < 0) throw new RangeError(`${firstSize} is not a size`);
    this.firstSize = firstSize;
    this.#size = firstSize;
    const smallestFirst = frontier.toReversed();
    for (const height of heightsOf(firstSize)) {
      const root = smallestFirst.shift();
      if (root?.length !== HASH_BYTES)
        throw new RangeError(`this is not the frontier of a tree of ${firstSize} leaves`);
      this.#level(height).hashes.push(root.toString('binary'));
    }
    if (smallestFirst.length > 0) throw new RangeError(`this is not the frontier of a tree of ${firstSize} leaves`);
    for (const eventHash of eventHashes) this.append(eventHash);
  }

  /** Leaves of the whole tree. */
  get size(): number {
    return this.#size;
  }

  /** @param eventHash - what the leaf stands for: 32 bytes. */
  append(eventHash: Buffer): void {
    let hash = leafHash(eventHash);
    this.#level(0).hashes.push(hash);
    // Each trailing 1 bit of the size is a subtree that this leaf completes into a greater one.
    let height = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      hash = nodeHash(this.#subtree(height, rest - 1), hash);
      height += 1;
      this.#level(height).hashes.push(hash);
    }
    this.#size += 1;
  }

  /** The hash of a leaf of the window. */
  leafHash(index: number): Buffer {
    this.#assertIn(index, this.#size - 1, 'index');
    return bytesOf(this.#subtree(0, index));
  }

  /** Whether a leaf of the window stands for an event. @param eventHash - 32 bytes. */
  isLeaf(index: number, eventHash: Buffer): boolean {
    return this.leafHash(index).toString('binary') === leafHash(eventHash);
  }

  /** Roots of the complete subtrees at a size from `firstSize` on, the largest first. */
  frontierAt(size: number): readonly Buffer[] {
    this.#assertIn(size, this.#size, 'size');
    return this.#frontier(size).map(bytesOf);
  }

  /** @param size - from `firstSize` on. */
  rootAt(size: number): Buffer {
    this.#assertIn(size, this.#size, 'size');
    const root = this.#frontier(size).reduceRight<BinaryText | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(left, right)),
      undefined,
    );
    return root === undefined ? Buffer.from(EMPTY_ROOT, 'hex') : bytesOf(root);
  }

  /**
   * Proves that the tree of `size` leaves has the leaf at `index`: the hashes from its sibling up to a child of the root.
   *
   * @param index - from `firstSize` on.
   */
  inclusionProof(index: number, size: number): readonly Buffer[] {
    this.#assertIn(size, this.#size, 'size');
    this.#assertIn(index, size - 1, 'index');
    return this.#path(index, 0, size).map(bytesOf);
  }

  /**
   * Proves that the tree of `newSize` leaves continues that of `oldSize`.
   *
   * @param oldSize - 0 (nothing to prove), or from `firstSize` on.
   */
  consistencyProof(oldSize: number, newSize: number): readonly Buffer[] {
    this.#assertIn(newSize, this.#size, 'size');
    if (oldSize === 0) return [];
    this.#assertIn(oldSize, newSize, 'size');
    return this.#subproof(oldSize, 0, newSize, true).map(bytesOf);
  }

  #assertIn(value: number, max: number, what: string): void {
    if (Number.isSafeInteger(value) && value >= this.firstSize && value <= max) return;
    throw new RangeError(`the ${what} ${value} is not in this window, which has ${this.firstSize} to ${max}`);
  }

  #frontier(size: number): BinaryText[] {
    return heightsOf(size)
      .map((height) => this.#subtree(height, Math.floor(size / 2 ** height) - 1))
      .reverse();
  }

  /** RFC 6962's PATH over the leaves from `start` to before `end`. */
  #path(index: number, start: number, end: number): BinaryText[] {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...this.#path(index, start, middle), this.#hash(middle, end)]
      : [...this.#path(index, middle, end), this.#hash(start, middle)];
  }

  /** RFC 6962's SUBPROOF over the leaves from `start` to before `end`. @param isRoot - the old root is known. */
  #subproof(oldSize: number, start: number, end: number, isRoot: boolean): BinaryText[] {
    if (oldSize === end) return isRoot ? [] : [this.#hash(start, end)];
    const middle = start + splitOf(end - start);
    return oldSize <= middle
      ? [...this.#subproof(oldSize, start, middle, isRoot), this.#hash(middle, end)]
      : [...this.#subproof(oldSize, middle, end, false), this.#hash(start, middle)];
  }

  /** RFC 6962's MTH of the leaves from `start` to before `end`. */
  #hash(start: number, end: number): BinaryText {
    const leaves = end - start;
    const split = splitOf(leaves);
    if (2 * split === leaves || leaves === 1) return this.#subtree(Math.log2(leaves), start / leaves);
    return nodeHash(this.#hash(start, start + split), this.#hash(start + split, end));
  }

  #level(height: number): Level {
    while (this.#levels.length <= height) {
      const position = Math.floor(this.firstSize / 2 ** this.#levels.length);
      this.#levels.push({ first: position - (position % 2), hashes: [] });
    }
    const level = this.#levels[height];
    if (level === undefined) throw new RangeError(`the tree has no level ${height}`);
    return level;
  }

  /** The root of the complete subtree at a position of a level. */
  #subtree(height: number, position: number): BinaryText {
    const { first, hashes } = this.#level(height);
    const hash = hashes[position - first];
    if (hash === undefined) throw new RangeError(`subtree ${position} of level ${height} is not in this window`);
    return hash;
  }
}

/** Complete subtrees of one height, in order. */
interface Level {
  /** Position of the first one in the level. */
  readonly first: number;
  readonly hashes: BinaryText[];
}

/** The heights of the complete subtrees of a tree, the smallest first: the 1 bits of its size. */
function heightsOf(size: number): number[] {
  const heights: number[] = [];
  for (let rest = size, height = 0; rest > 0; rest = Math.floor(rest / 2), height += 1) {
    if (rest % 2 === 1) heights.push(height);
  }
  return heights;
}

/** The greatest power of two below a number of leaves; 1 for one leaf. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

function bytesOf(hash: BinaryText): Buffer {
  return Buffer.from(hash, 'binary');
}
