import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import { eventIn } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Holdings } from './ingest.ts';
import { newIdIn } from './live/venue-amendments.ts';
import { FILE_READER } from './rows.ts';

export interface HoldingsQuery {
  readonly reader: LogReader;
  readonly registry: Registry;
  /** Partitions of every topic. */
  readonly partitions: number;
  /** The instruments of the file's trades. */
  readonly instruments: Iterable<string>;
  /** Whether the file has rows that are refused: only then the dead letters are read. */
  readonly hasRefused: boolean;
  readonly signal: AbortSignal;
  /** Called with the number of records read and of records in all. */
  readonly onRecords: (done: number, total: number) => void;
}

interface Range {
  readonly topic: TopicName;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** Not a valid instrument: a key compared with the requested ones. */
const NO_KEY = '';

/**
 * Reads once, without a consumer group, the tape partitions of the file's instruments, and the dead letters if the
 * file has refused rows, and adds them to `into`. A record of another instrument is recognised by its key and never
 * decoded.
 *
 * @throws TapeproofError UNREACHABLE; CHECK_FAILED where the tape has too many trades in the file's time to compare
 */
export async function readHoldings(query: HoldingsQuery, into: Holdings): Promise<void> {
  const { reader } = query;
  const take = recordTaker(query, into);
  try {
    const ranges = await rangesOf(reader, query);
    const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    let done = 0;
    for (const range of ranges) {
      for await (const records of reader.read(range)) {
        query.signal.throwIfAborted();
        for (const record of records) {
          const taken = take(record);
          if (taken instanceof Promise) await taken;
        }
        done += records.length;
        query.onRecords(done, total);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TapeproofError(
      'CHECK_FAILED',
      `The tape holds ${error.message} in the time of this file, too many to determine what is new: split the file by time.`,
      { cause: error },
    );
  }
}

async function rangesOf(reader: LogReader, query: HoldingsQuery): Promise<Range[]> {
  const { partitions, instruments, hasRefused } = query;
  const places: { topic: TopicName; partition: number }[] = [];
  const ofTape = new Set([...instruments].map((instrument) => partitionOf(instrument, partitions)));
  for (const partition of [...ofTape].sort((left, right) => left - right))
    places.push({ topic: TAPE_TOPIC, partition });
  // A longer version of a file has another identity, so its dead letters are in another partition.
  for (let partition = 0; hasRefused && partition < partitions; partition += 1) {
    places.push({ topic: DEAD_LETTERS_TOPIC, partition });
  }
  const ranges: Range[] = [];
  for (const { topic, partition } of places) {
    const from = await reader.startOffset(topic, partition);
    const to = await reader.endOffset(topic, partition);
    if (to > from) ranges.push({ topic, partition, from, to });
  }
  return ranges;
}

/** Passes on the content of a record; a promise only where a schema must be fetched first. */
function recordTaker({ registry }: HoldingsQuery, into: Holdings): (record: LogRecord) => Promise<void> | undefined {
  const decodeTape = createTapeDecoder(registry);
  const trace = Buffer.from(FILE_READER);
  const takeContent = (content: Awaited<ReturnType<typeof decodeTape>>): void => {
    if (content.kind === 'trade') into.hold(content.trade);
    if (content.kind !== 'amendment') return;
    const newId = newIdIn(content);
    const { instrument, eventTime } = content.amendment;
    if (newId !== undefined) into.rename(instrument, newId, eventTime);
  };
  return (record) => {
    if (record.topic === DEAD_LETTERS_TOPIC) {
      if (record.value?.includes(trace) !== true) return undefined;
      return eventIn(registry, record, 'DeadLetter').then((deadLetter) => {
        if (deadLetter?.reader === FILE_READER) into.holdDeadLetter(deadLetter.deadLetterId);
      });
    }
    // Every trade has its instrument as its key; foreign writers to the tape may omit the key.
    const key = record.key?.toString('latin1') ?? NO_KEY;
    if (key !== NO_KEY && !into.isAskedFor(key)) return undefined;
    const content = decodeTape(record);
    if (content instanceof Promise) return content.then(takeContent);
    takeContent(content);
    return undefined;
  };
}
