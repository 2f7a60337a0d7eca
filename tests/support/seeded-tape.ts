import { randomUUID } from 'node:crypto';
import { encodeBody, FINGERPRINTS } from '../../contracts/codec.ts';
import { Decimal } from '../../contracts/decimal.ts';
import type { EngineActivated, Trade } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { createPartitionTask, type PartitionTask } from '../../evaluators/partition-task.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createRecordProducer, type OutgoingRecord } from '../../platform/kafka/producer.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';

export const SEEDED_INSTRUMENTS = [
  'BTC-USDT',
  'ETH-USDT',
  'SOL-USDT',
  'XRP-USDT',
  'ADA-USDT',
  'DOT-USDT',
  'LTC-USDT',
].map((name) => `${name}@binance`);
const FIRST_TRADE_US = 1_723_161_255_342_000;
const TRADE_INTERVAL_US = 250_000;
const SEND_TRADES = 2_000;

/** A tape written by a test, with the events that the engine's own step derives from it; made for an empty tape. */
export interface SeededTape {
  readonly tapeId: string;
  /** Trades so far. */
  readonly trades: readonly Trade[];
  /** Appends trades, every instrument in turn, and the events that follow from them. */
  trade(count: number): Promise<void>;
  /** Appends a record to the tape as it is, and what follows from it. */
  append(trade: Trade): Promise<void>;
  close(): Promise<void>;
}

/** Activates an empty tape. */
export async function seedTape(connections: Connections): Promise<SeededTape> {
  const kafka = createKafka(connections.kafkaBrokers, 'test-seed');
  const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
  const partitions = await partitionCount(kafka);
  const tasks = Array.from({ length: partitions }, (_, partition) => createPartitionTask(partition));
  const tapeId = randomUUID();
  const identity = { tapeId, activationId: randomUUID(), gitCommit: 'unknown' };
  const activation = activationOf(parseConfiguration({}), identity);
  await producer.send(tasks.flatMap((task) => activationRecords(task, activation)));
  const trades: Trade[] = [];
  const append = async (added: readonly Trade[]): Promise<void> => {
    const outgoing = added.flatMap((trade) => {
      const task = tasks[partitionOf(trade.instrument, partitions)];
      return task === undefined ? [] : tradeRecords(task, trade);
    });
    trades.push(...added);
    await producer.send(outgoing);
  };
  return {
    tapeId,
    trades,
    async trade(count) {
      for (let left = count; left > 0; left -= SEND_TRADES) {
        const first = trades.length;
        await append(Array.from({ length: Math.min(left, SEND_TRADES) }, (_, index) => tradeNumber(first + index)));
      }
    },
    append: (trade) => append([trade]),
    close: () => producer.disconnect(),
  };
}

/** A trade of a market that swings: the same for the same number. */
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
  };
}

/** What an activation puts into the log. */
export function activationRecords(task: PartitionTask, activation: EngineActivated): OutgoingRecord[] {
  const body = encodeBody('EngineActivated', activation);
  const content: TapeContent = { kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated, body };
  return advance(task, content, {
    topic: TAPE_TOPIC,
    partition: task.partition,
    key: null,
    type: 'EngineActivated',
    body,
    timestampUs: FIRST_TRADE_US,
  });
}

/** What a trade puts into the log: itself, and what the engine derives from it. */
export function tradeRecords(task: PartitionTask, trade: Trade): OutgoingRecord[] {
  const body = encodeBody('Trade', trade);
  return advance(
    task,
    { kind: 'trade', trade, fingerprint: FINGERPRINTS.Trade, body },
    {
      topic: TAPE_TOPIC,
      partition: task.partition,
      key: trade.instrument,
      type: 'Trade',
      body,
      timestampUs: trade.eventTime,
    },
  );
}

function advance(task: PartitionTask, content: TapeContent, record: OutgoingRecord): OutgoingRecord[] {
  const { derived } = task.advance({ partition: task.partition, offset: task.nextOffset, content });
  return [
    record,
    ...derived.map(({ topic, type, event, body }) => ({
      topic,
      partition: task.partition,
      key: event.instrument,
      type,
      body,
      timestampUs: event.eventTime,
    })),
  ];
}
