import { describe, expect, it } from 'vitest';
import { isRefusal } from '../source.ts';
import { canonicalCsv } from './canonical-csv.ts';

const context = { source: 'file:feedfacecafebeef', instrument: '' };
const HEADER = 'trade_id,event_time_us,instrument,price,size,side';

/** The instrument of a row with this name, or why it is refused. */
function named(name: string): string {
  const row = `1,1735689600000000,${name},100.5,1,BUY`;
  const head = { lines: [HEADER, row], delimiter: undefined, isNamed: true, instrument: undefined };
  const parsed = canonicalCsv.open(head)?.parseLine(row, context) ?? 'not-a-trade';
  if (parsed === 'not-a-trade') expect.fail(parsed);
  return isRefusal(parsed) ? `${parsed.reason}: ${parsed.detail}` : parsed.instrument;
}

describe('canonical CSV with names as venues write them', () => {
  it.each([
    'BRK.B@nyse',
    'BTC-USDT-SWAP@okx',
    'BTC-28MAR25-100000-C@deribit',
    'BTCUSDT_250328@binance',
    'ES.V.0@cme',
    '1000PEPE-USDT@binance',
    'XBT-USD@bitmex',
    'BTC-PERPETUAL@deribit',
    'USD_JPY@oanda',
    'M2K-202503@cme',
  ])('accepts %s unchanged', (name) => {
    expect(named(name)).toBe(name);
  });

  it('accepts letters of any alphabet, escaped', () => {
    expect(named('币安人生USDT@binance')).toBe('~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9FUSDT@binance');
  });

  it.each([
    ['BTC/USDT@binance', 'write BTC-USDT@binance, or BTC~2FUSDT@binance'],
    ['BTC:USDT@binance', 'write BTC-USDT@binance, or BTC~3AUSDT@binance'],
    ['BTC USDT@binance', 'write BTC-USDT@binance, or BTC~20USDT@binance'],
    ['btc-usdt@binance', 'write BTC-USDT@binance, or ~62~74~63-~75~73~64~74@binance'],
    ['1INCH-USDT@Binance', 'write 1INCH-USDT@binance'],
    ['BTC-USDT', 'write BTC-USDT@ and the venue, like BTC-USDT@binance'],
  ])('refuses %s with the form to use', (name, form) => {
    expect(named(name)).toMatch(/^INSTRUMENT_MALFORMED: the instrument "/);
    expect(named(name)).toContain(form);
  });
});
