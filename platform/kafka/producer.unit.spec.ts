import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import type { Acknowledged, BatchSender, RecordGroup } from './batch-sender.ts';
import { producerOver, requestsOf, type Appended, type OutgoingRecord } from './producer.ts';
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

/** A sender with given answers: without one, it acknowledges everything. */
function senderOf(answers: readonly ((groups: readonly RecordGroup[]) => Promise<readonly Acknowledged[]>)[] = []) {
  const sends: (readonly RecordGroup[])[] = [];
  let opened = 0;
  let closed = 0;
  const connect = (): BatchSender => {
    opened += 1;
    return {
      failure: undefined,
      send(groups) {
        sends.push(groups);
        return answers[sends.length - 1]?.(groups) ?? Promise.resolve(placesOf(groups));
      },
      close() {
        closed += 1;
        return Promise.resolve();
      },
    };
  };
  return { connect, sends, opened: () => opened, closed: () => closed };
}

const placesOf = (groups: readonly RecordGroup[]): Acknowledged[] =>
  groups.map(({ topic, partition }) => ({ topic, partition, baseOffset: 0 }));

const registry = {
  idOf: (topic) =>
    topic === 'dead.letters' ? Promise.reject(new Error('its schema is not registered')) : Promise.resolve(1),
} as Partial<Registry> as Registry;

const at = (partition: number) => outgoing({ topic: 'decision.outcomes', partition, bytes: 8 });

describe('a producer', () => {
  it('begins anew after a failure, under another identity', async () => {
    const { connect, sends, opened, closed } = senderOf([() => Promise.reject(new Error('connection lost'))]);
    const producer = producerOver(connect, registry);
    await expect(producer.send([at(1), at(2)])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect([opened(), closed()]).toEqual([1, 1]);
    await producer.send([at(1), at(2)]);
    expect([sends.length, opened()]).toEqual([2, 2]);
    await producer.disconnect();
    expect(closed()).toBe(2);
  });

  it('sends the calls that wait in one request, in their order, without the one with an unknown schema', async () => {
    const { connect, sends } = senderOf();
    const producer = producerOver(connect, registry);
    const letter = { ...at(0), topic: 'dead.letters', type: 'DeadLetter' } as const;
    const sent = await Promise.allSettled([
      producer.send([{ ...at(1), key: 'first' }]),
      producer.send([letter]),
      producer.send([at(2), { ...at(1), key: 'second' }]),
    ]);
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(sends).toMatchObject([
      [
        { partition: 1, records: [{ key: Buffer.from('first') }, { key: Buffer.from('second') }] },
        { partition: 2, records: [{ schemaId: 1 }] },
      ],
    ]);
    await producer.disconnect();
    await expect(producer.send([at(1)])).rejects.toThrow('disconnected');
  });

  it('says where Kafka appended, per topic and partition, before a call resolves', async () => {
    const { connect } = senderOf([
      (groups) =>
        Promise.resolve(placesOf(groups).map((place) => ({ ...place, baseOffset: place.partition === 1 ? 70 : -1 }))),
    ]);
    const heard: Appended[] = [];
    const producer = producerOver(connect, registry, undefined, (appended) => heard.push(appended));
    await producer.send([at(1), at(2), at(1)]);
    expect(heard).toEqual([
      { topic: 'decision.outcomes', partition: 1, baseOffset: 70, count: 2 },
      { topic: 'decision.outcomes', partition: 2, baseOffset: undefined, count: 1 },
    ]);
    await producer.disconnect();
  });
});
