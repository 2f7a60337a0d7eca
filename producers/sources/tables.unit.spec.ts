import { describe, expect, it } from 'vitest';
import type { Trade } from '../../contracts/generated/events.ts';
import { detectFileSource } from '../catalogue.ts';
import { isRefusal, type FileHead } from '../source.ts';

interface Told {
  readonly format: string;
  readonly rows: readonly string[];
}

/** The results for the rows of a file that begins like this, in few words. */
function told(lines: readonly string[], instrument?: string): Told {
  const head: FileHead = { lines, delimiter: undefined, instrument, isNamed: false };
  const detected = detectFileSource(head);
  if (detected === undefined) return { format: 'unknown', rows: [] };
  const { format, parser } = detected;
  const context = { source: 'file:0123456789abcdef', instrument: instrument ?? '' };
  const rows = lines.slice(parser.header === undefined ? 0 : 1).map((line) => {
    const parsed = parser.parseLine(line, context);
    if (parsed === 'not-a-trade') return parsed;
    return isRefusal(parsed) ? `${parsed.reason}: ${parsed.detail}` : wordsOf(parsed);
  });
  return { format: format.name, rows };
}

function wordsOf(trade: Trade): string {
  const { instrument, tradeId, eventTime, price, size, side, receivedAt, conditions } = trade;
  const words = [instrument, tradeId, eventTime, price, size, side, receivedAt, ...conditions];
  return words.map((word) => word.toString()).join(' ');
}

const BTC = 'BTC-USDT@binance';

describe("Binance's public files", () => {
  it('of trades read the same in both eras, with and without a header, spot and futures', () => {
    const rows = [
      'BTC-USDT@binance 7 1735689600123000 93500.01 0.00105 BUY 0',
      'BTC-USDT@binance 8 1735689601500000 93501.01 0.00105 SELL 0',
    ];
    const header = 'id,price,qty,quote_qty,time,is_buyer_maker';
    const files = [
      [
        '7,93500.01000000,0.00105000,98.17,1735689600123,False,True',
        '8,93501.01000000,0.00105000,98.17,1735689601500,True,True',
      ],
      ['7,93500.01,0.00105,98.17,1735689600123000,False,True', '8,93501.01,0.00105,98.17,1735689601500000,True,True'],
      ['7,93500.01,0.00105,98.17,1735689600123000,FALSE', '8,93501.01,0.00105,98.17,1735689601500000,true'],
      [header, '7,93500.01,0.00105,98.1,1735689600123,false', '8,93501.01,0.00105,98.1,1735689601500,true'],
      [
        `${header},is_best_match`,
        '7,93500.01,1.05e-3,98.1,1735689600123,0,1',
        '8,93501.01,0.00105,98.1,1735689601500,1,1',
      ],
    ];
    for (const file of files) expect(told(file, BTC)).toEqual({ format: 'binance-trades', rows });
  });

  it('of aggregate trades are marked as such', () => {
    const rows = ['BTC-USDT@binance agg-34 1735689600000000 93500.01 0.00105 SELL 0 AGGREGATE'];
    const header = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker';
    for (const file of [
      ['34,93500.01000000,0.00105000,43,44,1735689600000000,True,True'],
      ['34,93500.01000000,0.00105000,43,44,1735689600000,true'],
      [header, '34,93500.01,0.00105,43,44,1735689600000,true'],
    ]) {
      expect(told(file, BTC)).toEqual({ format: 'binance-agg-trades', rows });
    }
  });

  it('of candles are in an unknown format', () => {
    expect(told(['1735689600000,1,2,3,4,5,1735689659999,6,7,8,9,0'], BTC).format).toBe('unknown');
    expect(told(['open_time,open,high,low,close,volume'], BTC).format).toBe('unknown');
  });
});

describe('Kraken', () => {
  it('is read without a header, with one, and as rows of its public trades', () => {
    const row = 'XBT-USD@kraken  1735689600123400 93500.1 0.01 UNKNOWN 0';
    expect(told(['1735689600.1234,93500.1,0.01'], 'XBT-USD@kraken')).toEqual({ format: 'kraken', rows: [row] });
    expect(told(['timestamp,price,volume', '1735689600.1234,93500.1,0.01'], 'XBT-USD@kraken')).toEqual({
      format: 'kraken',
      rows: [row],
    });
    for (const line of ['93500.1,0.01,1735689600.1234,s,m,,7', '"93500.1","0.01",1735689600.1234,"s","m","",7']) {
      expect(told([line], 'XBT-USD@kraken')).toEqual({
        format: 'kraken',
        rows: ['XBT-USD@kraken 7 1735689600123400 93500.1 0.01 SELL 0'],
      });
    }
  });
});

describe('Coinbase', () => {
  const rows = ['751,sell,0.001,93500.01,2025-01-01T00:00:00.123456Z', '752,buy,0.001,93500.02,2025-01-01T00:00:01Z'];
  it("gives the maker's side: the taker's is the opposite", () => {
    const read = [
      'BTC-USD@coinbase 751 1735689600123456 93500.01 0.001 BUY 0',
      'BTC-USD@coinbase 752 1735689601000000 93500.02 0.001 SELL 0',
    ];
    expect(told(['trade_id,side,size,price,time', ...rows], 'BTC-USD@coinbase')).toEqual({
      format: 'coinbase',
      rows: read,
    });
    const withProduct = rows.map((row) => `BTC-USD,${row}`);
    expect(told(['product_id,trade_id,side,size,price,time', ...withProduct])).toEqual({
      format: 'coinbase',
      rows: read,
    });
  });

  it('is not recognised by common names alone: the side would be reversed', () => {
    expect(told(['trade_id,side,size,price,time', ...rows], 'BTC-USD@kraken').format).toBe('unknown');
  });
});

describe('BitMEX and Bybit', () => {
  const header = 'timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional';
  it('are distinguished by their stamps, as their headers are the same', () => {
    expect(
      told([
        `${header},trdType`,
        '2025-01-01D00:00:00.123456789,XBTUSD,Buy,100,93500.5,PlusTick,5bc8fbbc-bde5-4099-8164-d8399f767c45,1,1,1,Regular',
      ]),
    ).toEqual({
      format: 'bitmex',
      rows: ['XBTUSD@bitmex 5bc8fbbc-bde5-4099-8164-d8399f767c45 1735689600123456 93500.5 100 BUY 0'],
    });
    expect(
      told([`${header},RPI`, '1735689600.0974,BTCUSDT,Sell,0.001,78307.50,ZeroMinusTick,48a4-1,7.8e+09,1,1,0']),
    ).toEqual({
      format: 'bybit',
      rows: ['BTCUSDT@bybit 48a4-1 1735689600097400 78307.5 0.001 SELL 0'],
    });
  });

  it('have no id where all its digits are 0', () => {
    const { rows } = told([
      header,
      '2015-01-01T00:00:00Z,XBTUSD,Sell,1,300,MinusTick,00000000-0000-0000-0000-000000000000,1,1,1',
    ]);
    expect(rows).toEqual(['XBTUSD@bitmex  1420070400000000 300 1 SELL 0']);
  });
});

describe('Tardis', () => {
  it('names exchange and symbol, and has receive times and sides that are not known', () => {
    const header = 'exchange,symbol,timestamp,local_timestamp,id,side,price,amount';
    expect(
      told([
        header,
        'deribit,BTC-PERPETUAL,1735689600000000,1735689600005000,300,buy,93500.5,100',
        'binance-futures,ETHUSDT,1735689600000000,1735689600005000,,unknown,3500,1',
      ]),
    ).toEqual({
      format: 'tardis',
      rows: [
        'BTC-PERPETUAL@deribit 300 1735689600000000 93500.5 100 BUY 1735689600005000',
        'ETHUSDT@binance-futures  1735689600000000 3500 1 UNKNOWN 1735689600005000',
      ],
    });
  });
});

describe('Databento', () => {
  const header =
    'ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol';
  const row = (change: Partial<Record<'action' | 'side' | 'price' | 'symbol', string>>): string => {
    const { action = 'T', side = 'B', price = '588.450000000', symbol = 'SPY' } = change;
    return `1735828200000412773,1735828200000245500,0,2,38,${action},${side},0,${price},100,130,1,5122,${symbol}`;
  };
  const trade = (price: string, side: string, symbol = 'SPY'): string =>
    `${symbol}@arcx  1735828200000245 ${price} 100 ${side} 1735828200000412`;

  it('gives the aggressor, prices as decimals or in units of 10^-9, and trades among other records', () => {
    const iso = row({}).replace(
      '1735828200000412773,1735828200000245500',
      '2025-01-02T14:30:00.000412773Z,2025-01-02T14:30:00.000245500Z',
    );
    const rows = [{}, { side: 'A', price: '588450000000' }, { side: 'N' }, { action: 'A' }, { price: '5884500' }];
    expect(told([header, iso, ...rows.map(row)], 'SPY@arcx')).toEqual({
      format: 'databento',
      rows: [
        trade('588.45', 'BUY'),
        trade('588.45', 'BUY'),
        trade('588.45', 'SELL'),
        trade('588.45', 'UNKNOWN'),
        'not-a-trade',
        'NOT_A_NUMBER: it is ambiguous whether the price "5884500" is in units or in units of 10^-9: write it with a point',
      ],
    });
    expect(told([header, row({ price: '9223372036854775807' })], 'SPY@arcx').rows).toEqual([
      'NOT_A_NUMBER: the row has no price',
    ]);
  });

  it('names symbols without their venue: one is given with the instrument, several by the venue', () => {
    const lines = [header, row({}), row({ symbol: 'QQQ' })];
    expect(told(lines, 'SPY@arcx').rows[1]).toMatch(/^INSTRUMENT_NOT_ALLOWED: the row is of "QQQ" and others of "SPY"/);
    expect(told(lines, '@arcx').rows).toEqual([trade('588.45', 'BUY'), trade('588.45', 'BUY', 'QQQ')]);
  });
});

describe('CryptoDataDownload', () => {
  it('names a pair, split by its slash, but not its venue', () => {
    const lines = ['unix,date,symbol,side,price,amount', '1735689600,2025-01-01 00:00:00,BTC/USD,buy,93500.01,1e-3'];
    expect(told(lines, '@gemini')).toEqual({
      format: 'cryptodatadownload',
      rows: ['BTC-USD@gemini  1735689600000000 93500.01 0.001 BUY 0'],
    });
    expect(told(['date,symbol,price,volume', '2025-01-01 00:00:00,BTC/USD,1,2'], '@gemini').rows).toEqual([
      'BTC-USD@gemini  1735689600000000 1 2 UNKNOWN 0',
    ]);
  });
});

describe('a header', () => {
  it('is compared without regard to case, spaces, order and one empty last name', () => {
    const header = ' Price ;TRADE_ID; event_time_us;Instrument;size;side;';
    expect(told([header, '93500.5;1;1735689600000000;BTC-USDT@binance;1;Sell;'])).toEqual({
      format: 'canonical-csv',
      rows: ['BTC-USDT@binance 1 1735689600000000 93500.5 1 SELL 0'],
    });
  });

  it('with a repeated name is in an unknown format', () => {
    expect(told(['timestamp,price,amount,price', '1735689600,1,2,3'], BTC).format).toBe('unknown');
  });

  it('that is known but has a further column beside common ones is in an unknown format', () => {
    expect(told(['timestamp,price,amount,currency', '1735689600,1,2,EUR'], BTC).format).toBe('unknown');
  });
});

it('a damaged first row costs only itself', () => {
  const trades = ['174,1,2,3,17', '7,1,2,2,1735689600123,False,True', '8,1,2,2,1735689600124,True,True'];
  expect(told(trades, BTC)).toEqual({
    format: 'binance-trades',
    rows: [
      'MALFORMED: the row has 5 columns, not 7',
      'BTC-USDT@binance 7 1735689600123000 1 2 BUY 0',
      'BTC-USDT@binance 8 1735689600124000 1 2 SELL 0',
    ],
  });
  const header = 'timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional';
  const bitmex = [header, ',XBTUSD,Buy,1,2,x,id-1,1,1,1', '2025-01-01D00:00:00.1,XBTUSD,Buy,1,2,x,id-2,1,1,1'];
  expect(told(bitmex).rows[1]).toBe('XBTUSD@bitmex id-2 1735689600100000 2 1 BUY 0');
});

it('conditions are bounded', () => {
  const header = 'trade_id,event_time_us,instrument,price,size,side,conditions';
  const row = '1,1735689600000000,A-B@c,1,2,BUY,';
  const { rows } = told([header, `${row}${'x '.repeat(17)}`, `${row}${'x'.repeat(33)}`, `${row}@ F`]);
  expect(rows.map((words) => words.split(':')[0])).toEqual([
    'MALFORMED',
    'MALFORMED',
    'A-B@c 1 1735689600000000 1 2 BUY 0 @ F',
  ]);
});
