import type { Command } from 'commander';
import type { IngestOptions, LiveOptions } from '../actions/ingest.ts';
import type { PastOptions } from '../actions/ingest-past.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { FILE_SOURCE_NAMES } from '../../producers/catalogue.ts';
import { registerContext, registerSectors } from './ingest-context.ts';
import { withFileSurveyOptions, withHttpOptions, type JsonOption } from './options.ts';
import { parseMoment } from './time-option.ts';

export function registerIngest(program: Command): void {
  const ingest = program.command('ingest').description('append market trades to the tape, each once');
  registerFile(ingest);
  registerLive(ingest);
  registerPast(ingest);
  registerVenues(ingest);
  registerContext(ingest);
  registerSectors(ingest);
}

function registerFile(ingest: Command): void {
  const file = ingest
    .command('file')
    .argument('<path>', 'a file of trades: text, gzip, zstd, zip or Parquet')
    .description('append the trades of a file; run it again and nothing is appended twice')
    .option('--format <name>', `one of ${FILE_SOURCE_NAMES.join(', ')}; by default detected from the first lines`)
    .option('--instrument <instrument>', 'instrument of the rows where they name none; @venue where they name symbols')
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option('--delimiter <character>', 'the character between columns, or tab; by default detected from the first line')
    .option('--preview', 'show the first ten rows as understood, and append nothing')
    .option('--allow <instruments>', 'accept only these, separated by commas; others become dead letters')
    .option('--speed <speed>', 'max, or times real time: 1, 60', parseSpeed, 'max' as const);
  withFileSurveyOptions(file)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
A trade is identified by its id and event time: one that is already on the tape is not appended again, whatever file or
run put it there. Rows without ids are identified by time, price and size, so that overlapping or longer files give each trade once.
Ingest the oldest file of an instrument first: trades that come after newer ones are kept, and count into the current or
the previous session, but decide nothing. A file whose order would silence decisions is refused, and the message says what to do.`,
    )
    .action(async (path: string, options: IngestOptions) => {
      const { ingestFileOfTrades } = await import('../actions/ingest.ts');
      await ingestFileOfTrades(path, options);
    });
}

function registerLive(ingest: Command): void {
  const live = ingest
    .command('live')
    .description('append the trades of a venue as they happen, until it is stopped; a second process may stand by')
    .option('--venue <name>', 'see ingest venues, or ccxt:exchange; unnecessary where each instrument names its own')
    .requiredOption(
      '--instruments <instruments>',
      'such as BTC-USDT,ETH-USDT, or of several venues: BTC-USDT@okx,BTC-USD@kraken',
    )
    .option('--poll', 'by REST alone, without a WebSocket; always so for ccxt:exchange')
    .option(
      '--resume-max <trades>',
      'the most missing trades of an instrument to request; more are a gap on the tape',
      parseCount,
    )
    .option('--ws-url <url>', "instead of the venue's own; of several: venue=url,venue=url")
    .option('--rest-url <url>', "instead of the venue's own; of several: venue=url,venue=url")
    .option('--json', 'print the report as JSON');
  withHttpOptions(live).action(async (options: LiveOptions) => {
    const { ingestLiveMarket } = await import('../actions/ingest.ts');
    await ingestLiveMarket(options);
  });
}

function registerPast(ingest: Command): void {
  ingest
    .command('past')
    .description('write the trades that a venue had in a past period into a file, and append them')
    .requiredOption('--venue <name>', 'one that serves past trades page by page: alpaca')
    .requiredOption('--instruments <instruments>', 'such as AAPL,MSFT')
    .requiredOption('--from <time>', 'the first moment, with its zone: 2026-11-02T09:30:00-05:00', parseMoment)
    .requiredOption('--to <time>', 'the moment after the last one', parseMoment)
    .requiredOption('--out <file>', 'the new file, which "ingest file" reads too')
    .option('--rest-url <url>', "instead of the venue's own")
    .option('--no-append', 'write the file, and append nothing')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
What is on the tape already is not appended again. Trades before the end of the tape are refused like those of any file,
unless --accept-late accepts them: then append the file with "ingest file FILE --accept-late".

Example:
  $ npx tapeproof ingest past --venue alpaca --instruments AAPL --from 2026-11-02T09:30:00-05:00 --to 2026-11-02T16:00:00-05:00 --out aapl.csv`,
    )
    .action(async (options: PastOptions) => {
      const { ingestPastTrades } = await import('../actions/ingest-past.ts');
      await ingestPastTrades(options);
    });
}

function registerVenues(ingest: Command): void {
  ingest
    .command('venues')
    .description('list the venues that trades can be taken from live')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { listVenues } = await import('../actions/venues.ts');
      listVenues(options);
    });
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text.replace(/x$/i, ''));
  if (!Number.isFinite(speed) || speed <= 0)
    throw new TapeproofError(
      'USAGE',
      `"${text}" is not a valid speed: give max, 1 for real time, or 60 for sixty times that.`,
    );
  return speed;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text)) return count;
  throw new TapeproofError('USAGE', `"${text}" is not a valid number of trades: give a whole number, 0 or more.`);
}
