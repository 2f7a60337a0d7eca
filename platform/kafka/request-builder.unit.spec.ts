import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import { recordsIn } from './fixtures/records-in.ts';
import type { OutgoingRecord } from './outgoing-record.ts';
import { joined, RequestBuilder, type ProduceRequest } from './request-builder.ts';

const BATCH_BYTES_MAX = 1_048_588;
const REQUEST_BYTES_MAX = 5_000_000;
const SCHEMA_ID = 7;

const record = fc.record({
  topic: fc.constantFrom(...DERIVED_TOPICS),
  partition: fc.nat({ max: 5 }),
  bytes: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 800_000 })),
});

let made = 0;
function outgoing({ topic, partition, bytes }: { topic: OutgoingRecord['topic']; partition: number; bytes: number }) {
  made += 1;
  return { topic, partition, key: `key ${made}`, type: 'Outcome', body: Buffer.alloc(bytes), timestampUs: 0 } as const;
}

function requestsOf(records: readonly OutgoingRecord[]): ProduceRequest[] {
  const builder = new RequestBuilder();
  for (const each of records) builder.add(each, SCHEMA_ID);
  return builder.take();
}

function expectWithinLimits(requests: readonly ProduceRequest[]): void {
  for (const groups of requests) {
    expect(groups.length).toBeGreaterThan(0);
    expect(new Set(groups.map(({ topic, partition }) => `${topic} ${partition}`)).size).toBe(groups.length);
    expect(groups.reduce((sum, { batch }) => sum + batch.size, 0)).toBeLessThan(REQUEST_BYTES_MAX);
    for (const { batch } of groups) expect(batch.size).toBeLessThan(BATCH_BYTES_MAX);
  }
}

/** The records' keys by topic and partition, in their order. */
function keysByPlace(records: readonly { readonly topic: string; readonly partition: number; key: unknown }[]) {
  const places = Map.groupBy(records, ({ topic, partition }) => `${topic} ${partition}`);
  return Object.fromEntries([...places].map(([place, of]) => [place, of.map(({ key }) => String(key))]));
}

describe('requests', () => {
  it('have every record, in the order of its partition, and are within a broker’s limits, joined or not', () => {
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 30 }), { maxLength: 4 }), (parts) => {
        const records = parts.map((part) => part.map(outgoing));
        const requests = records.flatMap(requestsOf);
        const together = joined(requests);
        for (const some of [requests, together]) {
          expectWithinLimits(some);
          expect(keysByPlace(some.flatMap(recordsIn))).toEqual(keysByPlace(records.flat()));
        }
        expect(together.length).toBeLessThanOrEqual(requests.length);
      }),
      { numRuns: 50 },
    );
  });

  it('are bounded in their number of records', () => {
    const records = Array.from({ length: 2_500 }, () =>
      outgoing({ topic: 'strategy.results', partition: 0, bytes: 10 }),
    );
    const counts = (requests: readonly ProduceRequest[]) => requests.map((groups) => recordsIn(groups).length);
    expect(counts(requestsOf(records))).toEqual([1_000, 1_000, 500]);
    const [few, others] = [0, 1].map((partition) =>
      requestsOf(Array.from({ length: 600 }, () => outgoing({ topic: 'strategy.results', partition, bytes: 10 }))),
    );
    expect(counts(joined([...(few ?? []), ...(others ?? [])]))).toEqual([600, 600]);
  });

  it('are joined where their topic-partitions differ', () => {
    const [one, other] = [0, 1].map((partition) =>
      requestsOf([outgoing({ topic: 'strategy.results', partition, bytes: 10 })]),
    );
    const all = [...(one ?? []), ...(other ?? [])];
    expect(joined(all).map((groups) => groups.map(({ partition }) => partition))).toEqual([[0, 1]]);
    expect(joined([...all, ...all.slice(1)])).toHaveLength(2);
  });

  it('have a record that is too large alone, for the broker to refuse', () => {
    const large = outgoing({ topic: 'strategy.results', partition: 0, bytes: 2_000_000 });
    expect(requestsOf([large, large])).toHaveLength(2);
  });

  it('say when the records of a decision were sent, and not when a snapshot was', () => {
    const before = Date.now();
    const [decision, snapshot] = (['probability.decisions', 'indicator.snapshots'] as const).map((topic) => {
      const headers = { hint: '5' };
      return requestsOf([{ ...outgoing({ topic, partition: 0, bytes: 10 }), headers }]).flatMap(recordsIn)[0]?.headers;
    });
    expect(snapshot).toEqual({ hint: '5' });
    expect(Object.keys(decision ?? {})).toEqual(['hint', 'emitted-at']);
    expect(Date.parse(decision?.['emitted-at'] ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('are made in the memory of those that Kafka has, however their sizes differ', () => {
    const builder = new RequestBuilder();
    const sizes = fc.array(record, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 2, maxLength: 4 }), (rounds) => {
        for (const round of rounds) {
          const records = round.map(outgoing);
          for (const each of records) builder.add(each, SCHEMA_ID);
          const requests = builder.take();
          expect(keysByPlace(requests.flatMap(recordsIn))).toEqual(keysByPlace(records));
          builder.reuse(requests);
        }
      }),
      { numRuns: 30 },
    );
    const one = outgoing({ topic: 'strategy.results', partition: 0, bytes: 10 });
    const batchOf = () => {
      builder.add(one, SCHEMA_ID);
      const requests = builder.take();
      builder.reuse(requests);
      return requests[0]?.[0]?.batch;
    };
    batchOf();
    expect(batchOf()).toBe(batchOf());
  });
});
