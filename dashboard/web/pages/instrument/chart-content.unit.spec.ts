import { describe, expect, it } from 'vitest';
import { fixtureMarket } from '../../../../tests/dashboard/fixture-market.ts';
import { chartPoints, decisionMarks, profileRows } from './chart-content.ts';

const { points, decisions, profile } = fixtureMarket(
  { instrument: 'a@b', displayName: 'a@b', price: 100, binSize: 0.5, seed: 1, ageMs: 0 },
  1_764_150_000_000_000,
);

describe('the content of a chart', () => {
  it('has the upper edge of the value area, which the server names by its highest bin', () => {
    const [drawn] = chartPoints(points, '0.5');
    expect(drawn?.valueAreaHigh).toBe(Number(points[0]!.valueAreaHigh) + 0.5);
    expect(chartPoints(points, null)[0]?.valueAreaHigh).toBe(Number(points[0]!.valueAreaHigh));
  });

  it('has rising times, the last point of each, and no range where there are too few bars', () => {
    const [first, second] = [points[0]!, points[1]!];
    const drawn = chartPoints([second, first, { ...first, price: '7' }], null);
    expect(drawn.map(({ time, price }) => [time, price])).toEqual([
      [first.timeUs / 1e6, 7],
      [second.timeUs / 1e6, Number(second.price)],
    ]);
    expect(drawn[0]?.rangeLow).toBeNull();
  });

  it('marks each decision at the last point at or before it, oldest first', () => {
    const drawn = chartPoints(points, null);
    const marks = decisionMarks(decisions, drawn);
    expect(marks).toHaveLength(decisions.length);
    expect(marks.map(({ time }) => time)).toEqual(marks.map(({ time }) => time).toSorted((a, b) => a - b));
    expect(marks.map(({ decisionId }) => decisionId)).toEqual(
      decisions.map(({ decisionId }) => decisionId).toReversed(),
    );
    const late = { ...decisions[0]!, timeUs: points[10]!.timeUs + 1 };
    expect(decisionMarks([late], drawn)[0]?.time).toBe(points[10]!.timeUs / 1e6);
    const early = { ...decisions[0]!, timeUs: points[0]!.timeUs - 1 };
    expect(decisionMarks([early], drawn)).toEqual([]);
  });

  it('has the rows of the profile as numbers, and none where they are withheld', () => {
    const rows = profileRows(profile);
    expect(rows).toHaveLength(profile.rows!.length);
    expect(rows.filter(({ isPointOfControl }) => isPointOfControl)).toHaveLength(1);
    expect(rows[0]!.high).toBeGreaterThan(rows[0]!.low);
    expect(profileRows({ ...profile, rows: null, withheld: 'why' })).toEqual([]);
  });
});
