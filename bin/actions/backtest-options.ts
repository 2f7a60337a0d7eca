import { TapeproofError } from '../../platform/errors.ts';
import type { GridOptions } from '../commands/laboratory-options.ts';
import type { FileSurveyOptions } from '../commands/options.ts';
import type { TapeSelectionOptions } from '../laboratory/tape-source.ts';

export interface BacktestOptions extends FileSurveyOptions, GridOptions, TapeSelectionOptions {
  readonly trades?: readonly string[];
  readonly tape?: true;
  readonly compare?: true;
  /** False for --no-record. */
  readonly record: boolean;
  readonly csv?: true;
  readonly config?: readonly string[];
  readonly strategy?: readonly string[];
  readonly events?: string;
  readonly format?: string;
  readonly columns?: string;
  readonly delimiter?: string;
  readonly json?: true;
}

const CONFIGURATIONS_MAX = 2;
/** Options of files, and of the tape, as they are typed. */
const OF_FILES = {
  trades: '--trades',
  events: '--events',
  format: '--format',
  columns: '--columns',
  delimiter: '--delimiter',
  sort: '--sort',
  acceptLate: '--accept-late',
} as const satisfies Partial<Record<keyof BacktestOptions, string>>;
const OF_THE_TAPE = {
  compare: '--compare',
  from: '--from',
  to: '--to',
} as const satisfies Partial<Record<keyof BacktestOptions, string>>;

/** @throws TapeproofError USAGE where options contradict each other. */
export function checkBacktestOptions(options: BacktestOptions): void {
  const { trades, tape, config = [], events, csv, json, grid, record } = options;
  if (json === true && csv === true) throw usage('Give --json or --csv, not both.');
  if (csv === true && grid === undefined) throw usage('Only a grid is printed as CSV: give --grid, or --json.');
  if (tape === undefined && trades === undefined) throw usage('Give --trades with a file of trades, or --tape.');
  const foreign = firstGiven(options, tape === true ? OF_FILES : OF_THE_TAPE);
  if (foreign !== undefined) throw usage(`${foreign} is for ${tape === true ? 'files' : 'the tape'}: leave it out.`);
  if (tape === true && !record) throw usage('Trials over the tape are always recorded: leave out --no-record.');
  if (tape === true || grid !== undefined) checkOneConfiguration(options);
  if (config.length > CONFIGURATIONS_MAX) {
    throw usage(`${config.length} configurations are given: compare two at a time.`);
  }
  if (events !== undefined && (config.length > 1 || grid !== undefined)) {
    throw usage('Events belong to one configuration: give one --config with --events.');
  }
  if (events === '-') throw usage('Standard output is for the scoreboard: name a file with --events.');
}

function checkOneConfiguration({ config = [], compare, grid, strategy, tape }: BacktestOptions): void {
  if (config.length > 1 && grid !== undefined) throw usage('A grid changes one configuration: give one --config.');
  if (config.length > 1) {
    throw usage(
      'Over the tape one configuration is tried at a time: "npx tapeproof what-if" compares it with what was decided.',
    );
  }
  if (compare === true && (config.length > 0 || grid !== undefined)) {
    throw usage('The log was derived with the recorded configurations: leave out --config and --grid with --compare.');
  }
  if (tape === true && strategy !== undefined && config.length === 0 && grid === undefined) {
    throw usage('The recorded configurations name no strategy of yours: give --config with --strategy.');
  }
}

function firstGiven(options: BacktestOptions, named: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(named)
    .filter((key) => options[key as keyof BacktestOptions] !== undefined)
    .map((key) => named[key])[0];
}

function usage(sentence: string): TapeproofError {
  return new TapeproofError('USAGE', sentence);
}
