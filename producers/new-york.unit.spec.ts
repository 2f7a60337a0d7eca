import { expect, it } from 'vitest';
import { newYorkDayAt, newYorkMidnightUs } from './new-york.ts';

const HOUR_US = 3_600_000_000;
const DAY_MS = 86_400_000;

it.each([
  ['in winter', [2013, 1, 8], 5],
  ['in summer', [2013, 10, 8], 4],
  // The clock changes at two, after midnight.
  ['on the day that summer time begins', [2013, 3, 10], 5],
  ['on the next', [2013, 3, 11], 4],
  ['on the day that it ends', [2013, 11, 3], 4],
  ['on the next', [2013, 11, 4], 5],
] as const)('midnight %s is %j', (_when, [year, month, day], hours) => {
  expect(newYorkMidnightUs(year, month, day)).toBe(Date.UTC(year, month - 1, day, hours) * 1_000);
});

it.each([
  [2013, 2, 29],
  [2013, 13, 1],
  [2013, 0, 1],
  [2013, 4, 31],
])('%i-%i-%i is not a date', (year, month, day) => {
  expect(newYorkMidnightUs(year, month, day)).toBeUndefined();
});

it('its days follow each other, and those of a change have 23 and 25 hours', () => {
  const hours = new Map<number, number>();
  let { fromUs, toUs } = newYorkDayAt(Date.UTC(2009, 0, 1, 12) * 1_000);
  for (let dayMs = Date.UTC(2009, 0, 2, 12); dayMs < Date.UTC(2032, 0, 1); dayMs += DAY_MS) {
    hours.set((toUs - fromUs) / HOUR_US, (hours.get((toUs - fromUs) / HOUR_US) ?? 0) + 1);
    const next = newYorkDayAt(dayMs * 1_000);
    expect(next.fromUs).toBe(toUs);
    ({ fromUs, toUs } = next);
    expect(newYorkDayAt(fromUs)).toEqual(next);
    expect(newYorkDayAt(toUs - 1)).toEqual(next);
  }
  expect([hours.get(23), hours.get(25), hours.size]).toEqual([23, 23, 3]);
});
