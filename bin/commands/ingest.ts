import { basename } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog, type Log } from '../../platform/log.ts';
import { pipeline } from '../../pipeline.ts';
import {
  checkLiveOptions,
  type IngestProgress,
  type IngestReport,
  type LiveIngestReport,
  type LiveStatus,
} from '../../producers/main.ts';
import { absenceOf } from '../../producers/allowed-names.ts';
import { FILE_SOURCE_NAMES } from '../../producers/registry.ts';
import { connections, interruption, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { observed, withHttpOptions, type HttpOptions } from '../observed.ts';
import { progressBar, type ProgressBar } from '../progress.ts';
import {
  commandGiven,
  instrumentLines,
  PHASE_TITLES,
  refusedText,
  withFileSurveyOptions,
  type FileSurveyOptions,
} from './file-survey.ts';
import { printPreview } from './preview.ts';

interface IngestOptions extends FileSurveyOptions {
  readonly format?: string;
  readonly instrument?: string;
  readonly columns?: string;
  readonly delimiter?: string;
  readonly preview?: true;
  readonly allow?: string;
  readonly speed: number | 'max';
  readonly json?: true;
}

interface LiveOptions extends HttpOptions {
  readonly venue: string;
  readonly instruments: string;
  readonly poll?: true;
  readonly resumeMax?: number;
  readonly wsUrl?: string;
  readonly restUrl?: string;
  readonly json?: true;
}

/** How often a live ingest says how it stands. */
const STATUS_INTERVAL_MS = 10_000;

export function registerIngest(program: Command): void {
  const ingest = program.command('ingest').description('append market trades to the tape, each once');
  registerFile(ingest);
  registerLive(ingest);
  registerVenues(ingest);
}

function registerFile(ingest: Command): void {
  const file = ingest
    .command('file')
    .argument('<path>', 'a file of trades: text, gzip, zstd, zip or Parquet')
    .description('append the trades of a file; run it again and nothing is appended twice')
    .option('--format <name>', `one of ${FILE_SOURCE_NAMES.join(', ')}; told from the first lines where left out`)
    .option('--instrument <instrument>', 'instrument of the rows where they name none; @venue where they name symbols')
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option('--delimiter <character>', 'what parts the columns, or tab; told from the first line where left out')
    .option('--preview', 'show the first ten rows as they are understood, and append nothing')
    .option('--allow <instruments>', 'take only these, separated by commas; others become dead letters')
    .option('--speed <speed>', 'max, or times real time: 1, 60', parseSpeed, 'max' as const);
  withFileSurveyOptions(file)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
A trade is known by its id and event time: one that the tape holds already is not appended again, whatever file or run put
it there. Rows without ids are known by time, price and size, so that overlapping or longer files give each trade once.
Of an instrument, ingest the oldest file first: trades that come after newer ones are kept, and count into the current or
the previous session, but decide nothing. A file whose order would silence decisions is refused, with what to do.`,
    )
    .action(async (path: string, options: IngestOptions) => {
      const allowed = options.allow?.split(',').map((name) => name.trim());
      if (options.preview === true) {
        await printPreview({ path, ...options, allowed }, options.json);
        return;
      }
      const signal = interruption();
      const bar = progressBar(basename(path));
      const report = await pipeline.ingest
        .run({
          path,
          format: options.format,
          instrument: options.instrument,
          columns: options.columns,
          delimiter: options.delimiter,
          allowed,
          speed: options.speed,
          sort: options.sort,
          acceptLate: options.acceptLate,
          refusedPercentMax: options.refusedMax,
          command: commandGiven(),
          connections: connections(),
          // An outage is said once, by the last sentence.
          log: createLog('ingest', 'error'),
          signal,
          progress: showIngest(bar),
        })
        .finally(() => {
          bar.stop();
        });
      print(options.json, report, () => ingestText(report));
      if (!report.complete) process.exitCode = 130;
    });
}

function registerLive(ingest: Command): void {
  const live = ingest
    .command('live')
    .description('append the trades of a venue as they happen, until it is stopped; a second process may stand by')
    .requiredOption('--venue <name>', 'see ingest venues')
    .requiredOption('--instruments <instruments>', 'such as BTC-USDT,ETH-USDT')
    .option('--poll', 'by REST alone, without a WebSocket')
    .option(
      '--resume-max <trades>',
      'missing trades of an instrument to ask for; more are a gap on the tape',
      parseCount,
    )
    .option('--ws-url <url>', "instead of the venue's own")
    .option('--rest-url <url>', "instead of the venue's own")
    .option('--json', 'print the report as JSON');
  withHttpOptions(live).action(async (options: LiveOptions) => {
    const log = createLog('ingest-live');
    const where = connections();
    const signal = interruption();
    const what = {
      venue: options.venue,
      instruments: options.instruments.split(','),
      transport: options.poll === true ? 'poll' : 'stream',
      endpoints: {
        ...(options.wsUrl === undefined ? {} : { webSocketUrl: options.wsUrl }),
        ...(options.restUrl === undefined ? {} : { restUrl: options.restUrl }),
      },
      resumeTradesMax: options.resumeMax,
      connections: where,
      log,
      signal,
      onStatus: logStatus(log),
    } as const;
    // Before anything answers over HTTP: a process that cannot begin does not say that it runs.
    checkLiveOptions(what);
    const report = await observed(
      {
        service: 'ingest-live',
        dependencies: { kafkaBrokers: where.kafkaBrokers, registryUrl: where.registryUrl },
        commit: await gitCommit(),
        log,
        options,
      },
      (observation) => pipeline.ingest.live({ ...what, observation }),
    );
    print(options.json, report, () => liveText(report));
    if (!report.complete) process.exitCode = 3;
  });
}

function registerVenues(ingest: Command): void {
  ingest
    .command('venues')
    .description('what trades can be taken from live')
    .option('--json', 'print as JSON')
    .action(({ json }: { readonly json?: true }) => {
      const list = pipeline.ingest.venues.map(({ name, description, tradeIds, endpoints }) => {
        return { name, description, tradeIds, endpoints };
      });
      print(json, list, () => {
        const table = new Table({ head: ['venue', 'what', 'trade ids', 'endpoints'], style: { head: [], border: [] } });
        for (const { name, description, tradeIds, endpoints } of list) {
          table.push([
            name,
            description,
            tradeIds === 'DENSE' ? 'dense: gaps are known' : 'opaque: gaps are not known',
            `${endpoints.webSocketUrl}\n${endpoints.restUrl}`,
          ]);
        }
        return table.toString();
      });
    });
}

/** Says now and then how it stands: what happens in between is logged when it happens. */
function logStatus(log: Log): (status: LiveStatus) => void {
  let saidMs = performance.now();
  return ({ tradesAppended, tradesPerSecond, waiting, instruments }) => {
    if (performance.now() - saidMs < STATUS_INTERVAL_MS) return;
    saidMs = performance.now();
    const inSync = instruments.filter(({ isInSync }) => isInSync).length;
    log.info(
      `${tradesAppended.toLocaleString('en')} trades appended, ${tradesPerSecond.toLocaleString('en')} a second, ${waiting.toLocaleString('en')} waiting; ${inSync} of ${instruments.length} instruments in sync`,
    );
  };
}

/** What a live ingest did, in words. */
export function liveText(report: LiveIngestReport): string {
  const number = (value: number) => value.toLocaleString('en');
  return [
    `${counted(report.tradesAppended, 'trade')} appended in ${number(Math.round(report.seconds))} s, ${number(report.fromHistory)} of them fetched by REST.`,
    ...Object.entries(report.perInstrument).map(([name, trades]) => `  ${name.padEnd(24)} ${number(trades)}`),
    ...(report.gaps > 0 ? [`  Marked on the tape: ${counted(report.gaps, 'gap')} that the venue could not fill.`] : []),
    ...(report.deadLetters + report.deadLettersNotKept > 0
      ? [
          `  ${counted(report.deadLetters, 'dead letter')}: "npx tapeproof dead-letters" lists them; ${number(report.deadLettersNotKept)} more were only counted.`,
        ]
      : []),
    ...(report.complete ? [] : ['  Kafka did not take the last trades in time: they are fetched at the next start.']),
  ].join('\n');
}

/** Shows the phases: those before the last only where they last. */
export function showIngest(bar: ProgressBar): (progress: IngestProgress) => void {
  return ({ phase, done, total, trades, alreadyThere }) => {
    if (phase === 'append') bar.update({ done, total, unit: 'trades', count: alreadyThere + trades });
    else
      bar.update({
        done,
        total,
        unit: phase === 'scan' ? 'records' : 'bytes',
        count: done,
        phase: PHASE_TITLES[phase],
      });
  };
}

/** What an ingest did, in words. */
export function ingestText(report: IngestReport): string {
  const { trades, appended, alreadyThere, repeated, deadLetters, notTrades } = report;
  const number = (value: number) => value.toLocaleString('en');
  return [
    `${counted(trades, 'trade')}: ${number(appended)} appended, ${number(alreadyThere)} there already${repeated > 0 ? `, ${number(repeated)} repeated in the file` : ''}.`,
    ...instrumentLines(report.instruments),
    ...report.absent.map((name) => `  Allowed, and not there: ${absenceOf(name)}.`),
    ...(deadLetters > 0
      ? [
          `  Refused: ${counted(deadLetters, 'row')}; "npx tapeproof dead-letters" lists them.`,
          ...refusedText(report.refused),
        ]
      : []),
    ...(notTrades > 0 ? [`  Passed over: ${counted(notTrades, 'line')} of other messages.`] : []),
    ...(report.complete ? [] : ['  Stopped before the end: the same command goes on from here.']),
  ].join('\n');
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text.replace(/x$/i, ''));
  if (!Number.isFinite(speed) || speed <= 0)
    throw new TapeproofError(
      'USAGE',
      `"${text}" is not a speed: give max, 1 for real time, or 60 for sixty times that.`,
    );
  return speed;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text)) return count;
  throw new TapeproofError('USAGE', `"${text}" is not a number of trades: give a whole number, 0 or more.`);
}
