import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeclaredGaps } from './declared-gaps.ts';
import { DECLARED_GAPS_MAX } from './reorder-buffer.ts';

describe('open gaps', () => {
  it('hold every id of their ranges until it is closed', () => {
    const closings = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(closings, (ids) => {
        const gaps = new DeclaredGaps();
        gaps.reset([
          { first: 3, last: 9 },
          { first: 20, last: 20 },
          { first: 22, last: 35 },
        ]);
        const open = new Set(Array.from({ length: 41 }, (_, id) => id).filter((id) => gaps.has(id)));
        expect(open.size).toBe(7 + 1 + 14);
        for (const id of ids) {
          gaps.close(id);
          open.delete(id);
          for (let other = 0; other <= 40; other += 1) expect(gaps.has(other)).toBe(open.has(other));
        }
      }),
    );
  });

  it('are bounded in number: the oldest are forgotten', () => {
    const gaps = new DeclaredGaps();
    for (let id = 0; id <= 2 * DECLARED_GAPS_MAX; id += 2) gaps.add({ first: id, last: id });
    expect(gaps.list()).toHaveLength(DECLARED_GAPS_MAX);
    expect(gaps.has(0)).toBe(false);
    expect(gaps.has(2 * DECLARED_GAPS_MAX)).toBe(true);
    gaps.reset([{ first: 0, last: 10 * DECLARED_GAPS_MAX }]);
    for (let id = 1; id < 10 * DECLARED_GAPS_MAX; id += 2) gaps.close(id);
    expect(gaps.list()).toHaveLength(DECLARED_GAPS_MAX);
  });
});
