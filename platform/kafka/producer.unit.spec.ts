import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import { requestsOf, type OutgoingRecord } from './producer.ts';

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
  it('keeps every record, in order, and every request and record batch within what a broker takes', () => {
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
