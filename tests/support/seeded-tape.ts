import { randomUUID } from 'node:crypto';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
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
import { createPartitionTask, type PartitionTask } from '../../evaluators/partition-task.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import { createRecordProducer } from '../../platform/kafka/producer.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';

/** Names as venues write them, so that every store is tested with them: an option, a class share, other letters. */
export const SEEDED_INSTRUMENTS = [
  'BTC-USDT',
  'ETH-USDT',
  'SOL-USDT',
  'BTC-28MAR25-90000-C',
  'BRK.A',
  '~6BPEPE',
  '~E5~B8~81',
].map((name) => `${name}@binance`);
const FIRST_TRADE_US = 1_723_161_255_342_000;
const TRADE_INTERVAL_US = 250_000;
const SEND_TRADES = 2_000;
/** A watermark follows every this many trades, and a gap precedes every this many. */
const TRADES_PER_WATERMARK = 140;
const TRADES_PER_GAP = 900;
/** A live producer's watermarks are behind its clock. */
const WATERMARK_ALLOWANCE_US = 2_000_000;
/** Ids that no seeded trade has. */
const FIRST_MISSING_ID = 1_000_000;
const SECOND_US = 1_000_000;

/** A readable record of the tape, and its partition. */
export interface Placed {
  readonly partition: number;
  readonly content: Exclude<TapeContent, { readonly kind: 'unusable' }>;
}

/** A tape written by a test, with the events that the engine's own step derives from it; needs an empty tape. */
export interface SeededTape {
  readonly tapeId: string;
  /** Trades so far. */
  readonly trades: readonly Trade[];
  /** The number of records of a kind so far. */
  contents(kind: Placed['content']['kind']): number;
  /** Appends trades, every instrument in turn, with watermarks and gaps between them, and the events that follow. */
  trade(count: number): Promise<void>;
  /** Appends watermarks which state that no trade came for this long after the latest one, and the events that follow. */
  quiet(seconds: number): Promise<void>;
  /** Appends a record to the tape unchanged, and the events that follow. */
  append(trade: Trade): Promise<void>;
  close(): Promise<void>;
}

/** Activates an empty tape. */
export async function seedTape(connections: Connections, configuration = parseConfiguration({})): Promise<SeededTape> {
  const kafka = createKafka(connections.kafkaBrokers, 'test-seed');
  const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
  const partitions = await partitionCount(kafka);
  const tasks = Array.from({ length: partitions }, (_, partition) => createPartitionTask(partition));
  const tapeId = randomUUID();
  const identity = { tapeId, activationId: randomUUID(), gitCommit: 'unknown' };
  const activation = activationOf(configuration, identity);
  const sent: Placed['content'][] = [];
  const send = (added: readonly Placed[]): Promise<void> => {
    sent.push(...added.map(({ content }) => content));
    return producer.send(
      added.flatMap((placed) => {
        const task = tasks[placed.partition];
        return task === undefined ? [] : recordsOf(task, placed.content);
      }),
    );
  };
  await send(tasks.map(({ partition }) => ({ partition, content: activated(activation) })));
  const trades: Trade[] = [];
  let numbered = 0;
  return {
    tapeId,
    trades,
    contents: (wanted) => sent.filter(({ kind }) => kind === wanted).length,
    async trade(count) {
      for (let left = count; left > 0; left -= SEND_TRADES) {
        const number = Math.min(left, SEND_TRADES);
        const added = seededContents(numbered, number, partitions);
        numbered += number;
        trades.push(...added.flatMap(({ content }) => (content.kind === 'trade' ? [content.trade] : [])));
        await send(added);
      }
    },
    quiet(seconds) {
      const latestUs = Math.max(...trades.map(({ eventTime }) => eventTime));
      return send(watermarksAt(Math.ceil(latestUs / SECOND_US + seconds) * SECOND_US, partitions));
    },
    async append(trade) {
      trades.push(trade);
      await send([{ partition: partitionOf(trade.instrument, partitions), content: traded(trade) }]);
    },
    close: () => producer.disconnect(),
  };
}

/** Seeded trades like a live producer's, with watermarks and gaps among them. The same for the same numbers. */
export function seededContents(from: number, count: number, partitions: number): Placed[] {
  return Array.from({ length: count }, (_, index) => from + index).flatMap((number): Placed[] => {
    const trade = tradeNumber(number);
    const partition = partitionOf(trade.instrument, partitions);
    const gap = gapBefore(trade, FIRST_MISSING_ID + number, 3);
    const knownUs = Math.floor((trade.eventTime - WATERMARK_ALLOWANCE_US) / SECOND_US) * SECOND_US;
    return [
      ...(number % TRADES_PER_GAP === TRADES_PER_GAP - 1 ? [{ partition, content: missed(gap) }] : []),
      { partition, content: traded(trade) },
      ...(number % TRADES_PER_WATERMARK === TRADES_PER_WATERMARK - 1 ? watermarksAt(knownUs, partitions) : []),
    ];
  });
}

/** A watermark in each partition that has instruments. */
export function watermarksAt(timeUs: number, partitions: number): Placed[] {
  return Array.from({ length: partitions }, (_, partition) => partition).flatMap((partition): Placed[] => {
    const instruments = SEEDED_INSTRUMENTS.filter((name) => partitionOf(name, partitions) === partition);
    return instruments.length === 0 ? [] : [{ partition, content: watermarked(watermarkOf(instruments, timeUs)) }];
  });
}

/** A trade of a swinging market: the same for the same number. */
export function tradeNumber(number: number): Trade {
  const instrument = SEEDED_INSTRUMENTS[number % SEEDED_INSTRUMENTS.length] ?? '';
  const round = Math.floor(number / SEEDED_INSTRUMENTS.length);
  const eventTime = FIRST_TRADE_US + round * TRADE_INTERVAL_US;
  const swing = Math.round(500 * Math.sin(round / 300) + 80 * Math.sin(round / 7 + number));
  return {
    venue: 'binance',
    instrument,
    tradeId: String(round + 1),
    eventTime,
    price: Decimal.of(String(((number % SEEDED_INSTRUMENTS.length) + 1) * 1_000 + swing / 10)),
    size: Decimal.of(String(1 + ((round * 7_919) % 13) / 8)),
    side: round % 3 === 0 ? 'SELL' : 'BUY',
    receivedAt: eventTime + 5_000,
    source: 'file:0011223344556677',
    suspicious: false,
    conditions: [],
  };
}

/** The log records of a tape record: itself, and the events that the engine derives from it. */
export function recordsOf(task: PartitionTask, content: Placed['content']): OutgoingRecord[] {
  const { partition } = task;
  const { derived } = task.advance({ partition, offset: task.nextOffset, content });
  return [
    tapeRecordOf({ partition, content }),
    ...derived.map(({ topic, type, event, body }) => ({
      ...{ topic, partition, key: event.instrument, type, body },
      timestampUs: event.eventTime,
    })),
  ];
}

/** A record of the tape in the form for sending. */
export function tapeRecordOf({ partition, content }: Placed): OutgoingRecord {
  return { topic: TAPE_TOPIC, partition, body: content.body, ...metadataOf(content) };
}

function metadataOf(content: Placed['content']): Pick<OutgoingRecord, 'type' | 'key' | 'timestampUs'> {
  switch (content.kind) {
    case 'activation':
      return { type: 'EngineActivated', key: null, timestampUs: FIRST_TRADE_US };
    case 'trade':
      return { type: 'Trade', key: content.trade.instrument, timestampUs: content.trade.eventTime };
    case 'watermark':
      return { type: 'Watermark', key: null, timestampUs: content.watermark.eventTime };
    case 'gap':
      return { type: 'TradeGap', key: content.gap.instrument, timestampUs: content.gap.toTime };
    case 'signal':
      return { type: 'ContextSignal', key: content.signal.instrument, timestampUs: content.signal.eventTime };
    case 'amendment':
      return { type: content.name, key: content.amendment.instrument, timestampUs: content.amendment.eventTime };
  }
}
