import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { FollowedLog } from './followed-log.ts';

const hashOf = (number: number, history = ''): Buffer => hash('sha256', `${history}event ${number}`, 'buffer');
const BEGINNING = { firstSequence: 0, size: 0, frontier: [], logOffset: 0 };
const newLog = (place = BEGINNING) => new FollowedLog('probability.decisions', 0, place);

function rootOf(size: number, history = ''): string {
  const tree = new MerkleTree();
  for (let index = 0; index < size; index += 1) tree.append(hashOf(index, history));
  return tree.root();
}

/** @param sequences - in log order. */
function fill(log: FollowedLog, sequences: readonly number[]): void {
  for (const sequence of sequences) log.take({ offset: log.logOffset, sequence, hash: hashOf(sequence) });
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('FollowedLog', () => {
  it('has the tree of the log, with repetitions or without, continued from any place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.array(fc.nat({ max: 79 }), { maxLength: 10 }), (size, cuts) => {
        let log = newLog();
        for (const sequence of upTo(size)) {
          fill(log, cuts.includes(sequence) ? [sequence, sequence] : [sequence]);
          if (cuts.includes(sequence + 1)) log = newLog(log.place as typeof BEGINNING);
          if (cuts.includes(sequence + 2)) log.forget();
        }
        expect(log.difference).toBeUndefined();
        expect(log.size).toBe(size);
        expect(log.root.toString('hex')).toBe(rootOf(size));
      }),
    );
  });

  it('begins with the first event that has a tree', () => {
    const log = newLog({ ...BEGINNING, firstSequence: 3 });
    fill(log, upTo(6));
    expect(log.size).toBe(3);
    expect(log.difference).toBeUndefined();
  });

  it('takes every record of the tape', () => {
    const log = new FollowedLog('raw.trades', 0, BEGINNING);
    for (const number of upTo(5)) log.take({ offset: number * 2, sequence: undefined, hash: hashOf(number) });
    expect([log.size, log.logOffset, log.root.toString('hex')]).toEqual([5, 9, rootOf(5)]);
  });

  it('stops at a missing event, and at a repetition with other bytes', () => {
    const gap = newLog();
    fill(gap, [0, 1, 3, 4]);
    expect(gap.difference).toBe('probability.decisions-0: sequence 2 is missing before log offset 2');
    const forged = newLog();
    fill(forged, [0, 1]);
    forged.take({ offset: 2, sequence: 1, hash: hashOf(1, 'forged ') });
    expect(forged.difference).toContain('log offset 2 repeats sequence 1 with other bytes');
    // The first difference stays, and nothing after it counts.
    fill(forged, [2, 3]);
    expect([forged.size, forged.difference]).toEqual([2, expect.stringContaining('log offset 2')]);
  });

  it('counts the repetitions that it cannot compare', () => {
    const log = newLog();
    fill(log, upTo(4));
    log.forget();
    fill(log, [1, 4, 4]);
    expect([log.duplicates, log.unverifiedDuplicates, log.difference]).toEqual([1, 1, undefined]);
  });

  it('is held to roots, now or when it has grown to their size', () => {
    const log = newLog();
    for (const size of [9, 3, 6]) log.holdTo({ size, root: rootOf(size), anchorOffset: size * 10 });
    fill(log, upTo(7));
    log.holdTo({ size: 5, root: rootOf(5), anchorOffset: 50 });
    log.holdToSigned({ size: 7, root: rootOf(7) });
    expect(log.difference).toBeUndefined();
    fill(log, [7, 8]);
    expect(log.difference).toBeUndefined();
    log.holdTo({ size: 12, root: rootOf(12, 'other '), anchorOffset: 120 });
    fill(log, [9, 10, 11]);
    expect(log.difference).toContain("its first 12 events are not those of the engine's anchor at tape offset 120");
    const signed = newLog();
    fill(signed, upTo(5));
    signed.holdToSigned({ size: 5, root: rootOf(5, 'other ') });
    expect(signed.difference).toContain('its first 5 records are not those that were signed');
  });
});
