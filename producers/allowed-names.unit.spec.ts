import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { absentNames } from './allowed-names.adapter.ts';
import { absenceOf } from './allowed-names.ts';
import { openFile } from './file-rows.adapter.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-names-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** The allowed names that are absent in a file with a row of each given name. */
async function absent(names: readonly string[], allowed?: readonly string[]): Promise<readonly string[]> {
  const path = join(folder, 'trades.csv');
  const rows = names.map((name, index) => `${index},${1_735_689_600_000_000 + index},${name},1.5,2,BUY`);
  await writeFile(path, ['trade_id,event_time_us,instrument,price,size,side', ...rows].join('\n'));
  return (await absentNames(await openFile({ path, allowed }))).map(absenceOf);
}

describe('the instruments requested of a file', () => {
  const names = ['BTC-USDT@binance', 'BRK.B@nyse', '币-USDT@binance'];

  it('may all be there, in any written form that has one meaning', async () => {
    expect(await absent(names)).toEqual([]);
    expect(await absent(names, ['BRK.B@nyse', ' 币-USDT@binance'])).toEqual([]);
    expect(await absent(names, ['~E5~B8~81-USDT@binance'])).toEqual([]);
  });

  it('are reported if absent, with the probable meaning', async () => {
    expect(await absent(names, ['BTC-USDT@binance', 'BRK-B@nyse', 'XAU-EUR@elsewhere'])).toEqual([
      'no row is of BRK-B@nyse (did you mean BRK.B@nyse?)',
      'no row is of XAU-EUR@elsewhere',
    ]);
  });

  it('are refused where all rows would be', async () => {
    await expect(absent(names, ['BTC-USTD@binance'])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('no row is of BTC-USTD@binance (did you mean BTC-USDT@binance?).') as string,
    });
  });

  it('are not missed where there are no rows', async () => {
    expect(await absent([], ['BTC-USDT@binance'])).toEqual(['no row is of BTC-USDT@binance']);
  });
});
