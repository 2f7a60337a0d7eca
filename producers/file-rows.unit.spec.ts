import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { openFile, readRows, type FileOptions } from './file-rows.adapter.ts';
import { fileTrades } from './fixtures/file-trades.ts';
import { zipOf } from './fixtures/zip.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const row = (id: number, instrument = 'BTC-USDT@binance'): string =>
  `${id},${1_385_337_600_000_000 + id},${instrument},1.5,2,BUY`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-files-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function readAll(options: FileOptions): Promise<{ trades: Trade[]; refused: DeadLetter[] }> {
  const refused: DeadLetter[] = [];
  const trades: Trade[] = [];
  for await (const trade of fileTrades(options, (deadLetter) => refused.push(deadLetter))) trades.push(trade);
  return { trades, refused };
}

describe('a file of trades', () => {
  it('is read in its order, bad rows aside, plain or gzip whatever its name', async () => {
    const content = `${HEADER}\n${Array.from({ length: 20_000 }, (_, id) => row(id)).join('\n')}\nbad\n${row(20_000)}`;
    const plain = await readAll({ path: await fileWith('plain', content) });
    expect(plain.trades.map((trade) => trade.tradeId)).toEqual(Array.from({ length: 20_001 }, (_, id) => String(id)));
    expect(plain.refused.map((deadLetter) => deadLetter.source.position)).toEqual([20_002]);
    expect(plain.trades[0]?.source).toBe(`file:${createHash('sha256').update(content).digest('hex').slice(0, 16)}`);
    const packed = await readAll({ path: await fileWith('packed.csv', gzipSync(content)) });
    expect(packed).toEqual(plain);
  });

  it('gives the same ids packed and plain, where they are derived from its content', async () => {
    const content = 'timestamp,price,amount\n1385337600,800.01,0.1\n';
    const instrument = 'BTC-USD@bitstamp';
    const plain = await readAll({ path: await fileWith('made-ids.csv', content), instrument });
    expect(plain.trades[0]?.tradeId).toMatch(/^c[0-9a-f]{16}-0$/);
    for (const packed of [gzipSync(content), zstdCompressSync(content), zipOf('made-ids.csv', content)]) {
      expect(await readAll({ path: await fileWith('made-ids.packed', packed), instrument })).toEqual(plain);
    }
  });

  it('takes its instrument from the option where the rows name none', async () => {
    const path = await fileWith('bitstamp.csv', 'timestamp,price,amount\n1385337600,800.01,0.1\n');
    const read = async (options: Partial<FileOptions>) => (await readAll({ path, ...options })).trades[0]?.instrument;
    await expect(read({})).rejects.toThrow('do not name their instrument: give it, such as --instrument');
    expect(await read({ instrument: 'XBT-USD@kraken' })).toBe('XBT-USD@kraken');
    expect(await read({ instrument: 'BTC-EUR@bitstamp' })).toBe('BTC-EUR@bitstamp');
    await expect(read({ instrument: 'bitcoin' })).rejects.toThrow('The instrument "bitcoin" names no venue: write');
  });

  it('with a header alone has no trades', async () => {
    expect((await readAll({ path: await fileWith('header', `${HEADER}\n`) })).trades).toEqual([]);
  });

  it.each([
    ['absent', undefined, {}, 'the file does not exist'],
    ['empty', '', {}, 'is empty'],
    ['blank', '\n\n', {}, 'is empty'],
    ['noise', Buffer.alloc(4_000, 0xfe), {}, 'does not begin with lines of text'],
    ['unknown', 'hello\nworld\n', {}, 'is in no known format: it begins "hello"'],
    ['unnamed', 'hello\n', { format: 'parquet' }, '"parquet" is not a known file format: use one of canonical-csv,'],
    ['proto', 'hello\n', { format: '__proto__' }, '"__proto__" is not a known file format'],
    ['other', 'timestamp,price,amount\n', { format: 'canonical-csv' }, 'its first line must be like "trade_id,'],
    ['own', `${HEADER}\n`, { instrument: 'A-B@c' }, 'name their own instruments: leave out --instrument A-B@c'],
    ['allowed', `${HEADER}\n`, { allowed: ['A-B@c', 'nonsense'] }, 'The instrument "nonsense" names no venue: write'],
    ['cut', gzipSync(`${HEADER}\n${row(1)}\n`).subarray(0, 40), {}, 'compressed data ends too early'],
  ])('that is %s is reported in one sentence', async (name, content, options, sentence) => {
    const path = content === undefined ? join(folder, 'nowhere') : await fileWith(name, content);
    await expect(readAll({ path, ...options })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('that ends too early is refused before its first row is given', async () => {
    const rows = Array.from({ length: 50_000 }, (_, id) => row(id)).join('\n');
    const path = await fileWith('cut-late', gzipSync(`${HEADER}\n${rows}\n`).subarray(0, -20));
    await expect(openFile({ path })).rejects.toThrow('compressed data ends too early');
  });

  it('that is a folder is reported as such', async () => {
    await expect(readAll({ path: folder })).rejects.toThrow('it is a folder');
  });

  it('that changes between the passes is refused at its end', async () => {
    const path = await fileWith('growing', `${HEADER}\n${row(1)}\n`);
    const file = await openFile({ path });
    await appendFile(path, `${row(2)}\n`);
    const read = async () => {
      for await (const rows of readRows(file)) expect(rows.length).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toThrow('changed while it was being read');
  });

  it('is read no further once the signal is given', async () => {
    const path = await fileWith('long', `${HEADER}\n${Array.from({ length: 50_000 }, (_, id) => row(id)).join('\n')}`);
    const abort = new AbortController();
    const file = await openFile({ path });
    let count = 0;
    for await (const rows of readRows(file, abort.signal)) {
      count += rows.length;
      abort.abort();
    }
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(50_000);
  });
});

describe('the committed sample', () => {
  it('holds three minutes of three instruments, without a gap', async () => {
    const path = join(import.meta.dirname, '../data/binance-sample/binance-spot-2025-03-25.jsonl.gz');
    const { trades, refused } = await readAll({ path });
    expect(refused).toEqual([]);
    const ids = Map.groupBy(trades, (trade) => trade.instrument);
    for (const [instrument, count] of [
      ['BTC-USDT@binance', 6770],
      ['ETH-USDT@binance', 1805],
      ['SOL-USDT@binance', 2457],
    ] as const) {
      const numbers = (ids.get(instrument) ?? []).map((trade) => Number(trade.tradeId));
      expect(numbers.length).toBe(count);
      expect(Math.max(...numbers) - Math.min(...numbers)).toBe(count - 1);
    }
  });
});

const shared = join(import.meta.dirname, '../../shared/data');
const present = existsSync(shared);

describe('real captures beside the checkout', () => {
  if (!present) it.skip('are absent here: ../shared/data does not exist', () => undefined);

  it.runIf(present).each([
    ['btcusdt', 'BTC-USDT@binance', 3_735_683_259, 19_904],
    ['ethusdt', 'ETH-USDT@binance', 1_520_538_925, 14_515],
  ])('of %s hold every trade across midnight', async (symbol, instrument, firstId, count) => {
    const trades: Trade[] = [];
    for (const day of ['20240808', '20240809']) {
      const read = await readAll({ path: join(shared, `binance-spot/spot_${symbol}_${day}.gz`) });
      expect(read.refused).toEqual([]);
      trades.push(...read.trades);
    }
    expect(trades.map((trade) => Number(trade.tradeId))).toEqual(
      Array.from({ length: count }, (_, index) => firstId + index),
    );
    expect(new Set(trades.map((trade) => trade.instrument))).toEqual(new Set([instrument]));
  });

  it.runIf(present)('of Bitstamp hold 100,000 rows, 18 of them with size 0', async () => {
    const { trades, refused } = await readAll({
      path: join(shared, 'sample/bitstamp_BTCUSD_20131125-1201_100k.csv.gz'),
      instrument: 'BTC-USD@bitstamp',
    });
    expect(new Set(trades.map((trade) => trade.tradeId)).size).toBe(trades.length);
    expect(trades.length + refused.length).toBe(100_000);
    expect(refused.map((deadLetter) => deadLetter.reason)).toEqual(Array.from({ length: 18 }, () => 'NOT_POSITIVE'));
  });

  it.runIf(present)('give the same trades as the committed sample, which has only their trade lines', async () => {
    const original = gunzipSync(
      await readFile(join(shared, 'sample/barter_binance_spot_trades_l1_btc_eth_sol_20250325.jsonl.gz')),
    );
    const sample = gunzipSync(
      await readFile(join(import.meta.dirname, '../data/binance-sample/binance-spot-2025-03-25.jsonl.gz')),
    );
    const tradeLines = original
      .toString()
      .split('\n')
      .filter((line) => line.includes('"kind":{"Trade"'));
    expect(sample.toString()).toBe(`${tradeLines.join('\n')}\n`);
  });
});
