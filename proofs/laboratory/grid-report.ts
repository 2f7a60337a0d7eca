import Table from 'cli-table3';
import { counted } from '../../platform/counted.ts';
import { NOTHING } from '../scoreboard/scoreboard-text.ts';
import { EFFECTIVE_N_MIN } from '../scores/batch-means.ts';
import type { SkillFigures } from '../scores/skill-moments.ts';
import type { ChangeKind, DecisionChanges } from './decision-comparison.ts';
import type { GridPoint } from './grid.ts';
import type { Overfitting } from './overfitting.ts';
import type { PeriodSum } from './period-sums.ts';
import type { TapePart } from '../tape-parts.ts';
import type { TrialReport } from './trial-report.ts';
import { changedCount, HYPOTHETICAL } from './what-if.ts';

export const GRID_SCHEMA = 'tapeproof.grid/1';

/** A run's data, as its trial names it. */
export interface GridData {
  readonly tapeId: string | null;
  readonly parts: readonly TapePart[];
  readonly fileHashes: readonly string[];
}

/** What came of one point: plain data, for it comes from another thread. */
export interface GridResult extends GridData {
  readonly figures: SkillFigures;
  /** Null for a backtest. */
  readonly changes: Pick<DecisionChanges, 'compared' | 'alike' | 'changed' | 'ahead' | 'paired'> | null;
  readonly periods: readonly PeriodSum[];
}

/** One row. */
export interface GridRow {
  readonly label: typeof HYPOTHETICAL;
  readonly values: GridPoint;
  readonly configHash: string;
  readonly figures: SkillFigures;
  readonly changes: GridResult['changes'];
  readonly trial: TrialReport;
}

export interface GridReport {
  readonly schema: typeof GRID_SCHEMA;
  readonly label: typeof HYPOTHETICAL;
  readonly hypothetical: true;
  readonly engineVersion: string;
  readonly points: number;
  /** False when it was stopped: the rows are of the points that were finished. */
  readonly complete: boolean;
  /** Best skill first; without a skill last. */
  readonly rows: readonly GridRow[];
  /** Null where the outcomes are too few or the points fewer than two. */
  readonly overfitting: Overfitting | null;
}

/** Best skill first; equal ones, and those without, in the order of the grid. */
export function bySkill(rows: readonly GridRow[]): readonly GridRow[] {
  const skillOf = ({ figures }: GridRow) => figures.skill ?? Number.NEGATIVE_INFINITY;
  return [...rows].sort((left, right) => {
    const [first, second] = [skillOf(left), skillOf(right)];
    return first === second ? 0 : second > first ? 1 : -1;
  });
}

const FIGURES = ['n', 'effective', 'Brier', 'skill', 'skill ratio', 'deflated'] as const;
const CHANGES = ['changed', 'of', 'paired difference'] as const;

/** For people. */
export function gridText({ rows, points, complete, engineVersion, overfitting }: GridReport): string {
  const [best] = rows;
  if (best === undefined) return 'Stopped before the first configuration was finished: nothing was tried.';
  const isCompared = best.changes !== null;
  const keys = Object.keys(best.values);
  const head = [...keys, ...FIGURES, ...(isCompared ? CHANGES : [])];
  const table = new Table({ head, colAligns: head.map(() => 'right' as const), style: { head: [], border: [] } });
  for (const row of rows)
    table.push(keys.map((key) => row.values[key] ?? '').concat(figureCells(row), changeCells(row)));
  const { deflated, notRecorded } = best.trial;
  return [
    `Grid: HYPOTHETICAL, as engine ${engineVersion} would have decided; ${rows.length} of ${counted(points, 'configuration')}, best skill first.`,
    ...(complete ? [] : ['Stopped before the end: only finished configurations are listed, and counted as trials.']),
    table.toString(),
    notRecorded === null
      ? `Recorded: ${counted(rows.length, 'trial')}.`
      : `Not recorded: these trials are not counted (${notRecorded}).`,
    ...(rows.some(({ figures }) => figures.effectiveN < EFFECTIVE_N_MIN)
      ? [`Below an effective n of ${EFFECTIVE_N_MIN} a skill says little.`]
      : []),
    ...(deflated === null
      ? []
      : [
          `${counted(deflated.tries, 'configuration')} tried on these data: by luck alone the best has a skill ratio of ${deflated.ratioByLuck.toFixed(4)}. deflated: probability that the skill is`,
          'real all the same (deflated Sharpe ratio: docs/laboratory.md).',
        ]),
    ...(overfitting === null
      ? []
      : [
          `Probability of backtest overfitting ${overfitting.probability.toFixed(3)}: in ${counted(overfitting.splits, 'split')} of the outcomes, how often the best of one half`,
          'was not above the median of the other half.',
        ]),
  ].join('\n');
}

function figureCells({ figures, trial }: GridRow): readonly string[] {
  const { n, effectiveN, brier, skill, skillRatio } = figures;
  return [
    ...[n.toLocaleString('en'), effectiveN.toFixed(1)],
    ...[brier, skill, skillRatio].map((value) => value?.toFixed(4) ?? NOTHING),
    trial.deflated?.probability?.toFixed(3) ?? NOTHING,
  ];
}

function changeCells({ changes }: GridRow): readonly string[] {
  if (changes === null) return [];
  const { compared, paired } = changes;
  const weight = paired.reduce((sum, { effectiveN }) => sum + effectiveN, 0);
  const difference = paired.reduce((sum, score) => sum + score.effectiveN * (score.difference ?? 0), 0);
  return [
    changedCount(changes).toLocaleString('en'),
    compared.toLocaleString('en'),
    weight > 0 ? (difference / weight).toFixed(6) : NOTHING,
  ];
}

const CSV_FIGURES = ['n', 'effective_n', 'brier', 'reference_brier', 'skill', 'skill_ratio'] as const;
const CSV_CHANGES: readonly ChangeKind[] = ['rule', 'direction', 'probability', 'new', 'gone'];

/** One line for each row, below a line of names (RFC 4180). */
export function gridCsv({ rows }: GridReport): string {
  const keys = Object.keys(rows[0]?.values ?? {});
  const head = ['label', ...keys, 'config_hash', ...CSV_FIGURES, 'tries', 'ratio_by_luck', 'deflated', ...CSV_CHANGES];
  const lines = rows.map(({ label, values, configHash, figures, changes, trial: { deflated } }) => [
    ...[label, ...keys.map((key) => values[key]), configHash],
    ...[figures.n, figures.effectiveN, figures.brier, figures.referenceBrier, figures.skill, figures.skillRatio],
    ...[deflated?.tries, deflated?.ratioByLuck, deflated?.probability],
    ...CSV_CHANGES.map((kind) => changes?.changed[kind]),
  ]);
  return [head, ...lines].map((cells) => `${cells.map((cell) => csvText(cell)).join(',')}\n`).join('');
}

function csvText(cell: string | number | null | undefined): string {
  const text = String(cell ?? '');
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
