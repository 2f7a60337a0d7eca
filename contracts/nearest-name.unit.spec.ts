import { describe, expect, it } from 'vitest';
import { nearestOf } from './nearest-name.ts';

const KNOWN = ['BTC-USDT@binance', 'BTC-USD@bitstamp', 'BRK.B@nyse', '~E5~B8~81-USDT@binance'];

describe('the nearest name', () => {
  it.each([
    ['BTC-USTD@binance', 'BTC-USDT@binance'],
    ['BCT-USDT@binance', 'BTC-USDT@binance'],
    ['btc-usd@bitstmp', 'BTC-USD@bitstamp'],
    ['BRK-B@nyse', 'BRK.B@nyse'],
    ['~E5~B8~82-USDT@binance', '~E5~B8~81-USDT@binance'],
    ['XAUEUR@elsewhere', undefined],
    ['', undefined],
  ])('to %j is %s', (name, nearest) => {
    expect(nearestOf(name, KNOWN)).toBe(nearest);
  });

  it('counts letters that changed places as one difference', () => {
    expect(nearestOf('USTD', ['USXX', 'USDT', 'USD'])).toBe('USDT');
  });
});
