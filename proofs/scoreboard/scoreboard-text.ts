import Table from 'cli-table3';
import type { Interval } from '../../evaluators/outcomes/wilson.ts';
import { EFFECTIVE_N_MIN } from '../scores/batch-means.ts';
import type { Banded } from '../scores/resampling.ts';
import { ruleText } from './forecast-group.ts';
import type { ScoreRow } from './score-row.ts';
import type { Scoreboard } from './scoreboard.ts';

const HASH_DIGITS = 12;
/** Names in a heading; for more, it shows only their number. */
const NAMED_MAX = 2;
export const NOTHING = '–';
const TOO_FEW = 'too few';
const MINUS = '−';
/** Columns separated by two spaces, without lines: a board fits into 120 columns. */
const PLAIN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};
const STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };

/** Of {@link figuresOf}. */
export const FIGURES_HEAD = [
  ...['hit rate', '95 %', 'mean p', 'p0', 'skill', '95 %', 'n', 'effective', 'void'],
] as const;

/** The meaning of the figures and of the intervals. */
export const FIGURES_NOTE = [
  'mean p: mean published probability; p0: rate at which an undirected forecast had come true by then; skill: share of',
  'the loss of always forecasting p0 that is avoided, none if its interval contains 0. n: hits and misses, counted by',
  `overlap weight, so they are worth the effective n; below ${EFFECTIVE_N_MIN}, no figure is shown: too few. See docs/scoreboard.md.`,
] as const;

/** The main figures of a group, in the columns of {@link FIGURES_HEAD}. */
export function figuresOf(row: ScoreRow): readonly string[] {
  const isTooFew = row.effectiveN < EFFECTIVE_N_MIN;
  return [
    row.hitRate === null ? (isTooFew ? TOO_FEW : NOTHING) : percent(row.hitRate),
    percentInterval(row.hitRateInterval),
    percent(row.meanPublished),
    percent(row.referenceRate),
    signed(row.skillAgainstReference),
    signedInterval(row.skillAgainstReferenceInterval),
    row.n.toLocaleString('en'),
    row.effectiveN.toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 }),
    row.voids.toLocaleString('en'),
  ];
}

const SCORES_HEAD = ['Brier', '95 %', 'MCB', '95 %', 'DSC', '95 %', 'UNC', '95 %'] as const;
const CALIBRATION_HEAD = ['log score', '95 %', 'hindsight skill', '95 %', 'ECE', 'of a perfect one', 'drift'] as const;
const REGRET_HEAD = ['regret', 'best', 'bound', 'with delay', 'mean lead'] as const;

/**
 * A board for people, with a table for each instrument, hit rule, engine version and configuration.
 *
 * @param whole - the source of the events, for people.
 * @param isDetailed - with the Brier score's parts, calibration and regret.
 */
export function scoreboardText(board: Scoreboard, whole = 'the tape', isDetailed = false): string {
  const groups = new Map<string, ScoreRow[]>();
  for (const row of board.rows) {
    const heading = headingOf(row);
    groups.set(heading, [...(groups.get(heading) ?? []), row]);
  }
  const tables = [...groups].map(([heading, rows]) =>
    [
      heading,
      tableText(rows, FIGURES_HEAD, figuresOf),
      ...(isDetailed ? detailsOf(rows) : []),
      ...withheldLines(rows),
    ].join('\n'),
  );
  const merged = board.merged.length === 0 ? [] : [`Counted together, whatever their ${board.merged.join(' and ')}.`];
  return [...tables, [...merged, ...unresolvedLines(board, whole), ...FIGURES_NOTE].join('\n')].join('\n\n');
}

function detailsOf(rows: readonly ScoreRow[]): readonly string[] {
  const enough = rows.filter(({ effectiveN }) => effectiveN >= EFFECTIVE_N_MIN);
  if (enough.length === 0) return [];
  return [
    '',
    tableText(enough, SCORES_HEAD, ({ brierPublished, brierPublishedInterval, corp }) => [
      figure(brierPublished),
      interval(brierPublishedInterval),
      ...banded(corp?.miscalibration),
      ...banded(corp?.discrimination),
      ...banded(corp?.uncertainty),
    ]),
    '',
    tableText(enough, CALIBRATION_HEAD, (row) => [
      row.logScore?.toFixed(2) ?? NOTHING,
      row.logScoreInterval === null
        ? NOTHING
        : `${row.logScoreInterval.low.toFixed(2)} to ${row.logScoreInterval.high.toFixed(2)}`,
      signed(row.skillAgainstClimatology),
      signedInterval(row.skillAgainstClimatologyInterval),
      figure(row.calibrationError?.value ?? null),
      row.calibrationError === null ? NOTHING : interval(row.calibrationError.ofPerfectForecaster),
      row.drift === null ? NOTHING : row.drift.alarms.toLocaleString('en'),
    ]),
    '',
    tableText(enough, REGRET_HEAD, ({ regret, meanLeadMs }) => [
      regret?.regret.toFixed(3) ?? NOTHING,
      regret?.best ?? NOTHING,
      regret?.boundWithoutDelay.toFixed(3) ?? NOTHING,
      regret === null ? NOTHING : (regret.boundWithoutDelay + regret.delayBound).toFixed(3),
      meanLeadMs === null ? NOTHING : `${(meanLeadMs / 1_000).toFixed(1)} s`,
    ]),
  ];
}

function tableText(
  rows: readonly ScoreRow[],
  head: readonly string[],
  cellsOf: (row: ScoreRow) => readonly string[],
): string {
  const table = new Table({
    head: ['forecast', ...head],
    colAligns: ['left', ...head.map(() => 'right' as const)],
    chars: PLAIN,
    style: STYLE,
  });
  for (const row of rows) table.push([nameOf(row), ...cellsOf(row)]);
  return table.toString();
}

/** `decision`, a strategy's name, or a part below its whole. */
function nameOf({ strategy, part }: ScoreRow): string {
  return part === null ? (strategy ?? 'decision') : `  ${part.value}`;
}

/** The common fields of a group's rows, in one line. */
function headingOf({ instruments, hitRule, engineVersions, configHashes }: ScoreRow): string {
  return [
    instruments.length > NAMED_MAX ? `${instruments.length} instruments` : instruments.join(', '),
    ruleText(hitRule),
    `${engineVersions.length === 1 ? 'engine' : 'engines'} ${engineVersions.join(', ')}`,
    configHashes.length > NAMED_MAX
      ? `${configHashes.length} configurations`
      : `${configHashes.length === 1 ? 'configuration' : 'configurations'} ${configHashes.map(hashText).join(', ')}`,
  ].join(' · ');
}

/** Why figures are not shown, two lines for each reason, except for rows that are too few and groups that are not whole. */
function withheldLines(rows: readonly ScoreRow[]): readonly string[] {
  const lines = rows.flatMap((row) =>
    row.withheld
      .filter(({ reason }) => reason !== 'TOO_FEW' && reason !== 'NOT_A_WHOLE_SERIES')
      .map(({ figures, sentence }) => `${nameOf(row).trim()}: no ${figures.join(', ')}\n  because ${sentence}.`),
  );
  return [...new Set(lines)];
}

/** Instruments that have decisions but no outcome yet, one line each. */
export function unresolvedLines({ rows, decisions }: Scoreboard, whole: string): readonly string[] {
  const resolved = new Set(rows.flatMap(({ instruments }) => instruments));
  return Object.entries(decisions)
    .filter(([instrument]) => !resolved.has(instrument))
    .map(
      ([instrument, count]) =>
        `${instrument}: ${count.toLocaleString('en')} decisions, no outcome: ${whole} ends before the first of them is due.`,
    );
}

export function hashText(hash: string): string {
  return `#${hash.slice(0, HASH_DIGITS)}`;
}

function percent(share: number | null): string {
  return share === null ? NOTHING : `${(share * 100).toFixed(1)} %`;
}

function percentInterval(of: Interval | null): string {
  return of === null ? NOTHING : `${(of.low * 100).toFixed(1)} to ${(of.high * 100).toFixed(1)}`;
}

/** Without the zero before the point, for room. */
function figure(value: number | null): string {
  return value === null ? NOTHING : value.toFixed(4).replace(/^0\./, '.');
}

function interval(of: Interval | null): string {
  return of === null ? NOTHING : `${figure(of.low)} to ${figure(of.high)}`;
}

function banded(of: Banded | undefined): readonly string[] {
  return [figure(of?.estimate ?? null), interval(of?.band ?? null)];
}

/** With its sign, which shows whether there is any skill. */
function signed(value: number | null): string {
  return value === null ? NOTHING : `${value < 0 ? MINUS : '+'}${figure(Math.abs(value))}`;
}

function signedInterval(of: Interval | null): string {
  return of === null ? NOTHING : `${signed(of.low)} to ${signed(of.high)}`;
}
