import Table from 'cli-table3';
import { counted } from '../platform/counted.ts';
import type { BacktestReport, ContenderResult } from './backtest.ts';
import { groupsOf, type Difference } from './backtest-comparison.ts';
import type { RefusalKind } from './backtest-refusals.ts';
import { setAsideText as tradesSetAsideText } from './set-aside-text.ts';
import { ruleText } from './scoreboard/forecast-group.ts';
import {
  FIGURES_HEAD,
  FIGURES_NOTE,
  figuresOf,
  hashText,
  NOTHING,
  scoreboardText,
  unresolvedLines,
} from './scoreboard/scoreboard-text.ts';

const MINUS = '−';
/** The source of the events. */
const WHOLE = 'the file';
const PLAIN = { head: [], border: [] };

/** A backtest for people: its input, the scoreboards, and the trades set aside. */
export function backtestText(report: BacktestReport): string {
  const [only, second] = report.configurations;
  const board = only !== undefined && second === undefined ? boardText(only) : comparisonText(report);
  return [headText(report), board, setAsideText(report)].join('\n\n');
}

function boardText({ scoreboard }: ContenderResult): string {
  return Object.keys(scoreboard.decisions).length === 0 ? 'Nothing was decided.' : scoreboardText(scoreboard, WHOLE);
}

function headText({ complete, engineVersion, files, strategies, configurations, trades }: BacktestReport): string {
  const rows = [
    ...files.map(({ path, format, source, trades: count, otherMessages }) => [
      'trades',
      path,
      `${counted(count, 'trade')}, ${format}, ${source}${otherMessages === 0 ? '' : `, ${counted(otherMessages, 'line')} of other messages`}`,
    ]),
    ...configurations.map(({ label, path, configHash }) => [
      configurations.length === 1 ? 'configuration' : `configuration ${label}`,
      path,
      hashText(configHash),
    ]),
    ...strategies.map(({ name, path, sha256 }) => [`strategy ${name}`, path, hashText(sha256)]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [
    `Backtest: hypothetical, as engine ${engineVersion} would have decided on these trades.`,
    ...(complete ? [] : [`Stopped after ${counted(trades, 'trade')}, before the end: all figures below are of these.`]),
    ...rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()),
  ].join('\n');
}

/**
 * Three lines for each group: A, B, and B minus A. Without a verdict on which is better: the intervals show what is
 * known.
 */
function comparisonText({ configurations: [a, b], differences }: BacktestReport): string {
  if (a === undefined || b === undefined) return '';
  const table = new Table({
    head: ['', ...FIGURES_HEAD],
    colAligns: ['left', ...FIGURES_HEAD.map(() => 'right' as const)],
    style: PLAIN,
  });
  groupsOf(a.scoreboard.rows, b.scoreboard.rows).forEach((group, index) => {
    const difference = differences[index];
    if (difference === undefined) return;
    const { instrument, strategy } = difference;
    const rules = new Set([group.a, group.b].flatMap((row) => (row === undefined ? [] : ruleText(row.hitRule))));
    const nothing = FIGURES_HEAD.map(() => NOTHING);
    table.push(
      [
        {
          colSpan: 1 + FIGURES_HEAD.length,
          content: `${instrument} · ${strategy ?? 'decision'} · ${[...rules].join(' / ')}`,
        },
      ],
      ['A', ...(group.a === undefined ? nothing : figuresOf(group.a))],
      ['B', ...(group.b === undefined ? nothing : figuresOf(group.b))],
      [`B ${MINUS} A`, ...differenceFigures(difference)],
    );
  });
  return [
    table.toString(),
    ...[a, b].flatMap(({ label, scoreboard }) => unresolvedLines(scoreboard, WHOLE).map((line) => `${label}: ${line}`)),
    ...FIGURES_NOTE,
    'Where the intervals of A and B overlap, these trades do not distinguish the two. p0 moves with the hit rule. Of many',
    'configurations tried on the same trades, the best one is partly luck.',
  ].join('\n');
}

/** In the columns of the figures. */
function differenceFigures(difference: Difference): readonly string[] {
  const { hitRate, meanPublished, referenceRate, skillAgainstReference } = difference;
  return [
    pointsText(hitRate),
    overlapText(difference.intervalsOverlap),
    pointsText(meanPublished),
    pointsText(referenceRate),
    skillAgainstReference === null
      ? NOTHING
      : `${signOf(skillAgainstReference)}${Math.abs(skillAgainstReference).toFixed(4)}`,
    overlapText(difference.skillIntervalsOverlap),
    signedText(difference.n),
    signedText(difference.effectiveN),
    signedText(difference.voids),
  ];
}

function overlapText(doOverlap: boolean | null): string {
  return doOverlap === null ? NOTHING : doOverlap ? 'overlap' : 'apart';
}

/** The fates of the trades, and the rows that were not valid trades. */
function setAsideText({ trades, configurations, refusedRows }: BacktestReport): string {
  const table = new Table({
    head: ['', 'trades read', 'counted', 'of them late', 'duplicates', 'refused'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: PLAIN,
  });
  for (const result of configurations) {
    const subject = configurations.length === 1 ? 'all instruments' : `${result.label}: all instruments`;
    table.push([subject, ...[trades, ...countsOf(result)].map((count) => count.toLocaleString('en'))]);
  }
  return [
    table.toString(),
    ...configurations.flatMap(({ label, instruments }) => {
      const lines = tradesSetAsideText(instruments);
      return configurations.length === 1 ? lines : lines.map((line) => `${label}: ${line}`);
    }),
    ...refusedRows.map((kind) => refusalText('Rows that are not valid trades', kind)),
    ...configurations.flatMap(({ label, refused }) =>
      refused.map((kind) =>
        refusalText(`Trades that the engine refused${configurations.length === 1 ? '' : ` under ${label}`}`, kind),
      ),
    ),
  ].join('\n');
}

function countsOf({ counts }: ContenderResult): readonly number[] {
  return [counts.trades, counts.late, counts.duplicates, counts.deadLetters];
}

function refusalText(what: string, { reason, count, first }: RefusalKind): string {
  const places = first.map(({ path, line, detail }) => `\n  ${path} line ${line}: ${detail}`).join('');
  return `${what}: ${count.toLocaleString('en')} × ${reason}, first${places}`;
}

/** A difference of shares, in percentage points. */
function pointsText(share: number | null): string {
  return share === null ? NOTHING : `${signOf(share)}${(Math.abs(share) * 100).toFixed(1)}`;
}

function signedText(value: number): string {
  return `${signOf(value)}${Math.abs(value).toLocaleString('en', { maximumFractionDigits: 1 })}`;
}

function signOf(value: number): string {
  return value > 0 ? '+' : value < 0 ? MINUS : '±';
}
