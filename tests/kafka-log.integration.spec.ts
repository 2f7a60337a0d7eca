import type { Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody, schemaIdOf } from '../contracts/codec.ts';
import { DEAD_LETTERS_TOPIC } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { killService } from '../stack/main.ts';
import { lossyConnection } from './support/lossy-connection.ts';
import { resetStores, stackConnections, stackOptions, startAgain } from './support/stack.ts';
import { append, createTopic } from './support/topics.ts';

const PARTITION = 3;
let kafka: Kafka;
let registry: Registry;
let reader: LogReader;

beforeAll(async () => {
  const { kafkaBrokers, registryUrl } = stackConnections();
  await resetStores();
  kafka = createKafka(kafkaBrokers, 'test', createLog('test', 'silent'));
  registry = createRegistry(registryUrl);
  reader = createLogReader(kafkaBrokers);
});
afterAll(() => reader.close());

async function all(topic: string, partition: number, from: number, to: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of reader.read({ topic, partition, from, to })) records.push(...batch);
  return records;
}

/** A record with its number, of about this many bytes. */
function numbered(number: number, bytes = 100): OutgoingRecord {
  return {
    topic: DEAD_LETTERS_TOPIC,
    partition: PARTITION,
    key: `key ${number}`,
    type: 'DeadLetter',
    timestampUs: 1_700_000_000_000_999 + number * 1_000,
    headers: { hint: 'ü' },
    body: encodeBody('DeadLetter', {
      deadLetterId: `dead-test-${number}`,
      source: { kind: 'FILE', name: 'file:0', partition: null, position: number },
      reader: 'test',
      reason: 'MALFORMED',
      detail: '',
      payload: Buffer.alloc(bytes, number % 256),
      payloadBytes: bytes,
      payloadHash: '',
    }),
  };
}

function positionOf({ value }: LogRecord): number {
  return decodeBody('DeadLetter', bodyOf(value ?? Buffer.alloc(0))).source.position;
}

describe('the producer', () => {
  it('appends to the given partition, framed, with the event’s time and the time of emission', async () => {
    const producer = createRecordProducer(kafka, registry);
    const from = await reader.endOffset(DEAD_LETTERS_TOPIC, PARTITION);
    await producer.send([numbered(1), { ...numbered(2), key: null }]);
    await producer.disconnect();
    const records = await all(DEAD_LETTERS_TOPIC, PARTITION, from, Infinity);
    expect(records.map(positionOf)).toEqual([1, 2]);
    expect(records.map(({ key }) => key?.toString())).toEqual(['key 1', undefined]);
    expect(records.map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_001, 1_700_000_000_002]);
    const id = await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
    for (const { value, headers } of records) {
      expect(schemaIdOf(value)).toBe(id);
      expect(headers['hint']).toBe('ü');
      expect(headers['emitted-at']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  });

  it('keeps order and loses nothing when an answer is lost while others wait to be sent', async () => {
    const connection = await lossyConnection(stackConnections().kafkaBrokers[0] ?? '');
    const producer = createRecordProducer(connection.kafka, registry);
    const from = await reader.endOffset(DEAD_LETTERS_TOPIC, PARTITION);
    await producer.send([numbered(0)]);
    connection.loseAnswerTo(20_000);
    // Sizes differ, so that the broker cannot mistake one batch for another.
    const sends = [1, 2, 3, 4].map((number) => producer.send([numbered(number, 30_000 + number)]));
    await Promise.all(sends);
    await producer.disconnect();
    await connection.close();
    expect(connection.lost()).toBe(1);
    const records = await all(DEAD_LETTERS_TOPIC, PARTITION, from, Infinity);
    expect(records.map(positionOf)).toEqual([0, 1, 2, 3, 4]);
  });

  it('splits records that do not fit one request, in order', async () => {
    const producer = createRecordProducer(kafka, registry);
    const from = await reader.endOffset(DEAD_LETTERS_TOPIC, PARTITION);
    const records = Array.from({ length: 40 }, (_, number) => numbered(number, 300_000));
    await producer.send(records);
    await producer.disconnect();
    const read = await all(DEAD_LETTERS_TOPIC, PARTITION, from, Infinity);
    expect(read.map(positionOf)).toEqual(records.map((_, number) => number));
  });

  it('waits for a broker that is down, and appends once', async () => {
    const producer = createRecordProducer(kafka, registry);
    const from = await reader.endOffset(DEAD_LETTERS_TOPIC, PARTITION);
    await producer.send([numbered(1)]);
    await killService(stackOptions(), 'kafka');
    const sent = producer.send([numbered(2), numbered(3)]);
    const read = reader.endOffset(DEAD_LETTERS_TOPIC, PARTITION);
    await startAgain('kafka');
    await sent;
    expect(await read).toBeGreaterThanOrEqual(from + 1);
    await producer.disconnect();
    const records = await all(DEAD_LETTERS_TOPIC, PARTITION, from, Infinity);
    expect(records.map(positionOf)).toEqual([1, 2, 3]);
  });
});

describe('the log reader', () => {
  let topic: string;
  const count = 5_000;
  beforeAll(async () => {
    topic = await createTopic(kafka, 2);
    await append(
      kafka,
      topic,
      1,
      Array.from({ length: count }, (_, offset) => `${offset} ${'x'.repeat(1_000)}`),
    );
  });

  it('knows where a partition begins and ends', async () => {
    expect(await reader.startOffset(topic, 1)).toBe(0);
    expect(await reader.endOffset(topic, 1)).toBe(count);
    expect(await reader.endOffset(topic, 0)).toBe(0);
  });

  it.each([
    [0, count],
    [0, 1],
    [1_234, 1_236],
    [count - 1, Infinity],
    [999, 3_001],
    [count, Infinity],
    [5, 5],
  ])('reads exactly the offsets from %i to %i', async (from, to) => {
    const records = await all(topic, 1, from, to);
    const last = Math.min(to, count);
    expect(records.map(({ offset }) => offset)).toEqual(
      Array.from({ length: last - from }, (_, index) => from + index),
    );
    expect(records.every(({ offset, value }) => value?.toString().startsWith(`${offset} `))).toBe(true);
  });

  it('reads side by side, and again from where it has been', async () => {
    const reads = await Promise.all([0, 2_000, 4_000, 2_000].map((from) => all(topic, 1, from, from + 1_000)));
    expect(reads.map((records) => records[0]?.offset)).toEqual([0, 2_000, 4_000, 2_000]);
    expect(reads.every((records) => records.length === 1_000)).toBe(true);
    for (let again = 0; again < 3; again += 1) expect(await all(topic, 0, 0, Infinity)).toEqual([]);
  });

  it('stops when its reader does', async () => {
    for await (const [first] of reader.read({ topic, partition: 1, from: 0, to: Infinity })) {
      expect(first?.offset).toBe(0);
      break;
    }
    expect(await all(topic, 1, 0, 2)).toHaveLength(2);
  });

  it('reports offsets that are not in the log, and a missing topic', async () => {
    await expect(all(topic, 1, count + 1, Infinity)).rejects.toMatchObject({ code: 'SEQUENCE_GAP' });
    await expect(reader.endOffset('test.missing', 0)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(reader.endOffset(topic, 2)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('rides out a broker’s restart in the middle of a range', async () => {
    const offsets: number[] = [];
    for await (const records of reader.read({ topic, partition: 1, from: 0, to: count })) {
      if (offsets.length === 0) {
        await killService(stackOptions(), 'kafka');
        await startAgain('kafka');
      }
      offsets.push(...records.map(({ offset }) => offset));
    }
    expect(offsets).toEqual(Array.from({ length: count }, (_, offset) => offset));
  });
});
