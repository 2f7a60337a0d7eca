import { open, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Trade } from '../../contracts/generated/events.ts';
import { derive } from '../../evaluators/derive.ts';
import { fileTrades } from '../../producers/file-trades.adapter.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { doubtsAbout, KNOWN_INSTRUMENTS_MAX } from '../../proofs/known-instruments.ts';
import { DEFAULT_CONFIGURATION_FILE, readConfiguration } from '../context.ts';

interface DeriveOptions {
  readonly trades: string;
  readonly config: string;
  readonly out: string;
  readonly format?: string;
  readonly instrument?: string;
  readonly columns?: string;
  readonly delimiter?: string;
}

/** Rows left out of which the reason is told; a file in the wrong unit has one for each row. */
const REFUSALS_SHOWN_MAX = 20;

export function registerDerive(program: Command): void {
  program
    .command('derive')
    .description('run the engine over a file of trades, with no services: the same bytes on any machine')
    .requiredOption('--trades <file>', 'a file of trades; the order of its rows is the order of the tape')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--out <file>', 'where to write the events, one JSON object a line; - is standard output', '-')
    .option('--format <name>', 'format of the file; told from its first lines where left out')
    .option('--instrument <instrument>', 'instrument of the rows where they name none; @venue where they name symbols')
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option('--delimiter <character>', 'what parts the columns, or tab; told from the first line where left out')
    .action(async ({ trades, config, out, ...reading }: DeriveOptions) => {
      const configuration = await readConfiguration(config);
      let refused = 0;
      const reasons: string[] = [];
      const rows = fileTrades({ path: trades, ...reading }, ({ source, detail }) => {
        refused += 1;
        if (refused <= REFUSALS_SHOWN_MAX) reasons.push(`Line ${source.position}: ${detail}.\n`);
      });
      const names = new Set<string>();
      await writeLines(derive(namedIn(rows, names), configuration), out);
      const doubts = doubtsAbout(Object.keys(configuration.instruments), [...names]);
      for (const doubt of doubts) process.stderr.write(`${doubt}\n`);
      if (refused > 0) {
        const last = refused > reasons.length ? `These are the first ${reasons.length}. ` : '';
        process.stderr.write(`${reasons.join('')}${last}Left out as no trade: ${counted(refused, 'row')}.\n`);
      }
    });
}

/** The trades as they come, their instruments noted on the way. */
async function* namedIn(trades: AsyncGenerator<Trade>, names: Set<string>): AsyncGenerator<Trade> {
  for await (const trade of trades) {
    if (names.size < KNOWN_INSTRUMENTS_MAX) names.add(trade.instrument);
    yield trade;
  }
}

/**
 * Writes to a file or, as `-`, to standard output. Nothing is touched before the first line is there, so not by trades
 * that cannot be read, and a file that could not be finished is removed.
 *
 * @param option - the one that names the output.
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

/** What the operating system says of an output, as a sentence; any other error as it is. */
function cannotBeWritten(out: string, option: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
  const { message } = error as Error;
  return new TapeproofError('USAGE', `${out} cannot be written (${message}): name another file with ${option}.`, {
    cause: error,
  });
}
