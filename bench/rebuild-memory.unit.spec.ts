import { expect, it } from 'vitest';
import { quartersOf } from './rebuild-memory.ts';

it('takes the median of each quarter of the samples, whatever their number', () => {
  expect(quartersOf([1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
  expect(quartersOf([1, 9, 2, 2, 8, 3, 3, 3, 7, 4, 4, 4])).toEqual([2, 3, 3, 4]);
  expect(quartersOf([1, 2, 3, 4, 5])).toEqual([1, 2, 3, 4.5]);
});
