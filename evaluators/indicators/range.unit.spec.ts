import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { Decimal } from '../../contracts/decimal.ts';
import type { TakerSide } from '../../contracts/generated/events.ts';
import { nearestDouble } from '../exact-decimals.ts';
import { Range, rangeFromForm3, rangeFromForm4 } from './range.ts';

describe('Range', () => {
  const bar = (range: Range, index: number, ...prices: string[]) => {
    prices.forEach((price, i) => {
      range.add(index * 60 + i, Decimal.of(price), Decimal.of('2'), 'UNKNOWN', index * 10 + i);
    });
  };

  it('spans the previous completed bars, the current one excluded', () => {
    const range = new Range({ barUs: 60, bars: 2 });
    bar(range, 0, '10', '12', '9');
    bar(range, 1, '11', '13');
    expect(range.bounds).toBeUndefined();
    bar(range, 2, '99');
    expect(range.bounds).toEqual({ high: Decimal.of('13'), low: Decimal.of('9'), meanVolume: 5 });
    expect(range.barVolume).toBe(2);
    // Bar 3 has no trade and is not a bar.
    bar(range, 4, '50');
    expect(range.bounds).toEqual({ high: Decimal.of('99'), low: Decimal.of('11'), meanVolume: 3 });
    expect(range.firstOffset).toBe(10);
  });

  it('never changes a completed bar for a late trade, and counts a late trade of the current bar', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '10');
    bar(range, 1, '11');
    const before = range.bounds;
    range.add(5, Decimal.of('500'), Decimal.of('7'), 'UNKNOWN', 90);
    expect(range.bounds).toEqual(before);
    range.add(61, Decimal.of('12'), Decimal.of('7'), 'UNKNOWN', 91);
    expect(range.barVolume).toBe(9);
  });

  it('continues from its state', () => {
    const range = new Range({ barUs: 60, bars: 2 });
    for (let index = 0; index < 5; index += 1) bar(range, index, '10', String(10 + index));
    const resumed = Range.fromState({ barUs: 60, bars: 2 }, range.toState());
    expect(resumed.bounds).toEqual(range.bounds);
    expect(canonicalJson(resumed.toState())).toBe(canonicalJson(range.toState()));
  });

  it('adds volumes exactly, in any order and of any size', () => {
    const sizes = fc.array(
      fc.bigInt({ min: 1n, max: 10n ** 27n - 1n }).map((units) => Decimal.fromUnits(units)),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), (first, second, cut) => {
        let range = new Range({ barUs: 60, bars: 2 });
        const add = (index: number, size: Decimal) => {
          range.add(index * 60, Decimal.of('1'), size, 'UNKNOWN', 0);
        };
        first.forEach((size, index) => {
          add(0, size);
          if (index === cut % first.length) range = Range.fromState({ barUs: 60, bars: 2 }, range.toState());
        });
        const sumOf = (each: readonly Decimal[]) => each.reduce((sum, size) => sum + size.toUnits(), 0n);
        expect(range.barVolume).toBe(nearestDouble(sumOf(first), 10n ** 12n));
        for (const size of second) add(1, size);
        add(2, Decimal.of('1'));
        expect(range.bounds?.meanVolume).toBe(nearestDouble(sumOf([...first, ...second]), 2n * 10n ** 12n));
        const reversed = new Range({ barUs: 60, bars: 2 });
        for (const size of first.toReversed()) reversed.add(0, Decimal.of('1'), size, 'UNKNOWN', 0);
        for (const size of second.toReversed()) reversed.add(60, Decimal.of('1'), size, 'UNKNOWN', 0);
        reversed.add(120, Decimal.of('1'), Decimal.of('1'), 'UNKNOWN', 0);
        expect(canonicalJson(reversed.toState())).toBe(canonicalJson(range.toState()));
      }),
    );
  });

  it('works with prices below 0', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '1.25', '-40.32', '0.02');
    bar(range, 1, '-3');
    expect(range.bounds).toMatchObject({ high: Decimal.of('1.25'), low: Decimal.of('-40.32') });
  });

  it('removes a trade from a bar without a trace', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '10', '11', '12');
    range.remove(1, Decimal.of('11'), Decimal.of('2'));
    expect(range.barVolume).toBe(4);
    bar(range, 1, '11');
    const without = new Range({ barUs: 60, bars: 1 });
    bar(without, 0, '10', '12');
    bar(without, 1, '11');
    expect(range.bounds).toEqual(without.bounds);
  });

  it('drops a bar whose highest or lowest price was taken out, until another bar is completed', () => {
    for (const edge of ['10', '12']) {
      const range = new Range({ barUs: 60, bars: 2 });
      bar(range, 0, '10', '11', '12');
      bar(range, 1, '10', '11', '12');
      bar(range, 2, '11');
      expect(range.bounds).toBeDefined();
      range.remove(60, Decimal.of(edge), Decimal.of('2'));
      expect(range.bounds).toBeUndefined();
      bar(range, 3, '11');
      expect(range.bounds).toMatchObject({ high: Decimal.of('12'), low: Decimal.of('10'), meanVolume: 4 });
    }
  });

  it('never completes a current bar whose edge was taken out, but continues with its volume', () => {
    let range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '10', '12', '11');
    range.remove(1, Decimal.of('12'), Decimal.of('2'));
    range = Range.fromState({ barUs: 60, bars: 1 }, range.toState());
    expect(range.barVolume).toBe(4);
    bar(range, 1, '11');
    expect(range.bounds).toBeUndefined();
  });

  it('drops a bar that may have had a trade of which only the time is known, and no other', () => {
    const range = new Range({ barUs: 60, bars: 2 });
    bar(range, 0, '10');
    bar(range, 1, '11');
    bar(range, 2, '12');
    range.drop(9 * 60);
    expect(range.bounds).toMatchObject({ high: Decimal.of('11'), low: Decimal.of('10') });
    range.drop(60);
    expect(range.bounds).toBeUndefined();
    bar(range, 3, '13');
    expect(range.bounds).toMatchObject({ high: Decimal.of('12'), low: Decimal.of('10') });
    // The current one is never completed.
    range.drop(3 * 60);
    bar(range, 4, '14');
    expect(range.bounds).toMatchObject({ high: Decimal.of('12'), low: Decimal.of('10') });
  });

  it('restarts a bar whose only trade was taken out', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '99');
    range.remove(0, Decimal.of('99'), Decimal.of('2'));
    expect(range.barVolume).toBe(0);
    bar(range, 0, '10');
    bar(range, 1, '11');
    expect(range.bounds).toMatchObject({ high: Decimal.of('10'), low: Decimal.of('10'), meanVolume: 2 });
    range.remove(60, Decimal.of('11'), Decimal.of('2'));
    bar(range, 2, '12');
    // A bar without a trade is not a bar.
    expect(range.bounds).toMatchObject({ high: Decimal.of('10'), meanVolume: 2 });
  });

  it('drops a bar rather than subtract a late trade that it may not hold', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '10', '11', '12');
    bar(range, 1, '11');
    range.add(5, Decimal.of('11'), Decimal.of('0.5'), 'UNKNOWN', 90);
    expect(range.bounds?.meanVolume).toBe(6);
    range.remove(5, Decimal.of('11'), Decimal.of('0.5'));
    expect(range.bounds).toBeUndefined();
    // Nothing can be taken out of a bar that is not in memory.
    range.remove(-600, Decimal.of('11'), Decimal.of('7'));
  });

  it('continues from the doubles of engine version 2', () => {
    const range = Range.fromRounded(
      { barUs: 60, bars: 1 },
      { completed: [[0, 7, '12', '10', 0.1 + 0.2]], current: [1, 9, '11', '11', 4.35] },
    );
    expect(range.bounds).toEqual({ high: Decimal.of('12'), low: Decimal.of('10'), meanVolume: 0.3 });
    expect(range.barVolume).toBe(4.35);
    // A rounded volume may be less than the volume of its trades: then the bar is not known either.
    const emptied = Range.fromRounded({ barUs: 60, bars: 1 }, { completed: [], current: [1, 9, '12', '10', 4.35] });
    emptied.remove(60, Decimal.of('11'), Decimal.of('4.350000000001'));
    bar(emptied, 2, '11');
    expect(emptied.bounds).toBeUndefined();
    expect(range.toState()).toEqual({
      completed: [[[0, 7, '12', '10', '0.3', true, true, null, '0', '0']]],
      current: [1, 9, '11', '11', '4.35', true, false, null, '0', '0'],
    });
  });

  describe('of first prices and takers', () => {
    /** Trades of a bar as `price side size`. */
    const traded = (range: Range, index: number, ...trades: string[]) => {
      trades.forEach((trade, i) => {
        const [price = '', side = '', size = ''] = trade.split(' ');
        range.add(index * 60 + i, Decimal.of(price), Decimal.of(size), side as TakerSide, index * 10 + i);
      });
    };
    const filled = () => {
      const range = new Range({ barUs: 60, bars: 2 });
      traded(range, 0, '10 BUY 0.1', '12 BUY 0.2', '9 SELL 4');
      traded(range, 1, '11 UNKNOWN 0.7', '13 SELL 1');
      return range;
    };

    it("knows the first price of the bars, and their volume by side together with the current bar's", () => {
      const range = filled();
      expect([range.firstPrice, range.takerVolumes]).toEqual([undefined, undefined]);
      traded(range, 2, '99 BUY 5');
      expect(range.firstPrice).toEqual(Decimal.of('10'));
      // Exact sums: 0.1 + 0.2 of doubles is not 0.3.
      expect(range.takerVolumes).toEqual({ buy: 5.3, sell: 5, unknown: 0.7 });
      traded(range, 3, '98 SELL 1');
      expect(range.firstPrice).toEqual(Decimal.of('11'));
      expect(range.takerVolumes).toEqual({ buy: 5, sell: 2, unknown: 0.7 });
    });

    it('counts a late trade into the current bar by its side, and never into a completed one', () => {
      const range = filled();
      traded(range, 2, '99 BUY 5');
      range.add(100, Decimal.of('11'), Decimal.of('3'), 'BUY', 90);
      expect(range.takerVolumes).toMatchObject({ buy: 5.3 });
      range.add(120, Decimal.of('11'), Decimal.of('3'), 'BUY', 91);
      expect(range.takerVolumes).toMatchObject({ buy: 8.3 });
    });

    it('treats the sides of a bar as unknown when a trade was taken out of it, and continues from there', () => {
      const range = new Range({ barUs: 60, bars: 1 });
      traded(range, 0, '10 BUY 1', '11 SELL 2', '12 BUY 4', '11 BUY 8');
      traded(range, 1, '11 BUY 16', '12 BUY 1', '10 BUY 1');
      range.remove(1, Decimal.of('11'), Decimal.of('2'));
      expect(range.takerVolumes).toEqual({ buy: 18, sell: 0, unknown: 13 });
      range.addBack(1, Decimal.of('11.5'), Decimal.of('3'));
      expect(range.takerVolumes).toEqual({ buy: 18, sell: 0, unknown: 16 });
      range.remove(60, Decimal.of('11'), Decimal.of('16'));
      traded(range, 1, '11 SELL 32');
      expect(range.takerVolumes).toEqual({ buy: 0, sell: 32, unknown: 18 });
    });

    it('no longer knows the first price when a trade at it was taken out', () => {
      const range = new Range({ barUs: 60, bars: 1 });
      traded(range, 0, '11 BUY 1', '10 BUY 1', '12 BUY 1', '11 BUY 1');
      traded(range, 1, '11 BUY 1');
      range.remove(3, Decimal.of('11'), Decimal.of('1'));
      expect(range.bounds).toBeDefined();
      expect(range.firstPrice).toBeUndefined();
      traded(range, 2, '12 BUY 1');
      expect(range.firstPrice).toEqual(Decimal.of('11'));
    });

    it('continues from its state, and from the state of version 3 without them', () => {
      const range = filled();
      traded(range, 2, '99 BUY 5');
      range.remove(60, Decimal.of('11'), Decimal.of('0.7'));
      const resumed = Range.fromState({ barUs: 60, bars: 2 }, range.toState());
      expect(canonicalJson(resumed.toState())).toBe(canonicalJson(range.toState()));
      expect(resumed.takerVolumes).toEqual(range.takerVolumes);
      const then = rangeFromForm4(
        rangeFromForm3({
          completed: [[0, 7, '12', '10', '0.3', true, false]],
          current: [1, 9, '11', '11', '4.35', true, false],
        }),
      );
      const imported = Range.fromState({ barUs: 60, bars: 1 }, then);
      expect(imported.firstPrice).toBeUndefined();
      expect(imported.takerVolumes).toEqual({ buy: 0, sell: 0, unknown: 4.65 });
      traded(imported, 1, '11 BUY 1');
      expect(imported.takerVolumes).toEqual({ buy: 1, sell: 0, unknown: 4.65 });
    });

    it('splits the volume exactly, for any sizes and any order', () => {
      const trade = fc.tuple(
        fc.bigInt({ min: 1n, max: 10n ** 27n - 1n }),
        fc.constantFrom<TakerSide>('BUY', 'SELL', 'UNKNOWN'),
      );
      fc.assert(
        fc.property(
          fc.array(trade, { minLength: 1, maxLength: 20 }),
          fc.array(trade, { maxLength: 20 }),
          (one, two) => {
            const of = (...bars: (readonly (readonly [bigint, TakerSide])[])[]) => {
              const range = new Range({ barUs: 60, bars: 1 });
              bars.forEach((trades, index) => {
                for (const [units, side] of trades) {
                  range.add(index * 60, Decimal.of('1'), Decimal.fromUnits(units), side, 0);
                }
              });
              return range;
            };
            const last = [1n, 'BUY'] as const;
            const sumOf = (of: TakerSide) =>
              nearestDouble(
                [...one, ...two, last].reduce((sum, [units, side]) => (side === of ? sum + units : sum), 0n),
                10n ** 12n,
              );
            const expected = { buy: sumOf('BUY'), sell: sumOf('SELL'), unknown: sumOf('UNKNOWN') };
            expect(of(one, [...two, last]).takerVolumes).toEqual(expected);
            expect(of(one.toReversed(), [last, ...two.toReversed()]).takerVolumes).toEqual(expected);
          },
        ),
      );
    });
  });
});
