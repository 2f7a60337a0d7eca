import { describe, expect, it } from 'vitest';
import { groupLags, marketSecondsText } from './pipeline-view.ts';

const lag = (group: string, partition: number, records: number, marketSeconds: number | null) => ({
  ...{ group, topic: 'raw.trades', partition, records, marketSeconds, members: 1 },
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
