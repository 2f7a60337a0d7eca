import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile } from './file-rows.adapter.ts';
import { fileTrades } from './fixtures/file-trades.ts';
import { zipOf, zipOfAll } from './fixtures/zip.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const content = `${HEADER}\n${Array.from({ length: 5_000 }, (_, id) => `${id},${1_735_689_600_000_000 + id},A-B@c,1.5,2,BUY`).join('\n')}\n`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-containers-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(bytes: string | Buffer): Promise<string> {
  const path = join(folder, 'trades');
  await writeFile(path, bytes);
  return path;
}

async function idsIn(path: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { tradeId } of fileTrades({ path })) ids.push(tradeId);
  return ids;
}

const half = content.indexOf('\n', content.length / 2) + 1;
const halves = [content.slice(0, half), content.slice(half)];
const damagedZip = zipOf('trades.csv', content);
damagedZip.fill(0x55, 200, 300);
const otherSum = zipOf('trades.csv', content);
otherSum.writeUInt32LE(1, otherSum.indexOf('PK\x01\x02') + 16);
const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const damagedZstd = zstdCompressSync(content, checked);
damagedZstd.fill(0x55, 200, 400);
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const manyFrames = Array.from({ length: 40 }, (_, index) => {
  const [begin, end] = [index, index + 1].map((part) => Math.floor((part / 40) * content.length));
  return zstdCompressSync(content.slice(begin, end), index % 2 === 0 ? checked : {});
});

describe('a packed file', () => {
  it.each([
    ['plain', content],
    ['gzip', gzipSync(content)],
    ['gzip', Buffer.concat(halves.map((part) => gzipSync(part)))],
    ['zstd', zstdCompressSync(content)],
    ['zstd', Buffer.concat(halves.map((part) => zstdCompressSync(part)))],
    ['zstd', Buffer.concat([skippable, ...manyFrames, skippable])],
    ['zstd', zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 19 } })],
    ['zip', zipOf('trades.csv', content)],
    [
      'zip',
      zipOfAll([
        { name: 'day/', content: '' },
        { name: '__MACOSX/._trades.csv', content: 'x' },
        { name: 'day/trades.csv', content },
      ]),
    ],
  ])('of %s is the same file as the plain one', async (container, bytes) => {
    const plain = await openFile({ path: await fileWith(content) });
    const file = await openFile({ path: await fileWith(bytes) });
    expect([file.container, file.sha256]).toEqual([container, plain.sha256]);
    expect(await idsIn(file.path)).toEqual(Array.from({ length: 5_000 }, (_, id) => String(id)));
  });

  it.each([
    [
      'of more files',
      zipOfAll([
        { name: 'a.csv', content },
        { name: 'b.csv', content },
      ]),
      'is a zip of 2 files (a.csv, b.csv): unpack it and ingest them one by one',
    ],
    ['without a file', zipOfAll([]), 'is a zip without a file in it'],
    ['encrypted', zipOfAll([{ name: 'a.csv', content, isEncrypted: true }]), 'is an encrypted zip: unpack it first'],
    ['cut', zipOf('a.csv', content).subarray(0, 2_000), 'its zip data is damaged'],
    ['damaged', damagedZip, 'its zip data is damaged'],
    ['of another checksum', otherSum, 'its checksum does not match'],
    ['of cut zstd', zstdCompressSync(content).subarray(0, -10), 'its compressed data ends too early'],
    [
      'of zstd cut in a later frame',
      Buffer.concat([zstdCompressSync(halves[0] ?? ''), zstdCompressSync(halves[1] ?? '').subarray(0, -10)]),
      'its compressed data ends too early',
    ],
    [
      'of zstd followed by other bytes',
      Buffer.concat([zstdCompressSync(content), Buffer.from('something')]),
      'its zstd data cannot be unpacked (',
    ],
    ['of damaged zstd', damagedZstd, 'its zstd data cannot be unpacked ('],
  ])('%s is refused in a sentence', async (_what, bytes, sentence) => {
    await expect(openFile({ path: await fileWith(bytes) })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(sentence) as string,
    });
  });
});
