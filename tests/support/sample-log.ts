import { decodeBody, encodeBody, FINGERPRINTS, frame, RECORD_NAMES } from '../../contracts/codec.ts';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TAPE_TOPIC, TOPICS, type TopicName } from '../../contracts/topics.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import {
  activated,
  gapBefore,
  missed,
  watermarked,
  watermarkOf,
  traded,
} from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { NO_HEADERS, type LogRecord } from '../../platform/kafka/log-record.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { recordsOf, watermarksAt, tradeNumber, type Placed } from './seeded-tape.ts';

export const SAMPLE_PARTITIONS = 2;
export const SAMPLE_TAPE_ID = 'tape-of-the-sample';
const TRADES = 600;
/** Wide apart, so that forecasts fall due within the sample. */
const TRADE_INTERVAL_US = 5_000_000;
const TRADES_PER_WATERMARK = 60;
const QUIET_US = 3_600_000_000;

/** A registry that knows this build's schemas: a record type's id is its alphabetical position, from 1. */
export const sampleRegistry: Pick<Registry, 'schemaOf'> = {
  schemaOf: (id) => {
    const name = RECORD_NAMES[id - 1];
    return Promise.resolve(
      name === undefined
        ? undefined
        : {
            ...{ id, name, fingerprint: FINGERPRINTS[name] },
            read: (bytes, start) => decodeBody(name, bytes.subarray(start)),
          },
    );
  },
};

export type Log = ReadonlyMap<TopicName, readonly (readonly LogRecord[])[]>;

/** Reads a log in memory, in one fetch. */
export function readerOf(log: Log): Pick<LogReader, 'read' | 'startOffset'> {
  return {
    startOffset: () => Promise.resolve(0),
    async *read({ topic, partition, from, to }) {
      yield await Promise.resolve((log.get(topic as TopicName)?.[partition] ?? []).slice(from, to));
    },
  };
}

/**
 * A realistic log: an activation, trades and everything that the engine derives from them; among them a trade that is
 * on the tape twice, late and refused ones, watermarks and gaps, unreadable bytes, and events that were emitted again.
 */
export function sampleLog(): Log {
  const log = new Map<TopicName, LogRecord[][]>(
    TOPICS.map(({ name }) => [name, Array.from({ length: SAMPLE_PARTITIONS }, (): LogRecord[] => [])]),
  );
  const append = (topic: TopicName, partition: number, value: Buffer | null): void => {
    const records = log.get(topic)?.[partition] ?? [];
    const offset = records.length;
    records.push({ topic, partition, offset, key: null, value, headers: NO_HEADERS, timestampMs: 0 });
  };
  const appendAll = (records: readonly OutgoingRecord[]): void => {
    for (const { topic, partition, type, body } of records) {
      append(topic, partition, frame(RECORD_NAMES.indexOf(type) + 1, body));
    }
  };
  const tasks = Array.from({ length: SAMPLE_PARTITIONS }, (_, partition) => createPartitionTask(partition));
  const identity = { tapeId: SAMPLE_TAPE_ID, activationId: 'activation-of-the-sample', gitCommit: 'unknown' };
  const activation = activationOf(parseConfiguration({}), identity);
  for (const task of tasks) appendAll(recordsOf(task, activated(activation)));

  sampleContents().forEach(({ partition, content }, index) => {
    const task = tasks[partition];
    if (task === undefined) return;
    const records = recordsOf(task, content);
    appendAll(records);
    // A killed engine emits its last events again after its restart.
    if (index % 97 === 50) appendAll(records.filter(({ topic }) => topic !== TAPE_TOPIC));
  });
  for (const { name } of TOPICS) {
    append(name, 0, Buffer.from('no frame'));
    append(name, 1, frame(RECORD_NAMES.indexOf('Trade') + 1, Buffer.from([0xff])));
    append(name, 1, null);
  }
  return log;
}

/** The trades with watermarks and gaps among them; at the end the market falls quiet, which is known for one half of it. */
function sampleContents(): Placed[] {
  const trades = sampleTrades();
  const placed = trades.flatMap((trade, index): Placed[] => {
    const partition = partitionOf(trade.instrument, SAMPLE_PARTITIONS);
    const watermarks =
      index % TRADES_PER_WATERMARK === TRADES_PER_WATERMARK - 1 ? watermarksAt(trade.eventTime, SAMPLE_PARTITIONS) : [];
    const gap = missed(gapBefore(trade, 1_000_000 + index, 7));
    return [
      ...(index % 250 === 100 ? [{ partition, content: gap }] : []),
      { partition, content: traded(trade) },
      ...watermarks,
    ];
  });
  const endUs = Math.max(...trades.map(({ eventTime }) => eventTime));
  const [quiet, repeated] = [watermarksAt(endUs + QUIET_US, SAMPLE_PARTITIONS), watermarksAt(endUs, SAMPLE_PARTITIONS)];
  // Refused, in the wrong partition, and of an instrument that never trades.
  const strays = [['nonsense'], ['BTC-USDT@binance', 'ETH-USDT@binance'], ['NONE-USDT@binance']].flatMap((names) =>
    [0, 1].map((partition) => ({ partition, content: watermarked(watermarkOf(names, endUs + 1_000_000)) })),
  );
  return [...placed, ...quiet.slice(0, 1), ...repeated, ...strays];
}

function sampleTrades(): Trade[] {
  const trades = Array.from({ length: TRADES }, (_, index): Trade => {
    const trade = tradeNumber(index);
    const eventTime = trade.eventTime + Math.floor(index / 7) * TRADE_INTERVAL_US;
    return { ...trade, eventTime, receivedAt: eventTime };
  });
  const [first, , third, , , , , , , tenth] = trades;
  if (first === undefined || third === undefined || tenth === undefined) throw new RangeError('too few trades');
  const inserted: [number, Trade][] = [
    // Twice on the tape, right after and much later.
    [12, third],
    [400, tenth],
    // Late, at a separate price.
    [300, { ...tenth, tradeId: 'late-1', price: Decimal.of('0.5') }],
    // At the time of another trade, then that trade again.
    [500, { ...(trades[499] ?? first), tradeId: 'tie-1', price: Decimal.of('7') }],
    [501, trades[499] ?? first],
    // None at all.
    [200, { ...first, tradeId: 'zero-1', price: Decimal.ZERO }],
    [210, { ...first, instrument: 'nonsense', tradeId: 'bad-1' }],
  ];
  for (const [index, trade] of inserted.sort(([left], [right]) => right - left)) trades.splice(index, 0, trade);
  return trades;
}

/** Another event's body in this build's schema: the same identity, other bytes. */
export function forge(record: LogRecord, change: { readonly probability: number }): LogRecord {
  const { value } = record;
  if (value === null) throw new TypeError('a record without a value cannot be forged');
  const decision = decodeBody('ProbabilityDecision', value.subarray(5));
  const body = encodeBody('ProbabilityDecision', { ...decision, ...change });
  return { ...record, value: Buffer.concat([value.subarray(0, 5), body]) };
}
