import { describe, expect, it } from 'vitest';
import { pipelineAnswer, type PipelineStatus, type StoredPipeline } from './pipeline-answer.ts';
import { Rates } from './rates.ts';

const counters = (count: number) => new Map([['a', count]]);

describe('rates', () => {
  it('are known from the second look on, over the time since the oldest one', () => {
    const rates = new Rates();
    expect(rates.look(counters(100), 0)('a')).toBeNull();
    expect(rates.look(counters(150), 5_000)('a')).toBe(10);
    expect(rates.look(counters(150), 10_000)('a')).toBe(5);
    expect(rates.look(counters(150), 60_000)('a')).toBe(50 / 60);
    // The first look is too old by now.
    expect(rates.look(counters(150), 61_000)('a')).toBe(0);
  });

  it('begin again after a minute without a look', () => {
    const rates = new Rates();
    rates.look(counters(100), 0);
    expect(rates.look(counters(900), 60_001)('a')).toBeNull();
  });

  it('are not known of a counter that is new, gone or smaller', () => {
    const rates = new Rates();
    rates.look(counters(100), 0);
    expect(rates.look(new Map([['b', 1]]), 1_000)('b')).toBeNull();
    expect(rates.look(counters(99), 2_000)('a')).toBeNull();
    expect(rates.look(new Map(), 3_000)('a')).toBeNull();
  });

  it('need time between the looks, and keep a bounded number of them', () => {
    const rates = new Rates();
    rates.look(counters(1), 0);
    expect(rates.look(counters(2), 0)('a')).toBeNull();
    for (let atMs = 1; atMs <= 1_000; atMs += 1) rates.look(counters(atMs), atMs);
    expect(rates.look(counters(1_001), 1_001)('a')).toBe(1_000);
  });
});

describe('the pipeline', () => {
  const nothing = { missing: 'Kafka does not answer' };
  const status = (nextOffset: number, end: number): PipelineStatus => ({
    ...{ attention: [], services: [], processes: [], topicDrift: nothing, activations: nothing },
    ...{ deadLetters: nothing, conflicts: nothing, gaps: nothing },
    lag: {
      value: ['engine', 'other'].map((group) => ({
        ...{ group, topic: 'raw.trades', partition: 0, nextOffset, records: end - nextOffset },
        ...{ marketSeconds: 0, members: 1 },
      })),
    },
    groups: { value: [{ group: 'engine', state: 'Stable', members: 1 }] },
  });
  const stored = (recordsDone: number): StoredPipeline => ({
    ...{ ledger: nothing, newestGaps: nothing },
    rebuilds: {
      value: [
        {
          ...{ projector: 'scores', liveGeneration: 1 },
          building: { generation: 2, recordsDone, recordsWanted: 900 },
        },
        { projector: 'candles', liveGeneration: 1, building: null },
      ],
    },
  });

  it('has the throughput of the tape, of each group and of a rebuild', () => {
    const rates = new Rates();
    const first = pipelineAnswer(status(100, 400), stored(0), rates, 0);
    expect(first).toMatchObject({ tapeRecordsPerSecond: null, groups: { value: [{ recordsPerSecond: null }] } });
    const second = pipelineAnswer(status(300, 500), stored(500), rates, 10_000_000);
    // Two groups read the same tape: it grows once.
    expect(second.tapeRecordsPerSecond).toBe(10);
    expect(second.groups.value).toEqual([{ group: 'engine', state: 'Stable', members: 1, recordsPerSecond: 20 }]);
    expect(second.rebuilds.value).toEqual([
      {
        ...{ projector: 'scores', liveGeneration: 1 },
        building: { generation: 2, recordsDone: 500, recordsWanted: 900, recordsPerSecond: 50 },
      },
      { projector: 'candles', liveGeneration: 1, building: null },
    ]);
  });

  it('says what is missing', () => {
    const answer = pipelineAnswer({ ...status(0, 0), lag: nothing, groups: nothing }, stored(0), new Rates(), 0);
    expect(answer.groups).toEqual({ value: null, missing: 'Kafka does not answer' });
    expect(answer.tapeRecordsPerSecond).toBeNull();
  });
});
