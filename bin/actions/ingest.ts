import { basename } from 'node:path';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog, type Log } from '../../platform/log.ts';
import { startTracing } from '../../platform/tracing/start-tracing.ts';
import { tradesTracedOneIn } from '../../platform/tracing/settings.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { pipeline } from '../../pipeline.ts';
import {
  checkLiveOptions,
  type IngestProgress,
  type IngestReport,
  type LiveIngestReport,
  type LiveStatus,
  type PastTradesReport,
} from '../../producers/main.ts';
import type { Endpoints } from '../../producers/venue.ts';
import { absenceOf } from '../../producers/allowed-names.ts';
import type { FileSurveyOptions, HttpOptions } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { withTelemetry } from '../with-telemetry.ts';
import { progressBar, type ProgressBar } from '../progress.ts';
import { commandGiven, instrumentLines, PHASE_TITLES, refusedText } from './file-survey.ts';
import { printPreview } from './preview.ts';

export interface IngestOptions extends FileSurveyOptions {
  readonly format?: string;
  readonly instrument?: string;
  readonly columns?: string;
  readonly delimiter?: string;
  readonly preview?: true;
  readonly allow?: string;
  readonly speed: number | 'max';
  readonly json?: true;
}

export interface LiveOptions extends HttpOptions {
  readonly venue?: string;
  readonly instruments: string;
  readonly poll?: true;
  readonly resumeMax?: number;
  readonly wsUrl?: string;
  readonly restUrl?: string;
  readonly json?: true;
}

/** How often a live ingest reports its status. */
const STATUS_INTERVAL_MS = 10_000;

/** Where a file comes from a venue: the command that continues after a refusal, and what was requested. */
export interface FetchedFile {
  readonly command: string;
  readonly past: PastTradesReport;
}

export async function ingestFileOfTrades(path: string, options: IngestOptions, fetched?: FetchedFile): Promise<void> {
  const allowed = options.allow?.split(',').map((name) => name.trim());
  if (options.preview === true) {
    await printPreview({ path, ...options, allowed }, options.json);
    return;
  }
  const signal = interruption();
  const traceOneIn = tradesTracedOneIn(process.env);
  await answeringKafka('ingest');
  // An outage is reported once, by the last sentence.
  const log = createLog('ingest', 'error');
  const version = packageJson.version;
  const tracingLog = createLog('ingest', 'warn');
  const tracing = await startTracing({ service: 'ingest', version, environment: process.env, log: tracingLog });
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
      command: fetched?.command ?? commandGiven(),
      connections: connections(),
      log,
      traceOneIn,
      tracing,
      signal,
      progress: showIngest(bar),
    })
    .finally(async () => {
      bar.stop();
      await tracing?.close();
    });
  print(options.json, { ...report, ...(fetched && { past: fetched.past }) }, () => ingestText(report));
  if (!report.complete) process.exitCode = 130;
}

export async function ingestLiveMarket(options: LiveOptions): Promise<void> {
  const log = createLog('ingest-live');
  const where = connections();
  const signal = interruption();
  const what = {
    venue: options.venue,
    instruments: options.instruments.split(','),
    transport: options.poll === true ? 'poll' : 'stream',
    endpoints: endpointsOf(options),
    resumeTradesMax: options.resumeMax,
    environment: process.env,
    connections: where,
    log,
    signal,
    traceOneIn: tradesTracedOneIn(process.env),
    onStatus: logStatus(log),
  } as const;
  // Before the HTTP server starts: a process that cannot begin must not appear to run.
  checkLiveOptions(what);
  const report = await withTelemetry(
    {
      service: 'ingest-live',
      dependencies: { kafkaBrokers: where.kafkaBrokers, registryUrl: where.registryUrl },
      commit: await gitCommit(),
      log,
      options,
      signal,
    },
    (telemetry) => pipeline.ingest.live({ ...what, processTelemetry: telemetry }),
  );
  print(options.json, report, () => liveText(report));
  if (!report.complete) process.exitCode = 3;
}

/** `--ws-url` and `--rest-url`: an address, or venue=address, several separated by commas. */
function endpointsOf({ venue, wsUrl, restUrl }: LiveOptions): Record<string, Partial<Endpoints>> {
  const endpoints: Record<string, Partial<Endpoints>> = {};
  for (const [key, text] of [
    ['webSocketUrl', wsUrl],
    ['restUrl', restUrl],
  ] as const) {
    for (const part of text?.split(',') ?? []) {
      const [, named, address = part] = /^([a-z0-9._:-]+)=(.*)$/.exec(part.trim()) ?? [];
      const at = named ?? venue;
      if (at === undefined) {
        throw new TapeproofError('USAGE', 'Without --venue, an address needs its venue: write venue=address.');
      }
      endpoints[at] = { ...endpoints[at], [key]: address };
    }
  }
  return endpoints;
}

/** Reports the status periodically: events in between are logged when they happen. */
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

/** The report of a live ingest, in words. */
export function liveText(report: LiveIngestReport): string {
  const number = (value: number) => value.toLocaleString('en');
  return [
    `${counted(report.tradesAppended, 'trade')} appended in ${number(Math.round(report.seconds))} s, ${number(report.fromHistory)} of them fetched by REST.`,
    ...Object.entries(report.perInstrument).map(([name, trades]) => `  ${name.padEnd(24)} ${number(trades)}`),
    ...(report.gaps > 0 ? [`  Marked on the tape: ${counted(report.gaps, 'gap')} that the venue could not fill.`] : []),
    ...(report.amendments > 0
      ? [
          `  ${counted(report.amendments, 'amendment')} of the venue on the tape: "npx tapeproof tape amendments" lists them.`,
        ]
      : []),
    ...(report.deadLetters + report.deadLettersNotKept > 0
      ? [
          `  ${counted(report.deadLetters, 'dead letter')}: "npx tapeproof dead-letters" lists them; ${number(report.deadLettersNotKept)} more were only counted.`,
        ]
      : []),
    ...(report.complete ? [] : ['  Kafka did not accept the last trades in time: they are fetched at the next start.']),
  ].join('\n');
}

/** Shows the phases: those before the last only if they take long. */
export function showIngest(bar: ProgressBar): (progress: IngestProgress) => void {
  return ({ phase, done, total, trades, alreadyThere }) => {
    if (phase === 'append') bar.update({ done, total, unit: 'trades', count: alreadyThere + trades, worked: trades });
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

/** The report of an ingest, in words. */
export function ingestText(report: IngestReport): string {
  const { trades, appended, alreadyThere, repeated, deadLetters, notTrades } = report;
  const number = (value: number) => value.toLocaleString('en');
  return [
    `${counted(trades, 'trade')}: ${number(appended)} appended, ${number(alreadyThere)} already there${repeated > 0 ? `, ${number(repeated)} repeated in the file` : ''}.`,
    ...instrumentLines(report.instruments),
    ...report.absent.map((name) => `  Allowed, but not in the file: ${absenceOf(name)}.`),
    ...(deadLetters > 0
      ? [
          `  Refused: ${counted(deadLetters, 'row')}; "npx tapeproof dead-letters" lists them.`,
          ...refusedText(report.refused),
        ]
      : []),
    ...(notTrades > 0 ? [`  Passed over: ${counted(notTrades, 'line')} of other messages.`] : []),
    ...(report.complete ? [] : ['  Stopped before the end: the same command continues from here.']),
  ].join('\n');
}
