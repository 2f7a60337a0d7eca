import { describe, expect, it } from 'vitest';
import { CONFIG_HASH } from '../../../../tests/dashboard/fixture-market.ts';
import { fixtureScores, fixtureTrials } from '../../../../tests/dashboard/fixture-scores.ts';
import { comparisons, ruleText, shareBounds, triesOf } from './score-view.ts';

describe('the scoreboard', () => {
  const rows = [...fixtureScores('b@x'), ...fixtureScores('a@x')];

  it('compares only forecasts of one instrument, configuration and rule, decisions first', () => {
    const other = { ...rows[0]!, group: { ...rows[0]!.group, horizonMs: 60_000 } };
    const found = comparisons([...rows, other]);
    expect(found.map(({ instrument, rows: members }) => [instrument, members.length])).toEqual([
      ['b@x', 4],
      ['a@x', 4],
      ['b@x', 1],
    ]);
    expect(found[0]?.rows.map(({ group }) => group.forecast)).toEqual([
      'DECISION',
      'ORDER_FLOW_IMBALANCE',
      'RANGE_BREAKOUT',
      'VWAP_REVERSION',
    ]);
    expect(new Set(found.map(({ key }) => key)).size).toBe(3);
  });

  it('states the rule of a hit', () => {
    const { group } = rows[0]!;
    expect(ruleText(group)).toBe('moves that way by more than 0 bp after 300 s');
    expect(ruleText({ ...group, hitRuleKind: 'FIRST_TOUCH', leastMove: '' })).toBe(
      'reaches its barrier first, within 300 s',
    );
  });

  it('knows how many configurations were tried on the same data', () => {
    expect(triesOf(CONFIG_HASH, fixtureTrials(0))).toBe(12);
    expect(triesOf('other', fixtureTrials(0))).toBeUndefined();
  });

  it('draws intervals between bounds that hold them all', () => {
    const { low, high } = shareBounds(rows);
    for (const { hitRateInterval } of rows) {
      if (hitRateInterval === null) continue;
      expect(hitRateInterval.low).toBeGreaterThan(low);
      expect(hitRateInterval.high).toBeLessThan(high);
    }
    expect(shareBounds([])).toEqual({ low: 0, high: 1 });
  });
});
