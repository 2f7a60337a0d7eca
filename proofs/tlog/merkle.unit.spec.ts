import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT } from '../../evaluators/merkle.ts';
import { consistencyFault, inclusionFault, leafHashOf } from './merkle-proof.ts';
import { TreeWindow } from './tree-window.ts';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const SIZES_MAX = 70;
const EVENTS = Array.from({ length: 600 }, (_, index) => sha256(Buffer.from(`event ${index}`)));

const split = (leaves: number) => 2 ** Math.ceil(Math.log2(leaves) - 1);

/** RFC 6962, section 2.1, word for word: MTH, PATH and PROOF over the events from `start` to before `end`. */
const roots = new Map<string, Buffer>();
function rootOf(start: number, end: number): Buffer {
  const range = `${start}-${end}`;
  const root = roots.get(range) ?? computedRoot(start, end);
  roots.set(range, root);
  return root;
}

function computedRoot(start: number, end: number): Buffer {
  if (end === start) return sha256();
  if (end - start === 1) return sha256(Buffer.from([0]), EVENTS[start]!);
  const middle = start + split(end - start);
  return sha256(Buffer.from([1]), rootOf(start, middle), rootOf(middle, end));
}

function pathOf(index: number, start: number, end: number): Buffer[] {
  if (end - start === 1) return [];
  const middle = start + split(end - start);
  return index < middle
    ? [...pathOf(index, start, middle), rootOf(middle, end)]
    : [...pathOf(index, middle, end), rootOf(start, middle)];
}

function subproofOf(m: number, start: number, end: number, isRoot: boolean): Buffer[] {
  if (m === end) return isRoot ? [] : [rootOf(start, end)];
  const middle = start + split(end - start);
  return m <= middle
    ? [...subproofOf(m, start, middle, isRoot), rootOf(middle, end)]
    : [...subproofOf(m, middle, end, false), rootOf(start, middle)];
}

function frontierOf(size: number, start = 0): Buffer[] {
  if (size === start) return [];
  const middle = start + 2 ** Math.floor(Math.log2(size - start));
  return [rootOf(start, middle), ...frontierOf(size, middle)];
}

const windowOf = (first: number, size: number) => new TreeWindow(first, frontierOf(first), EVENTS.slice(first, size));
const hex = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('hex'));

/** Compares a window with the definition, and lets the verifiers judge what it proves. */
function expectProofs(window: TreeWindow, older: number, size: number, index: number): void {
  const [oldRoot, root] = [window.rootAt(older), window.rootAt(size)];
  expect(hex([oldRoot, root])).toEqual(hex([rootOf(0, older), rootOf(0, size)]));
  expect(hex(window.frontierAt(size))).toEqual(hex(frontierOf(size)));
  const proof = window.consistencyProof(older, size);
  if (older > 0) expect(hex(proof)).toEqual(hex(subproofOf(older, 0, size, true)));
  expect(consistencyFault({ oldSize: older, oldRoot, newSize: size, newRoot: root }, proof)).toBeUndefined();
  if (index >= size) return;
  const path = window.inclusionProof(index, size);
  expect(hex(path)).toEqual(hex(pathOf(index, 0, size)));
  expect(inclusionFault({ index, size, leafHash: leafHashOf(EVENTS[index]!), root }, path)).toBeUndefined();
}

describe('a tree window', () => {
  it('has the roots and proofs of RFC 6962 at every size, from every frontier', () => {
    for (let first = 0; first <= SIZES_MAX; first += 1) {
      const window = windowOf(first, SIZES_MAX);
      for (let older = first; older <= SIZES_MAX; older += 3) {
        for (let size = older; size <= SIZES_MAX; size += 7) {
          expectProofs(window, older, size, older);
          expectProofs(window, older, size, Math.max(first, size - 1));
        }
      }
    }
  });

  it('has them at random sizes', () => {
    const sizes = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(EVENTS.length)));
    fc.assert(
      fc.property(sizes, fc.nat(), (unordered, place) => {
        const [first = 0, older = 0, size = 0, end = 0] = unordered.toSorted((left, right) => left - right);
        expectProofs(windowOf(first, end), older, size, first + (place % (end - first + 1)));
      }),
      { numRuns: 200 },
    );
  });

  it('continues a tree of more leaves than 32 bits count', () => {
    const first = 2 ** 40 + 5;
    const window = new TreeWindow(first, EVENTS.slice(0, 3), EVENTS.slice(10, 30));
    const { size } = window;
    for (let index = first; index < size; index += 1) {
      const claim = { index, size, leafHash: window.leafHash(index), root: window.rootAt(size) };
      expect(inclusionFault(claim, window.inclusionProof(index, size))).toBeUndefined();
      const trees = { oldSize: index, oldRoot: window.rootAt(index), newSize: size, newRoot: claim.root };
      expect(consistencyFault(trees, window.consistencyProof(index, size))).toBeUndefined();
    }
  });

  it('refuses what it cannot know', () => {
    expect(() => new TreeWindow(3, EVENTS.slice(0, 1))).toThrow('not the frontier of a tree of 3 leaves');
    expect(() => new TreeWindow(2, EVENTS.slice(0, 2))).toThrow('not the frontier of a tree of 2 leaves');
    expect(() => new TreeWindow(1, [Buffer.alloc(31)])).toThrow('not the frontier');
    const window = windowOf(10, 20);
    expect(() => window.rootAt(9)).toThrow('the size 9 is not in this window, which has 10 to 20');
    expect(() => window.rootAt(21)).toThrow('not in this window');
    expect(() => window.inclusionProof(15, 15)).toThrow('the index 15');
    expect(() => window.inclusionProof(9, 15)).toThrow('the index 9');
    expect(() => window.consistencyProof(9, 15)).toThrow('the size 9');
    expect(new TreeWindow(0, []).rootAt(0).toString('hex')).toBe(EMPTY_ROOT);
  });
});

/** Other proofs made of a true one. */
function forgeriesOf(proof: readonly Buffer[]): Buffer[][] {
  const flipped = proof.map((hash, at) => {
    const changed = Buffer.from(hash);
    changed[at % 32]! ^= 1;
    return proof.with(at, changed);
  });
  const swapped = proof.slice(1).map((hash, at) => proof.with(at, hash).with(at + 1, proof[at]!));
  return [...flipped, ...swapped, proof.slice(1), proof.slice(0, -1), [...proof, EVENTS[0]!]].filter(
    (forged) => hex(forged).join() !== hex(proof).join(),
  );
}

describe('the verifiers', () => {
  it('refuse every change of an inclusion proof or of what it claims', () => {
    for (let size = 1; size <= SIZES_MAX; size += 1) {
      const window = windowOf(0, size);
      const root = window.rootAt(size);
      for (let index = 0; index < size; index += 5) {
        const claim = { index, size, leafHash: window.leafHash(index), root };
        const path = window.inclusionProof(index, size);
        for (const forged of forgeriesOf(path)) expect(inclusionFault(claim, forged)).toBeTypeOf('string');
        expect(inclusionFault({ ...claim, leafHash: EVENTS[0]! }, path)).toBeTypeOf('string');
        expect(inclusionFault({ ...claim, root: EVENTS[0]! }, path)).toBeTypeOf('string');
        expect(inclusionFault({ ...claim, index: size }, path)).toContain('is not in a tree of');
        if (index > 0) expect(inclusionFault({ ...claim, index: index - 1 }, path)).toBeTypeOf('string');
      }
    }
  });

  it('refuse every change of a consistency proof or of what it claims', () => {
    for (let newSize = 2; newSize <= SIZES_MAX; newSize += 1) {
      const window = windowOf(0, newSize);
      for (let oldSize = 1; oldSize < newSize; oldSize += 3) {
        const claim = { oldSize, oldRoot: window.rootAt(oldSize), newSize, newRoot: window.rootAt(newSize) };
        const proof = window.consistencyProof(oldSize, newSize);
        for (const forged of forgeriesOf(proof)) expect(consistencyFault(claim, forged)).toBeTypeOf('string');
        expect(consistencyFault({ ...claim, oldRoot: EVENTS[0]! }, proof)).toBeTypeOf('string');
        expect(consistencyFault({ ...claim, newRoot: EVENTS[0]! }, proof)).toBeTypeOf('string');
      }
    }
  });

  it('refuse proofs that are too long or too short, even with roots chosen for them', () => {
    const leaves = EVENTS.slice(0, 4).map(leafHashOf);
    const node = (left: Buffer, right: Buffer) => sha256(Buffer.from([1]), left, right);
    const [a, b, c, d] = leaves as [Buffer, Buffer, Buffer, Buffer];
    expect(inclusionFault({ index: 0, size: 1, leafHash: b, root: node(a, b) }, [a])).toContain('more hashes');
    expect(inclusionFault({ index: 0, size: 2, leafHash: a, root: a }, [])).toContain('fewer hashes');
    const sizes = { oldSize: 3, newSize: 4 };
    const [oldRoot, newRoot] = [node(node(a, b), c), node(node(a, b), node(c, d))];
    expect(consistencyFault({ ...sizes, oldRoot, newRoot }, [c, d, node(a, b)])).toBeUndefined();
    const longer = { ...sizes, oldRoot: node(a, oldRoot), newRoot: node(a, newRoot) };
    expect(consistencyFault(longer, [c, d, node(a, b), a])).toContain('too many hashes');
    const shorter = { ...sizes, oldRoot: c, newRoot: node(c, d) };
    expect(consistencyFault(shorter, [c, d])).toContain('too few hashes');
    expect(consistencyFault({ ...sizes, oldRoot, newRoot }, [])).toBe('the proof is empty');
  });

  it('know what needs no proof', () => {
    const [oldRoot, newRoot] = [EVENTS[0]!, EVENTS[1]!];
    expect(consistencyFault({ oldSize: 0, oldRoot, newSize: 5, newRoot }, [])).toBeUndefined();
    expect(consistencyFault({ oldSize: 0, oldRoot, newSize: 5, newRoot }, [oldRoot])).toBe('the proof must be empty');
    expect(consistencyFault({ oldSize: 5, oldRoot, newSize: 5, newRoot: oldRoot }, [])).toBeUndefined();
    expect(consistencyFault({ oldSize: 5, oldRoot, newSize: 5, newRoot }, [])).toContain('have different roots');
    expect(consistencyFault({ oldSize: 6, oldRoot, newSize: 5, newRoot }, [])).toContain('cannot continue one of 6');
  });
});
