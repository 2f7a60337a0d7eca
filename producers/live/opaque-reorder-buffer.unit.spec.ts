import { describe, expect, it } from 'vitest';
import { tradeWith } from './fixtures/trade.ts';
import { OpaqueReorderBuffer } from './opaque-reorder-buffer.ts';

function takeAll(opaque: OpaqueReorderBuffer): string[] {
  const taken: string[] = [];
  for (let next = opaque.first; next !== undefined; next = opaque.first) {
    taken.push(next.kind === 'trade' ? next.trade.tradeId : 'gap');
    opaque.drop();
  }
  return taken;
}

describe('a reorder buffer of opaque ids', () => {
  it('releases trades as they arrive, once, in order, and misses none', () => {
    const opaque = new OpaqueReorderBuffer(10);
    opaque.begin();
    for (const id of ['z', 'a', 'z', 'm']) opaque.offer(tradeWith(id), 'stream');
    expect(takeAll(opaque)).toEqual(['z', 'a', 'm']);
    expect(opaque.offer(tradeWith('a'), 'history')).toBe('DUPLICATE');
    expect(opaque.isReady).toBe(false);
  });

  it('knows the trades on the tape, and accepts again those that did not reach it', () => {
    const opaque = new OpaqueReorderBuffer(10);
    opaque.begin();
    for (const id of ['a', 'b', 'c']) opaque.offer(tradeWith(id), 'stream');
    opaque.drop();
    opaque.drop();
    opaque.resume({ lastId: undefined, lastTime: 1, declaredGaps: [], recentIds: ['a'] });
    opaque.mend(
      ['x', 'a', 'b', 'c', 'd'].map((id) => tradeWith(id)),
      true,
    );
    expect(takeAll(opaque)).toEqual(['b', 'c', 'd']);
  });

  it('keeps nothing beyond its room, and does not count that as seen', () => {
    const opaque = new OpaqueReorderBuffer(1);
    opaque.begin();
    expect(opaque.offer(tradeWith('a'), 'stream')).toBe('NEW');
    expect(opaque.offer(tradeWith('b'), 'stream')).toBe('FORGOTTEN');
    expect(takeAll(opaque)).toEqual(['a']);
    expect(opaque.offer(tradeWith('b'), 'history')).toBe('NEW');
  });

  it('remembers a bounded number of ids', () => {
    const opaque = new OpaqueReorderBuffer(100_000);
    opaque.begin();
    for (let id = 0; id < 20_001; id += 1) opaque.offer(tradeWith(`t${id}`), 'stream');
    expect(opaque.offer(tradeWith('t1'), 'stream')).toBe('DUPLICATE');
    expect(opaque.offer(tradeWith('t0'), 'stream')).toBe('NEW');
  });
});
