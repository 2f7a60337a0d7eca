import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Direction, Outcome, ProbabilityDecision, Verdict } from '../../contracts/generated/events.ts';
import { HitMissTracker } from './hit-miss-tracker.ts';
import { isHit, moveBpsOf, moveOf, OutcomeEvaluator, type PendingForecast } from './outcome-evaluator.ts';
import { wilsonInterval } from './wilson.ts';

const price = (text: string) => Decimal.of(text);
const pending = (forecastId: string, changes: Partial<PendingForecast> = {}): PendingForecast => ({
  forecastId,
  kind: 'DECISION',
  strategy: null,
  direction: 'LONG',
  probability: 0.6,
  forecastTime: 0,
  dueTime: 100,
  graceUs: 50,
  minMoveBps: 0,
  minMovePoints: null,
  referencePrice: price('100'),
  ...changes,
});
const bps = (minMoveBps: number) => ({ minMoveBps, minMovePoints: null });
const points = (minMovePoints: string) => ({ minMoveBps: 0, minMovePoints: price(minMovePoints) });

describe('wilsonInterval', () => {
  it.each([
    [0.7, 10, 0.39678, 0.89221],
    [0, 10, 0, 0.27753],
    [0.55, 1000, 0.51903, 0.58058],
  ])('gives the golden vector of %d in %d', (share, n, low, high) => {
    const interval = wilsonInterval(share, n);
    expect(interval?.low).toBeCloseTo(low, 5);
    expect(interval?.high).toBeCloseTo(high, 5);
  });

  it('says nothing of nothing', () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
  });
});

describe('the hit rule', () => {
  it('takes a tie for a miss, exactly', () => {
    expect(isHit('LONG', bps(0), price('100'), price('100'))).toBe(false);
    expect(isHit('SHORT', bps(0), price('100'), price('100'))).toBe(false);
    expect(isHit('LONG', bps(0), price('999999999999999'), price('999999999999999.000000000001'))).toBe(true);
    // 5 bp of 100.00 is 100.05 to the unit; doubles put the move above or below.
    expect(isHit('LONG', bps(5), price('100'), price('100.05'))).toBe(false);
    expect(isHit('LONG', bps(5), price('100'), price('100.050000000001'))).toBe(true);
    expect(isHit('SHORT', bps(5), price('100'), price('99.95'))).toBe(false);
    expect(isHit('SHORT', bps(5), price('100'), price('99.94'))).toBe(true);
    expect(isHit('LONG', bps(5), price('100'), price('99'))).toBe(false);
  });

  it('measures the move in basis points to six decimals', () => {
    expect(moveBpsOf(price('100'), price('100.05'))).toBe(5);
    expect(moveBpsOf(price('3'), price('2'))).toBe(-3333.333333);
    expect(moveBpsOf(price('3'), price('5'))).toBe(6666.666667);
    expect(Object.is(moveBpsOf(price('3'), price('3')), 0)).toBe(true);
  });
});

describe('the hit rule below 0', () => {
  it('asks for a least move in the quote currency, exactly', () => {
    expect(isHit('LONG', points('0.05'), price('-37.63'), price('-37.58'))).toBe(false);
    expect(isHit('LONG', points('0.05'), price('-37.63'), price('-37.579999999999'))).toBe(true);
    expect(isHit('SHORT', points('0.05'), price('0.01'), price('-0.04'))).toBe(false);
    expect(isHit('SHORT', points('0.05'), price('0.01'), price('-0.1'))).toBe(true);
    expect(isHit('LONG', points('0.05'), price('0.01'), price('-0.1'))).toBe(false);
    expect(isHit('LONG', points('0'), price('0'), price('0'))).toBe(false);
  });

  it('has no basis points of a reference that is not above 0', () => {
    expect([moveBpsOf(price('0'), price('1')), moveBpsOf(price('-1'), price('1'))]).toEqual([null, null]);
    expect(moveBpsOf(price('1'), price('-1'))).toBe(-20_000);
    expect(isHit('LONG', bps(5), price('-100'), price('-99.95'))).toBe(false);
    expect(isHit('LONG', bps(5), price('-100'), price('-99.94'))).toBe(true);
    expect(isHit('SHORT', bps(5), price('0'), price('-0.01'))).toBe(true);
  });

  it('measures the move in the quote currency, as far as a decimal goes', () => {
    expect(moveOf(price('1.25'), price('-40.32'))).toEqual({ moveBps: -332_560, movePoints: price('-41.57') });
    expect(moveOf(price('-1'), price('1'))).toEqual({ moveBps: null, movePoints: price('2') });
    expect(moveOf(price('900000000000000'), price('-900000000000000')).movePoints).toBeNull();
    const [greatest, least] = [price('999999999999999.999999999999'), price('-999999999999999.999999999999')];
    expect(moveOf(greatest, least).movePoints).toBeNull();
    expect(moveOf(least, price('0')).movePoints).toBeNull();
  });
});

describe('OutcomeEvaluator', () => {
  it('resolves by a least move in the quote currency, which its state keeps', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(pending('a', { minMovePoints: price('1.5') }));
    const resumed = OutcomeEvaluator.fromState(evaluator.toState());
    expect(resumed.toState()).toEqual(evaluator.toState());
    expect(resumed.resolve(100, price('101.5'))).toMatchObject([{ verdict: 'MISS', movePoints: price('1.5') }]);
  });

  it('reads a state from before there was such a rule', () => {
    const former = ['a', 'DECISION', null, 'LONG', 0.6, 0, 100, 50, 0, '100'] as const;
    expect(OutcomeEvaluator.fromState([former]).resolve(100, price('101'))).toMatchObject([
      { forecast: pending('a'), verdict: 'HIT', moveBps: 100 },
    ]);
  });

  it('resolves with the first trade at or after the due time', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(pending('a'));
    expect(evaluator.resolve(99, price('101'))).toEqual([]);
    expect(evaluator.resolve(100, price('101'))).toMatchObject([{ verdict: 'HIT', moveBps: 100 }]);
    expect(evaluator.resolve(101, price('101'))).toEqual([]);
    expect(evaluator.nextDueTime).toBe(Number.POSITIVE_INFINITY);
  });

  it('is VOID only beyond the grace', () => {
    for (const [time, verdict] of [
      [150, 'HIT'],
      [151, 'VOID'],
    ] as const) {
      const evaluator = new OutcomeEvaluator();
      evaluator.register(pending('a'));
      expect(evaluator.resolve(time, price('101'))[0]?.verdict).toBe(verdict);
    }
  });

  it('resolves by due time, then by age, whatever the order and the state in between', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 60 }), fc.nat({ max: 60 }), (dues, limit) => {
        let evaluator = new OutcomeEvaluator();
        dues.forEach((dueTime, index) => {
          evaluator.register(pending(String(index), { dueTime, graceUs: 100 }));
          evaluator = OutcomeEvaluator.fromState(evaluator.toState());
        });
        const resolved = evaluator.resolve(limit, price('1')).map(({ forecast }) => forecast.forecastId);
        const expected = dues
          .map((due, index) => ({ due, index }))
          .filter(({ due }) => due <= limit)
          .sort((left, right) => left.due - right.due || left.index - right.index)
          .map(({ index }) => String(index));
        expect(resolved).toEqual(expected);
        expect(evaluator.pendingCount).toBe(dues.length - expected.length);
      }),
    );
  });

  it('drops what is spent', () => {
    const evaluator = new OutcomeEvaluator();
    for (let index = 0; index < 5_000; index += 1) {
      evaluator.register(pending(String(index), { dueTime: index }));
      expect(evaluator.resolve(index, price('1'))).toHaveLength(1);
    }
    expect(evaluator.toState()).toEqual([]);
  });
});

describe('HitMissTracker', () => {
  const SECOND = 1_000_000;
  const decision = (seconds: number, reference: string) =>
    ({
      instrument: 'A@b',
      eventTime: seconds * SECOND,
      hitRule: { horizonMs: 10_000, minMoveBps: 0, minMovePoints: null, referencePrice: price(reference) },
    }) as ProbabilityDecision;
  const outcome = (seconds: number, verdict: Verdict, direction: Direction = 'LONG') =>
    ({
      instrument: 'A@b',
      forecastKind: 'DECISION',
      strategy: null,
      direction,
      verdict,
      forecastTime: seconds * SECOND,
      dueTime: (seconds + 10) * SECOND,
    }) as Outcome;

  it('counts, and takes the interval from horizons that do not overlap', () => {
    const tracker = new HitMissTracker();
    for (const seconds of [0, 5, 9, 10, 15, 20]) tracker.observeOutcome(outcome(seconds, 'HIT'));
    tracker.observeOutcome(outcome(30, 'MISS'));
    tracker.observeOutcome(outcome(31, 'VOID'));
    const [summary] = tracker.summaries();
    expect(summary).toMatchObject({ hits: 6, misses: 1, voids: 1, n: 7, effectiveN: 4, hitRate: 6 / 7 });
    expect(summary?.interval).toEqual(wilsonInterval(6 / 7, 4));
  });

  it('compares with the same rule at every decision time, in the same directions', () => {
    const tracker = new HitMissTracker();
    // After 10 s: up, up, up, down, tie.
    ['10', '11', '12', '15', '13'].forEach((reference, index) => {
      tracker.observeDecision(decision(index, reference));
    });
    ['11', '12', '13', '14', '13'].forEach((reference, index) => {
      tracker.observeDecision(decision(10 + index, reference));
    });
    tracker.observeOutcome(outcome(0, 'HIT'));
    expect(tracker.summaries()[0]?.baseRate).toBe(3 / 5);
    tracker.observeOutcome(outcome(3, 'HIT', 'SHORT'));
    expect(tracker.summaries()[0]?.baseRate).toBeCloseTo((3 / 5 + 1 / 5) / 2, 12);
  });

  it('counts every point once over many more than it keeps', () => {
    const tracker = new HitMissTracker();
    const prices = Array.from({ length: 5_000 }, (_, index) => 100 + ((index * 37) % 101));
    prices.forEach((reference, index) => {
      tracker.observeDecision(decision(index, String(reference)));
    });
    tracker.observeOutcome(outcome(0, 'HIT'));
    const risen = prices.slice(10).filter((observed, index) => observed > prices[index]!).length;
    expect(tracker.summaries()[0]?.baseRate).toBe(risen / (prices.length - 10));
  });

  it('has no rate before there is an outcome', () => {
    const tracker = new HitMissTracker();
    tracker.observeOutcome(outcome(0, 'VOID'));
    expect(tracker.summaries()).toMatchObject([{ n: 0, hitRate: undefined, interval: undefined, baseRate: undefined }]);
  });
});
