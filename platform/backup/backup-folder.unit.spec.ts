import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecordBatch, firstOffsetOf, lastOffsetOf, unplaced } from '../kafka/record-batch.ts';
import {
  batchesOf,
  contentHash,
  readManifest,
  SegmentWriter,
  writeManifest,
  type Segment,
} from './backup-folder.adapter.ts';

const LOG = { topic: 'raw.trades', partition: 2 };

/** A batch as a broker stores it, of some records. */
function storedBatch(firstOffset: number, count: number, text = 'x'): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    ...{ key: Buffer.from('key'), schemaId: 7, timestampMs: 1_000 + index, headers: [] },
    body: Buffer.from(`${text} ${index}`),
  }));
  const bytes = encodeRecordBatch(records, { id: 99n, epoch: 3 }, 41, crc32c);
  bytes.writeBigInt64BE(BigInt(firstOffset), 0);
  bytes.writeInt32BE(5, 12);
  return bytes;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-backup-folder-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function written(batches: readonly Buffer[]): Promise<Segment> {
  const writer = await SegmentWriter.begin(folder, LOG, 0);
  for (const batch of batches) await writer.add(batch);
  return await writer.close(lastOffsetOf(batches.at(-1)!) + 1);
}

async function read(segment: Segment): Promise<Buffer[]> {
  const batches: Buffer[] = [];
  for await (const batch of batchesOf(folder, segment)) batches.push(Buffer.from(batch));
  return batches;
}

describe('a segment of a backup', () => {
  // More than one chunk of a file stream.
  const batches = [storedBatch(0, 3), storedBatch(3, 2_000, 'y'.repeat(60)), storedBatch(2_003, 1)];

  it('has the batches that were written, in order', async () => {
    const segment = await written(batches);
    expect(segment).toMatchObject({ from: 0, to: 2_004 });
    expect(await read(segment)).toEqual(batches);
  });

  it.each([
    [
      'a byte is another',
      async (path: string) => {
        const bytes = await readFile(path);
        bytes[bytes.length - 1]! ^= 1;
        await writeFile(path, bytes);
      },
    ],
    ['its end is missing', (path: string) => truncate(path, 1_000)],
    ['its last batch is missing', (path: string) => truncate(path, batches[0]!.length + batches[1]!.length)],
    ['it is missing', (path: string) => rm(path)],
    [
      'a length is negative',
      async (path: string) => {
        const bytes = await readFile(path);
        bytes.writeInt32BE(-12, 8);
        await writeFile(path, bytes);
      },
    ],
  ])('is refused where %s', async (_name, damage) => {
    const segment = await written(batches);
    await damage(join(folder, segment.file));
    await expect(read(segment)).rejects.toThrow('is missing or not as it was written');
  });
});

describe('a batch that is appended elsewhere', () => {
  it('has the same content without its place, and a valid checksum', () => {
    const stored = storedBatch(17, 4);
    const bytes = unplaced(stored, crc32c);
    expect([firstOffsetOf(bytes), bytes.readInt32BE(12)]).toEqual([0, -1]);
    expect([bytes.readBigInt64BE(43), bytes.readInt16BE(51), bytes.readInt32BE(53)]).toEqual([-1n, -1, -1]);
    expect(bytes.readUInt32BE(17)).toBe(crc32c(bytes.subarray(21)));
    expect(contentHash(bytes)).toBe(contentHash(stored));
    expect([firstOffsetOf(stored), lastOffsetOf(stored)]).toEqual([17, 20]);
  });

  it('has another content hash where a record or a time stamp is another', () => {
    const stored = storedBatch(17, 4);
    expect(contentHash(storedBatch(17, 4, 'z'))).not.toBe(contentHash(stored));
    const later = Buffer.from(stored);
    later.writeBigInt64BE(2_000n, 27);
    expect(contentHash(later)).not.toBe(contentHash(stored));
  });
});

describe('the list of a backup', () => {
  it('is what was written, and undefined in a folder without one', async () => {
    expect(await readManifest(folder)).toBeUndefined();
    const manifest = { format: 1 as const, topics: { 'raw.trades': 6 }, logs: [] };
    await writeManifest(folder, manifest);
    expect(await readManifest(folder)).toEqual(manifest);
  });

  it.each(['', '{}', '{"format":2,"topics":{},"logs":[]}', '{"format":1,"topics":{},"logs":[],"more":1}'])(
    'is refused where it is %j',
    async (text) => {
      await writeFile(join(folder, 'backup.json'), text);
      await expect(readManifest(folder)).rejects.toThrow('is not the list of a backup');
    },
  );

  it('does not name files outside the folder', async () => {
    const segment = { file: '../0/00000000000000000000.batches', from: 0, to: 1, bytes: 1 };
    const log = { ...LOG, segments: [{ ...segment, sha256: 'ab'.repeat(32) }], lastBatch: null };
    await writeFile(join(folder, 'backup.json'), JSON.stringify({ format: 1, topics: {}, logs: [log] }));
    await expect(readManifest(folder)).rejects.toThrow('is not the list of a backup');
  });
});
