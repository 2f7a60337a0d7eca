import { Option, type Command } from 'commander';
import { TapeproofError } from '../../platform/errors.ts';
import { parseWholeNumber } from './options.ts';

// Options that the commands of the laboratory share.

/** The options that {@link withGridOptions} adds. */
export interface GridOptions {
  /** Axes as they were given. */
  readonly grid?: readonly string[];
  readonly workers?: number;
}

export function withGridOptions(command: Command): Command {
  return command
    .option(
      '--grid <key=values>',
      'try every value of a key of the configuration, separated by commas; given again, every combination',
      collect,
    )
    .addOption(
      new Option('--workers <number>', 'threads for a grid; as many as there are cores by default').argParser(
        parseWholeNumber,
      ),
    );
}

/** For an option that may be given again. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A difference of probabilities. @throws TapeproofError USAGE */
export function parseThreshold(text: string): number {
  const value = Number(text);
  if (/^\d(\.\d{1,9})?$/.test(text) && value <= 1) return value;
  throw new TapeproofError('USAGE', `"${text}" is not a valid difference of probabilities: give one from 0 to 1.`);
}
