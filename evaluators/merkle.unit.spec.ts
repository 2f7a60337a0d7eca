import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, MerkleTree } from './merkle.ts';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 6962, section 2.1, word for word. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

describe('MerkleTree', () => {
  it('refuses a leaf that is not a hash', () => {
    expect(() => {
      new MerkleTree().append(Buffer.from('x'));
    }).toThrow(RangeError);
  });

  it('has the root of RFC 6962 at every size', () => {
    const tree = new MerkleTree();
    const leaves: Buffer[] = [];
    expect(tree.root()).toBe(EMPTY_ROOT);
    for (let size = 1; size <= 70; size += 1) {
      const leaf = sha256(Buffer.from(`leaf ${size}`));
      leaves.push(leaf);
      tree.append(leaf);
      expect(tree.root()).toBe(rootOf(leaves).toString('hex'));
      expect(tree.count).toBe(size);
      expect(new MerkleTree(tree.toState()).root()).toBe(tree.root());
      expect(tree.toState().frontier.length).toBeLessThanOrEqual(7);
    }
  });

  it('continues from its state, and refuses one that is not that of a tree', () => {
    const leaves = Array.from({ length: 40 }, (_, index) => sha256(Buffer.from(`leaf ${index}`)));
    let tree = new MerkleTree();
    for (const leaf of leaves) {
      tree = new MerkleTree(tree.toState());
      tree.append(leaf);
    }
    expect(tree.root()).toBe(rootOf(leaves).toString('hex'));
    const { count, frontier } = tree.toState();
    expect(() => new MerkleTree({ count: count + 1, frontier })).toThrow('not the frontier');
    expect(() => new MerkleTree({ count, frontier: frontier.slice(1) })).toThrow(RangeError);
    expect(() => new MerkleTree({ count, frontier: frontier.map((root) => root.slice(2)) })).toThrow(RangeError);
  });
});
