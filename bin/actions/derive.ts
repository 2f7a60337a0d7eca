import { open, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Trade } from '../../contracts/generated/events.ts';
import type { EngineConfiguration } from '../../evaluators/configuration.ts';
import { derive, type Derivation } from '../../evaluators/derive.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import {
  assertInOrder,
  ordersIn,
  surveyFile,
  tradesOf,
  type OnPhase,
  type SurveyOptions,
} from '../../producers/survey-file.adapter.ts';
import type { Survey } from '../../producers/survey.ts';
import { doubtsAbout, KNOWN_INSTRUMENTS_MAX } from '../../proofs/known-instruments.ts';
import { setAsideText } from '../../proofs/set-aside-text.ts';
import { tradesOf as tradesOfInstrument } from '../../proofs/set-aside.ts';
import type { FileSurveyOptions } from '../commands/options.ts';
import { readConfiguration } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressBar } from '../progress.ts';
import { commandGiven, PHASE_TITLES, refusedText, surveyLines } from './file-survey.ts';

export interface DeriveOptions extends FileSurveyOptions {
  readonly trades: string;
  readonly config: string;
  readonly out: string;
  readonly format?: string;
  readonly instrument?: string;
  readonly columns?: string;
  readonly delimiter?: string;
}

const INTERRUPTED = 130;
const NOTHING: Derivation = {
  ...{ trades: 0, events: 0, duplicates: 0, late: 0, refused: 0 },
  ...{ instruments: [], firstRefusals: [] },
};

export async function runDerive(options: DeriveOptions): Promise<void> {
  const configuration = await readConfiguration(options.config);
  const signal = interruption();
  try {
    await deriveFile(options, configuration, signal);
  } catch (error) {
    if (!(error instanceof Stopped) && (!signal.aborted || error !== signal.reason)) throw error;
    process.exitCode = INTERRUPTED;
  }
}

async function deriveFile(
  options: DeriveOptions,
  configuration: EngineConfiguration,
  signal: AbortSignal,
): Promise<void> {
  const { trades: path, out, refusedMax, ...reading } = options;
  const bar = progressBar(basename(path));
  const onPhase: OnPhase = (phase, done, total) => {
    bar.update({ done, total, unit: 'bytes', count: done, phase: PHASE_TITLES[phase] });
  };
  const survey: SurveyOptions = { path, ...reading, signal, refusedPercentMax: refusedMax, command: commandGiven() };
  try {
    const file = await surveyFile(survey, onPhase);
    assertInOrder(file, ordersIn(file), 'file', survey);
    const names = new Set<string>();
    const rows = namedIn(untilStopped(tradesOf(file, survey, onPhase), signal), names);
    const counts = { derivation: NOTHING };
    const lines = async function* () {
      counts.derivation = yield* derive(rows, configuration);
    };
    await writeLines(lines(), out);
    bar.stop();
    const doubts = doubtsAbout(Object.keys(configuration.instruments), [...names]).map((doubt) => `${doubt}\n`);
    process.stderr.write(derivationText(file.survey, counts.derivation, options.sort === true) + doubts.join(''));
  } finally {
    bar.stop();
  }
}

class Stopped extends Error {}

/** A partial file of events would mislead: whoever writes it removes it. */
async function* untilStopped(trades: AsyncIterable<Trade>, signal: AbortSignal): AsyncGenerator<Trade> {
  yield* trades;
  if (signal.aborted) throw new Stopped();
}

/** The trades set aside, in words; empty where there are none. */
function derivationText(
  survey: Survey,
  { instruments, refused, firstRefusals }: Derivation,
  isSorted: boolean,
): string {
  const lines = surveyLines(survey, isSorted);
  if (survey.refused > 0) {
    lines.push(`Left out as not a trade: ${counted(survey.refused, 'row')}.`, ...refusedText(survey.refusedByReason));
  }
  lines.push(...setAsideText(instruments.map(tradesOfInstrument)));
  if (refused > 0) {
    lines.push(`Refused by the engine: ${counted(refused, 'trade')}.`, ...firstRefusals.map((why) => `  ${why}`));
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Passes the trades on and notes their instruments. */
async function* namedIn(trades: AsyncIterable<Trade>, names: Set<string>): AsyncGenerator<Trade> {
  for await (const trade of trades) {
    if (names.size < KNOWN_INSTRUMENTS_MAX) names.add(trade.instrument);
    yield trade;
  }
}

/**
 * Writes to a file or, as `-`, to standard output. Nothing is touched before the first line exists, so not for
 * unreadable trades, and an unfinished file is removed.
 *
 * @param option - the option that names the output.
 */
export async function writeLines(lines: AsyncGenerator<string>, out: string, option = '--out'): Promise<void> {
  const first = await lines.next();
  const all = async function* () {
    if (first.done !== true) yield first.value;
    yield* lines;
  };
  if (out === '-') {
    await pipeline(all, process.stdout, { end: false });
    return;
  }
  const file = await open(out, 'w').catch((error: unknown) => {
    throw cannotBeWritten(out, option, error);
  });
  try {
    await pipeline(all, file.createWriteStream());
  } catch (error) {
    if ((await stat(out)).isFile()) await rm(out);
    throw cannotBeWritten(out, option, error);
  }
}

/** The operating system's error for an output, as a sentence; any other error unchanged. */
function cannotBeWritten(out: string, option: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
  const { message } = error as Error;
  return new TapeproofError('USAGE', `${out} cannot be written (${message}): name another file with ${option}.`, {
    cause: error,
  });
}
