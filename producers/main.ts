import type { Kafka } from 'kafkajs';
import { setTimeout as wait } from 'node:timers/promises';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { counted } from '../platform/counted.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { openTrustedLog } from '../platform/kafka/trusted-log.ts';
import type { Log } from '../platform/log.ts';
import type { Tracing } from '../platform/tracing/tracing.ts';
import type { ContextIngestOptions, ContextReport } from './context/ingest-context.adapter.ts';
import type { SectorIngestOptions, SectorReport } from './context/ingest-sectors.adapter.ts';
import { absentNames } from './allowed-names.adapter.ts';
import type { AbsentName } from './allowed-names.ts';
import { Appender } from './appender.adapter.ts';
import { readRows } from './file-rows.adapter.ts';
import { readHoldings } from './holdings.adapter.ts';
import { FileCounts, MissingRows, type InstrumentReport } from './ingest-counts.ts';
import { Holdings, Pace, recordOf } from './ingest.ts';
import {
  assertInOrder,
  ordersIn,
  rowsOf,
  surveyFile,
  type FilePhase,
  type SurveyedFile,
  type SurveyOptions,
} from './survey-file.adapter.ts';
import type { RefusedByReason } from './survey.ts';
import { tracedProducer } from './traced-producer.adapter.ts';

export { ingestLive } from './live/ingest-live.adapter.ts';
export { ingestVenues, venuePlans as checkLiveOptions } from './live/ingest-venues.adapter.ts';
export type { LiveIngestOptions, LiveIngestReport, LiveStatus } from './live/live-options.ts';
export { writePastTrades } from './live/past-trades.adapter.ts';
export type { PastTradesReport } from './live/past-trades.adapter.ts';

const WAIT_MS_MAX = 60_000;
const MILLISECONDS_PER_SECOND = 1000;

/** Loaded when it runs: every process has the pipeline, and only this one the parsers of feeds. */
export async function ingestContext(options: ContextIngestOptions): Promise<ContextReport> {
  return await (await import('./context/ingest-context.adapter.ts')).ingestContext(options);
}

/** Loaded like {@link ingestContext}. */
export async function ingestSectors(options: SectorIngestOptions): Promise<SectorReport> {
  return await (await import('./context/ingest-sectors.adapter.ts')).ingestSectors(options);
}

export interface IngestOptions extends SurveyOptions {
  /** `max`, or times the market's own speed: 1 is real time, 60 a minute in a second. */
  readonly speed: 'max' | number;
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  /** On this signal, the batch in flight is finished and the result is returned. */
  readonly signal: AbortSignal;
  readonly progress?: ((progress: IngestProgress) => void) | undefined;
  /** One appended trade of this many begins a trace; undefined for none. */
  readonly traceOneIn?: number | undefined;
  readonly tracing?: Tracing | undefined;
}

/**
 * The progress of an ingest. The phases, in order: hashing the file · surveying its rows · scanning the tape for them
 * · comparing the rows with it, where the file begins before the tape ends · sorting, where requested · appending the
 * rest.
 */
export interface IngestProgress {
  readonly phase: FilePhase | 'scan' | 'compare' | 'append';
  /** In stored bytes of the file; while scanning, in records of Kafka; while sorting, in trades. */
  readonly done: number;
  readonly total: number;
  /** Trades appended so far, and their rate. */
  readonly trades: number;
  readonly tradesPerSecond: number;
  /** Trades passed over so far because they are already on the tape. */
  readonly alreadyThere: number;
}

export interface IngestReport {
  /** False where the signal came before the file's end. */
  readonly complete: boolean;
  /** Trades read from the file: `appended` + `alreadyThere` + `repeated`. */
  readonly trades: number;
  readonly appended: number;
  /** Trades already on the tape, by trade id and event time, whichever ingest put them there. */
  readonly alreadyThere: number;
  /** Repeated trades of the file: every occurrence except the first. */
  readonly repeated: number;
  /** Trades appended after newer ones of their instrument. */
  readonly late: number;
  /** Rows refused, including those of an earlier run. */
  readonly deadLetters: number;
  readonly deadLettersAppended: number;
  /** The refused rows by reason, with the first of each. */
  readonly refused: RefusedByReason;
  /** Lines that are legitimately not trades, such as quotes. */
  readonly notTrades: number;
  readonly seconds: number;
  /** Allowed instruments that no row names. */
  readonly absent: readonly AbsentName[];
  /** Trades read by instrument. */
  readonly perInstrument: Readonly<Record<string, number>>;
  /** The counts of their fates by instrument. */
  readonly instruments: Readonly<Record<string, InstrumentReport>>;
}

/**
 * Appends the trades of a file to the tape, each once: a trade already there, by its id and event time, is left
 * unchanged, whether it came from an earlier run of the same file, a run killed half way, or another file. A row that
 * is not a trade becomes a dead letter and stops nothing. Before anything is appended the rows are surveyed: too many
 * refused ones, or an order that silences decisions, end the run.
 *
 * Two runs at the same time do not see each other: trades are then on the tape twice, with one effect, and a later run
 * counts them once.
 *
 * @throws TapeproofError USAGE for the file and its options; UNREACHABLE for Kafka, its topics or the registry;
 *   CHECK_FAILED where the survey ends it, or the tape was activated with another number of partitions; REGISTRY_CHANGED.
 */
export async function ingestFile(options: IngestOptions): Promise<IngestReport> {
  const ingest = new FileIngest(options);
  try {
    await ingest.run();
  } catch (error) {
    if (!options.signal.aborted || error !== options.signal.reason) throw withProgress(error, ingest.report());
  }
  return ingest.report();
}

class FileIngest {
  private readonly options: IngestOptions;
  private readonly started = performance.now();
  private appendStarted = this.started;
  private file: SurveyedFile | undefined;
  private counts: FileCounts | undefined;
  private absent: readonly AbsentName[] = [];
  private complete = false;

  constructor(options: IngestOptions) {
    this.options = options;
  }

  async run(): Promise<void> {
    const { connections, log, signal, speed } = this.options;
    if (speed !== 'max' && !(Number.isFinite(speed) && speed > 0)) {
      throw new TapeproofError('USAGE', `${speed} is not a valid speed: give "max" or a number above 0.`);
    }
    const file = await surveyFile(this.options, this.tell);
    this.file = file;
    this.absent = await absentNames(file.opened, signal);
    const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-ingest', log);
    const reader = createLogReader(connections.kafkaBrokers);
    try {
      await this.ingest(file, kafka, reader);
    } finally {
      await reader.close();
    }
  }

  private async ingest(file: SurveyedFile, kafka: Kafka, reader: LogReader): Promise<void> {
    const { connections, log, signal, traceOneIn, tracing } = this.options;
    const { survey, opened } = file;
    const { registry, partitions } = await openTrustedLog({ kafka, reader, log, registryUrl: connections.registryUrl });
    await assertRegistered(registry);
    const holdings = new Holdings(survey.instruments);
    await readHoldings(
      {
        reader,
        registry,
        partitions,
        instruments: survey.instruments.keys(),
        hasRefused: survey.refused > 0,
        signal,
        onRecords: (done, total) => {
          this.tell('scan', done, total);
        },
      },
      holdings,
    );
    if (holdings.meetsTheTape()) await this.compare(file, holdings);
    else assertInOrder(file, ordersIn(file), 'file', this.options);
    const { context, format } = opened.reading;
    log.info({ 'tapeproof.source': context.source, 'tapeproof.format': format.name }, `Ingesting ${opened.path}`);
    this.counts = new FileCounts(survey, holdings);
    const producer = tracedProducer(createRecordProducer(kafka, registry), traceOneIn, tracing);
    try {
      await this.append(file, this.counts, producer, partitions);
    } finally {
      await producer.disconnect();
    }
  }

  report(): IngestReport {
    const instruments = this.counts?.byInstrument() ?? {};
    const all = Object.values(instruments);
    const sum = (count: (report: InstrumentReport) => number): number =>
      all.reduce((total, report) => total + count(report), 0);
    return {
      complete: this.complete,
      trades: sum(({ rows }) => rows),
      appended: sum(({ appended }) => appended),
      alreadyThere: sum(({ alreadyThere }) => alreadyThere),
      repeated: sum(({ repeated }) => repeated),
      late: sum(({ late }) => late),
      deadLetters: this.counts?.deadLetters ?? 0,
      deadLettersAppended: this.counts?.deadLettersAppended ?? 0,
      refused: this.file?.survey.refusedByReason ?? {},
      notTrades: this.counts?.notTrades ?? 0,
      seconds: (performance.now() - this.started) / MILLISECONDS_PER_SECOND,
      absent: this.absent,
      perInstrument: Object.fromEntries(Object.entries(instruments).map(([name, { rows }]) => [name, rows])),
      instruments,
    };
  }

  /** Refuses new rows that would be late, by each other or by the tape, before any is appended. */
  private async compare(file: SurveyedFile, holdings: Holdings): Promise<void> {
    const { signal } = this.options;
    const missing = new MissingRows(file.survey, holdings);
    const groups = readRows(file.opened, signal, (done, total) => {
      this.tell('compare', done, total);
    });
    for await (const group of groups) {
      for (const row of group) if (row.kind === 'trade') missing.accept(row.trade, row.line);
    }
    signal.throwIfAborted();
    assertInOrder(file, missing.ordersInFile(), 'file', this.options);
    assertInOrder(file, missing.ordersBehindTape(), 'tape', this.options);
  }

  private async append(
    file: SurveyedFile,
    counts: FileCounts,
    producer: RecordProducer,
    partitions: number,
  ): Promise<void> {
    const { signal, speed } = this.options;
    this.appendStarted = performance.now();
    const appender = new Appender(producer, (records) => {
      for (const { topic, key } of records) {
        if (topic === TAPE_TOPIC) counts.appendedTrade(key ?? '');
        else counts.deadLettersAppended += 1;
      }
    });
    const pace = speed === 'max' ? undefined : new Pace(speed);
    let lastEventTimeUs = 0;
    let [read, whole] = [0, file.opened.bytes];
    const onBytes = (done: number, total: number): void => {
      [read, whole] = [done, total];
    };
    for await (const group of rowsOf(file, this.options, onBytes, this.tell)) {
      for (const row of group) {
        if (row.kind === 'not-a-trade') counts.notTrades += 1;
        if (row.kind !== 'trade' && row.kind !== 'dead-letter') continue;
        if (row.kind === 'trade') lastEventTimeUs = row.trade.eventTime;
        if (counts.passesOver(row)) continue;
        if (row.kind === 'trade') await this.untilDue(row.trade.eventTime, pace, appender);
        if (signal.aborted) break;
        counts.take(row, row.line);
        if (appender.add(recordOf(row, partitions, lastEventTimeUs))) await appender.flush();
      }
      // The total is reported once the last batch is acknowledged.
      this.tell('append', Math.min(read, whole - 1), whole);
    }
    await appender.drain();
    this.complete = !signal.aborted;
    this.tell('append', read, whole);
  }

  /** Sends the collected records and waits until a trade is due; at full speed it does not wait. */
  private async untilDue(eventTimeUs: number, pace: Pace | undefined, appender: Appender): Promise<void> {
    if (pace === undefined) return;
    const { signal } = this.options;
    while (!signal.aborted) {
      const delayMs = pace.delayMs(eventTimeUs, performance.now() - this.appendStarted);
      if (delayMs <= 0) return;
      await appender.flush();
      await wait(Math.min(delayMs, WAIT_MS_MAX), undefined, { signal }).catch(() => undefined);
    }
  }

  private readonly tell = (phase: IngestProgress['phase'], done: number, total: number): void => {
    const trades = this.counts?.appended ?? 0;
    const alreadyThere = this.counts?.alreadyThere ?? 0;
    const seconds = (performance.now() - this.appendStarted) / MILLISECONDS_PER_SECOND;
    const tradesPerSecond = phase === 'append' && seconds > 0 ? trades / seconds : 0;
    this.options.progress?.({ phase, done, total, trades, tradesPerSecond, alreadyThere });
  };
}

/** A person also needs to know how much was done before a failure. */
function withProgress(error: unknown, { appended }: IngestReport): unknown {
  if (!(error instanceof TapeproofError) || appended === 0) return error;
  const done = `It had appended ${counted(appended, 'trade')}: another run continues after them.`;
  return new TapeproofError(error.code, `${error.message} ${done}`, { cause: error });
}

/** Before the tape is read: a schema that is missing, or has another id than on the tape, is reported at once. */
async function assertRegistered(registry: Registry): Promise<void> {
  await registry.idOf(TAPE_TOPIC, 'Trade');
  await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
}
