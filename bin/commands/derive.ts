import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { derive } from '../../evaluators/derive.ts';
import { fileTrades } from '../../producers/file-trades.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { DEFAULT_CONFIGURATION_FILE, readConfiguration } from '../context.ts';

interface DeriveOptions {
  readonly trades: string;
  readonly config: string;
  readonly out: string;
  readonly format?: string;
  readonly instrument?: string;
}

export function registerDerive(program: Command): void {
  program
    .command('derive')
    .description('run the engine over a file of trades, with no services: the same bytes on any machine')
    .requiredOption('--trades <file>', 'a file of trades; the order of its rows is the order of the tape')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--out <file>', 'where to write the events, one JSON object a line; - is standard output', '-')
    .option('--format <name>', 'format of the file; told from its first lines where left out')
    .option('--instrument <instrument>', 'instrument of the rows, for formats whose rows name none')
    .action(async ({ trades, config, out, format, instrument }: DeriveOptions) => {
      const configuration = await readConfiguration(config);
      let refused = 0;
      const rows = fileTrades({ path: trades, format, instrument }, () => {
        refused += 1;
      });
      const lines = Readable.from(derive(rows, configuration));
      try {
        if (out === '-') await pipeline(lines, process.stdout, { end: false });
        else await pipeline(lines, createWriteStream(out));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
        throw new TapeproofError(
          'USAGE',
          `${out} cannot be written (${(error as Error).message}): name another file with --out.`,
          { cause: error },
        );
      }
      if (refused > 0) process.stderr.write(`${refused} rows are no trades and were left out.\n`);
    });
}
