import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binanceInstrument, binanceSymbol } from './binance-trade.ts';

describe('the name of a Binance symbol', () => {
  it.each([
    ['BTCUSDT', 'BTC-USDT@binance'],
    ['SOLXYZ', 'SOLXYZ@binance'],
    ['USDT', 'USDT@binance'],
    ['BTCUSDT_250328', 'BTCUSDT_250328@binance'],
    ['BTC-250328-100000-C', 'BTC-250328-100000-C@binance'],
    ['BTC-USDT', 'BTC--USDT@binance'],
    ['币安人生USDT', '~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9F-USDT@binance'],
    ['__proto__USDT', '__~70~72~6F~74~6F__-USDT@binance'],
  ])('%s is %s, and leads back', (symbol, instrument) => {
    expect(binanceInstrument(symbol)).toBe(instrument);
    expect(binanceSymbol(instrument)).toBe(symbol);
  });

  it('leads back to every symbol that has one, so no two are named alike', () => {
    const ends = fc.constantFrom('', '-', 'USDT', '-USDT', 'BTC', 'BTC-');
    const symbols = fc.tuple(fc.string({ unit: 'binary', maxLength: 4 }), ends, ends).map((parts) => parts.join(''));
    fc.assert(
      fc.property(symbols, (symbol) => {
        const instrument = binanceInstrument(symbol);
        expect(instrument === undefined).toBe(symbol === '');
        if (instrument !== undefined) expect(binanceSymbol(instrument)).toBe(symbol);
      }),
    );
  });

  it.each(['BTCUSDT@binance', 'BTC-USDT@kraken', 'btc-usdt@binance', 'BTC-USDT'])('%s names none', (instrument) => {
    expect(binanceSymbol(instrument)).toBeUndefined();
  });
});
