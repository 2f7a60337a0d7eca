import { describe, expect, it } from 'vitest';
import { encodeBody, frame, RECORD_NAMES } from '../contracts/codec.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { NO_HEADERS, type LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { sampleRegistry } from '../tests/support/sample-log.ts';
import { EventLog } from './event-log.ts';
import { said, watermarkedAt, tradeAt, traded, type Written } from './fixtures/market-log.ts';

const trade = tradeAt(0, 'a');
const written: readonly Written[] = [
  said('TradeReleased', trade),
  traded(0, 'a'),
  said('TradeCancelled', trade),
  watermarkedAt(1),
  said('TradeCorrected', trade),
];
const records = written.map(({ name, event }, offset): LogRecord => {
  const value = frame(RECORD_NAMES.indexOf(name) + 1, encodeBody(name, event as never));
  return { topic: TAPE_TOPIC, partition: 0, offset, key: null, value, headers: NO_HEADERS, timestampMs: 0 };
});
const damaged = { ...records[2]!, offset: records.length, value: records[2]!.value!.subarray(0, 20) };
const unframed = { ...damaged, offset: damaged.offset + 1, value: null };

/** The log, and the names of the records that were decoded. */
function logOf(held: readonly LogRecord[]): { readonly log: EventLog; readonly decoded: string[] } {
  const decoded: string[] = [];
  const reader = {
    startOffset: () => Promise.resolve(0),
    endOffset: () => Promise.resolve(held.length),
    async *read({ from, to }: { readonly from: number; readonly to: number }) {
      await Promise.resolve();
      yield held.filter(({ offset }) => offset >= from && offset < to);
    },
  } as unknown as LogReader;
  const registry = {
    async schemaOf(id: number) {
      const schema = await sampleRegistry.schemaOf(id);
      if (schema === undefined) return undefined;
      const read = (body: Buffer, start?: number): unknown => {
        decoded.push(schema.name ?? '');
        return schema.read(body, start);
      };
      return { ...schema, read };
    },
  } as Registry;
  return { log: new EventLog(reader, registry), decoded };
}

async function all<Value>(values: AsyncGenerator<Value>): Promise<Value[]> {
  const collected: Value[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

describe('EventLog', () => {
  it("reads amendments among the tape's records about the market", async () => {
    const market = await all(logOf(records).log.market(0, 0, records.length));
    expect(market.map(({ name }) => name)).toEqual(written.map(({ name }) => name));
    expect(market.map(({ event }) => event)).toEqual(written.map(({ event }) => event));
  });

  it('reads the amendments after an offset, decodes nothing else, and skips damaged ones', async () => {
    const { log, decoded } = logOf([...records, damaged, unframed]);
    const found = await all(log.amendmentsAfter(0, 0));
    expect(found.map(({ name, offset }) => [name, offset])).toEqual([
      ['TradeCancelled', 2],
      ['TradeCorrected', 4],
    ]);
    expect(decoded).toEqual(['TradeCancelled', 'TradeCorrected', 'TradeCancelled']);
    expect(await all(log.amendmentsAfter(0, -1))).toHaveLength(3);
    expect(await all(log.amendmentsAfter(0, records.length + 1))).toEqual([]);
  });
});
