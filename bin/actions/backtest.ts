import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { lineOf } from '../../evaluators/derive.ts';
import { STRATEGIES } from '../../evaluators/strategies/catalogue.ts';
import type { Strategy } from '../../evaluators/strategies/strategy.ts';
import { TapeproofError } from '../../platform/errors.ts';
import {
  assertInOrder,
  ordersIn,
  surveyFile,
  type SurveyedFile,
  type SurveyOptions,
} from '../../producers/survey-file.adapter.ts';
import { backtestFiles } from '../../proofs/backtest-files.ts';
import { loadStrategy, type OwnStrategy } from '../../proofs/backtest-strategy.ts';
import { backtestText } from '../../proofs/backtest-text.ts';
import { Backtest, type BacktestFile } from '../../proofs/backtest.ts';
import { DEFAULT_CONFIGURATION_FILE, type FileSurveyOptions } from '../commands/options.ts';
import { print, readConfiguration } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressBar } from '../progress.ts';
import { writeLines } from './derive.ts';
import { commandGiven, PHASE_TITLES } from './file-survey.ts';

export interface BacktestOptions extends FileSurveyOptions {
  readonly trades: readonly string[];
  readonly config?: readonly string[];
  readonly strategy?: readonly string[];
  readonly events?: string;
  readonly format?: string;
  readonly instrument?: string;
  readonly columns?: string;
  readonly delimiter?: string;
  readonly json?: true;
}

const SHIPPED_CONFIGURATION = join(import.meta.dirname, '..', '..', DEFAULT_CONFIGURATION_FILE);
const CONFIGURATIONS_MAX = 2;
const STOPPED = 130;

export async function runBacktest(options: BacktestOptions): Promise<void> {
  const { trades, config = [defaultConfiguration()], strategy = [], events, sort } = options;
  checkOptions(config, events);
  const signal = interruption();
  const own = await loadStrategies(strategy);
  const known = own.length === 0 ? STRATEGIES : [...STRATEGIES, ...own.map((each) => each.strategy)];
  const contenders = [];
  for (const path of config) contenders.push({ path, configuration: await readConfiguration(path, known) });
  const files: SurveyedFile[] = [];
  try {
    // Everything is checked before the first trade: a wrong name or order is reported at once.
    for (const path of trades)
      files.push(await surveyed({ ...options, path, signal, refusedPercentMax: options.refusedMax }));
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('Stopped before the first trade.\n');
    process.exitCode = STOPPED;
    return;
  }
  const backtest = new Backtest(contenders, known);
  const read = await runOver(files, backtest, { signal, sort }, events);
  const complete = !signal.aborted;
  const strategies = own.map(({ path, sha256, strategy: { name } }) => ({ name, path, sha256 }));
  const report = backtest.report({ complete, files: read, strategies });
  print(options.json, report, () => backtestText(report));
  if (!complete) process.exitCode = STOPPED;
}

/** A file accepted for the run, surveyed once with a progress bar. */
async function surveyed(options: SurveyOptions): Promise<SurveyedFile> {
  const bar = progressBar(basename(options.path));
  const survey = { ...options, command: commandGiven() };
  try {
    const file = await surveyFile(survey, (phase, done, total) => {
      bar.update({ done, total, unit: 'bytes', count: done, phase: PHASE_TITLES[phase] });
    });
    assertInOrder(file, ordersIn(file), 'file', survey);
    return file;
  } finally {
    bar.stop();
  }
}

/** Runs to the end or to the signal, with a progress bar, and writes the events if requested. */
async function runOver(
  files: readonly SurveyedFile[],
  backtest: Backtest,
  { signal, sort }: { readonly signal: AbortSignal; readonly sort: boolean | undefined },
  events: string | undefined,
): Promise<readonly BacktestFile[]> {
  const bar = progressBar(files.map(({ opened }) => basename(opened.path)).join(', '));
  const run = backtestFiles(backtest, files, {
    signal,
    sort,
    withEvents: events !== undefined,
    onProgress: ({ bytesDone, bytesTotal, trades }) => {
      bar.update({ done: bytesDone, total: bytesTotal, unit: 'trades', count: trades });
    },
  });
  let read: readonly BacktestFile[] = [];
  const lines = async function* () {
    for (let step = await run.next(); ; step = await run.next()) {
      if (step.done === true) {
        read = step.value;
        break;
      }
      yield step.value.map(lineOf).join('');
    }
    // A partial file of events would mislead: whoever writes it removes it.
    if (signal.aborted && events !== undefined) throw new Stopped();
  };
  try {
    if (events === undefined) await lines().next();
    else await writeLines(lines(), events, '--events');
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    process.stderr.write(`The events are not complete: ${events ?? ''} is not written.\n`);
  } finally {
    bar.stop();
  }
  return read;
}

class Stopped extends Error {}

/** The one of the current folder, as for `derive`; else the repository's, so that it works in any folder. */
function defaultConfiguration(): string {
  if (existsSync(DEFAULT_CONFIGURATION_FILE)) return DEFAULT_CONFIGURATION_FILE;
  return relative(process.cwd(), SHIPPED_CONFIGURATION);
}

function checkOptions(config: readonly string[], events: string | undefined): void {
  if (config.length > CONFIGURATIONS_MAX) {
    throw new TapeproofError('USAGE', `${config.length} configurations are given: compare two at a time.`);
  }
  if (events !== undefined && config.length > 1) {
    throw new TapeproofError('USAGE', 'Events belong to one configuration: give one --config with --events.');
  }
  if (events === '-') {
    throw new TapeproofError('USAGE', 'Standard output is for the scoreboard: name a file with --events.');
  }
}

async function loadStrategies(paths: readonly string[]): Promise<readonly OwnStrategy[]> {
  const own: OwnStrategy[] = [];
  const known: Strategy[] = [...STRATEGIES];
  for (const path of paths) {
    const loaded = await loadStrategy(path, known);
    own.push(loaded);
    known.push(loaded.strategy);
  }
  return own;
}
