import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limitsOf, LOADS, planOf, renewedPage } from './capacity.ts';
import type { Costs } from './costs.ts';
import { figureOf } from './figure.ts';
import type { GrowthPoint } from './growth.ts';

const costs: Costs = {
  compression: 'producer',
  trades: 1,
  tradesPerSnapshot: 10,
  eventsPerTrade: 0.5,
  cpuUsPerTrade: {
    ...{ engine: 6, brokerWhileFilling: 1, brokerWhileDeriving: 1, brokerWhileHistoryReads: 1 },
    ...{ history: 3, postgres: 3, latest: 2, redis: 0.6 },
  },
  bytesPerTrade: { tape: 100, derived: 100, postgres: 300 },
  redisBytesPerInstrument: 1_000,
  engineResidentBytes: 300_000_000,
  p99Ms: 15,
};
const growth = [16, 1_016].map((at): GrowthPoint => ({
  ...{ curve: 'instruments', at, cpuUsPerTrade: 3 },
  residentMib: 200 + at,
}));

const machine = { processor: 'Some processor', processors: 2, node: 'v24.0.0', load: 0.5 };
const calibration = figureOf('SHA-256', 'µs', [0.82], 'once');
const keptCosts = { machine, calibration, costs: [{ ...costs, trades: 120_000 }] };
const keptGrowth = { machine: { ...machine, load: 3 }, points: growth };

describe('the capacity plan', () => {
  it('is the costs of a trade times the load, with room to spare', () => {
    const plan = planOf(costs, growth, { tradesPerSecond: 100_000, instruments: 10_000 });
    // 6 µs × 100,000/s is 0.6 of a core, which is what one may be used for.
    expect(plan).toMatchObject({ engines: 1, partitions: 2, brokers: 3, historyProcesses: 1, redisServers: 1 });
    expect(plan.engineGigabytes).toBeCloseTo(0.3 + (10_000 * 1_048_576) / 1e9, 6);
    expect(plan.logTerabytesPerDay).toBeCloseTo(5.184, 6);
    expect(plan.brokerNetworkBytesPerSecond).toBeCloseTo(100_000 * (200 * 5 + 100 + 300), 0);
    expect(plan.redisGigabytes).toBeCloseTo(0.01, 6);
    const tenfold = planOf(costs, growth, { tradesPerSecond: 1_000_000, instruments: 100_000 });
    expect(tenfold).toMatchObject({ engines: 10, partitions: 20, historyProcesses: 5, postgresCores: 5 });
  });

  it('names first what breaks first', () => {
    const limits = limitsOf(costs);
    expect(limits[0]).toEqual({ resource: expect.stringContaining('one engine') as string, tradesPerSecond: 100_000 });
    expect(limits.map(({ tradesPerSecond }) => tradesPerSecond)).toEqual(
      limits.map(({ tradesPerSecond }) => tradesPerSecond).toSorted((left, right) => left - right),
    );
  });

  it('renews the generated part of the page, and nothing else', () => {
    const page = readFileSync(new URL('../docs/capacity.md', import.meta.url), 'utf8');
    const renewed = renewedPage(page, keptCosts, keptGrowth);
    // What the figures came from, so that a short run on a busy machine is not taken for more.
    expect(renewed).toContain('with 120,000 trades, 10 to a snapshot');
    expect(renewed).toContain('Some processor, 2 processors,\nNode v24.0.0, a load of 0.5, and 0.82 µs');
    expect(renewed).toContain('to 1,016 instruments, at a load of 3.');
    expect(renewed).toContain('| engine processes, a core each | 1 | 1 | 10 |');
    expect(renewedPage(renewed, keptCosts, keptGrowth)).toBe(renewed);
    expect(LOADS.at(-1)).toEqual({ tradesPerSecond: 1_000_000, instruments: 100_000 });
  });

  it('is not written into a page without a place for it', () => {
    expect(() => renewedPage('# Capacity\n', keptCosts, keptGrowth)).toThrow('has no generated part');
  });
});
