import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import type { Kafka, ProducerBatch, RecordMetadata } from 'kafkajs';
import { createRecordProducer, requestsOf, type Appended, type OutgoingRecord } from './producer.ts';
import type { Registry } from './registry.ts';

const BATCH_BYTES_MAX = 1_048_588;
const REQUEST_BYTES_MAX = 5_000_000;

const record = fc.record({
  topic: fc.constantFrom(...DERIVED_TOPICS),
  partition: fc.nat({ max: 5 }),
  bytes: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 800_000 })),
});

function outgoing({ topic, partition, bytes }: { topic: OutgoingRecord['topic']; partition: number; bytes: number }) {
  const body = Buffer.alloc(bytes);
  return { topic, partition, key: 'BTC-USDT@binance', type: 'Outcome', body, timestampUs: 0 } as const;
}

describe('requestsOf', () => {
  it('keeps every record, in order, and every request and record batch within a broker’s limits', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (parts) => {
        const records = parts.map(outgoing);
        const requests = [...requestsOf(records)];
        expect(requests.flat()).toEqual(records);
        for (const request of requests) {
          expect(request.length).toBeGreaterThan(0);
          expect(request.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(REQUEST_BYTES_MAX);
          const batches = Map.groupBy(request, ({ topic, partition }) => `${topic} ${partition}`);
          for (const batch of batches.values()) {
            expect(batch.reduce((sum, { body }) => sum + body.length + 48, 0)).toBeLessThan(BATCH_BYTES_MAX);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('bounds the number of records of a request', () => {
    const records = Array.from({ length: 2_500 }, () =>
      outgoing({ topic: 'strategy.results', partition: 0, bytes: 10 }),
    );
    expect([...requestsOf(records)].map((request) => request.length)).toEqual([1_000, 1_000, 500]);
  });

  it('sends a record that is too large alone, for the broker to refuse', () => {
    const large = outgoing({ topic: 'strategy.results', partition: 0, bytes: 2_000_000 });
    expect([...requestsOf([large, large])].map((request) => request.length)).toEqual([1, 1]);
  });
});

/**
 * A Kafka with given answers: the case below needs several brokers, and the local stack has one. Partition
 * leaders move while a send is under way, and kafkajs resolves without having sent records that moved to a broker that
 * had answered.
 */
function kafkaOf(answers: readonly ((batch: ProducerBatch) => RecordMetadata[])[]) {
  const batches: ProducerBatch[] = [];
  const producer = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    sendBatch: (batch: ProducerBatch) => {
      batches.push(batch);
      return Promise.resolve(answers[batches.length - 1]?.(batch) ?? all(batch));
    },
  };
  return { kafka: { producer: () => producer } as unknown as Kafka, batches };
}

const all = ({ topicMessages }: ProducerBatch): RecordMetadata[] =>
  (topicMessages ?? []).flatMap(({ topic, messages }) =>
    messages.map(({ partition = -1 }) => ({ topicName: topic, partition, errorCode: 0 })),
  );

const registry = {
  idOf: (topic) =>
    topic === 'dead.letters' ? Promise.reject(new Error('its schema is not registered')) : Promise.resolve(1),
} as Partial<Registry> as Registry;

const at = (partition: number) => outgoing({ topic: 'decision.outcomes', partition, bytes: 8 });

describe('a producer', () => {
  it('treats nothing as sent that no broker has acknowledged', async () => {
    const { kafka, batches } = kafkaOf([(batch) => all(batch).filter(({ partition }) => partition !== 2)]);
    const producer = createRecordProducer(kafka, registry);
    await expect(producer.send([at(1), at(2)])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await producer.send([at(1), at(2)]);
    expect(batches).toHaveLength(2);
    await producer.disconnect();
  });

  it('sends the calls that wait in one request, in their order, without the one with an unknown schema', async () => {
    const { kafka, batches } = kafkaOf([]);
    const producer = createRecordProducer(kafka, registry);
    const letter = { ...at(0), topic: 'dead.letters', type: 'DeadLetter' } as const;
    const sent = await Promise.allSettled([
      producer.send([at(1)]),
      producer.send([letter]),
      producer.send([at(2), at(1)]),
    ]);
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches.map(all)).toMatchObject([[{ partition: 1 }, { partition: 2 }, { partition: 1 }]]);
    await producer.disconnect();
    await expect(producer.send([at(1)])).rejects.toThrow('disconnected');
  });

  it('says where Kafka appended, per topic and partition, before a call resolves', async () => {
    const { kafka } = kafkaOf([
      (batch) => all(batch).map((answer) => ({ ...answer, baseOffset: answer.partition === 1 ? '70' : '-1' })),
    ]);
    const heard: Appended[] = [];
    const producer = createRecordProducer(kafka, registry, undefined, (appended) => heard.push(appended));
    await producer.send([at(1), at(2), at(1)]);
    expect(heard).toEqual([
      { topic: 'decision.outcomes', partition: 1, baseOffset: 70, count: 2 },
      { topic: 'decision.outcomes', partition: 2, baseOffset: undefined, count: 1 },
    ]);
    await producer.disconnect();
  });
});
