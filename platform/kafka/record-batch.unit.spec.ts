import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeader, encodeRecordBatch, type BatchRecord } from './record-batch.ts';

const IDENTITY = { id: 4_711n, epoch: 3 };

const texts = fc.string({ unit: 'binary', maxLength: 300 });
const record = fc.record({
  key: fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
  schemaId: fc.integer({ min: 0, max: 0x7fffffff }),
  body: fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes)),
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 200 })),
  headers: fc.array(fc.tuple(texts, texts), { maxLength: 4 }),
});
type Plain = Omit<BatchRecord, 'headers'> & { readonly headers: readonly (readonly [string, string])[] };

function encoded(records: readonly Plain[], sequence = 0): Buffer {
  const withHeaders = records.map(({ headers, ...rest }) => ({
    ...rest,
    headers: headers.map(([name, value]) => encodeHeader(name, value)),
  }));
  return encodeRecordBatch(withHeaders, IDENTITY, sequence, crc32c);
}

describe('a record batch', () => {
  it('is read by a library as it was written, whatever the records', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 200 }), fc.nat(), (records, sequence) => {
        const bytes = encoded(records, sequence);
        const batch = readRecordsBatch(Reader.from(bytes));
        expect(batch).toMatchObject({
          length: bytes.length - 12,
          magic: 2,
          crc: crc32c(bytes.subarray(21)),
          attributes: 0,
          lastOffsetDelta: records.length - 1,
          producerId: IDENTITY.id,
          producerEpoch: IDENTITY.epoch,
          firstSequence: sequence,
          maxTimestamp: BigInt(Math.max(...records.map(({ timestampMs }) => timestampMs))),
        });
        const read = batch.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
          offsetDelta,
          timestampMs: Number(batch.firstTimestamp + timestampDelta),
          key,
          magic: value?.[0],
          schemaId: value?.readInt32BE(1),
          body: value?.subarray(5),
          headers: headers.map((header) => header.map(String)),
        }));
        expect(read).toEqual(
          records.map(({ key, headers, ...rest }, index) => ({
            ...rest,
            offsetDelta: index,
            magic: 0,
            key: key === null ? null : key,
            headers: headers.map(([name, value]) => [name, value].map((text) => Buffer.from(text).toString())),
          })),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('needs a record', () => {
    expect(() => encoded([])).toThrow(RangeError);
  });
});
