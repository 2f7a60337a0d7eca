import { setTimeout as wait } from 'node:timers/promises';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { counted } from '../platform/counted.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRecordProducer, type OutgoingRecord, type RecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import type { Log } from '../platform/log.ts';
import { absentNames } from './allowed-names.adapter.ts';
import type { AbsentName } from './allowed-names.ts';
import { Appender } from './appender.adapter.ts';
import { openFile, readRows, type FileOptions, type OpenedFile } from './file-rows.adapter.ts';
import { readHoldings } from './holdings.adapter.ts';
import { DISTINCT_ROWS_MAX, DistinctHoldings } from './distinct-holdings.ts';
import {
  INSTRUMENTS_MAX,
  OrderedHoldings,
  Pace,
  recordOf,
  type HeldRows,
  type Mismatch,
  type Resumption,
} from './ingest.ts';

export { planOf as checkLiveOptions } from './live/live-options.adapter.ts';
export { ingestLive } from './live/ingest-live.adapter.ts';
export type { LiveIngestOptions, LiveIngestReport, LiveStatus } from './live/live-options.adapter.ts';

const WAIT_MS_MAX = 60_000;
const MILLISECONDS_PER_SECOND = 1000;

export interface IngestOptions extends FileOptions {
  /** `max`, or times the market's own speed: 1 is real time, 60 a minute in a second. */
  readonly speed: 'max' | number;
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  /** When given, the batch in flight is finished and what was done is reported. */
  readonly signal: AbortSignal;
  readonly progress?: ((progress: IngestProgress) => void) | undefined;
}

/** How far an ingest is. The phases come in this order; the third only where something of the file is there already. */
export interface IngestProgress {
  /** The file's hash · the tape, for what it holds of the file · that against the file · the rest to the tape. */
  readonly phase: 'identify' | 'scan' | 'compare' | 'append';
  /** Stored bytes of the file; while scanning, records of Kafka. */
  readonly done: number;
  readonly total: number;
  /** Trades appended so far, and their rate. */
  readonly trades: number;
  readonly tradesPerSecond: number;
  /** Trades passed over so far, which an earlier run appended. */
  readonly alreadyThere: number;
}

export interface IngestReport {
  /** False where the signal came before the file's end. */
  readonly complete: boolean;
  /** Trades read from the file: `appended` + `alreadyThere`. */
  readonly trades: number;
  readonly appended: number;
  /** Trades that an earlier run appended. */
  readonly alreadyThere: number;
  /** Rows refused, those of an earlier run included. */
  readonly deadLetters: number;
  readonly deadLettersAppended: number;
  /** Lines that are rightly no trades, such as quotes. */
  readonly notTrades: number;
  readonly seconds: number;
  /** Allowed instruments that no row bears. */
  readonly absent: readonly AbsentName[];
  /** Trades read by instrument. */
  readonly perInstrument: Readonly<Record<string, number>>;
}

/**
 * Appends the trades of a file to the tape, each once: what an earlier run of the same file has appended, also one that
 * was killed half way, is found on the tape, compared with the file and left as it is. A row that is no trade becomes a
 * dead letter and stops nothing. Two runs of one file at the same time do not see each other: trades are then on the tape
 * twice, with one effect, and a later run counts them once.
 *
 * @throws TapeproofError USAGE for the file and its options; UNREACHABLE for Kafka, its topics or the registry; CONFLICT
 *   when the tape holds trades of this file that it would not get now.
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
  private readonly counts = { alreadyThere: 0, appended: 0, deadLetters: 0, deadLettersAppended: 0, notTrades: 0 };
  private readonly perInstrument = new Map<string, number>();
  private absent: readonly AbsentName[] = [];
  private complete = false;

  constructor(options: IngestOptions) {
    this.options = options;
  }

  async run(): Promise<void> {
    const { connections, log, signal, speed } = this.options;
    if (speed !== 'max' && !(Number.isFinite(speed) && speed > 0)) {
      throw new TapeproofError('USAGE', `The speed ${speed} is none: give "max" or a number above 0.`);
    }
    const file = await openFile(this.options, (done, total) => {
      this.tell('identify', done, total);
    });
    this.absent = await absentNames(file, signal);
    const { source } = file.reading.context;
    const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-ingest', log);
    const registry = createRegistry(connections.registryUrl);
    const partitions = await partitionCount(kafka);
    await assertRegistered(registry);
    const onRecords = (done: number, total: number): void => {
      this.tell('scan', done, total);
    };
    const brokers = connections.kafkaBrokers;
    const resumption = await this.resume(file, (into) =>
      readHoldings({ brokers, registry, partitions, source, signal, onRecords }, into),
    );
    log.info({ source, format: file.reading.format.name }, `Ingesting ${file.path}`);
    const producer = createRecordProducer(kafka, registry);
    try {
      await this.append(file, resumption, producer, partitions);
    } finally {
      await producer.disconnect();
    }
  }

  report(): IngestReport {
    return {
      complete: this.complete,
      trades: this.counts.appended + this.counts.alreadyThere,
      ...this.counts,
      seconds: (performance.now() - this.started) / MILLISECONDS_PER_SECOND,
      absent: this.absent,
      perInstrument: Object.fromEntries([...this.perInstrument].sort()),
    };
  }

  /** Refuses a file whose earlier rows in Kafka are not its first rows, before anything is appended. */
  private async resume(file: OpenedFile, readInto: (into: HeldRows) => Promise<void>): Promise<Resumption> {
    const ordered = new OrderedHoldings();
    await readInto(ordered);
    if ((await this.compare(file, ordered)) === undefined) return ordered.resumption();
    const distinct = new DistinctHoldings();
    try {
      await readInto(distinct);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new TapeproofError(
        'CONFLICT',
        `Kafka holds rows of ${file.path} (${file.reading.context.source}) more than once or from another reading of it, and too many to tell: above ${DISTINCT_ROWS_MAX}.`,
        { cause: error },
      );
    }
    const mismatch = await this.compare(file, distinct);
    if (mismatch === undefined) return distinct.resumption();
    const { lane, count } = mismatch;
    const what = lane === DEAD_LETTERS_TOPIC ? counted(count, 'dead letter') : `${counted(count, 'trade')} of ${lane}`;
    throw new TapeproofError(
      'CONFLICT',
      `Kafka holds ${what} from an earlier run of ${file.path} (${file.reading.context.source}) which are not the first it would get now: run it with the format, instrument and allowed instruments of that run.`,
    );
  }

  private async compare(file: OpenedFile, held: HeldRows): Promise<Mismatch | undefined> {
    const { signal } = this.options;
    const comparison = held.comparison();
    if (comparison.isComplete()) return undefined;
    const rows = readRows(file, signal, (done, total) => {
      this.tell('compare', done, total);
    });
    for await (const group of rows) {
      for (const row of group) {
        if (row.kind === 'trade' || row.kind === 'dead-letter') comparison.accept(row);
      }
      if (comparison.isComplete()) break;
    }
    signal.throwIfAborted();
    return comparison.mismatch();
  }

  private async append(
    file: OpenedFile,
    resumption: Resumption,
    producer: RecordProducer,
    partitions: number,
  ): Promise<void> {
    const { signal, speed } = this.options;
    this.appendStarted = performance.now();
    const appender = new Appender(producer, (records) => {
      this.acknowledged(records);
    });
    const pace = speed === 'max' ? undefined : new Pace(speed);
    let lastEventTimeUs = 0;
    let bytesRead = 0;
    const groups = readRows(file, signal, (bytes) => {
      bytesRead = bytes;
    });
    for await (const group of groups) {
      for (const row of group) {
        if (row.kind === 'not-a-trade') this.counts.notTrades += 1;
        if (row.kind !== 'trade' && row.kind !== 'dead-letter') continue;
        const isThere = resumption.isThere(row);
        if (row.kind === 'trade') lastEventTimeUs = row.trade.eventTime;
        if (row.kind === 'trade' && !isThere) await this.untilDue(row.trade.eventTime, pace, appender);
        if (signal.aborted) break;
        if (row.kind === 'trade') this.count(row.trade.instrument, isThere);
        else this.counts.deadLetters += 1;
        if (!isThere && appender.add(recordOf(row, partitions, lastEventTimeUs))) await appender.flush();
      }
      // The whole is told once the last batch is acknowledged.
      this.tell('append', Math.min(bytesRead, file.bytes - 1), file.bytes);
    }
    await appender.drain();
    this.complete = !signal.aborted;
    this.tell('append', bytesRead, file.bytes);
  }

  /** Sends what is collected and waits for a trade's time; not at all at full speed. */
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

  private count(instrument: string, isThere: boolean): void {
    if (this.perInstrument.size >= INSTRUMENTS_MAX && !this.perInstrument.has(instrument)) {
      throw new TapeproofError(
        'USAGE',
        `The file ${this.options.path} has more than ${INSTRUMENTS_MAX} instruments: name those to read.`,
      );
    }
    this.perInstrument.set(instrument, (this.perInstrument.get(instrument) ?? 0) + 1);
    if (isThere) this.counts.alreadyThere += 1;
  }

  private acknowledged(records: readonly OutgoingRecord[]): void {
    for (const { topic } of records) {
      if (topic === TAPE_TOPIC) this.counts.appended += 1;
      else this.counts.deadLettersAppended += 1;
    }
  }

  private tell(phase: IngestProgress['phase'], done: number, total: number): void {
    const { appended: trades, alreadyThere } = this.counts;
    const seconds = (performance.now() - this.appendStarted) / MILLISECONDS_PER_SECOND;
    const tradesPerSecond = phase === 'append' && seconds > 0 ? trades / seconds : 0;
    this.options.progress?.({ phase, done, total, trades, tradesPerSecond, alreadyThere });
  }
}

/** What was done before a failure is part of what a person needs to know. */
function withProgress(error: unknown, { appended }: IngestReport): unknown {
  if (!(error instanceof TapeproofError) || appended === 0) return error;
  const done = `It had appended ${counted(appended, 'trade')}: another run goes on after them.`;
  return new TapeproofError(error.code, `${error.message} ${done}`, { cause: error });
}

/** Before anything is read: a missing schema is said at once. */
async function assertRegistered(registry: Registry): Promise<void> {
  await registry.idOf(TAPE_TOPIC, 'Trade');
  await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
}
