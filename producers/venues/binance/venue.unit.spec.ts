import { describe, expect, it } from 'vitest';
import { isRefusedTrade, isTrades, isUnreadable } from '../../venue.ts';
import { binance } from './venue.ts';

const RECEIVED_AT = 1_790_000_000_000_000;
const row = { id: 7, price: '1.10', qty: '2', time: 1_723_161_255_342, isBuyerMaker: false };

describe('binance', () => {
  it.each([
    ['BTCUSDT', 'BTC-USDT@binance'],
    ['1000PEPEUSDT', '1000PEPE-USDT@binance'],
    ['币安人生USDT', '~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9F-USDT@binance'],
    ['BTCUSDT_250328', 'BTCUSDT_250328@binance'],
    ['SOLXYZ', 'SOLXYZ@binance'],
    ['USDT', 'USDT@binance'],
  ])('names %s as %s, and knows it by that', (symbol, instrument) => {
    expect(binance.instrumentOf(symbol)).toBe(instrument);
    expect(binance.symbolOf(instrument)).toBe(symbol);
  });

  it.each(['', 'BTC-250328-100000-C', '\ud800USDT', 'A'.repeat(121)])('has no name for %j', (symbol) => {
    expect(binance.instrumentOf(symbol)).toBeUndefined();
  });

  it('has no symbol for a name that its trades never have', () => {
    expect(binance.symbolOf('BTCUSDT@binance')).toBeUndefined();
    expect(binance.symbolOf('BTC-USTD@binance')).toBeUndefined();
    expect(binance.symbolOf('BTC--USDT@binance')).toBeUndefined();
    expect(binance.symbolOf('btcusdt')).toBeUndefined();
    expect(binance.symbolOf('BTC-USDT@kraken')).toBeUndefined();
  });

  it('requests a symbol in any alphabet', () => {
    expect(binance.stream.url('wss://here', ['币USDT'])).toBe('wss://here/stream?streams=%E5%B8%81usdt@trade');
    expect(binance.history.newest('币USDT', 1).path).toBe('/api/v3/trades?symbol=%E5%B8%81USDT&limit=1');
    expect(binance.history.from('币USDT', { firstTradeId: 1, afterTimeUs: null }, 1)?.path).toContain(
      '=%E5%B8%81USDT&',
    );
  });

  it('connects to the combined stream of all symbols, in lower case', () => {
    expect(binance.stream.url('wss://here', ['BTCUSDT', 'ETHUSDT'])).toBe(
      'wss://here/stream?streams=btcusdt@trade/ethusdt@trade',
    );
  });

  it('requests the newest trades, and those from an id on', () => {
    expect(binance.history.newest('BTCUSDT', 1).path).toBe('/api/v3/trades?symbol=BTCUSDT&limit=1');
    expect(binance.history.from('BTCUSDT', { firstTradeId: 42, afterTimeUs: null }, 1_000)?.path).toBe(
      '/api/v3/historicalTrades?symbol=BTCUSDT&fromId=42&limit=1000',
    );
  });

  it('keeps a refused trade of a page with its id, in its place', () => {
    const text = JSON.stringify([row, { ...row, id: 8, price: '0.1234567890123' }, { ...row, id: 9 }]);
    const page = binance.history.parsePage(text, 'BTCUSDT', RECEIVED_AT);
    if (!isTrades(page)) expect.fail(page.detail);
    expect(page.map((item) => [item.tradeId, isRefusedTrade(item) ? item.refusal.reason : 'trade'])).toEqual([
      ['7', 'trade'],
      ['8', 'PRECISION'],
      ['9', 'trade'],
    ]);
  });

  it.each([
    ['a price that is a number', { p: 61_837.63 }, 'MALFORMED', '5'],
    ['a size of 0', { q: '0.00' }, 'NOT_POSITIVE', '5'],
    ['a price of 0', { p: '0.00' }, 'NOT_POSITIVE', '5'],
    ['a price below 0', { p: '-1.5' }, 'NOT_POSITIVE', '5'],
    ['an id that is not a whole number', { t: 5.5 }, 'MALFORMED', undefined],
    ['a side that is unknown', { m: null }, 'SIDE_UNKNOWN', '5'],
    ['a time in the wrong unit', { T: 1_723_161_255 }, 'TIME_OUT_OF_BOUNDS', '5'],
  ])('refuses a frame with %s', (_, change, reason, tradeId) => {
    const data = { s: 'BTCUSDT', t: 5, p: '1.5', q: '2', T: 1_723_161_255_342, m: true, ...change };
    const text = JSON.stringify({ stream: 'btcusdt@trade', data });
    const parsed = binance.stream.parseFrame(text, RECEIVED_AT);
    expect(parsed).toMatchObject([{ refusal: { reason }, tradeId, text, instrument: 'BTC-USDT@binance' }]);
  });

  it('cannot read a frame of a trade stream without its data', () => {
    expect(isUnreadable(binance.stream.parseFrame('{"stream":"btcusdt@trade","data":null}', RECEIVED_AT))).toBe(true);
  });
});
