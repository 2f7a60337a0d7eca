import { leafHash, nodeHash, type BinaryText } from '../../evaluators/merkle.ts';

/**
 * Verifies proofs of RFC 6962 trees by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2. Sizes and indexes may
 * have more than 32 bits, so none of it uses bit operators.
 */

/** A tree of 2^63 leaves has proofs of 63 hashes. */
export const PROOF_HASHES_MAX = 63;

/** The hash of a leaf that stands for an event. @param eventHash - 32 bytes. */
export function leafHashOf(eventHash: Buffer): Buffer {
  return Buffer.from(leafHash(eventHash), 'binary');
}

export interface InclusionClaim {
  /** Of the leaf, from 0. */
  readonly index: number;
  /** Leaves of the tree. */
  readonly size: number;
  /** 32 bytes each, as all hashes here. */
  readonly leafHash: Buffer;
  readonly root: Buffer;
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Buffer;
  readonly newSize: number;
  readonly newRoot: Buffer;
}

/**
 * Whether a tree has a leaf at an index.
 *
 * @param path - from the leaf's sibling up to a child of the root.
 * @returns why it is not proven, as the second half of a sentence; undefined where it is.
 */
export function inclusionFault(claim: InclusionClaim, path: readonly Buffer[]): string | undefined {
  const { index, size, root } = claim;
  if (index >= size) return `index ${index} is not in a tree of ${size} leaves`;
  let [place, last] = [index, size - 1];
  let hash: BinaryText = claim.leafHash.toString('binary');
  for (const sibling of path) {
    if (last === 0) return `the proof has more hashes than a tree of ${size} leaves needs`;
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling.toString('binary'), hash);
      while (place % 2 === 0 && place !== 0) [place, last] = parents(place, last);
    } else {
      hash = nodeHash(hash, sibling.toString('binary'));
    }
    [place, last] = parents(place, last);
  }
  if (last !== 0) return `the proof has fewer hashes than a tree of ${size} leaves needs`;
  return hash === root.toString('binary') ? undefined : 'the hashes of the proof do not lead to the root';
}

/**
 * Whether a tree continues an older one: its first leaves are the leaves of the older one.
 *
 * @returns why it is not proven, as the second half of a sentence; undefined where it is.
 */
export function consistencyFault(claim: ConsistencyClaim, proof: readonly Buffer[]): string | undefined {
  const { oldSize, oldRoot, newSize, newRoot } = claim;
  if (oldSize > newSize) return `a tree of ${newSize} leaves cannot continue one of ${oldSize}`;
  if (oldSize === 0 || oldSize === newSize) {
    if (proof.length > 0) return 'the proof must be empty';
    return oldSize === 0 || oldRoot.equals(newRoot) ? undefined : `two trees of ${newSize} leaves have different roots`;
  }
  const isComplete = Number.isInteger(Math.log2(oldSize));
  const [first, ...rest] = isComplete ? [oldRoot, ...proof] : proof;
  if (first === undefined) return 'the proof is empty';
  return foldFault(claim, first, rest);
}

/** Computes both roots from the proof. @param first - the greatest subtree that both trees share at the old one's end. */
function foldFault(claim: ConsistencyClaim, first: Buffer, rest: readonly Buffer[]): string | undefined {
  let [place, last] = [claim.oldSize - 1, claim.newSize - 1];
  while (place % 2 === 1) [place, last] = parents(place, last);
  let older: BinaryText = first.toString('binary');
  let newer = older;
  for (const hash of rest) {
    if (last === 0) return 'the proof has too many hashes';
    const sibling = hash.toString('binary');
    if (place % 2 === 1 || place === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (place % 2 === 0 && place !== 0) [place, last] = parents(place, last);
    } else {
      newer = nodeHash(newer, sibling);
    }
    [place, last] = parents(place, last);
  }
  if (last !== 0) return 'the proof has too few hashes';
  if (older !== claim.oldRoot.toString('binary')) return `the proof does not lead to the root of size ${claim.oldSize}`;
  if (newer !== claim.newRoot.toString('binary')) return `the proof does not lead to the root of size ${claim.newSize}`;
  return undefined;
}

function parents(place: number, last: number): [number, number] {
  return [Math.floor(place / 2), Math.floor(last / 2)];
}
