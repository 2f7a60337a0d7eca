import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DERIVED_TOPICS, type DerivedEvent, type DerivedTopic } from '../contracts/topics.ts';
import { parseConfiguration, type EngineConfiguration } from '../evaluators/configuration.ts';
import { derive, lineOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import type { TradeRow } from '../producers/rows.ts';
import { differencesBetween } from './backtest-comparison.ts';
import { backtestText } from './backtest-text.ts';
import { Backtest, type BacktestReport } from './backtest.ts';
import { outcomeOf } from './scoreboard/fixtures/outcomes.ts';
import type { ScoreRow } from './scoreboard/score-row.ts';
import { ScoreboardCount } from './scoreboard/scoreboard.ts';

const QUICK = parseConfiguration({ hitRule: { horizonMs: 20_000, graceMs: 5_000 }, anchorIntervalRecords: 100 });
const OTHER = parseConfiguration({
  cadenceMs: 5_000,
  hitRule: { horizonMs: 20_000, minMoveBps: 2 },
  strategies: { RANGE_BREAKOUT: { enabled: false } },
});
const INSTRUMENTS = ['BTC-USDT@binance', 'ETH-USDT@binance'];
const PATH = 'trades.csv';
const DECISION_LINES = [{ topic: 'decision.outcomes', event: outcomeOf(0) }] as const;

function rowsOf(seed: number, count: number): TradeRow[] {
  return syntheticTrades({ seed, count, instruments: INSTRUMENTS }).map((trade, index) => ({
    kind: 'trade',
    line: index + 2,
    trade,
  }));
}

function reportOf(rows: readonly TradeRow[], ...configurations: readonly EngineConfiguration[]): BacktestReport {
  const backtest = new Backtest(
    configurations.map((configuration, index) => ({ path: `${index}.yaml`, configuration })),
  );
  for (const row of rows) backtest.step(row, PATH);
  return backtest.report({ complete: true, files: [], strategies: [] });
}

async function derivedText(rows: readonly TradeRow[], configuration: EngineConfiguration): Promise<string> {
  let text = '';
  for await (const lines of derive(
    rows.map(({ trade }) => trade),
    configuration,
  ))
    text += lines;
  return text;
}

interface Line {
  readonly topic: DerivedTopic;
  readonly event: DerivedEvent;
}

/** Topic by topic, like the scoreboard of a decision log. */
function rowsCounted(lines: readonly Line[]): readonly ScoreRow[] {
  const count = new ScoreboardCount();
  for (const wanted of DERIVED_TOPICS) {
    for (const { topic, event } of lines) if (topic === wanted) count.observe(topic, event);
  }
  return count.board().rows;
}

describe('a backtest', () => {
  it('has the scoreboard of the events that derive writes', async () => {
    const rows = rowsOf(7, 3_000);
    const lines = (await derivedText(rows, QUICK))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const [result] = reportOf(rows, QUICK).configurations;
    const board = result!.scoreboard;
    expect(board.rows).toEqual(rowsCounted(lines));
    expect(board.rows.length).toBeGreaterThan(3);
    for (const topic of DERIVED_TOPICS) {
      expect(board.events[topic]).toBe(lines.filter((line) => line.topic === topic).length);
    }
    expect(Object.keys(board.decisions)).toEqual(INSTRUMENTS);
  });

  it('derives the bytes that derive writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 400 }), async (seed, count) => {
        const rows = rowsOf(seed, count);
        const backtest = new Backtest([{ path: 'a.yaml', configuration: QUICK }]);
        const events = rows.flatMap((row) => backtest.step(row, PATH)[0] ?? []);
        expect(events.map(lineOf).join('')).toBe(await derivedText(rows, QUICK));
      }),
      { numRuns: 20 },
    );
  });

  it('gives two configurations in one pass the same results as separately', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 600 }), (seed, count) => {
        const rows = rowsOf(seed, count);
        const both = reportOf(rows, QUICK, OTHER);
        const alone = [QUICK, OTHER].flatMap((configuration) => reportOf(rows, configuration).configurations);
        const unnamed = ({ configurations }: Pick<BacktestReport, 'configurations'>) =>
          configurations.map((result) => ({ ...result, label: '', path: '' }));
        expect(unnamed(both)).toEqual(unnamed({ configurations: alone }));
        expect(both.configurations.map(({ label }) => label)).toEqual(['A', 'B']);
      }),
      { numRuns: 20 },
    );
  });

  it('accounts for every trade, and reports which the engine refused', () => {
    const rows = rowsOf(3, 500);
    const refused: TradeRow = { ...rows[9]!, trade: { ...rows[9]!.trade, tradeId: 'a b' } };
    const report = reportOf([...rows.slice(0, 9), refused, ...rows.slice(10)], QUICK);
    const { counts, refused: kinds } = report.configurations[0]!;
    expect(report.trades).toBe(500);
    expect(counts.trades + counts.duplicates + counts.deadLetters).toBe(500);
    expect(counts.duplicates).toBeGreaterThan(0);
    expect(kinds).toEqual([
      { reason: 'TRADE_ID_MALFORMED', count: 1, first: [expect.objectContaining({ path: PATH, line: 11 })] },
    ]);
    const text = backtestText(report);
    expect(text).toContain('Trades that the engine refused: 1 × TRADE_ID_MALFORMED');
    expect(text).toContain(`${PATH} line 11: `);
  });

  it('reports that trades led to no decision', () => {
    expect(backtestText(reportOf([], QUICK))).toContain('Nothing was decided.');
  });
});

describe('the comparison of two configurations', () => {
  const row = (changes: Partial<ScoreRow>): ScoreRow => ({
    ...rowsCounted(DECISION_LINES)[0]!,
    ...{ n: 100, effectiveN: 95, hitRate: 0.6, hitRateInterval: { low: 0.46, high: 0.72 }, referenceRate: 0.5 },
    ...changes,
  });

  it('has B minus A, and whether the intervals overlap', () => {
    const a = [row({})];
    expect(
      differencesBetween(a, [row({ hitRate: 0.7, n: 90, hitRateInterval: { low: 0.72, high: 0.8 } })]),
    ).toMatchObject([
      { hitRate: expect.closeTo(0.1, 12) as number, referenceRate: 0, n: -10, effectiveN: 0, intervalsOverlap: true },
    ]);
    const overlapOf = (low: number, high: number) =>
      differencesBetween(a, [row({ hitRateInterval: { low, high } })])[0]?.intervalsOverlap;
    expect([overlapOf(0.73, 0.8), overlapOf(0.1, 0.45), overlapOf(0.5, 0.55)]).toEqual([false, false, true]);
  });

  it('has groups that only one configuration has, without a rate', () => {
    const own = row({ forecastKind: 'STRATEGY', strategy: 'MINE' });
    expect(differencesBetween([row({})], [row({}), own])).toMatchObject([
      { strategy: null, hitRate: 0 },
      { strategy: 'MINE', hitRate: null, n: 100, intervalsOverlap: null },
    ]);
  });

  it('pairs different hit rules when each configuration has one, and otherwise equal ones', () => {
    const [slow, quick] = [row({}), row({ hitRule: { ...row({}).hitRule, horizonMs: 1_000 } })];
    expect(differencesBetween([slow], [quick])).toMatchObject([{ n: 0 }]);
    expect(differencesBetween([slow], [slow, quick])).toMatchObject([{ hitRate: null }, { hitRate: 0 }]);
  });

  it('is printed with both, and reports overlapping intervals', () => {
    const text = backtestText(reportOf(rowsOf(5, 2_000), QUICK, { ...QUICK, cadenceMs: 2_000 }));
    expect(text).toContain('hypothetical');
    expect(text).toMatch(/ · decision · MOVE > 0 bp in 20 s.*│ A +│.*│ B +│.*│ B − A │/s);
    expect(text).toContain('overlap');
    expect(text).not.toMatch(/better|worse/);
  });
});
