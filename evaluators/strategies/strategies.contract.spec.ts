import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { CONTEXT_KINDS } from '../../contracts/context-rules.ts';
import type { Signal } from '../context/signal.ts';
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

const NOW_US = 1_742_943_600_000_000;
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Signals in force as the engine gives them. */
const signals: fc.Arbitrary<readonly Signal[]> = fc.array(
  fc.record({
    signalId: fc.uuid(),
    kind: fc.constantFrom(...CONTEXT_KINDS),
    source: fc.constant('test'),
    instrument: fc.constantFrom(null, 'BTC-USDT@binance'),
    value: fc.double({ min: -1, max: 1, noNaN: true }),
    confidence: share,
    validFrom: fc.integer({ min: NOW_US - 86_400_000_000, max: NOW_US }),
    validUntil: fc.integer({ min: NOW_US + 1, max: NOW_US + 86_400_000_000 }),
    offset: fc.integer({ min: 1, max: 1_000 }),
  }),
  { maxLength: 6 },
);

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
        fc.property(snapshots, signals, (snapshot, given) => {
          const opinion = evaluate(snapshot, given);
          expect(opinion.probability).toBeGreaterThanOrEqual(0.5);
          expect(opinion.probability).toBeLessThan(1);
          if (opinion.direction === 'NEUTRAL') expect(opinion.probability).toBe(0.5);
          expect(opinion.quality).toBeGreaterThanOrEqual(0);
          expect(opinion.quality).toBeLessThanOrEqual(1);
          expect(opinion.reasoning().length).toBeGreaterThan(10);
          expect(Object.values(opinion.indicators).every(Number.isFinite)).toBe(true);
          for (const signal of opinion.signals ?? []) expect(given).toContain(signal);
        }),
        { numRuns: 500 },
      );
    });

    it('is a function of the snapshot and the signals alone', () => {
      fc.assert(
        fc.property(snapshots, signals, snapshots, signals, (snapshot, given, other, otherGiven) => {
          const before = canonicalJson({ snapshot, given });
          const first = said(evaluate(snapshot, given));
          evaluate(other, otherGiven);
          expect(said(evaluate(snapshot, given))).toEqual(first);
          expect(said(strategy.configure({})(snapshot, given))).toEqual(first);
          expect(canonicalJson({ snapshot, given })).toBe(before);
        }),
      );
    });

    it('evaluates the signals that it names to the same opinion: an audit has no others', () => {
      fc.assert(
        fc.property(snapshots, signals, (snapshot, given) => {
          const opinion = evaluate(snapshot, given);
          expect(said(evaluate(snapshot, opinion.signals ?? []))).toEqual(said(opinion));
        }),
      );
    });

    it('has a direction for some snapshot, LONG and SHORT', () => {
      const directions = new Set(
        fc
          .sample(fc.tuple(snapshots, signals), { numRuns: 2_000, seed: 1 })
          .map(([each, given]) => evaluate(each, given).direction),
      );
      expect([...directions].sort()).toEqual(['LONG', 'NEUTRAL', 'SHORT']);
    });
  });
}

it('names each strategy once', () => {
  expect(new Set(STRATEGIES.map(({ name }) => name)).size).toBe(STRATEGIES.length);
});

STRATEGIES.forEach(strategyContract);
