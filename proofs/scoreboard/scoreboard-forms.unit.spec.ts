import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../scores/seeded-random.ts';
import { outcomeOf, countOf, OF_VERSION_3 } from './fixtures/outcomes.ts';
import { drawable, reliabilitySvg } from './reliability-svg.ts';
import { scoreboardCsv } from './scoreboard-csv.ts';
import { scoreboardText } from './scoreboard-text.ts';
import { DAY_US } from './scoreboard.ts';

const WIDTH_MAX = 120;
const STRATEGY = 'POINT_OF_CONTROL_MAGNET';

/** A board with a whole group, one that is too few, and one of an earlier engine version. */
function board(by?: 'direction') {
  const random = new SeededRandom(7);
  const outcomes = Array.from({ length: 400 }, (_, index) => {
    const probability = Math.round((0.4 + 0.2 * random.uniform()) * 1e6) / 1e6;
    return outcomeOf(index, {
      ...{ probability, rawProbability: probability, verdict: random.uniform() < probability ? 'HIT' : 'MISS' },
      ...(index % 2 === 0 ? {} : { forecastKind: 'STRATEGY' as const, strategy: STRATEGY }),
      ...(index % 2 === 0 && index < 40 ? { configHash: 'bb'.repeat(32) } : {}),
    });
  });
  const earlier = Array.from({ length: 100 }, (_, index) =>
    outcomeOf(400 + index, { ...OF_VERSION_3, verdict: index % 3 === 0 ? 'HIT' : 'MISS' }),
  );
  return countOf([...outcomes, ...earlier]).board({ by, periodUs: DAY_US });
}

describe('the scoreboard for people', () => {
  it('fits into 120 columns, with and without details', () => {
    for (const text of [scoreboardText(board()), scoreboardText(board('direction'), 'the tape', true)]) {
      expect(Math.max(...text.split('\n').map((line) => line.trimEnd().length))).toBeLessThanOrEqual(WIDTH_MAX);
    }
  });

  it('has a heading for each separate group, and reports which figures are not shown', () => {
    const text = scoreboardText(board(), 'the tape', true);
    expect(text).toContain('BTC-USDT@binance · MOVE > 0 bp in 300 s · engine 4 · configuration #aaaaaaaaaaaa');
    expect(text).toContain('BTC-USDT@binance · MOVE in 300 s · engine 3 · configuration #aaaaaaaaaaaa');
    expect(text).toMatch(/decision +too few +– +– +– +– +– +20 +20\.0/);
    expect(text).toContain(
      'decision: no referenceRate, brierReference, skillAgainstReference, regret\n  because the forecasts were',
    );
    expect(text).toMatch(/MCB +95 %/);
    expect(scoreboardText(board())).not.toContain('MCB');
  });
});

describe('the scoreboard as CSV', () => {
  it('has one line for each row, with the figures of the JSON', () => {
    const { rows } = board('direction');
    const parsed = parse<Record<string, string>>(scoreboardCsv(rows), { columns: true });
    expect(parsed).toHaveLength(rows.length);
    for (const [index, row] of rows.entries()) {
      const line = parsed[index]!;
      expect(line['forecast']).toBe(row.forecast);
      expect(line['hit_rate']).toBe(row.hitRate === null ? '' : String(row.hitRate));
      expect(line['skill_against_reference_low']).toBe(String(row.skillAgainstReferenceInterval?.low ?? ''));
      expect(line['corp_discrimination_high']).toBe(String(row.corp?.discrimination.band.high ?? ''));
      expect(line['part']).toBe(row.part?.value ?? '');
    }
    expect(parsed.some(({ withheld }) => withheld?.includes('too few: an effective n of 20.0 is below 90'))).toBe(true);
  });
});

describe('the reliability diagram', () => {
  it('draws a panel for each row with enough outcomes: curve, bins with n and band, diagonal and reference', () => {
    const { rows } = board();
    const drawn = drawable(rows);
    expect(drawn.length).toBe(rows.filter(({ effectiveN }) => effectiveN >= 90).length);
    const svg = reliabilitySvg(drawn);
    const count = (what: RegExp) => (svg.match(what) ?? []).length;
    const bins = drawn.reduce((sum, { reliability }) => sum + reliability.bins.length, 0);
    expect(count(/<polyline/g)).toBe(drawn.length);
    expect(count(/<circle/g)).toBe(bins);
    expect(count(/>n \d+<\/text>/g)).toBe(bins);
    expect(count(/stroke="#2a7"/g)).toBe(drawn.filter(({ referenceRate }) => referenceRate !== null).length);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(reliabilitySvg(drawn)).toBe(svg);
  });

  it('is well-formed whatever the name of a row', () => {
    const [row] = drawable(board().rows);
    const svg = reliabilitySvg([{ ...row!, strategy: '<b>&' }]);
    expect(svg).toContain('&lt;b&gt;&amp;');
    expect(svg.match(/<(?!\/|\w+[^>]*\/>)\w/g)?.length).toBe(svg.match(/<\//g)?.length);
  });
});
