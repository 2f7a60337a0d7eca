import Table from 'cli-table3';
import type { HitMissSummary } from '../evaluators/outcomes/hit-miss-tracker.ts';
import type { Scoreboard } from './scoreboard.ts';

/** Of {@link figuresOf}. */
export const FIGURES_HEAD = ['hit rate', 'base rate', '95 % interval', 'n', 'effective n', 'void'] as const;

/** What the interval is, and what it says. */
export const INTERVAL_NOTE = [
  "The interval is Wilson's, from the effective n: forecasts whose horizons do not overlap. An interval that holds the",
  'base rate says that the forecasts cannot be told from forecasting the same directions at every decision.',
] as const;

/** The figures of a group of forecasts, in the columns of {@link FIGURES_HEAD}. */
export function figuresOf(summary: HitMissSummary): readonly string[] {
  const { interval } = summary;
  return [
    percent(summary.hitRate),
    percent(summary.baseRate),
    interval === undefined ? '–' : `${percent(interval.low)} to ${percent(interval.high)}`,
    summary.n.toLocaleString('en'),
    summary.effectiveN.toLocaleString('en'),
    summary.voids.toLocaleString('en'),
  ];
}

/**
 * A hit rate is never shown without its base rate, its n, its effective n and the interval from that.
 *
 * @param whole - what the events are derived from, for people.
 */
export function scoreboardText(board: Scoreboard, whole = 'the tape'): string {
  const table = new Table({
    head: ['instrument', 'forecast', ...FIGURES_HEAD],
    colAligns: ['left', 'left', ...FIGURES_HEAD.map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const summary of board.summaries) {
    table.push([summary.instrument, summary.strategy ?? 'decision', ...figuresOf(summary)]);
  }
  return [table.toString(), ...unresolvedLines(board, whole), ...INTERVAL_NOTE].join('\n');
}

/** Instruments that have decisions and no outcome yet, a line each. */
export function unresolvedLines({ summaries, decisions }: Scoreboard, whole: string): readonly string[] {
  const resolved = new Set(summaries.map(({ instrument }) => instrument));
  return Object.entries(decisions)
    .filter(([instrument]) => !resolved.has(instrument))
    .map(
      ([instrument, count]) =>
        `${instrument}: ${count.toLocaleString('en')} decisions, no outcome: ${whole} ends before the first of them is due.`,
    );
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}
