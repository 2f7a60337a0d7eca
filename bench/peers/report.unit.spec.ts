import { describe, expect, it } from 'vitest';
import type { Difference } from './equality.ts';
import { runOf, type PeerRun } from './measurement.ts';
import { reportOf, reportText, type Round } from './report.ts';

const RUN: PeerRun = {
  events: 100,
  tradesPerCpuSecond: 60_000,
  tradesPerSecond: 80_000,
  warmTradesPerCpuSecond: 90_000,
  peakResidentBytes: 300 * 1_048_576,
};
const DIFFERENCE: Difference = {
  ...{ topic: 'probability.decisions', partition: 0, position: 5 },
  ...{ field: 'probability', expected: 0.5, found: 0.6 },
};

function roundOf(streamsRate: number, difference?: Difference): Round {
  const streams = { ...RUN, tradesPerCpuSecond: streamsRate };
  return [
    { contender: 'tapeproof', run: RUN, comparison: { equalEvents: 100, difference: undefined } },
    { contender: 'streams', run: streams, comparison: { equalEvents: 99, difference } },
  ];
}

describe('the report on peers', () => {
  it('gives the ratio of the rounds, ours by theirs, with its range', () => {
    const [ours, streams] = reportOf([roundOf(30_000), roundOf(60_000), roundOf(20_000)]);
    expect(streams?.ratio).toEqual({ median: 2, least: 1, greatest: 3 });
    expect(ours?.ratio).toBeUndefined();
  });

  it('gives no ratio where the events of one round differ, and says which', () => {
    const reports = reportOf([roundOf(30_000), roundOf(30_000, DIFFERENCE)]);
    expect(reports[1]?.ratio).toBeUndefined();
    expect(reports[1]?.warmRatio).toBeUndefined();
    const text = reportText(reports);
    expect(text).toContain('events differ');
    expect(text).toContain('streams derives other events: event 5 of probability.decisions, partition 0, probability');
    expect(text).not.toContain('2.00');
  });
});

describe('the rates of a run', () => {
  const samples = [
    { atMs: 0, cpuSeconds: 1, outputs: 0 },
    { atMs: 1_000, cpuSeconds: 2, outputs: 100 },
    { atMs: 2_000, cpuSeconds: 4, outputs: 300 },
    { atMs: 3_000, cpuSeconds: 5, outputs: 500 },
    { atMs: 5_000, cpuSeconds: 6, outputs: 1_000 },
  ];

  it('count from the first output, and from half of them', () => {
    const derivation = { trades: 10_000, events: 1_000, samples, peakResidentBytes: 1 };
    expect(runOf(derivation)).toEqual({
      events: 1_000,
      peakResidentBytes: 1,
      tradesPerCpuSecond: 9_000 / 4,
      tradesPerSecond: 9_000 / 4,
      warmTradesPerCpuSecond: 5_000 / 1,
    });
  });

  it('need two outputs', () => {
    const derivation = { trades: 10_000, events: 100, samples: samples.slice(0, 2), peakResidentBytes: 1 };
    expect(() => runOf(derivation)).toThrow('the tape is too short');
  });
});
