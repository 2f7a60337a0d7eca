import { InvalidArgumentError, Option, type Command } from 'commander';
import { TapeproofError } from '../../platform/errors.ts';
import { REFUSED_PERCENT_MAX } from '../../producers/survey.ts';
import { isStatement, STATEMENT_LENGTH_MAX } from '../../contracts/statement-text.ts';

// Options that several commands share. This file and its siblings import only what help and parsing need: the
// commands' actions are in ../actions, and are loaded when called.

const PORT_MAX = 65_535;

export const DEFAULT_CONFIGURATION_FILE = 'config/engine.yaml';

export interface JsonOption {
  readonly json?: true;
}

/** The options that {@link withHttpOptions} adds. */
export interface HttpOptions {
  readonly httpPort: number;
  readonly httpHost: string;
  readonly httpNames: readonly string[];
}

/** Adds --http-port, --http-host and --http-names to a command that runs until it is stopped. */
export function withHttpOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http-port <port>', 'port for /metrics, /health and /ready; 0 takes a free one and logs it')
        .env('TAPEPROOF_HTTP_PORT')
        .default(0)
        .argParser(parsePort),
    )
    .addOption(new Option('--http-host <host>', 'address for /metrics, /health and /ready').default('127.0.0.1'))
    .addOption(
      new Option(
        '--http-names <names>',
        'host names by which they may be requested besides that address; separated by commas',
      )
        .env('TAPEPROOF_HTTP_NAMES')
        .default([], 'localhost')
        .argParser(parseNames),
    );
}

function parseNames(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !/^[a-z0-9._-]+$/i.test(name));
  if (wrong === undefined) return names;
  throw new InvalidArgumentError('Give host names without a port, separated by commas.');
}

/** An empty variable is treated as unset. */
export function parsePort(text: string): number {
  if (text === '') return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Give a number from 0 to ${PORT_MAX}.`);
}

/** Options common to the commands that read a file of trades. */
export interface FileSurveyOptions {
  readonly sort?: true;
  readonly acceptLate?: true;
  readonly refusedMax: number;
}

export function withFileSurveyOptions(command: Command): Command {
  return command
    .option('--sort', 'take the rows by time; large files are sorted through temporary files')
    .option('--accept-late', 'take the rows in file order, even where that silences decisions')
    .option(
      '--refused-max <percent>',
      'end without doing anything where more of the rows are not trades',
      parsePercent,
      REFUSED_PERCENT_MAX,
    );
}

function parsePercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''));
  if (/^\d{1,3}(\.\d{1,6})?%?$/.test(text) && percent <= 100) return percent;
  throw new TapeproofError('USAGE', `"${text}" is not a valid share of rows: give a percentage from 0 to 100.`);
}

export function parseWholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,6}$/.test(text) && value >= 1) return value;
  throw new TapeproofError('USAGE', `"${text}" is not a valid number: give a whole one from 1 to 999999.`);
}

/** A reason or a name: for people, on one line. */
export function parseStatement(text: string): string {
  const line = text.trim();
  if (isStatement(line)) return line;
  throw new TapeproofError(
    'USAGE',
    `A reason or a name must be one line of 1 to ${STATEMENT_LENGTH_MAX} characters, not ${JSON.stringify(line.slice(0, 60))}.`,
  );
}

/** Like {@link parseStatement}; an empty one, as of an empty variable, states nothing. */
export function parseOptionalStatement(text: string): string {
  return text === '' ? '' : parseStatement(text);
}

/** Adds an activation's identity to those that an option named before. */
export function parseRevoked(text: string, before: readonly string[]): readonly string[] {
  const activationId = parseStatement(text);
  return before.includes(activationId) ? before : [...before, activationId];
}

/** Of an option that may be given again: all its values. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
