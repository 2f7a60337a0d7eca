import { describe, expect, it } from 'vitest';
import { tradeWith } from './fixtures/trade.ts';
import { InstrumentPosition } from './tape-position.ts';

const gap = (first: number, last: number) => ({ firstTradeId: String(first), lastTradeId: String(last) });

describe('the end of the tape for an instrument', () => {
  it('is nothing where nothing was found', () => {
    const position = new InstrumentPosition(false);
    position.piece();
    expect(position.isFound).toBe(false);
    expect(position.held()).toBeUndefined();
  });

  it('is the greatest id, whatever was late or repeated, and whichever piece it is in', () => {
    const position = new InstrumentPosition(false);
    position.piece();
    for (const id of [8, 9, 7, 8]) position.trade(tradeWith(id));
    position.piece();
    for (const id of [5, 6]) position.trade(tradeWith(id));
    expect(position.held()).toEqual({ lastId: 9, lastTime: tradeWith(9).eventTime, declaredGaps: [], recentIds: [] });
  });

  it('is the end of a gap whose newer trade did not arrive', () => {
    const position = new InstrumentPosition(false);
    position.piece();
    position.trade(tradeWith(5));
    position.gap(gap(6, 9));
    expect(position.held()).toMatchObject({ lastId: 9, lastTime: tradeWith(5).eventTime });
  });

  it('has the gaps without the trades that arrived later', () => {
    const position = new InstrumentPosition(false);
    position.piece();
    position.trade(tradeWith(5));
    position.gap(gap(6, 9));
    for (const id of [10, 7, 11]) position.trade(tradeWith(id));
    position.piece();
    position.gap(gap(2, 3));
    expect(position.held()?.declaredGaps).toEqual([
      { first: 2, last: 3 },
      { first: 6, last: 6 },
      { first: 8, last: 9 },
    ]);
  });

  it('has ids that are not numbers in order, across pieces', () => {
    const position = new InstrumentPosition(true);
    position.piece();
    for (const [index, tradeId] of ['c', 'd'].entries()) position.trade({ tradeId, eventTime: 30 + index });
    expect(position.isFound).toBe(true);
    position.piece();
    for (const [index, tradeId] of ['a', 'b'].entries()) position.trade({ tradeId, eventTime: 10 + index });
    expect(position.held()).toEqual({
      lastId: undefined,
      lastTime: 31,
      declaredGaps: [],
      recentIds: ['a', 'b', 'c', 'd'],
    });
  });

  it('has the time of the last trade, not of the greatest id, where ids have no order', () => {
    const position = new InstrumentPosition(true);
    position.piece();
    for (const [tradeId, eventTime] of [
      ['9', 20],
      ['3', 21],
    ] as const)
      position.trade({ tradeId, eventTime });
    expect(position.held()).toMatchObject({ lastTime: 21, recentIds: ['9', '3'] });
  });

  it('knows the new ids of corrected trades, and the last trade stays the last', () => {
    const position = new InstrumentPosition(true);
    position.piece();
    for (const id of ['a', 'b']) position.trade(tradeWith(id));
    position.renamed('a2');
    expect(position.held()?.recentIds).toEqual(['a2', 'a', 'b']);
    expect(new InstrumentPosition(true).held()).toBeUndefined();
  });
});
