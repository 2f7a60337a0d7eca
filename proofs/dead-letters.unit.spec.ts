import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, frame } from '../contracts/codec.ts';
import type { DeadLetter, DeadLetterReason } from '../contracts/generated/events.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { RegisteredSchema, Registry } from '../platform/kafka/registry.ts';
import { deadLetters } from './dead-letters.ts';

const SCHEMA_ID = 7;
const PARTITIONS = 3;

interface Written {
  readonly id: number;
  readonly partition: number;
  readonly second: number;
  readonly reason?: DeadLetterReason;
}

function recordOf({ id, partition, second, reason = 'MALFORMED' }: Written, offset: number): LogRecord {
  const letter: DeadLetter = {
    deadLetterId: `dead-ingest-file-file:feedfacecafebeef-${id}`,
    source: { kind: 'FILE', name: 'file:feedfacecafebeef', partition: null, position: id },
    reader: 'ingest-file',
    reason,
    detail: 'the row has 1 columns, not 6',
    payload: Buffer.from('x'),
    payloadBytes: 1,
    payloadHash: '00',
  };
  return {
    topic: 'dead.letters',
    partition,
    offset,
    key: null,
    value: frame(SCHEMA_ID, encodeBody('DeadLetter', letter)),
    headers: { 'emitted-at': new Date(second * 1_000).toISOString() },
    // The market's time, which does not show when a letter was written.
    timestampMs: 1_000_000 - second,
  };
}

/** The list from a log of these letters; each partition's in the given order. */
async function listOf(written: readonly Written[], limit: number, reason?: DeadLetterReason) {
  const reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'> = {
    startOffset: () => Promise.resolve(0),
    endOffset: () => Promise.resolve(written.length),
    async *read({ partition }) {
      yield await Promise.resolve(written.filter((letter) => letter.partition === partition).map(recordOf));
    },
  };
  const schema: Pick<RegisteredSchema, 'name' | 'read'> = {
    name: 'DeadLetter',
    read: (bytes, start) => decodeBody('DeadLetter', bytes.subarray(start)),
  };
  const registry: Pick<Registry, 'schemaOf'> = { schemaOf: () => Promise.resolve(schema as RegisteredSchema) };
  const found = await deadLetters(reader, registry, { partitions: PARTITIONS, reason, limit });
  return { total: found.total, ids: found.letters.map(({ source }) => source.position) };
}

describe('the dead letters', () => {
  const written: Written[] = Array.from({ length: 30 }, (_, id) => ({
    id,
    partition: (id * 7) % PARTITIONS,
    second: id,
  }));

  it('that are listed are the newest of all partitions, the newest last', async () => {
    expect(await listOf(written, 4)).toEqual({ total: 30, ids: [26, 27, 28, 29] });
    expect(await listOf(written, 100)).toEqual({ total: 30, ids: written.map(({ id }) => id) });
    expect(await listOf(written.toReversed(), 1)).toEqual({ total: 30, ids: [29] });
  });

  it('count once when they were written again, and only for the requested reason', async () => {
    const again = [...written, { id: 3, partition: 0, second: 99 }];
    expect(await listOf(again, 2)).toEqual({ total: 30, ids: [28, 29] });
    const other: Written = { id: 50, partition: 1, second: 1, reason: 'PRECISION' };
    expect(await listOf([...written, other], 2, 'PRECISION')).toEqual({ total: 1, ids: [50] });
  });
});
