import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TradeGap } from '../contracts/generated/events.ts';
import { missingTrades } from './evidence.ts';

const gap = (firstTradeId: string, lastTradeId: string, missing: number) =>
  ({ firstTradeId, lastTradeId, missingTrades: missing }) as TradeGap;

describe('missingTrades', () => {
  it('counts each missing id once, however gaps overlap, and none that is there', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 20 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }), fc.uniqueArray(fc.nat({ max: 90 })), (ranges, there) => {
        const named = new Set(ranges.flatMap(([first, more]) => Array.from({ length: more + 1 }, (_, n) => first + n)));
        const gaps = ranges.map(([first, more]) => gap(String(first), String(first + more), more + 1));
        const expected = [...named].filter((id) => !there.includes(id)).length;
        expect(missingTrades(gaps, [...there.map(String), 'late-1'])).toBe(expected);
      }),
    );
  });

  it('takes gaps of ids that are no numbers at their word, each once', () => {
    expect(missingTrades([gap('a', 'b', 3), gap('a', 'b', 3), gap('c', 'd', 1)], ['a', 'x'])).toBe(4);
  });
});
