import { gridOf, medianOf } from '../figure.ts';
import type { ContenderName } from './contenders.ts';
import { differenceText, type Comparison } from './equality.ts';
import type { LatencyReport } from './latency.ts';
import type { PeerRun } from './measurement.ts';
import type { RecoveryReport } from './recovery.ts';

const MEBIBYTE = 1_048_576;
/** The contender that every other is set against. */
const OURS: ContenderName = 'tapeproof';

/** One contender's part of one round, its events compared with ours of that round. */
export interface Result {
  readonly contender: ContenderName;
  readonly run: PeerRun;
  readonly comparison: Comparison;
}

/** A round: each contender once, ours first. */
export type Round = readonly Result[];

/** The median of all rounds, and the least and greatest. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** The rounds of one contender. */
export interface ContenderReport {
  readonly contender: ContenderName;
  readonly equalEvents: number;
  /** The first difference of any round, as a sentence; undefined when all events were equal in each. */
  readonly difference: string | undefined;
  readonly tradesPerCpuSecond: Summary;
  readonly warmTradesPerCpuSecond: Summary;
  readonly tradesPerSecond: Summary;
  readonly peakResidentMebibytes: Summary;
  /** Ours divided by its, round by round; undefined for ours, and when any event differs. */
  readonly ratio: Summary | undefined;
  readonly warmRatio: Summary | undefined;
}

export function reportOf(rounds: readonly Round[]): readonly ContenderReport[] {
  const names = new Set(rounds.flatMap((round) => round.map(({ contender }) => contender)));
  return [...names].map((contender) => {
    const results = rounds.flatMap((round) => round.filter((result) => result.contender === contender));
    const found = results.find(({ comparison }) => comparison.difference !== undefined)?.comparison.difference;
    const of = (figure: keyof PeerRun) => summaryOf(results.map(({ run }) => run[figure]));
    const ratio = (figure: keyof PeerRun) =>
      found === undefined && contender !== OURS ? ratioOf(rounds, contender, figure) : undefined;
    return {
      contender,
      equalEvents: Math.min(...results.map(({ comparison }) => comparison.equalEvents)),
      difference: found === undefined ? undefined : differenceText(contender, found),
      tradesPerCpuSecond: of('tradesPerCpuSecond'),
      warmTradesPerCpuSecond: of('warmTradesPerCpuSecond'),
      tradesPerSecond: of('tradesPerSecond'),
      peakResidentMebibytes: summaryOf(results.map(({ run }) => run.peakResidentBytes / MEBIBYTE)),
      ratio: ratio('tradesPerCpuSecond'),
      warmRatio: ratio('warmTradesPerCpuSecond'),
    };
  });
}

/** Undefined where ours did not run. */
function ratioOf(rounds: readonly Round[], contender: ContenderName, figure: keyof PeerRun): Summary | undefined {
  const ratios = rounds.flatMap((round) => {
    const ours = round.find((result) => result.contender === OURS)?.run[figure];
    const theirs = round.find((result) => result.contender === contender)?.run[figure];
    return ours === undefined || theirs === undefined ? [] : [ours / theirs];
  });
  return ratios.length === 0 ? undefined : summaryOf(ratios);
}

function summaryOf(values: readonly number[]): Summary {
  return { median: medianOf(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** The report as a table for people, and below it the differences. */
export function reportText(reports: readonly ContenderReport[]): string {
  const heads = [
    ...['contender', 'equal events', 'trades per CPU-second', 'second half', 'trades/s', 'peak MiB'],
    ...['ours ÷ it', 'second half'],
  ];
  const rows = reports.map((report) => [
    report.contender,
    report.equalEvents.toLocaleString('en'),
    shown(report.tradesPerCpuSecond, 0),
    shown(report.warmTradesPerCpuSecond, 0),
    shown(report.tradesPerSecond, 0),
    shown(report.peakResidentMebibytes, 0),
    ratioText(report, report.ratio),
    ratioText(report, report.warmRatio),
  ]);
  const differences = reports.flatMap(({ difference }) => difference ?? []);
  return reports.length === 0 ? '' : [gridOf(heads, rows), ...differences].join('\n');
}

/**
 * Median of the runs and their range; memory is that of one process over all runs. Without a processor: of the busiest
 * thread, as a share of the time with one.
 */
export function latencyText(latencies: readonly LatencyReport[]): string {
  const heads = ['trade to decision, 5,000 trades/s', 'p50 ms', 'p99 ms', 'without a processor', 'peak MiB'];
  const rows = latencies.map(({ contender, p50Ms, p99Ms, waitedShare, peakResidentBytes }) => [
    contender,
    shown(summaryOf(p50Ms), 1),
    shown(summaryOf(p99Ms), 1),
    shown(summaryOf(waitedShare), 2),
    (peakResidentBytes / MEBIBYTE).toFixed(0),
  ]);
  return rows.length === 0 ? '' : gridOf(heads, rows);
}

export function recoveryText(recoveries: readonly RecoveryReport[]): string {
  const heads = ['after kill -9', 'trades behind its state', 's to the first new output'];
  const rows = recoveries.map(({ contender, trades, seconds }) => [
    contender,
    trades.toLocaleString('en'),
    seconds.toFixed(1),
  ]);
  return rows.length === 0 ? '' : gridOf(heads, rows);
}

function ratioText({ contender, difference }: ContenderReport, ratio: Summary | undefined): string {
  if (contender === OURS) return '';
  if (difference !== undefined) return 'events differ';
  return ratio === undefined ? '' : shown(ratio, 2);
}

function shown({ median, least, greatest }: Summary, decimals: number): string {
  const [middle, low, high] = [median, least, greatest].map((value) =>
    value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  );
  return `${middle} (${low}–${high})`;
}
