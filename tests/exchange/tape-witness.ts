import { expect } from 'vitest';
import type { Watermark, DeadLetter, Trade, TradeGap } from '../../contracts/generated/events.ts';
import { bodyOf, decodeBody } from '../../contracts/codec.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import type { ExchangeTrade } from './market.ts';

const MICROSECONDS_PER_MILLISECOND = 1000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/** A record of the tape about the instruments of one test. */
export type WitnessedRecord =
  | { readonly kind: 'trade'; readonly trade: Trade }
  | { readonly kind: 'watermark'; readonly watermark: Watermark }
  | { readonly kind: 'gap'; readonly gap: TradeGap };

/** Reads the tape's new records about some instruments, from its creation on. */
export class TapeWitness {
  private readonly instruments: ReadonlySet<string>;
  private readonly reader: LogReader;
  private readonly decode: TapeDecoder;
  private readonly partitions: readonly number[];
  private readonly nextOffsets = new Map<number, number>();
  private readonly records = new Map<number, WitnessedRecord[]>();
  private readonly counts = new Map<string, number>();

  private constructor(connections: Connections, instruments: readonly string[], partitions: number) {
    this.instruments = new Set(instruments);
    this.reader = createLogReader(connections.kafkaBrokers);
    this.decode = createTapeDecoder(createRegistry(connections.registryUrl));
    this.partitions = [...new Set(instruments.map((instrument) => partitionOf(instrument, partitions)))];
  }

  static async from(connections: Connections, instruments: readonly string[]): Promise<TapeWitness> {
    const kafka = createKafka(connections.kafkaBrokers, 'test-witness', createLog('test', 'silent'));
    const witness = new TapeWitness(connections, instruments, await partitionCount(kafka));
    for (const partition of witness.partitions) {
      witness.nextOffsets.set(partition, await witness.reader.endOffset(TAPE_TOPIC, partition));
      witness.records.set(partition, []);
    }
    return witness;
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  /** Reads the new records. */
  async catchUp(): Promise<void> {
    for (const partition of this.partitions) {
      const from = this.nextOffsets.get(partition) ?? 0;
      for await (const batch of this.reader.read({ topic: TAPE_TOPIC, partition, from, to: Infinity })) {
        for (const record of batch) {
          const content = await this.decode(record);
          this.nextOffsets.set(partition, record.offset + 1);
          if (content.kind === 'trade' || content.kind === 'watermark' || content.kind === 'gap')
            this.note(partition, content);
        }
      }
    }
  }

  /** Trades so far, including repeated ones. */
  count(instrument: string): number {
    return this.counts.get(instrument) ?? 0;
  }

  /** All records about an instrument, in the tape's order. */
  recordsOf(instrument: string): readonly WitnessedRecord[] {
    return this.perPartition()
      .flat()
      .filter((record) => namesOf(record).includes(instrument));
  }

  trades(instrument: string): readonly Trade[] {
    return this.recordsOf(instrument).flatMap((record) => (record.kind === 'trade' ? [record.trade] : []));
  }

  gaps(instrument: string): readonly TradeGap[] {
    return this.recordsOf(instrument).flatMap((record) => (record.kind === 'gap' ? [record.gap] : []));
  }

  watermarks(instrument: string): readonly Watermark[] {
    return this.recordsOf(instrument).flatMap((record) => (record.kind === 'watermark' ? [record.watermark] : []));
  }

  /** Records of each partition in order. */
  perPartition(): readonly (readonly WitnessedRecord[])[] {
    return [...this.records.values()];
  }

  private note(partition: number, record: WitnessedRecord): void {
    if (!namesOf(record).some((instrument) => this.instruments.has(instrument))) return;
    this.records.get(partition)?.push(record);
    if (record.kind !== 'trade') return;
    this.counts.set(record.trade.instrument, this.count(record.trade.instrument) + 1);
  }
}

function namesOf(record: WitnessedRecord): readonly string[] {
  switch (record.kind) {
    case 'trade':
      return [record.trade.instrument];
    case 'gap':
      return [record.gap.instrument];
    case 'watermark':
      return record.watermark.instruments;
  }
}

/** A trade of the exchange and its trade on the tape have the same line. */
export function lineOfExchange({ id, price, size, timeMs, buyerIsMaker }: ExchangeTrade): string {
  return `${id} ${price} × ${size} ${buyerIsMaker ? 'SELL' : 'BUY'} at ${timeMs * MICROSECONDS_PER_MILLISECOND}`;
}

const EXCHANGE_DECIMALS = 8;

export function lineOfTape({ tradeId, price, size, side, eventTime }: Trade): string {
  return `${tradeId} ${asExchange(price.toString())} × ${asExchange(size.toString())} ${side} at ${eventTime}`;
}

/** The tape's text has no trailing zeros. */
function asExchange(decimal: string): string {
  const [wholePart = '', fraction = ''] = decimal.split('.');
  return `${wholePart}.${fraction.padEnd(EXCHANGE_DECIMALS, '0')}`;
}

/** No new trade may follow a watermark that claimed completeness up to a later time. */
export function expectTrueWatermarks(witness: TapeWitness): void {
  const broken: string[] = [];
  for (const records of witness.perPartition()) {
    const claimedUs = new Map<string, number>();
    const seen = new Set<string>();
    for (const record of records) {
      if (record.kind === 'watermark') {
        for (const instrument of record.watermark.instruments) {
          claimedUs.set(instrument, Math.max(record.watermark.eventTime, claimedUs.get(instrument) ?? 0));
        }
      }
      if (record.kind !== 'trade') continue;
      const { instrument, eventTime, tradeId } = record.trade;
      const claimed = claimedUs.get(instrument) ?? 0;
      if (eventTime < claimed && !seen.has(`${instrument} ${tradeId}`)) {
        broken.push(`${instrument} ${tradeId} of ${eventTime} came after a watermark of ${claimed}`);
      }
      seen.add(`${instrument} ${tradeId}`);
    }
  }
  expect(broken).toEqual([]);
}

/**
 * One process's watermarks are whole seconds, each later than the one before, so at most one a second; none is in the
 * future.
 */
export function expectSparseWatermarks(witness: TapeWitness): void {
  for (const records of witness.perPartition()) {
    const watermarks = records.flatMap((record) => (record.kind === 'watermark' ? [record.watermark] : []));
    for (const [index, { eventTime, receivedAt }] of watermarks.entries()) {
      expect(eventTime % MICROSECONDS_PER_SECOND).toBe(0);
      expect(eventTime).toBeLessThan(receivedAt);
      expect(eventTime).toBeGreaterThan(watermarks[index - 1]?.eventTime ?? 0);
    }
  }
}

/** Dead letters whose payload names a symbol. */
export async function deadLettersAbout(connections: Connections, symbol: string): Promise<DeadLetter[]> {
  const reader = createLogReader(connections.kafkaBrokers);
  const found: DeadLetter[] = [];
  try {
    const partitions = await partitionCount(createKafka(connections.kafkaBrokers, 'test-witness'));
    for (let partition = 0; partition < partitions; partition += 1) {
      const from = await reader.startOffset(DEAD_LETTERS_TOPIC, partition);
      for await (const batch of reader.read({ topic: DEAD_LETTERS_TOPIC, partition, from, to: Infinity })) {
        for (const { value } of batch) {
          if (value === null) continue;
          const deadLetter = decodeBody('DeadLetter', bodyOf(value));
          if (deadLetter.payload.includes(symbol)) found.push(deadLetter);
        }
      }
    }
  } finally {
    await reader.close();
  }
  return found;
}
