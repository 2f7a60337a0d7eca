import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { openFile } from '../file-rows.adapter.ts';
import { zipOf } from '../fixtures/zip.ts';
import { isRefusal, type ParsedLine } from '../source.ts';
import { LEAN_CONDITIONS, LEAN_SET_ASIDE } from './lean-conditions.ts';
import { lean } from './lean.ts';

const NAME = '20131008_ibm_Trade_Tick.csv';
const ROW = '34200023,1791500,100,P,20,0';
const CONTEXT = { source: 'file:0123456789abcdef', instrument: '@xnys' };
/** Midnight in New York, four hours behind UTC in October. */
const MIDNIGHT_US = Date.UTC(2013, 9, 8, 4) * 1_000;

function openNamed(fileName: string | undefined, lines: readonly string[] = [ROW]) {
  return lean.open({ lines, delimiter: undefined, instrument: undefined, fileName, isNamed: false });
}

function parsed(row: string, { fileName = NAME, instrument = '@xnys' } = {}): ParsedLine {
  const parser = openNamed(fileName) ?? expect.fail(`${fileName} is not LEAN's`);
  return parser.parseLine(row, { ...CONTEXT, instrument });
}

describe('a file of LEAN', () => {
  it('has exact prices, and times of its day in New York', () => {
    expect(parsed(ROW)).toEqual({
      ...{ venue: 'xnys', instrument: 'IBM@xnys', tradeId: '', eventTime: MIDNIGHT_US + 34_200_023_000 },
      ...{ price: Decimal.of('179.15'), size: Decimal.of('100'), side: 'UNKNOWN', receivedAt: 0 },
      ...{ source: CONTEXT.source, suspicious: false, conditions: ['IntermarketSweep'] },
    });
  });

  it.each([
    ['20130108_ibm_Trade_Tick.csv', Date.UTC(2013, 0, 8, 5) * 1_000],
    ['equity/usa/tick/IBM/20130709_ibm_trade_tick.csv', Date.UTC(2013, 6, 9, 4) * 1_000],
  ])('named %s begins at its midnight', (fileName, midnightUs) => {
    expect(parsed(ROW, { fileName })).toMatchObject({ eventTime: midnightUs + 34_200_023_000 });
  });

  it('names its stock, for the venue given or as the instrument given', () => {
    const fileName = '20131008_brk.b_Trade_Tick.csv';
    expect(parsed(ROW, { fileName })).toMatchObject({ instrument: 'BRK.B@xnys' });
    expect(parsed(ROW, { fileName, instrument: 'BRKB@nyse' })).toMatchObject({ instrument: 'BRKB@nyse' });
  });

  it.each([
    ['1', ['Regular'], false],
    ['20000020', ['IntermarketSweep', 'TradeThroughExempt'], false],
    ['2000', ['ExtendedHours'], false],
    ['20100200', ['DerivativelyPriced', 'AveragePrice', 'TradeThroughExempt'], true],
    ['4800', ['Sold', 'OutOfSequence'], true],
    ['800', ['Sold'], false],
    ['1000000', ['OfficialClose'], true],
    ['80000000', ['OddLot'], false],
    ['ffffffff', [...LEAN_CONDITIONS], true],
    ['0', [], false],
    ['', [], false],
  ])('has the conditions of the mask %s', (mask, conditions, suspicious) => {
    expect(parsed(`34200023,1791500,100,P,${mask},0`)).toMatchObject({ conditions, suspicious });
    expect(parsed(`34200023,1791500,100,P,${mask},1`)).toMatchObject({ conditions, suspicious: true });
  });

  it('has a name for each bit, and sets aside only such', () => {
    expect([LEAN_CONDITIONS.length, new Set(LEAN_CONDITIONS).size]).toEqual([32, 32]);
    for (const name of LEAN_SET_ASIDE) expect(LEAN_CONDITIONS).toContain(name);
  });

  it.each([
    ['86400000,1791500,100,P,20,0', 'milliseconds since midnight'],
    ['-1,1791500,100,P,20,0', 'milliseconds since midnight'],
    ['34200023,179.15,100,P,20,0', 'whole number of 1/10000 dollar'],
    ['34200023,,100,P,20,0', 'whole number of 1/10000 dollar'],
    ['34200023,1791500,0,P,20,0', 'the size is 0'],
    ['34200023,1791500,100,P,200000000,0', 'hexadecimal mask'],
    ['34200023,1791500,100,P,xyz,0', 'hexadecimal mask'],
    ['34200023,1791500,100,P,20,2', 'neither 0 nor 1'],
    ['34200023,1791500,100,P,20', '5 columns, not 6'],
  ])('refuses the row %s', (row, words) => {
    const trade = parsed(row);
    if (trade === 'not-a-trade' || !isRefusal(trade)) expect.fail(JSON.stringify(trade));
    expect(trade.detail).toContain(words);
  });

  it.each([
    undefined,
    '',
    'trades.csv',
    '20131008_ibm_Quote_Tick.csv',
    '20130229_ibm_Trade_Tick.csv',
    '20131308_ibm_Trade_Tick.csv',
    '20131008_toolongname_Trade_Tick.csv',
    '20131008_ibm_Trade_Tick.csv.bak',
  ])('is not one that is named %s', (fileName) => {
    expect(openNamed(fileName)).toBeUndefined();
  });

  it('is not one of other rows', () => {
    expect(openNamed(NAME, ['time,price,size'])).toBeUndefined();
    expect(openNamed(NAME, ['1,2,3,4,5'])).toBeUndefined();
  });
});

describe('the name of a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-lean-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function openedAs(name: string, content: string | Buffer, options: object = { instrument: '@xnys' }) {
    const path = join(folder, name);
    await writeFile(path, content);
    return openFile({ path, ...options });
  }

  it('is that within the zip, and its own where it is not packed', async () => {
    const zipped = await openedAs('20131008_trade.zip', zipOf(NAME, `${ROW}\n`));
    const plain = await openedAs(NAME, `${ROW}\n`);
    expect([zipped.reading.format, plain.reading.format]).toEqual([lean, lean]);
    expect(plain.sha256).toBe(zipped.sha256);
  });

  it('is asked for, where the format is named', async () => {
    const opening = openedAs('ticks.csv', `${ROW}\n`, { format: 'lean', instrument: '@xnys' });
    await expect(opening).rejects.toThrow(
      'is not lean: its name must be like 20131008_ibm_Trade_Tick.csv, not "ticks.csv", and its lines like "34200023,1791500,100,P,20,0"',
    );
  });

  it('does not replace the venue', async () => {
    await expect(openedAs(NAME, `${ROW}\n`, {})).rejects.toThrow('name a symbol without its venue');
  });
});
