import { describe, expect, it } from 'vitest';
import { groupLags, isRebalancing, marketSecondsText, rateText, rebuildText } from './pipeline-view.ts';

const lag = (group: string, partition: number, records: number, marketSeconds: number | null) => ({
  ...{ group, topic: 'raw.trades', partition, nextOffset: 9, records, marketSeconds, members: 1 },
});

describe('lag', () => {
  it('adds up records, and takes the market time of the slowest partition', () => {
    const [first, second] = groupLags([
      lag('b', 0, 1, 2),
      lag('a', 0, 5, 1.5),
      lag('a', 1, 7, 9),
      lag('a', 2, 7, null),
    ]);
    expect([first?.group, first?.records, first?.marketSeconds]).toEqual(['a', 19, 9]);
    expect(first?.partitions.map(({ partition }) => partition)).toEqual([1, 2, 0]);
    expect([second?.group, second?.records]).toEqual(['b', 1]);
    expect(groupLags([lag('a', 0, 1, null)])[0]?.marketSeconds).toBeNull();
    expect(groupLags([])).toEqual([]);
  });

  it.each([
    [null, 'not known'],
    [0, '0 s'],
    [12.54, '12.5 s'],
    [240, '4 min'],
    [7_560, '2.1 h'],
  ])('of %s s is %s', (seconds, text) => {
    expect(marketSecondsText(seconds)).toBe(text);
  });
});

describe('throughput', () => {
  it.each([
    [null, 'not measured yet'],
    [0, '0 a second'],
    [0.04, '0.04 a second'],
    [3.46, '3.5 a second'],
    [18_402.4, '18,402 a second'],
  ])('of %s is %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });

  it.each([
    ['PreparingRebalance', true],
    ['CompletingRebalance', true],
    ['Stable', false],
    ['Empty', false],
  ])('a group that is %s is being rebalanced: %s', (state, isIt) => {
    expect(isRebalancing(state)).toBe(isIt);
  });

  it('of a rebuild says what is left, and whether it moves', () => {
    const building = { generation: 3, recordsDone: 250, recordsWanted: 1_000, recordsPerSecond: 75 };
    expect(rebuildText(building)).toBe('250 of 1,000 records (25\u202f%), 75 a second');
    expect(rebuildText({ ...building, recordsPerSecond: null })).toBe('250 of 1,000 records (25\u202f%)');
    expect(rebuildText({ ...building, recordsPerSecond: 0 })).toMatch(/no progress in the last minute/);
    expect(rebuildText({ ...building, recordsDone: 0, recordsWanted: 0 })).toMatch(/^0 of 0 records/);
  });
});
