import { expect, it } from 'vitest';
import { differenceOf } from './table-equality.ts';

const table = { rows: 2, columns: { event_id: 'aa', probability: 'bb' } };

it('names what is different in two tables', () => {
  expect(differenceOf(table, { rows: 2, columns: { ...table.columns } })).toBeUndefined();
  expect(differenceOf(table, { ...table, rows: 1 })).toBe('2 rows were expected, 1 found');
  expect(differenceOf(table, { rows: 2, columns: { event_id: 'aa' } })).toBe('other values in probability');
  expect(differenceOf(table, { rows: 2, columns: { event_id: 'cc', probability: 'dd' } })).toBe(
    'other values in event_id, probability',
  );
});
