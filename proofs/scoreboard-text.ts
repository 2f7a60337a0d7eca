import Table from 'cli-table3';
import type { Scoreboard } from './scoreboard.ts';
import { tapeCountsText } from './set-aside-text.ts';

/** A hit rate is never shown without its base rate, its n, its effective n and the interval from that. */
export function scoreboardText({ summaries, decisions, trades }: Scoreboard): string {
  const table = new Table({
    head: ['instrument', 'forecast', 'hit rate', 'base rate', '95 % interval', 'n', 'effective n', 'void'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const summary of summaries) {
    const { interval } = summary;
    table.push([
      summary.instrument,
      summary.strategy ?? 'decision',
      percent(summary.hitRate),
      percent(summary.baseRate),
      interval === undefined ? '–' : `${percent(interval.low)} to ${percent(interval.high)}`,
      summary.n.toLocaleString('en'),
      summary.effectiveN.toLocaleString('en'),
      summary.voids.toLocaleString('en'),
    ]);
  }
  const resolved = new Set(summaries.map(({ instrument }) => instrument));
  const pending = Object.entries(decisions).filter(([instrument]) => !resolved.has(instrument));
  return [
    table.toString(),
    ...pending.map(
      ([instrument, count]) =>
        `${instrument}: ${count.toLocaleString('en')} decisions, no outcome: the tape ends before the first of them is due.`,
    ),
    "The interval is Wilson's, from the effective n: forecasts whose horizons do not overlap. An interval that holds the",
    'base rate says that the forecasts cannot be told from forecasting the same directions at every decision.',
    ...tapeCountsText(trades),
  ].join('\n');
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}
