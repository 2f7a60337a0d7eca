import { hash } from 'node:crypto';

const LEAF = 0;
const NODE = 1;
const HASH_BYTES = 32;
const HASH_TEXT = /^[0-9a-f]{64}$/;

/** Root of no leaves: SHA-256 of nothing, hex. */
export const EMPTY_ROOT = hash('sha256', '');

const leafBytes = Buffer.alloc(1 + HASH_BYTES, LEAF);
const nodeBytes = Buffer.alloc(1 + 2 * HASH_BYTES, NODE);

/** A hash as text, one character for each byte: Node takes longer to allocate a buffer than to hash. */
export type BinaryText = string;

/** SHA-256 of 0x00 ‖ the hash that the leaf represents (32 bytes). */
export function leafHash(data: Buffer): BinaryText {
  if (data.length !== HASH_BYTES) throw new RangeError(`a leaf represents a hash of ${HASH_BYTES} bytes`);
  data.copy(leafBytes, 1);
  return hash('sha256', leafBytes, 'binary');
}

/** SHA-256 of 0x01 ‖ left ‖ right. */
export function nodeHash(left: BinaryText, right: BinaryText): BinaryText {
  nodeBytes.write(left, 1, 'binary');
  nodeBytes.write(right, 1 + HASH_BYTES, 'binary');
  return hash('sha256', nodeBytes, 'binary');
}

/** State of a {@link MerkleTree}. */
export interface MerkleTreeState {
  readonly count: number;
  /** Its frontier: the roots of its complete subtrees, hex, the largest first. */
  readonly frontier: readonly string[];
}

/**
 * A Merkle tree that is only appended to, as in RFC 6962 (leaves and nodes are hashed with different prefixes, so that a
 * node can never pass for a leaf). It holds the roots of its complete subtrees: O(log n) hashes.
 */
export class MerkleTree {
  private readonly subtrees: BinaryText[];
  private leaves: number;

  /** @throws RangeError when the frontier is not that of a tree with so many leaves. */
  constructor(state: MerkleTreeState = { count: 0, frontier: [] }) {
    const { count, frontier } = state;
    if (frontier.length !== completeSubtreesOf(count) || !frontier.every((root) => HASH_TEXT.test(root))) {
      throw new RangeError(`${frontier.length} hashes are not the frontier of a tree with ${count} leaves`);
    }
    this.leaves = count;
    this.subtrees = frontier.map((root) => Buffer.from(root, 'hex').toString('binary'));
  }

  toState(): MerkleTreeState {
    return { count: this.leaves, frontier: this.subtrees.map(hexOf) };
  }

  get count(): number {
    return this.leaves;
  }

  /** @param data - the hash that the leaf represents, for example an event's. */
  append(data: Buffer): void {
    let root = leafHash(data);
    // Each trailing 1 bit of the count is a complete subtree that this leaf completes into a greater one.
    for (let rest = this.leaves; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.subtrees.pop();
      if (left !== undefined) root = nodeHash(left, root);
    }
    this.subtrees.push(root);
    this.leaves += 1;
  }

  /** Root over all leaves so far, hex. */
  root(): string {
    let root: BinaryText | undefined;
    for (let index = this.subtrees.length - 1; index >= 0; index -= 1) {
      const subtree = this.subtrees[index];
      if (subtree !== undefined) root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    return root === undefined ? EMPTY_ROOT : hexOf(root);
  }
}

/** The number of 1 bits. */
function completeSubtreesOf(count: number): number {
  let subtrees = 0;
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) subtrees += rest % 2;
  return subtrees;
}

function hexOf(hash: BinaryText): string {
  return Buffer.from(hash, 'binary').toString('hex');
}
