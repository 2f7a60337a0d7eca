import { bodyOf, schemaIdOf } from '../contracts/codec.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { HeldRows, KeptRow } from './ingest.ts';
import { FILE_READER } from './rows.ts';

export interface HoldingsQuery {
  readonly brokers: readonly string[];
  readonly registry: Registry;
  /** Partitions of every topic. */
  readonly partitions: number;
  /** `file:<hash>` of the file asked for. */
  readonly source: string;
  readonly signal: AbortSignal;
  /** Told of records read and records in all. */
  readonly onRecords: (done: number, total: number) => void;
}

interface Range {
  readonly topic: TopicName;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the tape and the file's partition of the dead letters once, without a consumer group, for what they hold of
 * one file, and tells it `into`. A record of another file is told by its bytes and never decoded.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function readHoldings(query: HoldingsQuery, into: HeldRows): Promise<void> {
  const reader = createLogReader(query.brokers);
  const rowIn = rowReader(query);
  try {
    const ranges = await rangesOf(reader, query);
    const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    let done = 0;
    for (const range of ranges) {
      for await (const records of reader.read(range)) {
        query.signal.throwIfAborted();
        for (const record of records) {
          const row = await rowIn(record);
          if (row !== undefined) into.add(row);
        }
        done += records.length;
        query.onRecords(done, total);
      }
    }
  } finally {
    await reader.close();
  }
}

async function rangesOf(reader: LogReader, { partitions, source }: HoldingsQuery): Promise<Range[]> {
  const places: { topic: TopicName; partition: number }[] = [
    { topic: DEAD_LETTERS_TOPIC, partition: partitionOf(source, partitions) },
  ];
  for (let partition = 0; partition < partitions; partition += 1) places.push({ topic: TAPE_TOPIC, partition });
  const ranges: Range[] = [];
  for (const { topic, partition } of places) {
    const from = await reader.startOffset(topic, partition);
    const to = await reader.endOffset(topic, partition);
    if (to > from) ranges.push({ topic, partition, from, to });
  }
  return ranges;
}

/** Reads the row that a record came from, if it came from this file. */
function rowReader({ registry, source }: HoldingsQuery): (record: LogRecord) => Promise<KeptRow | undefined> {
  const decodeTape = createTapeDecoder(registry);
  const trace = Buffer.from(source);
  return async (record) => {
    if (record.value?.includes(trace) !== true) return undefined;
    if (record.topic === DEAD_LETTERS_TOPIC) {
      const deadLetter = await deadLetterIn(record.value, registry);
      if (deadLetter?.reader !== FILE_READER || deadLetter.source.name !== source) return undefined;
      return { kind: 'dead-letter', deadLetter };
    }
    const content = await decodeTape(record);
    if (content.kind !== 'trade' || content.trade.source !== source) return undefined;
    return { kind: 'trade', trade: content.trade };
  };
}

async function deadLetterIn(value: Buffer, registry: Registry): Promise<DeadLetter | undefined> {
  const id = schemaIdOf(value);
  const schema = id === undefined ? undefined : await registry.schemaOf(id);
  if (schema?.name !== 'DeadLetter') return undefined;
  try {
    return schema.read(bodyOf(value)) as DeadLetter;
  } catch {
    // Broken bytes are nobody's dead letter.
    return undefined;
  }
}
