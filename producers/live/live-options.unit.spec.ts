import { describe, expect, it } from 'vitest';
import { planOf } from './live-options.ts';

function symbolsOf(...instruments: string[]): Record<string, string> {
  const { symbols } = planOf({
    venue: 'binance',
    instruments,
    transport: 'stream',
  });
  return Object.fromEntries(symbols);
}

describe('the instruments of a live ingest', () => {
  it('are named with or without the venue, in any alphabet', () => {
    expect(symbolsOf('BTC-USDT', ' ETH-USDT@binance', '币安人生-USDT', '~E5~B8~81-USDT', '1000PEPE-USDT')).toEqual({
      'BTC-USDT@binance': 'BTCUSDT',
      'ETH-USDT@binance': 'ETHUSDT',
      '~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9F-USDT@binance': '币安人生USDT',
      '~E5~B8~81-USDT@binance': '币USDT',
      '1000PEPE-USDT@binance': '1000PEPEUSDT',
    });
  });

  it.each([
    ['BTC/USDT', 'The instrument "BTC/USDT@binance" has "/" in its symbol: write BTC-USDT@binance, or'],
    ['btc-usdt', 'has lower case in its symbol: write BTC-USDT@binance, or'],
    ['BTC-USDT@Binance', 'must have its venue in lower case: write BTC-USDT@binance.'],
    ['', 'The instrument "" is empty: write symbol and venue, like BTC-USDT@binance.'],
    ['BTC-USDT@kraken', 'BTC-USDT@kraken is not traded at the venue binance.'],
    ['BTCUSDT', 'has no symbol for BTCUSDT@binance: did you mean BTC-USDT@binance?'],
    ['BTC_USDT', 'has no symbol for BTC_USDT@binance: did you mean BTC-USDT@binance?'],
    ['BTC-USTD', 'has no symbol for BTC-USTD@binance: did you mean BTC-USDT@binance?'],
    ['币安人生USDT', 'did you mean ~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9F-USDT@binance?'],
    ['A-ZZZZZZ', 'has no symbol for A-ZZZZZZ@binance: did you mean AZZZZZZ@binance?'],
  ])('%j is refused: %s', (name, sentence) => {
    expect(() => symbolsOf(name)).toThrow(sentence);
  });
});
