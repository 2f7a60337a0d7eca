import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Trade } from '../../contracts/generated/events.ts';
import { isRefusal, type FileContext, type FileSource, type LineParser } from '../source.ts';
import { barterJsonl } from './barter-jsonl.ts';
import { binanceCapture } from './binance-capture.ts';
import { bitstampCsv } from './bitstamp-csv.ts';
import { canonicalCsv } from './canonical-csv.ts';

const context: FileContext = { source: 'file:feedfacecafebeef', instrument: 'BTC-USD@bitstamp' };

function parserOf(source: FileSource): LineParser {
  const parser = source.open({ lines: source.example, delimiter: undefined, instrument: undefined, isNamed: true });
  return parser ?? expect.fail(`${source.name} does not open its example`);
}

function tradeIn(source: FileSource, line: string): Trade {
  const parsed = parserOf(source).parseLine(line, context);
  if (parsed === 'not-a-trade' || isRefusal(parsed)) expect.fail(JSON.stringify(parsed));
  return parsed;
}

function reasonIn(source: FileSource, line: string): string {
  const parsed = parserOf(source).parseLine(line, context);
  if (parsed === 'not-a-trade') return parsed;
  if (!isRefusal(parsed)) expect.fail(`${line} was read as a trade`);
  expect(parsed.detail).not.toBe('');
  return parsed.reason;
}

describe('canonical CSV', () => {
  it('reads every column', () => {
    expect(
      tradeIn(canonicalCsv, 'a-1,1385337600000001,BTC-USDT@binance,0.000000000001,999999999999999.5,UNKNOWN'),
    ).toStrictEqual({
      venue: 'binance',
      instrument: 'BTC-USDT@binance',
      tradeId: 'a-1',
      eventTime: 1_385_337_600_000_001,
      price: Decimal.of('0.000000000001'),
      size: Decimal.of('999999999999999.5'),
      side: 'UNKNOWN',
      receivedAt: 0,
      source: 'file:feedfacecafebeef',
      suspicious: false,
      conditions: [],
    });
  });

  it('reads quoted fields, also with a comma inside', () => {
    expect(tradeIn(canonicalCsv, '"a,""1""","1385337600000001","BTC-USDT@binance","1","2","BUY"').tradeId).toBe(
      'a,"1"',
    );
  });

  it.each([
    ['any case', 'a,1385337600000001,BTC-USDT@binance,1,2,buy'],
    ['a stamp with a point', 'a,1385337600000001.0,BTC-USDT@binance,1,2,BUY'],
    ['finer than a microsecond', 'a,1385337600000001.9,BTC-USDT@binance,1,2,BUY'],
    ['scientific notation', 'a,1385337600000001,BTC-USDT@binance,1e0,.2E1,BUY'],
    ['spaces', ' a, 1385337600000001 ,BTC-USDT@binance, 1,\t2 ,BUY '],
    ['one empty column more', 'a,1385337600000001,BTC-USDT@binance,1,2,BUY,'],
    ['quotes', '"a", "1385337600000001","BTC-USDT@binance","+1.",2.000,"Buy"'],
  ])('reads %s', (_what, line) => {
    const { tradeId, eventTime, price, size, side } = tradeIn(canonicalCsv, line);
    expect([tradeId, eventTime, price.toString(), size.toString(), side]).toEqual([
      'a',
      1_385_337_600_000_001,
      '1',
      '2',
      'BUY',
    ]);
  });

  it('lets prices of 0 and below pass', () => {
    expect(tradeIn(canonicalCsv, 'a,1385337600000001,CL@cme,-37.63,1,SELL').price.toString()).toBe('-37.63');
    expect(tradeIn(canonicalCsv, 'a,1385337600000001,CL@cme,0,1,SELL').price.toString()).toBe('0');
  });

  it.each([
    ['MALFORMED', 'a,1385337600000001,BTC-USDT@binance,1,2'],
    ['MALFORMED', 'a,1385337600000001,BTC-USDT@binance,1,2,BUY,,'],
    ['MALFORMED', 'a,1385337600000001,BTC-USDT@binance,1,2,BUY,x'],
    ['NOT_A_NUMBER', 'a,1385337600000001,BTC-USDT@binance,"1,5",2,BUY'],
    ['NOT_A_NUMBER', "a,1385337600000001,BTC-USDT@binance,1'000,2,BUY"],
    ['MALFORMED', '"a,1385337600000001,BTC-USDT@binance,1,2,BUY'],
    ['MALFORMED', 'a"b,1385337600000001,BTC-USDT@binance,1,2,BUY'],
    ['MALFORMED', 'a,yesterday,BTC-USDT@binance,1,2,BUY'],
    ['MALFORMED', 'a,-1385337600000001,BTC-USDT@binance,1,2,BUY'],
    ['TIME_OUT_OF_BOUNDS', 'a,1385337600000,BTC-USDT@binance,1,2,BUY'],
    ['NOT_A_NUMBER', 'a,1385337600000001,BTC-USDT@binance,,2,BUY'],
    ['NOT_A_NUMBER', 'a,1385337600000001,BTC-USDT@binance,NaN,2,BUY'],
    ['NOT_A_NUMBER', 'a,1385337600000001,BTC-USDT@binance,1,Infinity,BUY'],
    ['NOT_POSITIVE', 'a,1385337600000001,BTC-USDT@binance,1,-2,BUY'],
    ['OUT_OF_BOUNDS', 'a,1385337600000001,BTC-USDT@binance,1000000000000000,2,BUY'],
    ['PRECISION', 'a,1385337600000001,BTC-USDT@binance,1.0000000000001,2,BUY'],
    ['INSTRUMENT_MALFORMED', 'a,1385337600000001,__proto__,1,2,BUY'],
    ['INSTRUMENT_MALFORMED', 'a,1385337600000001,BTC-USDT,1,2,BUY'],
    ['TRADE_ID_MALFORMED', 'a\u0000,1385337600000001,BTC-USDT@binance,1,2,BUY'],
  ])('refuses as %s: %s', (reason, line) => {
    expect(reasonIn(canonicalCsv, line)).toBe(reason);
  });
});

describe('Bitstamp CSV', () => {
  it('leaves the id to be derived and the side unknown', () => {
    expect(tradeIn(bitstampCsv, '1385337613,800.050000000000,0.278380490000')).toStrictEqual({
      venue: 'bitstamp',
      instrument: 'BTC-USD@bitstamp',
      tradeId: '',
      eventTime: 1_385_337_613_000_000,
      price: Decimal.of('800.05'),
      size: Decimal.of('0.27838049'),
      side: 'UNKNOWN',
      receivedAt: 0,
      source: 'file:feedfacecafebeef',
      suspicious: false,
      conditions: [],
    });
  });

  it.each([
    ['MALFORMED', '1385337613,800.05'],
    ['MALFORMED', '13853376135,800.05,1'],
    ['MALFORMED', '138533761300,800.05,1'],
    ['NOT_A_NUMBER', '1385337613,1_000,1'],
    ['NOT_POSITIVE', '1385337613,800.05,0.000000000000'],
  ])('refuses as %s: %s', (reason, line) => {
    expect(reasonIn(bitstampCsv, line)).toBe(reason);
  });
});

describe('Binance capture', () => {
  const trade = (changes: Record<string, unknown>, received = '1700000000123456789'): string =>
    `${received} ${JSON.stringify({ stream: 'solusdc@trade', data: { e: 'trade', E: 1, s: 'SOLUSDC', t: 42, p: '55.10', q: '0.5', T: 1_700_000_000_120, m: false, M: true, ...changes } })}`;

  it('reads a trade: the maker buys, so the taker sells', () => {
    expect(tradeIn(binanceCapture, trade({ m: true }))).toStrictEqual({
      venue: 'binance',
      instrument: 'SOL-USDC@binance',
      tradeId: '42',
      eventTime: 1_700_000_000_120_000,
      price: Decimal.of('55.1'),
      size: Decimal.of('0.5'),
      side: 'SELL',
      receivedAt: 1_700_000_000_123_456,
      source: 'file:feedfacecafebeef',
      suspicious: false,
      conditions: [],
    });
    expect(tradeIn(binanceCapture, trade({ m: false })).side).toBe('BUY');
  });

  it.each([
    ['not-a-trade', '1700000000123456789 {"stream":"solusdc@bookTicker","data":{"s":"SOLUSDC"}}'],
    ['not-a-trade', '1700000000123456789 {"lastUpdateId":1,"bids":[],"asks":[]}'],
    ['not-a-trade', '1700000000123456789 {"result":null,"id":1}'],
    ['MALFORMED', '1700000000123456789 {"stream":"solusdc@trade","data":{"e":"tra'],
    ['MALFORMED', '1700000000123456789 {"stream":"solusdc@trade"}'],
    ['MALFORMED', '{"stream":"solusdc@trade","data":{}}'],
    ['MALFORMED', '1700000000123 {"stream":"solusdc@trade","data":{}}'],
    ['MALFORMED', trade({ p: 55.1 })],
    ['MALFORMED', trade({ t: 2 ** 60 })],
    ['MALFORMED', trade({ T: '1700000000120' })],
    ['SIDE_UNKNOWN', trade({ m: 'false' })],
    ['INSTRUMENT_MALFORMED', trade({ s: '' })],
    ['INSTRUMENT_MALFORMED', trade({ s: '\ud800USDT' })],
    ['INSTRUMENT_MALFORMED', trade({ s: 'A'.repeat(121) })],
    ['TIME_OUT_OF_BOUNDS', trade({ T: 1_700_000_000_120_000 })],
    ['CLOCK_LEAD', trade({ T: 1_700_000_060_000 })],
    ['NOT_POSITIVE', trade({ q: '0.00000000' })],
  ])('gives %s for %s', (reason, line) => {
    expect(reasonIn(binanceCapture, line)).toBe(reason);
  });
});

describe('barter JSONL', () => {
  const event = (trade: string, instrument = '1', time = '2025-03-25T23:07:00.715Z'): string =>
    `{"Item":{"time_exchange":"${time}","time_received":"2025-03-25T23:07:00.847021999Z","exchange":"binance_spot","instrument":${instrument},"kind":{"Trade":${trade}}}}`;

  it('reads a price as written, never through a double', () => {
    const line = event('{"id":"7","price":87232.123456789012,"amount":"0.00012000","side":"Sell"}');
    expect(tradeIn(barterJsonl, line)).toStrictEqual({
      venue: 'binance',
      instrument: 'ETH-USDT@binance',
      tradeId: '7',
      eventTime: 1_742_944_020_715_000,
      price: Decimal.of('87232.123456789012'),
      size: Decimal.of('0.00012'),
      side: 'SELL',
      receivedAt: 1_742_944_020_847_021,
      source: 'file:feedfacecafebeef',
      suspicious: false,
      conditions: [],
    });
  });

  it.each([
    ['1e-5', '0.00001'],
    ['1.25e-7', '0.000000125'],
    ['12.5E+2', '1250'],
    ['1.2345e2', '123.45'],
    ['3e0', '3'],
  ])('reads %s as %s', (written, exact) => {
    expect(tradeIn(barterJsonl, event(`{"id":"7","price":1,"amount":${written},"side":"Buy"}`)).size.toString()).toBe(
      exact,
    );
  });

  it.each([
    ['not-a-trade', '{"Reconnecting":"binance_spot"}'],
    ['not-a-trade', '{"Item":{"instrument":0,"kind":{"OrderBookL1":{}}}}'],
    ['MALFORMED', '{"Item":{"instrument":0}}'],
    ['MALFORMED', '{}'],
    ['MALFORMED', '5'],
    ['MALFORMED', event('{"id":"7"')],
    ['MALFORMED', event('[]')],
    ['MALFORMED', event('{"id":"7","price":1,"amount":1,"side":"Buy"}', '1', '2025-02-30T00:00:00Z')],
    ['SIDE_UNKNOWN', event('{"id":"7","price":1,"amount":1,"side":"__proto__"}')],
    ['INSTRUMENT_MALFORMED', event('{"id":"7","price":1,"amount":1,"side":"Buy"}', '3')],
    ['INSTRUMENT_MALFORMED', event('{"id":"7","price":1,"amount":1,"side":"Buy"}', '"__proto__"')],
    ['NOT_A_NUMBER', event('{"id":"7","price":null,"amount":1,"side":"Buy"}')],
    ['PRECISION', event('{"id":"7","price":1e-13,"amount":1,"side":"Buy"}')],
    ['OUT_OF_BOUNDS', event('{"id":"7","price":1e20,"amount":1,"side":"Buy"}')],
    ['NOT_A_NUMBER', event('{"id":"7","price":1e400,"amount":1,"side":"Buy"}')],
    ['TRADE_ID_MALFORMED', event('{"price":1,"amount":1,"side":"Buy"}')],
  ])('gives %s for %s', (reason, line) => {
    expect(reasonIn(barterJsonl, line)).toBe(reason);
  });
});
