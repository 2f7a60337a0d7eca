import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trade } from '../contracts/generated/events.ts';
import type { FileOptions } from './file-rows.adapter.ts';
import { fileTrades } from './fixtures/file-trades.ts';
import { logical, parquetOf, type ParquetColumn } from './fixtures/parquet.ts';
import { parquetTextOf, type ParquetType } from './parquet-text.ts';
import { preview } from './preview.adapter.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-parquet-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function readAll(options: FileOptions): Promise<{ trades: Trade[]; refused: string[] }> {
  const refused: string[] = [];
  const trades: Trade[] = [];
  for await (const trade of fileTrades(options, ({ detail }) => refused.push(detail))) trades.push(trade);
  return { trades, refused };
}

const ROWS = 10_000;
const TARDIS: readonly ParquetColumn[] = [
  {
    name: 'exchange',
    type: 'BYTE_ARRAY',
    logical: logical.string,
    values: Array.from({ length: ROWS }, () => 'deribit'),
  },
  { name: 'symbol', type: 'BYTE_ARRAY', converted: 0, values: Array.from({ length: ROWS }, () => 'BTC-PERPETUAL') },
  {
    name: 'timestamp',
    type: 'INT64',
    logical: logical.timestamp(3, true),
    values: Array.from({ length: ROWS }, (_, index) => 1_735_689_600_000_000_999n + BigInt(index) * 1_000_000n),
  },
  {
    name: 'local_timestamp',
    type: 'INT64',
    values: Array.from({ length: ROWS }, (_, index) => 1_735_689_600_005_000n + BigInt(index) * 1000n),
  },
  { name: 'id', type: 'INT32', values: Array.from({ length: ROWS }, (_, index) => index) },
  {
    name: 'side',
    type: 'BYTE_ARRAY',
    values: Array.from({ length: ROWS }, (_, index) => ['buy', 'sell', null][index % 3] ?? null),
  },
  {
    name: 'price',
    type: 'INT64',
    logical: logical.decimal(9),
    converted: 5,
    scale: 9,
    values: Array.from({ length: ROWS }, () => 93_500_100_000_000_001n),
  },
  { name: 'amount', type: 'DOUBLE', values: Array.from({ length: ROWS }, () => 1e-7) },
];

describe('a Parquet file', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('is read exactly, row group by row group, packed by %s', async (codec) => {
    const path = await fileWith(`tardis-${codec}.parquet`, parquetOf(TARDIS, 3_000, codec));
    const { trades, refused } = await readAll({ path });
    expect(refused).toEqual([]);
    expect(trades.length).toBe(ROWS);
    const { instrument, tradeId, eventTime, price, size, side, receivedAt } = trades[9_999] ?? expect.fail();
    expect([instrument, tradeId, eventTime, price.toString(), size.toString(), side, receivedAt]).toEqual([
      'BTC-PERPETUAL@deribit',
      '9999',
      1_735_689_609_999_000,
      '93500100.000000001',
      '0.0000001',
      'BUY',
      1_735_689_610_004_000,
    ]);
    expect(trades[2]?.side).toBe('UNKNOWN');
    const shown = await preview({ path });
    expect(shown).toMatchObject({ container: 'parquet', format: 'tardis' });
    expect(shown.rows.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('is read by columns that a person names, and one row costs no other', async () => {
    const table: readonly ParquetColumn[] = [
      { name: 'when', type: 'INT64', logical: logical.timestamp(2, false), values: [1_735_689_600_000_001n, null, 1n] },
      { name: 'Px, last', type: 'FLOAT', values: [0.1, 0.2, 0.3] },
      { name: 'taker', type: 'BYTE_ARRAY', values: ['b', 's', 's'] },
      { name: 'flag', type: 'BOOLEAN', values: [true, false, false] },
      { name: 'qty', type: 'INT32', values: [1, 2, 3] },
    ];
    const path = await fileWith('any.parquet', parquetOf(table, 2, 'none'));
    const columns = 'time=when:iso,price=#2,size=qty,side=taker,suspicious=flag';
    const { trades, refused } = await readAll({ path, columns, instrument: 'A-B@c' });
    expect(trades.map(({ price, suspicious }) => [price.toString(), suspicious])).toEqual([['0.1', true]]);
    expect(refused.length).toBe(2);
    await expect(readAll({ path, columns: columns.replace(':iso', ''), instrument: 'A-B@c' })).resolves.toMatchObject({
      trades: [],
    });
    await expect(readAll({ path })).rejects.toThrow('its header is "when,\\"Px, last\\",taker,flag,qty"');
  });

  it.each([
    ['nested', [{ name: 'book', type: 'INT64', children: 1, values: [1n] }, TARDIS[3]], 'its column "book" is nested'],
    ['strange', [{ name: 'box', type: 'FIXED_LEN_BYTE_ARRAY', values: [1n] }], 'its column "box" is of the type FIXED'],
    [
      'bson',
      [{ name: 'json', type: 'BYTE_ARRAY', converted: 20, values: ['x'] }],
      'its column "json" is of the type BSON',
    ],
  ] as const)('with a %s column is refused in a sentence', async (name, columns, sentence) => {
    const table = columns.flatMap((column) => column ?? []) as ParquetColumn[];
    const path = await fileWith(
      `${name}.parquet`,
      parquetOf(
        table.map((column) => ({ ...column, values: column.values.slice(0, 1) })),
        1,
        'none',
      ),
    );
    await expect(readAll({ path })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('that is cut or damaged is refused in a sentence', async () => {
    const whole = parquetOf(TARDIS, ROWS, 'gzip');
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 100, 4_000);
    for (const content of [whole.subarray(0, -10), Buffer.from('PAR1'), damaged]) {
      const path = await fileWith('broken.parquet', content);
      await expect(readAll({ path })).rejects.toThrow('its Parquet data is damaged or truncated');
    }
  });
});

describe('a value of a Parquet column', () => {
  const plain: ParquetType = {
    physical: 'INT64',
    logical: undefined,
    scale: 0,
    secondDigits: 6,
    isInstant: true,
    isUnsigned: false,
  };
  it.each([
    ['null', plain, null, ''],
    ['below 0', plain, -5n, '-5'],
    ['an unsigned whole number', { ...plain, isUnsigned: true }, -1n, '18446744073709551615'],
    ['a short unsigned one', { ...plain, physical: 'INT32', isUnsigned: true }, -1, '4294967295'],
    ['a double', { ...plain, physical: 'DOUBLE' }, 1e-7, '1e-7'],
    ['a float', { ...plain, physical: 'FLOAT' }, Math.fround(93_500.1), '93500.1'],
    ['a float of nine digits', { ...plain, physical: 'FLOAT' }, Math.fround(16_777_217.5), '16777218'],
    ['a decimal', { ...plain, logical: 'DECIMAL', scale: 3 }, -5n, '-0.005'],
    ['a decimal in bytes', { ...plain, logical: 'DECIMAL', scale: 2 }, Buffer.from([0xff, 0x38]), '-2.00'],
    ['a decimal without a fraction', { ...plain, logical: 'DECIMAL' }, 12, '12'],
    ['a stamp before 1970', { ...plain, logical: 'TIMESTAMP' }, -1n, '1969-12-31T23:59:59.999999Z'],
    ['milliseconds', { ...plain, logical: 'TIMESTAMP', secondDigits: 3 }, 1n, '1970-01-01T00:00:00.001Z'],
    [
      'no instant',
      { ...plain, logical: 'TIMESTAMP', secondDigits: 9, isInstant: false },
      1n,
      '1970-01-01T00:00:00.000000001',
    ],
    ['an old stamp', { ...plain, physical: 'INT96' }, 1_000n, '1970-01-01T00:00:00.000001000'],
    ['a date', { ...plain, physical: 'INT32', logical: 'DATE' }, 1, '1970-01-02T00:00:00.000Z'],
    ['a UUID', { ...plain, logical: 'UUID' }, Buffer.alloc(16, 0xab), 'abababab-abab-abab-abab-abababababab'],
  ] as const)('that is %s is written exactly', (_what, type, value, text) => {
    expect(parquetTextOf(type)?.(value)).toBe(text);
  });
});
