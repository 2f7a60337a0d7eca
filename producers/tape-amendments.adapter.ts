import type { Trade } from '../contracts/generated/events.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { createTapeDecoder, type TapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { openTrustedLog } from '../platform/kafka/trusted-log.ts';
import type { Log } from '../platform/log.ts';
import { Appender } from './appender.adapter.ts';
import { openFile } from './file-rows.adapter.ts';
import { Revocation, type RevocationCounts } from './tape-amendments-revocation.ts';
import {
  cancellationOf,
  planOf,
  recordOfAmendment,
  TradesOfId,
  type AmendableTrade,
  type PlannedAmendment,
  type Statement,
  type Wish,
} from './tape-amendments.ts';

const CLIENT = 'tapeproof-tape';
const FILE_SOURCE = /^file:[0-9a-f]{16}$/;
/** The most event times that a sentence lists. */
const TIMES_NAMED_MAX = 5;

interface TapeAccess {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
}

export interface AmendmentRequest extends TapeAccess {
  readonly instrument: string;
  readonly tradeId: string;
  /** Event time, microseconds; needed where the id occurs with more than one. */
  readonly atUs: number | undefined;
  readonly wish: Wish;
  readonly by: Statement;
}

export interface AmendmentReport {
  /** `already` where the tape has it already, and nothing was appended. */
  readonly action: 'appended' | 'already';
  readonly trade: AmendableTrade;
  /** The amendment appended; undefined where none was. */
  readonly appended: PlannedAmendment | undefined;
}

/**
 * Appends a record that takes a trade of the tape back, corrects it or vouches for its stamp, unless the tape already
 * has one. Two concurrent runs may append it twice, with one effect.
 *
 * @throws TapeproofError NOT_FOUND where the tape has no such trade; USAGE where the id occurs with several times;
 *   CONFLICT where the trade was taken back and could not be changed; UNREACHABLE.
 */
export async function amendTrade(request: AmendmentRequest): Promise<AmendmentReport> {
  const { connections } = request;
  const reader = createLogReader(connections.kafkaBrokers);
  try {
    return await amend(request, reader);
  } finally {
    await reader.close();
  }
}

async function amend(request: AmendmentRequest, reader: LogReader): Promise<AmendmentReport> {
  const { connections, log, instrument, tradeId, wish, by } = request;
  const kafka = createKafka(connections.kafkaBrokers, CLIENT, log);
  const { registryUrl } = connections;
  const { registry, partitions } = await openTrustedLog({ kafka, reader, registryUrl, log });
  const trade = oneOf(await tradesOfId(request, { reader, registry, partitions }), request);
  const plan = planOf(wish, trade, by);
  if (plan.kind === 'moot') {
    throw new TapeproofError(
      'CONFLICT',
      `The trade ${tradeId} of ${instrument} was taken back: it no longer counts and cannot be amended.`,
    );
  }
  if (plan.kind === 'already') return { action: 'already', trade, appended: undefined };
  const producer = createRecordProducer(kafka, registry);
  try {
    await producer.send([recordOfAmendment(plan.planned, partitions)]);
  } finally {
    await producer.disconnect();
  }
  return { action: 'appended', trade, appended: plan.planned };
}

async function tradesOfId(
  { instrument, tradeId }: AmendmentRequest,
  { reader, registry, partitions }: RevocationRun['tape'],
): Promise<readonly AmendableTrade[]> {
  const found = new TradesOfId();
  const trace = Buffer.from(tradeId);
  const decode = createTapeDecoder(registry);
  for await (const records of wholePartition(reader, partitionOf(instrument, partitions))) {
    for (const record of records) {
      // A record without the id's bytes is of another trade, and is never decoded.
      if (record.value?.includes(trace) !== true) continue;
      const content = await decode(record);
      if (content.kind === 'trade' && isOf(content.trade)) found.addTrade(content.trade);
      if (content.kind === 'amendment' && isOf(content.amendment)) found.addAmendment(content);
    }
  }
  return found.all();

  function isOf(named: Pick<Trade, 'instrument' | 'tradeId'>): boolean {
    return named.instrument === instrument && named.tradeId === tradeId;
  }
}

function oneOf(found: readonly AmendableTrade[], { instrument, tradeId, atUs }: AmendmentRequest): AmendableTrade {
  const wanted = atUs === undefined ? found : found.filter(({ trade }) => trade.eventTime === atUs);
  const [first, second] = wanted;
  if (first !== undefined && second === undefined) return first;
  const times = found.slice(0, TIMES_NAMED_MAX).map(({ trade }) => isoTimeOf(trade.eventTime));
  const listed = `${times.join(', ')}${found.length > times.length ? ', …' : ''}`;
  if (first !== undefined) {
    throw new TapeproofError(
      'USAGE',
      `The id ${tradeId} of ${instrument} is on the tape with ${found.length} event times: name one with --at (${listed}).`,
    );
  }
  throw new TapeproofError(
    'NOT_FOUND',
    found.length === 0
      ? `The tape holds no trade ${tradeId} of ${instrument}: "tapeproof audit ID --trades" lists ids.`
      : `The tape holds no trade ${tradeId} of ${instrument} at ${isoTimeOf(atUs ?? 0)}: that id is there at ${listed}.`,
  );
}

export interface RevocationRequest extends TapeAccess {
  /** `file:<hash>`, see {@link sourceOfFile}. */
  readonly source: string;
  readonly by: Statement;
  /** Only counts, appends nothing. */
  readonly isDryRun: boolean;
  /** On this signal, the batch in flight is finished and the result is returned. */
  readonly signal: AbortSignal;
  /** Called with records read, over both passes, and trades taken back so far. */
  readonly progress: (done: number, total: number, cancelled: number) => void;
}

export interface RevocationReport {
  readonly source: string;
  readonly isDryRun: boolean;
  /** False where the signal came before the end: another run continues. */
  readonly complete: boolean;
  /** Records acknowledged; 0 in a dry run. */
  readonly appended: number;
  readonly perInstrument: Readonly<Record<string, RevocationCounts>>;
}

/**
 * The source named in the trades of a file, given as the file itself, packed or not, or as `file:<hash>`.
 *
 * @throws TapeproofError USAGE where the file cannot be read or its format is unknown.
 */
export async function sourceOfFile(
  target: string,
  options: { readonly format?: string | undefined; readonly instrument?: string | undefined },
): Promise<string> {
  if (FILE_SOURCE.test(target)) return target;
  if (target.startsWith('file:')) {
    throw new TapeproofError('USAGE', `"${target}" is not a valid source: one looks like file:0123456789abcdef.`);
  }
  const { format, instrument } = options;
  return (await openFile({ path: target, format, instrument })).reading.context.source;
}

/**
 * Takes back every trade that was appended from a file. Trades that an earlier run took back, even one killed half
 * way, are left unchanged. Reads each partition twice, so that memory holds identities of the file's trades only.
 *
 * @throws TapeproofError NOT_FOUND where the tape holds no trade of the file; UNREACHABLE.
 */
export async function revokeFile(request: RevocationRequest): Promise<RevocationReport> {
  const { connections, log, source, signal, isDryRun } = request;
  const kafka = createKafka(connections.kafkaBrokers, CLIENT, log);
  const reader = createLogReader(connections.kafkaBrokers);
  let producer: RecordProducer | undefined;
  let appended = 0;
  const perInstrument: Record<string, RevocationCounts> = {};
  try {
    const { registryUrl } = connections;
    const { registry, partitions } = await openTrustedLog({ kafka, reader, registryUrl, log });
    producer = createRecordProducer(kafka, registry);
    const appender = new Appender(producer, (records) => {
      appended += records.length;
    });
    const run = new RevocationRun(request, { reader, registry, partitions });
    for (let partition = 0; partition < partitions; partition += 1) {
      if (signal.aborted) break;
      const revocation = await run.concerning(partition);
      for await (const trade of run.taken(partition, revocation)) {
        if (isDryRun) continue;
        const record = recordOfAmendment(cancellationOf(trade, request.by), partitions);
        if (appender.add(record)) await appender.flush();
      }
      Object.assign(perInstrument, Object.fromEntries(revocation.counts()));
    }
    await appender.drain();
    if (!signal.aborted) run.finish();
  } finally {
    await Promise.all([reader.close(), producer?.disconnect()]);
  }
  if (!signal.aborted && Object.keys(perInstrument).length === 0) {
    throw new TapeproofError(
      'NOT_FOUND',
      `The tape holds no trade from ${source}: a file is identified by its unpacked content, and its trades may have come from another file first.`,
    );
  }
  return { source, isDryRun, complete: !signal.aborted, appended, perInstrument };
}

/** The reading side of a revocation. */
class RevocationRun {
  private readonly request: RevocationRequest;
  private readonly tape: { readonly reader: LogReader; readonly registry: Registry; readonly partitions: number };
  private readonly decode: TapeDecoder;
  private total: number | undefined;
  private done = 0;
  private cancelled = 0;

  constructor(request: RevocationRequest, tape: RevocationRun['tape']) {
    this.request = request;
    this.tape = tape;
    this.decode = createTapeDecoder(tape.registry);
  }

  /** First pass over a partition. */
  async concerning(partition: number): Promise<Revocation> {
    const { source, signal } = this.request;
    const revocation = new Revocation(source);
    const trace = Buffer.from(source);
    for await (const records of this.records(partition)) {
      if (signal.aborted) break;
      for (const record of records) {
        if (record.value?.includes(trace) !== true && !(await this.isAmendment(record))) continue;
        const content = await this.decode(record);
        if (content.kind === 'trade') revocation.note(content.trade);
        if (content.kind === 'amendment') revocation.noteAmendment(content);
      }
    }
    return revocation;
  }

  /** Second pass: the trades to take back; ends early when the signal is given. */
  async *taken(partition: number, revocation: Revocation): AsyncGenerator<Trade> {
    if (revocation.isEmpty) return;
    for await (const records of this.records(partition)) {
      if (this.request.signal.aborted) return;
      for (const record of records) {
        const found = this.decode(record);
        const content: TapeContent = found instanceof Promise ? await found : found;
        if (content.kind !== 'trade' || !revocation.takes(content.trade)) continue;
        this.cancelled += 1;
        yield content.trade;
      }
    }
  }

  /** Partitions without such trades are not read twice. */
  finish(): void {
    if (this.total !== undefined) this.request.progress(this.total, this.total, this.cancelled);
  }

  private async *records(partition: number): AsyncGenerator<readonly LogRecord[]> {
    this.total ??= await this.recordsInAll();
    for await (const records of wholePartition(this.tape.reader, partition)) {
      yield records;
      this.done += records.length;
      this.request.progress(Math.min(this.done, this.total), this.total, this.cancelled);
    }
  }

  private async isAmendment(record: LogRecord): Promise<boolean> {
    const framed = await framedIn(this.tape.registry, record);
    return !('reason' in framed) && framed.name === 'TradeCancelled';
  }

  private async recordsInAll(): Promise<number> {
    const { reader, partitions } = this.tape;
    let total = 0;
    for (let partition = 0; partition < partitions; partition += 1) {
      total += (await reader.endOffset(TAPE_TOPIC, partition)) - (await reader.startOffset(TAPE_TOPIC, partition));
    }
    return 2 * total;
  }
}

/** The extent of a partition of the tape when reading begins. */
async function* wholePartition(reader: LogReader, partition: number): AsyncGenerator<readonly LogRecord[]> {
  const from = await reader.startOffset(TAPE_TOPIC, partition);
  const to = await reader.endOffset(TAPE_TOPIC, partition);
  if (to > from) yield* reader.read({ topic: TAPE_TOPIC, partition, from, to });
}
