import type { Command } from 'commander';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { pipeline } from '../../pipeline.ts';
import type { IngestProgress, IngestReport } from '../../producers/main.ts';
import { FILE_SOURCE_NAMES } from '../../producers/registry.ts';
import { connections, interruption, print } from '../context.ts';
import { progressBar, type ProgressBar } from '../progress.ts';

interface IngestOptions {
  readonly format?: string;
  readonly instrument?: string;
  readonly allow?: string;
  readonly speed: number | 'max';
  readonly json?: true;
}

export function registerIngest(program: Command): void {
  const ingest = program.command('ingest').description('append market trades to the tape, each once');
  ingest
    .command('file')
    .argument('<path>', 'a file of trades, gzipped or not')
    .description('append the trades of a file; run it again and nothing is appended twice')
    .option('--format <name>', `one of ${FILE_SOURCE_NAMES.join(', ')}; told from the first lines where left out`)
    .option('--instrument <instrument>', 'instrument of the rows, for formats whose rows name none')
    .option('--allow <instruments>', 'take only these, separated by commas; others become dead letters')
    .option('--speed <speed>', 'max, or times real time: 1, 60', parseSpeed, 'max' as const)
    .option('--json', 'print the report as JSON')
    .action(async (path: string, options: IngestOptions) => {
      const signal = interruption();
      const bar = progressBar('ingest');
      const report = await pipeline.ingest.run({
        path,
        format: options.format,
        instrument: options.instrument,
        allowed: options.allow?.split(',').map((name) => name.trim()),
        speed: options.speed,
        connections: connections(),
        log: createLog('ingest', 'warn'),
        signal,
        progress: showIngest(bar),
      });
      bar.stop();
      print(options.json, report, () => ingestText(report));
      if (!report.complete) process.exitCode = 130;
    });
}

/** Shows the last and longest phase; those before it take a second together unless the tape is long. */
export function showIngest(bar: ProgressBar): (progress: IngestProgress) => void {
  return ({ phase, done, total, trades }) => {
    if (phase === 'append') bar.update({ done, total, unit: 'trades', count: trades });
  };
}

/** What an ingest did, in words. */
export function ingestText(report: IngestReport): string {
  const number = (value: number) => value.toLocaleString('en');
  const lines = Object.entries(report.perInstrument).map(
    ([instrument, trades]) => `  ${instrument.padEnd(24)} ${number(trades)}`,
  );
  return [
    `${number(report.trades)} trades: ${number(report.appended)} appended, ${number(report.alreadyThere)} were there already.`,
    ...lines,
    ...(report.deadLetters > 0
      ? [`  ${number(report.deadLetters)} rows refused: "npx tapeproof dead-letters" lists them.`]
      : []),
    ...(report.notTrades > 0 ? [`  ${number(report.notTrades)} lines are no trades.`] : []),
  ].join('\n');
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text.replace(/x$/i, ''));
  if (!Number.isFinite(speed) || speed <= 0)
    throw new TapeproofError('USAGE', `"${text}" is no speed: give max, 1 for real time, or 60 for sixty times that.`);
  return speed;
}
