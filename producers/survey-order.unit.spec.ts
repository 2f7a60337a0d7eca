import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXAMPLES_MAX, isOutOfOrder, OrderClock, STEP_US_MAX, type OrderCounts } from './survey-order.ts';

const START_S = 1_735_689_600;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Counts of rows at these seconds after the start, on lines from 2 on. */
function countsOf(secondsAfter: readonly number[], clock = new OrderClock()): OrderCounts {
  for (const [index, seconds] of secondsAfter.entries()) clock.accept(Math.round((START_S + seconds) * 1e6), index + 2);
  return clock.counts();
}

const ascending = (count: number, from = 0, step = 1): number[] =>
  Array.from({ length: count }, (_, index) => from + index * step);

describe('the order of rows', () => {
  it('is counted: late rows, how far, and the seconds left without a decision', () => {
    const counts = countsOf([0, 1, 5, 3, 3.5, 1, 5.8, 4.9]);
    expect(counts).toMatchObject({ rows: 8, late: 4, largestStepBackUs: 4e6, stray: 0 });
    // 3 has none; 1 had one; 4.9 is the jitter of a capture.
    expect(counts).toMatchObject({ seconds: 4, silencedSeconds: 1 });
    expect(counts.firstLate).toEqual([
      { line: 5, stepUs: 2e6 },
      { line: 6, stepUs: 1.5e6 },
      { line: 7, stepUs: 4e6 },
      { line: 9, stepUs: 0.9e6 },
    ]);
  });

  it('names only the first few rows, however many there are', () => {
    expect(countsOf([100, ...ascending(50)]).firstLate).toHaveLength(EXAMPLES_MAX);
  });

  it.each<readonly [string, readonly number[]]>([
    ['rows by time', ascending(400)],
    ['many rows of one time', [...ascending(5), ...ascending(95, 5, 0)]],
    ['the jitter of a capture', ascending(400).map((seconds) => (seconds % 7 === 0 ? seconds - 1.2 : seconds))],
    ['a late report among many trades', [...ascending(200), 20.5, ...ascending(200, 200)]],
    ['a night without trades', [...ascending(50), ...ascending(50, DAY_S)]],
    ['a file of days with one trade each', ascending(40, 0, DAY_S)],
    ['one stamp half a year ahead', [...ascending(100), 180 * DAY_S, ...ascending(100, 100)]],
    ['a first stamp half a year ahead', [180 * DAY_S, ...ascending(100)]],
    ['no rows', []],
  ])('is accepted: %s', (_what, rows) => {
    expect(isOutOfOrder(countsOf(rows))).toBe(false);
  });

  it.each<readonly [string, readonly number[]]>([
    ["rows of the month's end between those of its beginning", ascending(200).flatMap((s) => [s, 27 * DAY_S + s])],
    [
      'every twentieth row from the end of the month',
      ascending(200).flatMap((s) => (s % 20 ? [s] : [s, 27 * DAY_S + s])),
    ],
    [
      'blocks of two times in turn',
      ascending(20).flatMap((b) => [...ascending(10, b * 10), ...ascending(10, b * 10 + DAY_S)]),
    ],
    ['the newest first', ascending(400).reverse()],
    ['the newest first, days apart', ascending(40, 0, DAY_S).reverse()],
    ['the newest first, within one second', ascending(100, 0, 0.005).reverse()],
    ['two days in the wrong order', [...ascending(200, DAY_S), ...ascending(200)]],
    ['two hours in the wrong order', [...ascending(200, HOUR_S / 2), ...ascending(200)]],
    ['one row in fifty at the wrong place', ascending(50).map((s) => (s === 40 ? 10.5 - 20 : s))],
    ['two rows, the newer first', [60, 0]],
  ])('is refused: %s', (_what, rows) => {
    expect(isOutOfOrder(countsOf(rows))).toBe(true);
  });

  it('continues from the end of the tape', () => {
    const tape = new OrderClock();
    countsOf(ascending(100), tape);
    expect(isOutOfOrder(countsOf(ascending(100, 100), new OrderClock({ after: tape })))).toBe(false);
    const older = countsOf(ascending(100, -100), new OrderClock({ after: tape, isSorted: true }));
    expect(older).toMatchObject({ late: 100, silencedSeconds: 100 });
    expect(isOutOfOrder(older)).toBe(true);
    // The seconds that the tape has a decision in lose none.
    expect(countsOf([50.5], new OrderClock({ after: tape }))).toMatchObject({ late: 1, silencedSeconds: 0 });
  });

  it('does not use a stray end of the tape as a clock', () => {
    const tape = new OrderClock();
    countsOf([...ascending(100), 180 * DAY_S], tape);
    expect(tape.latestUs).toBe((START_S + 180 * DAY_S) * 1e6);
    expect(countsOf(ascending(100, 100), new OrderClock({ after: tape }))).toMatchObject({ late: 0, stray: 0 });
  });

  it('silences nothing where the rows are sorted, and then no row is late or stray by more than a step', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 30 * DAY_S, noNaN: true }), { maxLength: 60 }), (rows) => {
        const counts = countsOf([...rows].sort((left, right) => left - right));
        expect(counts).toMatchObject({ late: 0, silencedSeconds: 0 });
        for (const { stepUs } of counts.firstStray) expect(stepUs).toBeGreaterThan(STEP_US_MAX);
      }),
    );
  });

  it('has a decision or a silence in each second, once', () => {
    const row = fc.double({ min: 0, max: 300, noNaN: true });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80 }), (rows) => {
        let clockS = -1;
        const decided = new Set<number>();
        const silenced = new Set<number>();
        for (const us of rows.map((seconds) => Math.round((START_S + seconds) * 1e6))) {
          const second = Math.floor(us / 1e6);
          if (us >= clockS) {
            clockS = us;
            decided.add(second);
          } else if (clockS - us > 1e6 && !decided.has(second)) silenced.add(second);
        }
        expect(countsOf(rows).silencedSeconds).toBe(silenced.size);
      }),
    );
  });
});
