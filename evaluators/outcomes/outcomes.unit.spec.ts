import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { hitRuleTerms, isHit, moveBpsOf, moveOf, type HitRuleTerms } from './hit-rule.ts';
import { OutcomeEvaluator, type ForecastPoint, type Resolution } from './outcome-evaluator.ts';
import { wilsonInterval } from './wilson.ts';

const price = (text: string) => Decimal.of(text);
const RULE = { kind: 'MOVE', horizonMs: 100, graceMs: 50, minMoveBps: 0, minMovePoints: null } as const;
const ms = (milliseconds: number) => milliseconds * 1_000;
/** A LONG decision by default due at 100 ms. */
const point = (
  forecastId: string,
  rule: Partial<HitRuleTerms> = {},
  changes: Partial<ForecastPoint> = {},
): ForecastPoint => ({
  rule: hitRuleTerms({ ...RULE, ...rule }),
  forecastTime: 0,
  referencePrice: price('100'),
  referenceRate: 0.5,
  madeUnder: null,
  forecasts: [{ forecastId, strategy: null, direction: 'LONG', probability: 0.6, level: 'LOW', evidence: null }],
  ...changes,
});
const idsOf = (resolutions: readonly Resolution[]) =>
  resolutions.flatMap(({ point: { forecasts } }) => forecasts.map(({ forecastId }) => forecastId));
const bps = (minMoveBps: number) => ({ kind: 'MOVE' as const, minMoveBps, minMovePoints: null });
const points = (minMovePoints: string) => ({
  kind: 'MOVE' as const,
  minMoveBps: 0,
  minMovePoints: price(minMovePoints),
});

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

  it('is undefined without trials', () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
  });
});

describe('the hit rule', () => {
  it('counts a tie as a miss, exactly', () => {
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
  it('requires a least move in the quote currency, exactly', () => {
    expect(isHit('LONG', points('0.05'), price('-37.63'), price('-37.58'))).toBe(false);
    expect(isHit('LONG', points('0.05'), price('-37.63'), price('-37.579999999999'))).toBe(true);
    expect(isHit('SHORT', points('0.05'), price('0.01'), price('-0.04'))).toBe(false);
    expect(isHit('SHORT', points('0.05'), price('0.01'), price('-0.1'))).toBe(true);
    expect(isHit('LONG', points('0.05'), price('0.01'), price('-0.1'))).toBe(false);
    expect(isHit('LONG', points('0'), price('0'), price('0'))).toBe(false);
  });

  it('has no basis points for a reference that is not above 0', () => {
    expect([moveBpsOf(price('0'), price('1')), moveBpsOf(price('-1'), price('1'))]).toEqual([null, null]);
    expect(moveBpsOf(price('1'), price('-1'))).toBe(-20_000);
    expect(isHit('LONG', bps(5), price('-100'), price('-99.95'))).toBe(false);
    expect(isHit('LONG', bps(5), price('-100'), price('-99.94'))).toBe(true);
    expect(isHit('SHORT', bps(5), price('0'), price('-0.01'))).toBe(true);
  });

  it("measures the move in the quote currency, within a decimal's bounds", () => {
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
    evaluator.register(point('a', { minMovePoints: price('1.5') }));
    const resumed = OutcomeEvaluator.fromState(evaluator.toState());
    expect(resumed.toState()).toEqual(evaluator.toState());
    expect(resumed.resolve(ms(100), price('101.5'))).toMatchObject([{ course: 'NONE', movePoints: price('1.5') }]);
  });

  it('resolves with the first trade at or after the due time', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(point('a'));
    expect(evaluator.resolve(ms(99), price('101'))).toEqual([]);
    expect(evaluator.resolve(ms(100), price('101'))).toMatchObject([{ course: 'UP', moveBps: 100 }]);
    expect(evaluator.resolve(ms(101), price('101'))).toEqual([]);
    expect(evaluator.isDue(ms(1_000), price('101'))).toBe(false);
  });

  it('is VOID only beyond the grace', () => {
    for (const [time, course] of [
      [150, 'UP'],
      [151, 'VOID'],
    ] as const) {
      const evaluator = new OutcomeEvaluator();
      evaluator.register(point('a'));
      expect(evaluator.resolve(ms(time), price('101'))[0]?.course).toBe(course);
    }
  });

  it('expires the forecasts that nothing can resolve any more, and keeps those with a longer grace', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(point('a', { graceMs: 500 }));
    evaluator.register(point('b'));
    expect(evaluator.expire(ms(150))).toEqual([]);
    expect(idsOf(evaluator.expire(ms(150) + 1))).toEqual(['b']);
    expect(idsOf(evaluator.expire(ms(2_000)))).toEqual(['a']);
  });

  it('resolves by due time, then by age, whatever the rules, the order and the state in between', () => {
    const one = fc.record({ horizonMs: fc.integer({ min: 1, max: 50 }), at: fc.nat({ max: 50 }) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), fc.nat({ max: 100 }), (made, limit) => {
        let evaluator = new OutcomeEvaluator();
        const inTime = made.toSorted((left, right) => left.at - right.at);
        inTime.forEach(({ horizonMs, at }, index) => {
          evaluator.register(point(String(index), { horizonMs, graceMs: 200 }, { forecastTime: ms(at) }));
          evaluator = OutcomeEvaluator.fromState(evaluator.toState());
        });
        const expected = inTime
          .map(({ horizonMs, at }, index) => ({ due: at + horizonMs, at, index }))
          .filter(({ due }) => due <= limit)
          .sort((left, right) => left.due - right.due || left.at - right.at || left.index - right.index)
          .map(({ index }) => String(index));
        expect(idsOf(evaluator.resolve(ms(limit), price('1')))).toEqual(expected);
        expect(evaluator.pendingCount).toBe(made.length - expected.length);
      }),
    );
  });

  it('drops resolved points', () => {
    const evaluator = new OutcomeEvaluator();
    for (let index = 0; index < 5_000; index += 1) {
      evaluator.register(point(String(index), {}, { forecastTime: ms(index) }));
      expect(evaluator.resolve(ms(index + 100), price('1'))).toHaveLength(1);
    }
    expect(evaluator.toState()).toEqual([]);
  });

  it('remembers under which activation a forecast was made, once another is in force', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(point('a'));
    evaluator.replaceActivation({ engineVersion: '4', configHash: 'first' });
    evaluator.register(point('b', {}, { forecastTime: ms(1) }));
    evaluator.replaceActivation({ engineVersion: '4', configHash: 'second' });
    const resolved = OutcomeEvaluator.fromState(evaluator.toState()).resolve(ms(101), price('101'));
    expect(resolved.map(({ point: { madeUnder } }) => madeUnder?.configHash)).toEqual(['first', 'second']);
  });
});

describe('the first of two barriers', () => {
  const TOUCH = { kind: 'FIRST_TOUCH', minMoveBps: 10 } as const;
  const begun = () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(point('a', TOUCH));
    return evaluator;
  };

  it.each([
    ['100.1', 'UP'],
    ['99.9', 'DOWN'],
  ])('is touched when a price reaches it: %s', (reached, course) => {
    const evaluator = begun();
    expect(evaluator.isDue(ms(10), price('100.099999'))).toBe(false);
    expect(evaluator.resolve(ms(10), price('99.900001'))).toEqual([]);
    expect(evaluator.isDue(ms(20), price(reached))).toBe(true);
    expect(evaluator.resolve(ms(20), price(reached))).toMatchObject([{ course, dueTime: ms(100) }]);
    expect(evaluator.pendingCount).toBe(0);
  });

  it('counts a touch at the due time, and none after it', () => {
    expect(begun().resolve(ms(100), price('102'))).toMatchObject([{ course: 'UP' }]);
    expect(begun().resolve(ms(101), price('102'))).toMatchObject([{ course: 'NONE' }]);
    expect(begun().resolve(ms(151), price('102'))).toMatchObject([{ course: 'VOID' }]);
  });

  it('gives the same as checking every barrier at every trade', () => {
    const step = fc.record({
      after: fc.integer({ min: 1, max: 40 }),
      move: fc.integer({ min: -3, max: 3 }),
      isMade: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let evaluator = new OutcomeEvaluator();
        let open: { id: string; at: number; from: number }[] = [];
        let [time, level] = [0, 1_000];
        steps.forEach(({ after, move, isMade }, index) => {
          time += after;
          level += move;
          const isOver = ({ at, from }: (typeof open)[number]) =>
            time >= at + 100 || Math.abs(level - from) * 1_000 >= from;
          const expected = open.filter(isOver).map(({ id }) => id);
          open = open.filter((each) => !isOver(each));
          const resolved = evaluator.resolve(ms(time), price(String(level)));
          expect(idsOf(resolved).sort()).toEqual(expected.sort());
          if (!isMade) return;
          const made = { forecastTime: ms(time), referencePrice: price(String(level)) };
          evaluator.register(point(String(index), TOUCH, made));
          open.push({ id: String(index), at: time, from: level });
          evaluator = OutcomeEvaluator.fromState(evaluator.toState());
        });
      }),
    );
  });

  it('has no barrier if a decimal cannot hold it', () => {
    const evaluator = new OutcomeEvaluator();
    evaluator.register(point('a', TOUCH, { referencePrice: price('999999999999999') }));
    expect(evaluator.resolve(ms(1), price('999999999999999.9'))).toEqual([]);
    expect(evaluator.resolve(ms(101), price('1'))).toMatchObject([{ course: 'NONE' }]);
  });
});
