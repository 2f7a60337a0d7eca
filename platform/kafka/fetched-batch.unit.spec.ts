import { compressionsAlgorithms, crc32c, Writer } from '@platformatic/kafka';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeFetchResponse, readWholeBatches } from './fetch-response.ts';
import { fetchedBatches, FetchedSequence, type Decompress } from './fetched-batch.ts';
import type { LogRecord } from './log-record.ts';
import { encodeHeader, encodeRecordBatch } from './record-batch.ts';

const HEAD_BYTES = 61;
const ATTRIBUTES_POSITION = 21;

const none: Decompress = () => {
  throw new Error('nothing is compressed');
};

const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const record = fc.record({
  key: fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
  schemaId: fc.nat({ max: 0x7fffffff }),
  body: fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
  timestampMs: fc.integer({ min: 0, max: 4e12 }),
  headers: fc.dictionary(texts, texts, { maxKeys: 3 }),
});
type Plain = typeof record extends fc.Arbitrary<infer Value> ? Value : never;

/** A batch as it lies in the log at an offset. */
function batchAt(offset: number, records: readonly Plain[], attributes = 0): Buffer {
  const written = records.map(({ headers, ...rest }) => ({
    ...rest,
    headers: Object.entries(headers).map(([name, value]) => encodeHeader(name, value)),
  }));
  const bytes = encodeRecordBatch(written, { id: 1n, epoch: 0 }, 0, crc32c);
  bytes.writeBigInt64BE(BigInt(offset), 0);
  bytes.writeInt16BE(attributes, ATTRIBUTES_POSITION);
  return bytes;
}

function readFrom(bytes: Buffer, from: number, decompress: Decompress = none): LogRecord[] {
  return [...new FetchedSequence(fetchedBatches(bytes, decompress), 'topic', 2, from)];
}

function plainOf({ topic, partition, offset, timestampMs, key, value, headers }: LogRecord) {
  return { topic, partition, offset, timestampMs, key, value: value?.toString('hex'), headers: { ...headers } };
}

function expected(offset: number, { key, schemaId, body, timestampMs, headers }: Plain) {
  const frame = Buffer.alloc(5);
  frame.writeInt32BE(schemaId, 1);
  const value = Buffer.concat([frame, body]).toString('hex');
  return { topic: 'topic', partition: 2, offset, timestampMs, key, value, headers: { ...headers } };
}

describe('fetched batches', () => {
  it('have the records as they were written, from an offset on, without what the fetch cut off', () => {
    const batches = fc.array(fc.array(record, { minLength: 1, maxLength: 150 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(batches, fc.nat({ max: 2 ** 40 }), fc.nat(200), fc.nat(100), (written, first, skipped, cut) => {
        let offset = first;
        const bytes: Buffer[] = [];
        const wanted: ReturnType<typeof expected>[] = [];
        for (const records of written) {
          bytes.push(batchAt(offset, records));
          wanted.push(...records.map((each, index) => expected(offset + index, each)));
          offset += records.length;
        }
        const beginning = batchAt(offset, written[0] ?? []);
        const fetched = Buffer.concat([...bytes, beginning.subarray(0, Math.min(cut, beginning.length - 1))]);
        expect(readFrom(fetched, first + skipped).map(plainOf)).toEqual(wanted.slice(skipped));
      }),
      { numRuns: 40 },
    );
  });

  it('are a sequence like an array of their records, read as often as one likes', () => {
    const one = { key: null, schemaId: 1, body: Buffer.of(1), timestampMs: 1_000, headers: {} };
    const batches = fetchedBatches(Buffer.concat([batchAt(7, [one, one, one]), batchAt(12, [one, one])]), none);
    for (const from of [0, 8, 10, 11, 13, 14]) {
      const sequence = new FetchedSequence(batches, 'topic', 2, from);
      const offsets = [7, 8, 9, 12, 13].filter((offset) => offset >= from);
      expect([...sequence, ...sequence].map(({ offset }) => offset)).toEqual([...offsets, ...offsets]);
      expect(sequence).toHaveLength(offsets.length);
      for (const index of [0, 1, 4, 5, -1, -2, -5, -6]) expect(sequence.at(index)?.offset).toBe(offsets.at(index));
    }
  });

  it('refuse a batch that ends within a record, before any record of it is handled', () => {
    const one = { key: null, schemaId: 1, body: Buffer.alloc(9), timestampMs: 1_000, headers: {} };
    const whole = batchAt(7, [one, one]);
    const cut = Buffer.from(whole.subarray(0, -1));
    cut.writeInt32BE(cut.length - 12, 8);
    const [batch] = fetchedBatches(cut, none);
    expect(() => batch?.from('t', 0, 0)).toThrow(RangeError);
  });

  it('have the log’s own time where it replaces that of the records', () => {
    const one = { key: null, schemaId: 1, body: Buffer.of(1), timestampMs: 1_000, headers: {} };
    const bytes = batchAt(7, [one, { ...one, timestampMs: 5_000 }], 1 << 3);
    expect(readFrom(bytes, 0).map(({ timestampMs }) => timestampMs)).toEqual([5_000, 5_000]);
  });

  it('know a marker, and the offset that they reach', () => {
    const one = { key: null, schemaId: 1, body: Buffer.of(1), timestampMs: 1_000, headers: {} };
    const [batch] = fetchedBatches(batchAt(7, [one, one], 1 << 5), none);
    expect(batch).toMatchObject({ isControl: true, firstOffset: 7, lastOffset: 8 });
  });

  it('refuse what is not a batch of format 2', () => {
    const one = { key: null, schemaId: 1, body: Buffer.of(1), timestampMs: 1_000, headers: {} };
    const bytes = batchAt(7, [one]);
    bytes[16] = 1;
    expect(() => fetchedBatches(bytes, none)).toThrow('format 1');
  });
});

/** kafkajs' own reading, before ours takes its place. */
const kafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode: (bytes: Buffer) => Promise<KafkajsResponse>;
};
interface KafkajsResponse {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly (Record<string, unknown> & {
      readonly messages: readonly { readonly offset: string; readonly value: Buffer | null }[];
    })[];
  }[];
}
const { decode } = kafkajs;

function response(batches: Buffer): Buffer {
  return Writer.create()
    .appendInt32(12)
    .appendInt16(0)
    .appendInt32(99)
    .appendArray(
      ['raw.trades'],
      (topic, name) =>
        topic.appendString(name, false).appendArray(
          [0, 3],
          (partition, index) =>
            partition
              .appendInt32(index)
              .appendInt16(index)
              .appendInt64(123_456_789_012n)
              .appendInt64(5n)
              .appendInt64(4n)
              .appendArray(
                index === 0 ? null : [1n],
                (aborted, id) => aborted.appendInt64(id).appendInt64(2n),
                false,
                false,
              )
              .appendInt32(-1)
              .appendBytes(index === 0 ? batches : Buffer.alloc(0), false),
          false,
          false,
        ),
      false,
      false,
    ).buffer;
}

describe('an answer to a fetch', () => {
  const one = { key: Buffer.from('k'), schemaId: 9, body: Buffer.from('body'), timestampMs: 1_000, headers: {} };
  const batches = Buffer.concat([batchAt(40, [one, one, one]), batchAt(43, [one])]);

  it('is what kafkajs reads, but for the records', async () => {
    const theirs = await decode(response(batches));
    const ours = decodeFetchResponse(response(batches), none);
    expect(ours).toMatchObject({ ...theirs, responses: [{ topicName: 'raw.trades' }] });
    for (const [index, partition] of (theirs.responses[0]?.partitions ?? []).entries()) {
      const { messages, abortedTransactions, lastStableOffset, lastStartOffset, ...rest } = partition;
      expect([abortedTransactions, lastStableOffset, lastStartOffset]).toHaveLength(3);
      expect(ours.responses[0]?.partitions[index]).toMatchObject(rest);
      const records = (ours.responses[0]?.partitions[index]?.messages ?? []).flatMap(({ batch }) => [
        ...batch.from('t', 0, 0),
      ]);
      expect(records.map(({ offset, value }) => ({ offset: String(offset), value }))).toEqual(
        messages.map(({ offset, value }) => ({ offset, value })),
      );
    }
    expect(ours.responses[0]?.partitions[0]?.messages.map(({ offset }) => offset)).toEqual(['42', '43']);
  });

  it('may be compressed in every way that Kafka knows', async () => {
    await readWholeBatches();
    for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const algorithm = compressionsAlgorithms[name];
      const plain = batchAt(40, [one, one], algorithm.bitmask);
      const bytes = Buffer.concat([plain.subarray(0, HEAD_BYTES), algorithm.compressSync(plain.subarray(HEAD_BYTES))]);
      bytes.writeInt32BE(bytes.length - 12, 8);
      const { responses } = (await kafkajs.decode(response(bytes))) as unknown as ReturnType<
        typeof decodeFetchResponse
      >;
      const read = [...(responses[0]?.partitions[0]?.messages[0]?.batch.from('t', 0, 0) ?? [])];
      expect(read.map(({ value }) => value?.subarray(5).toString())).toEqual(['body', 'body']);
    }
    const unknown = batchAt(40, [one], 7);
    await expect(kafkajs.decode(response(unknown))).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});
