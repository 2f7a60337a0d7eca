import { expect, it } from 'vitest';
import { NewestMap } from './newest-map.ts';

const MAX = 3;

it('keeps its newest entries, whatever was deleted, set again or cleared meanwhile', () => {
  const map = new NewestMap<string, number>(MAX);
  for (const [index, key] of ['a', 'b', 'c', 'd', 'e'].entries()) map.set(key, index);
  expect([...map]).toEqual([
    ['c', 2],
    ['d', 3],
    ['e', 4],
  ]);
  map.set('c', 5);
  map.delete('d');
  map.set('d', 6);
  expect([...map.keys()]).toEqual(['c', 'e', 'd']);
  map.set('f', 7);
  expect([...map.keys()]).toEqual(['e', 'd', 'f']);
  map.clear();
  for (const key of ['g', 'h', 'i', 'j']) map.set(key, 8);
  expect([...map.keys()]).toEqual(['h', 'i', 'j']);
});
