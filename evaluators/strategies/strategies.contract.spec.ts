import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { STRATEGIES } from './catalogue.ts';
import type { Opinion, Strategy } from './strategy.ts';

const cents = fc.integer({ min: -10_000_000, max: 10_000_000 }).map((value) => Decimal.of((value / 100).toFixed(2)));
const positiveCents = fc.integer({ min: 1, max: 10_000_000 }).map((value) => Decimal.of((value / 100).toFixed(2)));
const volume = fc.double({ min: 0, max: 1e6, noNaN: true });

/** Snapshots of every shape that the engine can make. */
const snapshots = fc
  .record({
    lastPrice: cents,
    vwap: fc.double({ min: -1e5, max: 1e5, noNaN: true }),
    vwapDeviation: fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e4, noNaN: true })),
    edges: fc.tuple(cents, cents, cents),
    profileBinSize: fc.option(positiveCents, { nil: null }),
    range: fc.option(fc.tuple(cents, cents), { nil: null }),
    rangeFirstPrice: fc.option(cents, { nil: null }),
    takers: fc.option(fc.tuple(volume, volume, fc.oneof(fc.constant(0), volume)), { nil: null }),
    barVolume: volume,
    meanBarVolume: volume,
    sessionVolume: volume,
    tradeCount: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ edges, range, meanBarVolume, takers, ...rest }): IndicatorSnapshot => {
    const [low, middle, high] = edges.toSorted((left, right) => left.compare(right)) as [Decimal, Decimal, Decimal];
    const [rangeLow, rangeHigh] = range?.toSorted((left, right) => left.compare(right)) ?? [null, null];
    return {
      eventId: 'snapshot-0-1-0',
      instrument: 'BTC-USDT@binance',
      eventTime: 1_742_943_600_000_000,
      tape: { partition: 0, offset: 1 },
      sequence: 0,
      causes: [],
      engineVersion: '1',
      configHash: '',
      ...rest,
      valueAreaLow: low,
      pointOfControl: middle,
      valueAreaHigh: high,
      rangeLow: rangeLow ?? null,
      rangeHigh: rangeHigh ?? null,
      meanBarVolume: range === null ? null : meanBarVolume,
      takerBuyVolume: takers?.[0] ?? null,
      takerSellVolume: takers?.[1] ?? null,
      takerUnknownVolume: takers?.[2] ?? null,
      firstOffset: 1,
      lastOffset: 1,
    };
  });

/** An opinion with its reasoning as a text. */
const said = (opinion: Opinion) => ({ ...opinion, reasoning: opinion.reasoning() });

/** The rules for every strategy: add yours to the catalogue, and it is tested here. */
function strategyContract(strategy: Strategy): void {
  describe(strategy.name, () => {
    const evaluate = strategy.configure({});

    it('has a name for events, and a default for every parameter', () => {
      expect(strategy.name).toMatch(/^[A-Z][A-Z0-9_]{2,39}$/);
      expect(() => strategy.parameters.parse({})).not.toThrow();
      expect(strategy.parameters.safeParse({ noSuchParameter: 1 }).success).toBe(false);
    });

    it('gives a valid opinion on any snapshot', () => {
      fc.assert(
        fc.property(snapshots, (snapshot) => {
          const opinion = evaluate(snapshot);
          expect(opinion.probability).toBeGreaterThanOrEqual(0.5);
          expect(opinion.probability).toBeLessThan(1);
          if (opinion.direction === 'NEUTRAL') expect(opinion.probability).toBe(0.5);
          expect(opinion.quality).toBeGreaterThanOrEqual(0);
          expect(opinion.quality).toBeLessThanOrEqual(1);
          expect(opinion.reasoning().length).toBeGreaterThan(10);
          expect(Object.values(opinion.indicators).every(Number.isFinite)).toBe(true);
        }),
        { numRuns: 500 },
      );
    });

    it('is a function of the snapshot alone', () => {
      fc.assert(
        fc.property(snapshots, snapshots, (snapshot, other) => {
          const before = canonicalJson(snapshot);
          const first = said(evaluate(snapshot));
          evaluate(other);
          expect(said(evaluate(snapshot))).toEqual(first);
          expect(said(strategy.configure({})(snapshot))).toEqual(first);
          expect(canonicalJson(snapshot)).toBe(before);
        }),
      );
    });

    it('has a direction for some snapshot, LONG and SHORT', () => {
      const directions = new Set(
        fc.sample(snapshots, { numRuns: 2_000, seed: 1 }).map((each) => evaluate(each).direction),
      );
      expect([...directions].sort()).toEqual(['LONG', 'NEUTRAL', 'SHORT']);
    });
  });
}

it('names each strategy once', () => {
  expect(new Set(STRATEGIES.map(({ name }) => name)).size).toBe(STRATEGIES.length);
});

STRATEGIES.forEach(strategyContract);
