import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DenseReorderBuffer } from './dense-reorder-buffer.ts';
import { tradeWith as trade } from './fixtures/trade.ts';
import type { HeldByTape, Released } from './reorder-buffer.ts';

const ROOM = 50;

function heldUpTo(lastId: number, declaredGaps: HeldByTape['declaredGaps'] = []): HeldByTape {
  return { lastId, lastTime: 1, declaredGaps, recentIds: [] };
}

function bufferBehind(lastIdOnTape: number, waitingMax = ROOM): DenseReorderBuffer {
  const dense = new DenseReorderBuffer(waitingMax);
  dense.resume(heldUpTo(lastIdOnTape));
  return dense;
}

function take(dense: DenseReorderBuffer): Released[] {
  const taken: Released[] = [];
  dense.passRefused();
  for (let next = dense.first; next !== undefined; next = dense.first) {
    taken.push(next);
    dense.drop();
  }
  return taken;
}

function takeAll(dense: DenseReorderBuffer): string[] {
  return take(dense).map(nameOf);
}

function nameOf(released: Released): string {
  if (released.kind === 'gap') return `gap ${released.gap.firstTradeId}..${released.gap.lastTradeId}`;
  return (released.late ? 'late ' : '') + released.trade.tradeId;
}

describe('a reorder buffer of dense ids', () => {
  it('lets newer trades wait while an older one is missing, and names it', () => {
    const dense = bufferBehind(9);
    for (const id of [10, 12, 13]) dense.offer(trade(id), 'stream');
    expect(takeAll(dense)).toEqual(['10']);
    expect(dense.missing).toEqual({ first: 11, last: 11 });
    expect(dense.offer(trade(11), 'history')).toBe('NEW');
    expect(takeAll(dense)).toEqual(['11', '12', '13']);
    expect(dense.missing).toBeUndefined();
  });

  it('recognises duplicates of trades on the tape, released or waiting', () => {
    const dense = bufferBehind(9);
    dense.offer(trade(10), 'stream');
    dense.offer(trade(12), 'stream');
    expect(takeAll(dense)).toEqual(['10']);
    for (const id of [1, 9, 10, 12]) expect(dense.offer(trade(id), 'stream')).toBe('DUPLICATE');
  });

  it('forgets the newest where there is no room, and has them missing later', () => {
    const dense = bufferBehind(0, 3);
    for (const id of [2, 3, 4, 5, 6]) dense.offer(trade(id), 'stream');
    expect(dense.waiting).toBe(3);
    expect(dense.offer(trade(1), 'history')).toBe('NEW');
    expect(takeAll(dense)).toEqual(['1', '2', '3']);
    expect(dense.missing).toEqual({ first: 4, last: 6 });
  });

  it('puts a gap right before the first newer trade, with the times around it', () => {
    const dense = bufferBehind(9);
    for (const id of [10, 14, 15]) dense.offer(trade(id), 'stream');
    expect(takeAll(dense)).toEqual(['10']);
    expect(dense.giveUp('NOT_SERVED')).toEqual({
      firstTradeId: '11',
      lastTradeId: '13',
      missingTrades: 3,
      reason: 'NOT_SERVED',
      fromTime: trade(10).eventTime,
      toTime: trade(14).eventTime,
    });
    expect(takeAll(dense)).toEqual(['gap 11..13', '14', '15']);
  });

  it('cannot give up trades that no newer one follows', () => {
    const dense = bufferBehind(9);
    dense.hear('12');
    expect(dense.missing).toEqual({ first: 10, last: 12 });
    expect(dense.giveUp('NO_ANSWER')).toBeUndefined();
    expect(dense.missing).toEqual({ first: 10, last: 12 });
  });

  it('releases a trade of a gap given up late, once', () => {
    const dense = bufferBehind(9);
    for (const id of [13, 14]) dense.offer(trade(id), 'stream');
    dense.giveUp('NO_ANSWER');
    expect(takeAll(dense)).toEqual(['gap 10..12', '13', '14']);
    expect(dense.offer(trade(11), 'history')).toBe('LATE');
    expect(dense.offer(trade(11), 'stream')).toBe('DUPLICATE');
    expect(takeAll(dense)).toEqual(['late 11']);
    expect(dense.offer(trade(10), 'history')).toBe('LATE');
    expect(dense.offer(trade(12), 'history')).toBe('LATE');
    expect(takeAll(dense)).toEqual(['late 10', 'late 12']);
  });

  it('knows the open gaps of the tape that it continues', () => {
    const dense = new DenseReorderBuffer(ROOM);
    dense.resume(heldUpTo(20, [{ first: 5, last: 6 }]));
    expect([4, 5, 6, 7].map((id) => dense.offer(trade(id), 'history'))).toEqual([
      'DUPLICATE',
      'LATE',
      'LATE',
      'DUPLICATE',
    ]);
  });

  it('misses nothing for an id that was refused', () => {
    const dense = bufferBehind(9);
    dense.offer(trade(12), 'stream');
    expect(dense.account('10')).toBe(true);
    expect(dense.account('10')).toBe(false);
    dense.account('11');
    expect(takeAll(dense)).toEqual(['12']);
  });

  it('passes over a refused id that waits between trades', () => {
    const dense = bufferBehind(9);
    for (const id of [10, 12]) dense.offer(trade(id), 'stream');
    dense.account('11');
    expect(takeAll(dense)).toEqual(['10', '12']);
    expect(dense.nextId).toBe(13);
  });

  it('begins with the trade that is named, and drops what waited before it', () => {
    const dense = new DenseReorderBuffer(ROOM);
    for (const id of [6, 7, 9]) dense.offer(trade(id), 'stream');
    expect(takeAll(dense)).toEqual([]);
    dense.begin('7');
    expect(takeAll(dense)).toEqual(['7']);
    expect(dense.missing).toEqual({ first: 8, last: 8 });
  });

  it('begins with the first that arrives where none is named', () => {
    const dense = new DenseReorderBuffer(ROOM);
    dense.begin(undefined);
    expect(dense.isStarted).toBe(true);
    dense.offer(trade(30), 'stream');
    expect(takeAll(dense)).toEqual(['30']);
  });

  it('accepts again trades that did not reach the tape, and no others', () => {
    const dense = bufferBehind(9);
    for (const id of [10, 11, 12, 14]) dense.offer(trade(id), 'stream');
    expect(takeAll(dense)).toEqual(['10', '11', '12']);
    dense.resume(heldUpTo(10));
    expect(dense.missing).toEqual({ first: 11, last: 13 });
    const fresh = new DenseReorderBuffer(ROOM);
    fresh.begin('5');
    for (const id of [5, 6, 7]) fresh.offer(trade(id), 'stream');
    expect(takeAll(fresh)).toEqual(['5', '6', '7']);
    fresh.resume(undefined);
    expect(fresh.missing).toEqual({ first: 5, last: 7 });
  });

  it('releases every trade once and in order, whatever is late, repeated, or lost and requested', () => {
    const scenario = fc.record({
      count: fc.integer({ min: 1, max: 120 }),
      waitingMax: fc.integer({ min: 1, max: 40 }),
      // For each trade: how late it is, whether it is lost, and whether it is repeated.
      deliveries: fc.array(fc.record({ late: fc.nat(8), isLost: fc.boolean(), isTwice: fc.boolean() }), {
        minLength: 120,
        maxLength: 120,
      }),
      pageTrades: fc.integer({ min: 1, max: 10 }),
      takesEvery: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(scenario, ({ count, waitingMax, deliveries, pageTrades, takesEvery }) => {
        const ids = Array.from({ length: count }, (_, index) => index + 1);
        const stream = ids
          .flatMap((id) => {
            const { late = 0, isLost = false, isTwice = false } = deliveries[id - 1] ?? {};
            const copies = (isLost ? 0 : 1) + (isTwice ? 1 : 0);
            return Array.from({ length: copies }, (_, copy) => ({ id, at: id + late + copy * 3 }));
          })
          .sort((left, right) => left.at - right.at);
        const dense = bufferBehind(0, waitingMax);
        const taken: string[] = [];
        for (const [index, { id }] of stream.entries()) {
          dense.offer(trade(id), 'stream');
          expect(dense.waiting).toBeLessThanOrEqual(waitingMax);
          if (index % takesEvery === 0) taken.push(...takeAll(dense));
        }
        dense.hear(String(count));
        for (let requests = 0; requests <= count; requests += 1) {
          taken.push(...takeAll(dense));
          const { missing } = dense;
          if (missing === undefined) break;
          for (let id = missing.first; id < Math.min(missing.first + pageTrades, count + 1); id += 1) {
            dense.offer(trade(id), 'history');
          }
        }
        expect(taken).toEqual(ids.map(String));
      }),
      { numRuns: 500 },
    );
  });

  it('releases every trade once, in order except late ones, and every id is released or in one gap', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('offer' as const), id: fc.integer({ min: 1, max: 60 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), id: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('give up' as const), id: fc.constant(0) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('refuse' as const), id: fc.integer({ min: 1, max: 60 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 1, max: 30 }), (steps, waitingMax) => {
        const dense = bufferBehind(0, waitingMax);
        const released: Released[] = [];
        const refused = new Set<number>();
        const refuse = (id: number): void => {
          if (dense.account(String(id))) refused.add(id);
        };
        for (const { kind, id } of steps) {
          if (kind === 'offer') dense.offer(trade(id), 'stream');
          else if (kind === 'give up') dense.giveUp('NO_ANSWER');
          else if (kind === 'refuse') refuse(id);
          else released.push(...take(dense));
          expect(dense.waiting).toBeLessThanOrEqual(waitingMax + 60);
        }
        released.push(...take(dense));
        const trades = released.filter((item) => item.kind === 'trade');
        const ids = trades.map((item) => Number(item.trade.tradeId));
        expect(new Set(ids).size).toBe(ids.length);
        const onTime = trades.filter(({ late }) => !late).map((item) => Number(item.trade.tradeId));
        expect(onTime).toEqual(onTime.toSorted((left, right) => left - right));
        const inGaps = new Set(
          released.flatMap((item) =>
            item.kind === 'gap'
              ? Array.from({ length: item.gap.missingTrades }, (_, index) => Number(item.gap.firstTradeId) + index)
              : [],
          ),
        );
        const last = onTime.at(-1) ?? 0;
        for (let id = 1; id <= last; id += 1) {
          const isLate = trades.some((item) => item.late && Number(item.trade.tradeId) === id);
          expect(onTime.includes(id) || inGaps.has(id) || refused.has(id)).toBe(true);
          if (isLate) expect(inGaps.has(id)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
