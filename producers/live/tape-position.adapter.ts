import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { liveSourceOf, type LiveVenue } from '../venue.ts';
import type { HeldByTape } from './reorder-buffer.ts';
import { InstrumentPosition } from './tape-position.ts';
import { newIdIn } from './venue-amendments.ts';

/** Records of a partition read at a time, backward from its end, until each instrument is found. */
const PIECE_RECORDS = 20_000;

export interface TapePositionQuery {
  readonly brokers: readonly string[];
  readonly registry: Registry;
  readonly venue: Pick<LiveVenue, 'name' | 'tradeIds'>;
  /** Instrument to its partition. */
  readonly partitionOf: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
}

export interface TapePosition {
  /** By instrument; an absent one has nothing on the tape. */
  readonly held: ReadonlyMap<string, HeldByTape>;
  /** By partition: the greatest event time of this venue's watermarks near the end, microseconds. */
  readonly watermarkTimes: ReadonlyMap<number, number>;
}

/**
 * Reads, without a consumer group, the last records of some instruments on the tape. An instrument that traded
 * recently is found in the first piece; for one that never traded, its whole partition is read once, in bounded memory.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function readTapePosition(query: TapePositionQuery): Promise<TapePosition> {
  const { brokers, registry, venue, partitionOf } = query;
  const watermarkTimes = new Map<number, number>();
  const positions = new Map(
    [...partitionOf.keys()].map((instrument) => [instrument, new InstrumentPosition(venue.tradeIds === 'OPAQUE')]),
  );
  const reader = createLogReader(brokers);
  const scan: Scan = {
    query,
    reader,
    decode: createTapeDecoder(registry),
    trace: Buffer.from(liveSourceOf(venue.name)),
    watermarkTimes,
  };
  try {
    for (const partition of new Set(partitionOf.values())) {
      const wanted = [...positions].filter(([instrument]) => partitionOf.get(instrument) === partition);
      await scanPartition(scan, partition, new Map(wanted));
    }
  } finally {
    await reader.close();
  }
  const held = new Map<string, HeldByTape>();
  for (const [instrument, position] of positions) {
    const found = position.held();
    if (found !== undefined) held.set(instrument, found);
  }
  return { held, watermarkTimes };
}

interface Scan {
  readonly query: TapePositionQuery;
  readonly reader: LogReader;
  readonly decode: TapeDecoder;
  /** Text in the bytes of each record that this venue's producer wrote. */
  readonly trace: Buffer;
  readonly watermarkTimes: Map<number, number>;
}

async function scanPartition(scan: Scan, partition: number, wanted: Map<string, InstrumentPosition>): Promise<void> {
  const { reader, query } = scan;
  const start = await reader.startOffset(TAPE_TOPIC, partition);
  let to = await reader.endOffset(TAPE_TOPIC, partition);
  while (to > start) {
    const from = Math.max(start, to - PIECE_RECORDS);
    for (const position of wanted.values()) position.piece();
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      query.signal.throwIfAborted();
      for (const record of records) await note(scan, record, wanted);
    }
    if ([...wanted.values()].every(({ isFound }) => isFound)) return;
    to = from;
  }
}

async function note(scan: Scan, record: LogRecord, wanted: Map<string, InstrumentPosition>): Promise<void> {
  const position = record.key === null ? undefined : wanted.get(record.key.toString('latin1'));
  const mayBeWatermark = record.key === null && record.value?.includes(scan.trace) === true;
  if (position === undefined && !mayBeWatermark) return;
  const decoded = scan.decode(record);
  const content = decoded instanceof Promise ? await decoded : decoded;
  if (content.kind === 'trade') position?.trade(content.trade);
  else if (content.kind === 'gap') position?.gap(content.gap);
  else if (content.kind === 'amendment') {
    const newId = newIdIn(content);
    if (newId !== undefined) position?.renamed(newId);
  } else if (content.kind === 'watermark' && content.watermark.venue === scan.query.venue.name) {
    const { partition } = record;
    scan.watermarkTimes.set(partition, Math.max(scan.watermarkTimes.get(partition) ?? 0, content.watermark.eventTime));
  }
}
