import { describe, expect, it } from 'vitest';
import { ScoreboardCount } from '../scoreboard/scoreboard.ts';
import { bySkill, gridCsv, gridText, type GridReport, type GridRow } from './grid-report.ts';
import type { LogComparisonReport, LogDifference } from './log-comparison.ts';
import { isWhollyEqual, TAPE_BACKTEST_SCHEMA, tapeBacktestText, type TapeBacktestReport } from './tape-backtest.ts';

const EQUAL: LogComparisonReport = {
  ...{ equal: 1_200, differing: 0, missing: 0, extra: 0, notYetRecorded: 0, notDerived: 0, repeated: 0, first: null },
};
const FOREIGN = { partition: 2, fromOffset: 77, engineVersion: '4' };

function backtestReport(changes: Partial<TapeBacktestReport> = {}): TapeBacktestReport {
  return {
    ...{ schema: TAPE_BACKTEST_SCHEMA, hypothetical: false, engineVersion: '5', complete: true, tapeId: 'tape' },
    ...{ parts: [{ partition: 2, from: 0, to: 100 }], records: 100, selection: {}, configuration: null },
    ...{ strategies: [], scoreboard: new ScoreboardCount().board(), instruments: [], notDerived: [] },
    ...{ trial: null, log: EQUAL, ...changes },
  };
}

describe('the verdict of a comparison with the log', () => {
  it('says how many repetitions were set aside', () => {
    const text = tapeBacktestText(backtestReport({ log: { ...EQUAL, repeated: 2 } }));
    expect(text).toContain('2 are there once more, set aside: "npx tapeproof certify" compares their bytes');
  });

  it('is EQUAL only where every event of the log was derived with the same bytes', () => {
    const report = backtestReport();
    expect(isWhollyEqual(report)).toBe(true);
    expect(tapeBacktestText(report)).toContain('EQUAL: 1,200 events of the log have the bytes that the tape gives.');
    const behind = backtestReport({ log: { ...EQUAL, notYetRecorded: 3 } });
    expect(isWhollyEqual(behind)).toBe(true);
    expect(tapeBacktestText(behind)).toContain('; 3 are not in the log yet.');
  });

  it('is PARTLY COMPARED, and no pass, where another engine version is in force', () => {
    const partly = backtestReport({ log: { ...EQUAL, notDerived: 5 }, notDerived: [FOREIGN] });
    expect(isWhollyEqual(partly)).toBe(false);
    const text = tapeBacktestText(partly);
    expect(text).toContain('PARTLY COMPARED: 1,200 events');
    expect(text).toContain('Not derived: partition 2 from offset 77 on, where engine 4 is in force.');
    // Without a single event to compare, too.
    expect(isWhollyEqual(backtestReport({ log: { ...EQUAL, equal: 0 }, notDerived: [FOREIGN] }))).toBe(false);
    expect(tapeBacktestText(backtestReport({ log: { ...EQUAL, equal: 0 }, notDerived: [FOREIGN] }))).toContain(
      'PARTLY COMPARED: 0 events',
    );
  });

  it('is NOTHING COMPARED, and no pass, with an empty log', () => {
    const empty = backtestReport({ log: { ...EQUAL, equal: 0, notYetRecorded: 9 } });
    expect(isWhollyEqual(empty)).toBe(false);
    expect(tapeBacktestText(empty)).toContain('NOTHING COMPARED: 0 events');
    expect(isWhollyEqual(backtestReport({ complete: false }))).toBe(false);
    expect(isWhollyEqual(backtestReport({ log: null, complete: false }))).toBe(true);
  });

  it.each(['differing', 'missing', 'extra'] as const)(
    'is DIFFERENT with one that is %s, and names the first',
    (kind) => {
      const first: LogDifference = {
        kind: 'bytes',
        topic: 'probability.decisions',
        ...{ partition: 2, sequence: 7, eventId: 'decision-2-9-0', logOffset: 12 },
        fields: [{ field: 'probability', recorded: '0.6', hypothetical: '0.5' }],
      };
      const report = backtestReport({ log: { ...EQUAL, [kind]: 1, first } });
      expect(isWhollyEqual(report)).toBe(false);
      const text = tapeBacktestText(report);
      expect(text).toContain('DIFFERENT: 1,200 events');
      expect(text).toContain('First difference: probability.decisions-2 sequence 7, log offset 12, decision-2-9-0');
      expect(text).toContain('probability: log 0.6, derived 0.5');
    },
  );

  it('says that it was stopped, and what was tried', () => {
    const stopped = tapeBacktestText(
      backtestReport({
        ...{
          complete: false,
          hypothetical: true,
          log: null,
          configuration: { path: 'a.yaml', configHash: 'ab'.repeat(32) },
        },
        trial: { trialId: 'trial-1', skill: null, skillRatio: null, notRecorded: null, deflated: null },
      }),
    );
    expect(stopped).toContain('HYPOTHETICAL');
    expect(stopped).toContain('Stopped before the end of the tape');
    expect(stopped).toContain('Recorded as trial-1.');
  });
});

describe('a grid', () => {
  const rowOf = (value: string, skill: number | null): GridRow => ({
    ...{ label: 'HYPOTHETICAL', values: { 'a.b': value }, configHash: 'cc', changes: null },
    figures: {
      ...{ n: 10, effectiveN: 8, brier: 0.25, referenceBrier: 0.25, skill },
      ...{ skillRatio: null, skewness: null, kurtosis: null },
    },
    trial: { trialId: 't', skill, skillRatio: null, notRecorded: 'no Kafka', deflated: null },
  });
  const report: GridReport = {
    ...{ schema: 'tapeproof.grid/1', label: 'HYPOTHETICAL', hypothetical: true, engineVersion: '5', points: 4 },
    ...{ complete: false, overfitting: { probability: 0.5, splits: 12_870 } },
    rows: bySkill([rowOf('1', null), rowOf('2', -0.1), rowOf('3,x', 0.2), rowOf('4', null)]),
  };

  it('is sorted by skill; those without come last, in the order of the grid', () => {
    expect(report.rows.map(({ values }) => values['a.b'])).toEqual(['3,x', '2', '1', '4']);
  });

  it('is printed with its label, and says what is missing', () => {
    const text = gridText({ ...report, points: 9 });
    for (const part of [
      ...[
        'Grid: HYPOTHETICAL',
        '4 of 9 configurations',
        'Stopped before the end',
        '(no Kafka)',
        'Below an effective n of 90',
      ],
      'Probability of backtest overfitting 0.500: in 12,870 splits',
    ]) {
      expect(text).toContain(part);
    }
    expect(gridText({ ...report, rows: [] })).toBe(
      'Stopped before the first configuration was finished: nothing was tried.',
    );
  });

  it('is CSV with a label in each line', () => {
    const [head, ...lines] = gridCsv(report).trimEnd().split('\n');
    expect(head?.startsWith('label,a.b,config_hash,n,')).toBe(true);
    expect(lines).toHaveLength(4);
    expect(lines[0]?.startsWith('HYPOTHETICAL,"3,x",cc,10,8,0.25,0.25,0.2,')).toBe(true);
  });
});
