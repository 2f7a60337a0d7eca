import { describe, expect, it } from 'vitest';
import { figureOf, isMet, medianOf, quantileOf, tableOf } from './figure.ts';

describe('figures', () => {
  it('have a median, of an even number the mean of the middle two', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  });

  it('have quantiles by linear interpolation', () => {
    const values = Array.from({ length: 101 }, (_, index) => 100 - index);
    expect(quantileOf(values, 0.99)).toBe(99);
    expect(quantileOf([1, 2], 0.25)).toBe(1.25);
    expect(quantileOf([], 0.5)).toBeNaN();
  });

  it('say whether an aim is met', () => {
    const figure = (value: number) => figureOf('x', 'ms', [value], 'how', { below: 25 });
    expect([isMet(figure(24.9)), isMet(figure(25))]).toEqual([true, false]);
    expect(isMet(figureOf('x', '/s', [300], 'how', { atLeast: 300 }))).toBe(true);
    expect(isMet(figureOf('x', '/s', [], 'how', { atLeast: 300 }))).toBe(false);
  });

  it('are shown in columns', () => {
    const text = tableOf([
      figureOf('rate', '/s', [1000, 3000, 2000], 'how', { atLeast: 1500 }),
      figureOf('a', 'ms', [1.234], 'how'),
    ]);
    expect(text.split('\n')).toEqual([
      'figure  median    aim           runs',
      'rate    2,000 /s  ≥ 1,500: met  1,000  3,000  2,000',
      'a       1.23 ms                 1.23',
    ]);
  });
});
