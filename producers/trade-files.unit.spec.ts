import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trade } from '../contracts/generated/events.ts';
import { COLUMN_KEYS } from './columns.ts';
import type { FileOptions } from './file-rows.adapter.ts';
import { fileTrades } from './fixtures/file-trades.ts';
import { preview } from './preview.adapter.ts';
import { FILE_SOURCE_NAMES, fileSourceNamed } from './catalogue.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-trade-files-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(content: string): Promise<string> {
  const path = join(folder, 'trades.csv');
  await writeFile(path, content);
  return path;
}

async function readAll(options: FileOptions): Promise<{ trades: Trade[]; refused: string[] }> {
  const refused: string[] = [];
  const trades: Trade[] = [];
  for await (const trade of fileTrades(options, ({ detail }) => refused.push(detail))) trades.push(trade);
  return { trades, refused };
}

describe('docs/trade-files.md', () => {
  const document = readFileSync(join(import.meta.dirname, '../docs/trade-files.md'), 'utf8');
  const section = (title: string): string => document.split('\n## ').find((text) => text.startsWith(title)) ?? '';
  const rowsOf = (title: string): string[] =>
    section(title)
      .split('\n')
      .filter((line) => line.startsWith('| `'));

  it('lists every format, in the order of the catalogue, and no other', () => {
    const rows = rowsOf('Formats');
    expect(rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1])).toEqual(FILE_SOURCE_NAMES);
    for (const row of rows) {
      const [, name = '', columns = ''] = /^\| `([^`]+)` \| `?([^`|]*)/.exec(row) ?? [];
      const known = fileSourceNamed(name)?.columns ?? [];
      const documented = columns.includes(',') ? columns.split(',').filter((column) => column !== '…') : [];
      if (known.length > 0) expect(documented.filter((column) => !known.includes(column))).toEqual([]);
    }
  });

  it('lists every key of --columns, and no other', () => {
    const keys = rowsOf('Any other table').flatMap((row) => (row.split('|')[1] ?? '').match(/\w+/g) ?? []);
    expect(keys).toEqual(COLUMN_KEYS);
  });
});

describe('a file of trades', () => {
  const header = 'trade_id,event_time_us,instrument,price,size,side';
  const row = (id: number): string => `${id},173568960000000${id},A-B@c,1.5,2,BUY`;

  it('may begin with addresses, comments, empty lines and a byte order mark', async () => {
    for (const begin of [
      'https://www.CryptoDataDownload.com\r\n',
      '\uFEFF# a remark\n\n# another\n',
      '\n\n',
      '"www.x.com"\n',
    ]) {
      const { trades, refused } = await readAll({ path: await fileWith(`${begin}${header}\n${row(1)}\n\n${row(2)}`) });
      expect([trades.map(({ tradeId }) => tradeId), refused]).toEqual([['1', '2'], []]);
    }
  });

  it('may have another delimiter, detected or given', async () => {
    for (const [mark, delimiter] of [
      ['\t', undefined],
      ['|', undefined],
      [';', undefined],
      ['\t', 'tab'],
      ['^', '^'],
    ] as const) {
      const path = await fileWith([header, row(1)].join('\n').replaceAll(',', mark));
      expect((await readAll({ path, delimiter })).trades.length).toBe(1);
    }
    const path = await fileWith(`${header}\n`);
    await expect(readAll({ path, delimiter: 'ab' })).rejects.toThrow(
      '"ab" is not a valid delimiter: give one character',
    );
  });

  it('in an unknown format is refused with its header', async () => {
    const path = await fileWith('when,px,qty\n1735689600,1,2\n');
    await expect(readAll({ path })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('its header is "when,px,qty"; ') as string,
    });
    await expect(readAll({ path, columns: 'time=when,price=p,size=qty' })).rejects.toThrow(
      'there is no column "p" for the price: the first line is "when,px,qty"',
    );
    await expect(readAll({ path, columns: 'time=when' })).rejects.toThrow('price and size must have a column');
    await expect(readAll({ path, columns: 'time=when', format: 'kraken' })).rejects.toThrow('not both');
    await expect(readAll({ path, columns: 'time=when,price=px,size=qty' })).rejects.toThrow(
      'give it, such as --instrument',
    );
    const { trades } = await readAll({ path, columns: 'time=when,price=px,size=qty', instrument: 'A-B@c' });
    expect(trades.map(({ instrument, receivedAt }) => [instrument, receivedAt])).toEqual([['A-B@c', 0]]);
  });

  it('that names symbols accepts a venue alone, and another does not', async () => {
    const lines = 'unix,date,symbol,side,price,amount\n1735689600,2025-01-01 00:00:00,BTC/USD,buy,1,2\n';
    const path = await fileWith(lines);
    await expect(readAll({ path })).rejects.toThrow('name a symbol without its venue: give it, such as --instrument');
    expect((await readAll({ path, instrument: '@gemini' })).trades[0]?.instrument).toBe('BTC-USD@gemini');
    const bare = await fileWith('1735689600,93500.1,0.01\n');
    await expect(readAll({ path: bare, instrument: '@kraken' })).rejects.toThrow(
      'The instrument "@kraken" has no symbol before the @',
    );
  });

  it('that grew gives the same ids again, and those of its new rows', async () => {
    const monday = ['1735700000,1,2', '1735700000,1,2', '1735700003,1,2'];
    const idsIn = async (rows: readonly string[]): Promise<string[]> => {
      const path = await fileWith(`timestamp,price,amount\n${rows.join('\n')}\n`);
      return (await readAll({ path, instrument: 'A-B@c' })).trades.map(({ tradeId }) => tradeId);
    };
    const first = await idsIn(monday);
    const both = await idsIn([...monday, '1735700003,1,2', '1735700009,1,2']);
    expect(both.slice(0, 3)).toEqual(first);
    expect(new Set(both).size).toBe(5);
  });
});

describe('a preview', () => {
  it('shows the first ten rows as understood', async () => {
    const rows = Array.from({ length: 20 }, (_, index) => `${index % 2 === 0 ? '' : 'x'}173568960000${index % 10};1;2`);
    const path = await fileWith(`T;P;Q\n${rows.join('\n')}\n`);
    const shown = await preview({ path, columns: 'time=t:ms,price=p,size=q', instrument: 'A-B@c' });
    expect(shown).toMatchObject({
      container: 'plain',
      format: 'columns',
      delimiter: ';',
      header: 'T;P;Q',
      times: 'milliseconds',
    });
    expect(shown.rows.length).toBe(10);
    expect(shown.rows[0]).toMatchObject({ line: 2, raw: '1735689600000;1;2', refusal: null });
    expect(shown.rows[0]?.trade?.eventTime).toBe(1_735_689_600_000_000);
    expect(shown.rows[1]).toMatchObject({ line: 3, trade: null, refusal: { reason: 'MALFORMED' } });
  });
});

const cases = join(import.meta.dirname, '../../shared/cases');
const present = existsSync(cases);

describe('cases from the field beside the checkout', () => {
  if (!present) it.skip('are absent here: ../shared/cases does not exist', () => undefined);
  const read = (name: string, instrument?: string) => readAll({ path: join(cases, name), instrument });
  const binance = 'BTC-USDT@binance';

  it.runIf(present)('of Binance give the same trades in both eras and packed, aggregates named as such', async () => {
    const ms = await read('03-binance-trades-ms-noheader.csv', binance);
    const content = ({ trades }: typeof ms) => trades.map(({ source: _source, ...trade }) => trade);
    expect([ms.trades.length, ms.refused]).toEqual([50, []]);
    for (const name of ['03-binance-trades-us-noheader.csv', '03-BTCUSDT-trades-2025-01-01.zip']) {
      expect(content(await read(name, binance))).toEqual(content(ms));
    }
    const { trades } = await read('03-binance-aggTrades.csv', binance);
    expect(trades.every(({ tradeId, conditions }) => tradeId.startsWith('agg-') && conditions[0] === 'AGGREGATE')).toBe(
      true,
    );
    expect((await read('03-binance-um-trades-header.csv', binance)).trades.length).toBe(50);
  });

  it.runIf(present)('of Kraken are never of another instrument', async () => {
    for (const name of ['04-kraken-noheader.csv', '04-kraken-header-added.csv']) {
      await expect(read(name)).rejects.toThrow('--instrument');
      const { trades } = await read(name, 'XBT-USD@kraken');
      expect(new Set(trades.map(({ instrument }) => instrument))).toEqual(new Set(['XBT-USD@kraken']));
    }
  });

  it.runIf(present).each([
    ['06-bitmex.csv', 50],
    ['07-tardis.csv', 50],
    ['08-lower-side.csv', 20],
    ['08-float-time.csv', 20],
    ['09-negative-price.csv', 10],
    ['16-spaces.csv', 30],
    ['16-trailing-comma.csv', 30],
  ])('%s is read whole', async (name, count) => {
    const { trades, refused } = await read(name);
    expect([trades.length, refused]).toEqual([count, []]);
  });

  it.runIf(present)('of a dump that grew are 100 trades in all', async () => {
    const ids = new Set<string>();
    for (const name of ['32-dump-monday.csv', '32-dump-tuesday.csv']) {
      for (const { tradeId, eventTime } of (await read(name, binance)).trades) ids.add(`${tradeId} ${eventTime}`);
    }
    expect(ids.size).toBe(100);
  });
});
