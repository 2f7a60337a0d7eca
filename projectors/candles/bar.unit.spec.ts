import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { mergeBars, type Bar } from './bar.ts';

function barOf(price: string, size: string, time: number, offset: number): Bar {
  const amount = Decimal.of(price);
  return {
    open: amount,
    high: amount,
    low: amount,
    close: amount,
    volume: Decimal.of(size),
    trades: 1,
    open_time: time,
    open_offset: offset,
    close_time: time,
    close_offset: offset,
  };
}

const bars = fc
  .array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 999 })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((trades) => trades.map(([time, price, size], offset) => barOf(`${price}.5`, `0.${size}`, time, offset)));

const merged = (parts: readonly Bar[]): Bar => parts.reduce((left, right) => mergeBars(left, right));
const texts = (bar: Bar): Record<string, string> =>
  Object.fromEntries(Object.entries(bar).map(([name, value]) => [name, String(value)]));

describe('mergeBars', () => {
  it('opens with the earliest and closes with the latest trade, offsets breaking ties', () => {
    const bar = merged([
      barOf('3', '1', 20, 1),
      barOf('9', '0.25', 10, 2),
      barOf('5', '2', 20, 3),
      barOf('4', '1', 10, 4),
    ]);
    expect(texts(bar)).toMatchObject({ open: '9', high: '9', low: '3', close: '5', volume: '4.25', trades: '4' });
  });

  it('depends on neither order nor grouping', () => {
    fc.assert(
      fc.property(bars, fc.nat(), fc.integer(), (parts, place, seed) => {
        const cut = 1 + (place % parts.length);
        const right = parts.slice(cut);
        const grouped = right.length === 0 ? merged(parts) : mergeBars(merged(parts.slice(0, cut)), merged(right));
        expect(texts(grouped)).toEqual(texts(merged(parts)));
        const shuffled = [...parts].sort((a, b) => ((a.open_offset * seed) % 7) - ((b.open_offset * seed) % 7));
        expect(texts(merged(shuffled))).toEqual(texts(merged(parts)));
      }),
    );
  });

  it('adds up beyond what a single trade may be', () => {
    const large = barOf('1', '999999999999999.999999999999', 1, 1);
    expect(String(mergeBars(large, large).volume)).toBe('1999999999999999.999999999998');
  });
});
