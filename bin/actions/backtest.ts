import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { lineOf } from '../../evaluators/derive.ts';
import {
  assertInOrder,
  ordersIn,
  surveyFile,
  type SurveyedFile,
  type SurveyOptions,
} from '../../producers/survey-file.adapter.ts';
import { backtestFiles } from '../../proofs/backtest-files.ts';
import { backtestText } from '../../proofs/backtest-text.ts';
import { Backtest, type BacktestFile, type BacktestReport } from '../../proofs/backtest.ts';
import { trialLines, type TrialReport } from '../../proofs/laboratory/trial-report.ts';
import { DEFAULT_CONFIGURATION_FILE } from '../commands/options.ts';
import { print, readConfiguration } from '../context.ts';
import { interruption } from '../interruption.ts';
import { hashesOf, knownStrategies, loadStrategies, namesOf } from '../laboratory/own-strategies.ts';
import { onlySkill, recordFileTrials } from '../laboratory/trial-recorder.ts';
import { progressBar } from '../progress.ts';
import { withEvents } from '../with-events.ts';
import { writeLines } from './derive.ts';
import { checkBacktestOptions, type BacktestOptions } from './backtest-options.ts';
import { commandGiven, PHASE_TITLES } from './file-survey.ts';
import { runGridOver, runTapeGrid } from './grid.ts';
import { runTapeBacktest } from './tape-backtest.ts';

const SHIPPED_CONFIGURATION = join(import.meta.dirname, '..', '..', DEFAULT_CONFIGURATION_FILE);
const STOPPED = 130;

export async function runBacktest(options: BacktestOptions): Promise<void> {
  const { tape, grid, config } = options;
  checkBacktestOptions(options);
  const signal = interruption();
  const [base = defaultConfiguration()] = config ?? [];
  if (tape === true) {
    await withEvents('backtest', async (events) => {
      if (grid !== undefined) await runTapeGrid(events, { ...options, grid, config: base }, null, signal);
      else await runTapeBacktest(events, { ...options, config: config?.[0] }, signal);
    });
  } else if (grid !== undefined) await runFileGrid({ ...options, grid, config: base }, signal);
  else await runFileBacktest(options, signal);
}

/** A grid over files, which are checked before its first point. */
async function runFileGrid(
  options: Omit<BacktestOptions, 'config'> & { readonly grid: readonly string[]; readonly config: string },
  signal: AbortSignal,
): Promise<void> {
  const files = await surveyedFiles(options, signal);
  if (files === undefined) return;
  await runGridOver(options, signal, {
    kind: 'BACKTEST',
    source: { kind: 'files', files: surveysOf(options) },
    total: files.reduce((sum, { opened }) => sum + opened.bytes, 0),
    selection: {},
    record: (tried) => recordFileTrials(tried, options.record),
  });
}

async function runFileBacktest(options: BacktestOptions, signal: AbortSignal): Promise<void> {
  const { config = [defaultConfiguration()], strategy = [], events, sort } = options;
  const own = await loadStrategies(strategy);
  const known = knownStrategies(own);
  const contenders = [];
  for (const path of config) contenders.push({ path, configuration: await readConfiguration(path, known) });
  const files = await surveyedFiles(options, signal);
  if (files === undefined) return;
  const backtest = new Backtest(contenders, known);
  const read = await runOver(files, backtest, { signal, sort }, events);
  const complete = !signal.aborted;
  const report = backtest.report({ complete, files: read, strategies: namesOf(own) });
  const trials = await recordFileTrials(triedIn(report, hashesOf(own)), options.record);
  print(options.json, { ...report, trials }, () => [backtestText(report), ...trialTexts(trials)].join('\n\n'));
  if (!complete) process.exitCode = STOPPED;
}

/** Each configuration is a trial; a part of the trades is not the whole. */
function triedIn(
  { configurations, files, complete, trades }: BacktestReport,
  strategies: Readonly<Record<string, string>>,
) {
  return configurations.map(({ configHash, scoreboard }) => ({
    ...{ kind: 'BACKTEST' as const, configHash, strategies, tapeId: null, ranges: [], figures: onlySkill(scoreboard) },
    fileHashes: files.map(({ sha256 }) => sha256),
    selection: complete ? {} : { trades: String(trades) },
  }));
}

function trialTexts(trials: readonly TrialReport[]): readonly string[] {
  return trials.map((trial, index) => {
    const label = trials.length === 1 ? '' : `${String.fromCharCode(65 + index)}: `;
    return trialLines(trial)
      .map((line) => `${label}${line}`)
      .join('\n');
  });
}

/** Everything is checked before the first trade: a wrong name or order is reported at once. Undefined when stopped. */
async function surveyedFiles(
  options: Omit<BacktestOptions, 'config'>,
  signal: AbortSignal,
): Promise<readonly SurveyedFile[] | undefined> {
  const files: SurveyedFile[] = [];
  try {
    for (const survey of surveysOf(options)) files.push(await surveyed({ ...survey, signal }));
    return files;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('Stopped before the first trade.\n');
    process.exitCode = STOPPED;
    return undefined;
  }
}

/** Plain data: other threads survey the files, too. */
function surveysOf(options: Omit<BacktestOptions, 'config'>): readonly Omit<SurveyOptions, 'signal'>[] {
  const { trades = [], format, instrument, columns, delimiter, sort, acceptLate, refusedMax } = options;
  const reading = { format, instrument, columns, delimiter, sort, acceptLate, refusedPercentMax: refusedMax };
  return trades.map((path) => ({ ...reading, path, command: commandGiven() }));
}

/** A file accepted for the run, surveyed once with a progress bar. */
async function surveyed(survey: SurveyOptions): Promise<SurveyedFile> {
  const bar = progressBar(basename(survey.path));
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
