import { describe, expect, it } from 'vitest';
import type { Trade } from '../contracts/generated/events.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { openColumns, parseColumns } from './columns.ts';
import { unknownTable } from './nearest.ts';
import { isRefusal, type FileHead } from './source.ts';

const headOf = (lines: readonly string[], delimiter?: string): FileHead => {
  return { lines, delimiter, instrument: undefined, isNamed: false };
};

function read(columns: string, lines: readonly string[], instrument = 'A-B@c'): (Trade | Refusal)[] {
  const mapping = parseColumns(columns);
  if ('problem' in mapping) return expect.fail(mapping.problem);
  const parser = openColumns(mapping, headOf(lines));
  if ('problem' in parser) return expect.fail(parser.problem);
  return lines.slice(parser.header === undefined ? 0 : 1).map((line) => {
    const parsed = parser.parseLine(line, { source: 'file:0123456789abcdef', instrument });
    return parsed === 'not-a-trade' ? expect.fail(parsed) : parsed;
  });
}

function onlyTrade(columns: string, lines: readonly string[], instrument?: string): Trade {
  const [trade = expect.fail('no row')] = read(columns, lines, instrument);
  return isRefusal(trade) ? expect.fail(trade.detail) : trade;
}

function problemOf(columns: string, lines: readonly string[]): string {
  const mapping = parseColumns(columns);
  if ('problem' in mapping) return mapping.problem;
  const parser = openColumns(mapping, headOf(lines));
  return 'problem' in parser ? parser.problem : expect.fail('the columns fit');
}

describe('columns that a person names', () => {
  it('are found by name in either case, and all parts are read', () => {
    const trade = onlyTrade(
      'time=TS:ms,price=px,size=Qty,side=taker,id=trade_id,instrument=sym,received=got:us,suspicious=flag,conditions=cond',
      [
        ' ts ;Px;qty;Taker;trade_id;sym;got;flag;cond',
        '1735689600123;93500.5;.5;s;7;BTC-USD@x;1735689600200000;1;"@ F;T"',
      ],
    );
    expect(trade).toMatchObject({
      venue: 'x',
      instrument: 'BTC-USD@x',
      tradeId: '7',
      eventTime: 1_735_689_600_123_000,
      side: 'SELL',
      receivedAt: 1_735_689_600_200_000,
      suspicious: true,
      conditions: ['@', 'F', 'T'],
    });
    expect([trade.price.toString(), trade.size.toString()]).toEqual(['93500.5', '0.5']);
  });

  it('are found by number, with a header or without', () => {
    const rows = ['x\t1735689600\t1\t2', 'x\t1735689601\t1\t2'];
    const columns = 'time=#2:s,price=#3,size=#4';
    expect(read(columns, rows).length).toBe(2);
    expect(read(columns, ['a\tb\tc\td', ...rows]).length).toBe(2);
  });

  it.each([
    ['side', 'buy', 'BUY'],
    ['maker', 'buy', 'SELL'],
    ['buyermaker', 'True', 'SELL'],
    ['buyermaker', '0', 'BUY'],
    ['buyermaker', '', 'UNKNOWN'],
    ['side', '', 'UNKNOWN'],
  ])('say whose side %s=%s is', (key, text, side) => {
    expect(onlyTrade(`time=t,price=p,size=q,${key}=s`, ['t,p,q,s', `1735689600,1,2,${text}`]).side).toBe(side);
  });

  it('name the instrument with its venue in another column, or with one that a person gives', () => {
    const lines = ['t,p,q,sym,ex', '1735689600,1,2,XBTUSD,bitmex'];
    expect(onlyTrade('time=t,price=p,size=q,instrument=sym,venue=ex', lines).instrument).toBe('XBTUSD@bitmex');
    expect(onlyTrade('time=t,price=p,size=q,instrument=sym', lines, '@okx').instrument).toBe('XBTUSD@okx');
  });

  it('accept a calendar time without a zone only if it is declared UTC', () => {
    const lines = ['t,p,q', '2025-01-01 00:00:00,1,2'];
    expect(read('time=t,price=p,size=q', lines)).toEqual([
      { reason: 'MALFORMED', detail: 'the time "2025-01-01 00:00:00" does not name its zone' },
    ]);
    expect(onlyTrade('time=t:iso,price=p,size=q', lines).eventTime).toBe(1_735_689_600_000_000);
  });

  it('of the wrong unit are reported as such', () => {
    expect(read('time=t:s,price=p,size=q', ['t,p,q', '1735689600000,1,2'])).toEqual([
      {
        reason: 'TIME_OUT_OF_BOUNDS',
        detail: 'the time "1735689600000" is outside 2009 to 2100: is its unit seconds?',
      },
    ]);
  });

  it.each([
    ['time=t', 'price and size must have a column'],
    ['time=t,price=p,size=q,colour=c', '"colour=c" is not KEY=COLUMN with one of the keys time, price,'],
    ['time=t,price=p,size=q,side=a,maker=b', 'the side has two columns: name one'],
    ['time=t,price=p,size=', 'the size has no column'],
    ['time=t,price=p,size=q,venue=v', 'a venue needs an instrument as well'],
    ['time=t,price=px,size=q', 'there is no column "px" for the price: the first line is "t,p,q,q"'],
    ['time=t,price=#9,size=#3', 'there is no column #9 for the price'],
    ['time=t,price=p,size=q', 'two columns are named "q": give the size as #3'],
    ['nonsense', '"nonsense" is not KEY=COLUMN with one of the keys time'],
  ])('%s are refused in a sentence', (columns, sentence) => {
    expect(problemOf(columns, ['t,p,q,q'])).toContain(sentence);
  });
});

describe('a table in no known format', () => {
  it('is shown with its header, the nearest format and the columns to try', () => {
    expect(unknownTable(headOf(['exchange|symbol|timestamp|id|side|price|qty']))).toBe(
      'its header is "exchange|symbol|timestamp|id|side|price|qty"; the nearest format is tardis, which has local_timestamp, amount besides; to name its columns: --columns time=timestamp,price=price,size=qty,side=side,id=id,instrument=symbol',
    );
    expect(unknownTable(headOf(['a,b,c']))).toBe(
      'its header is "a,b,c"; no known format is near; to name its columns: --columns time=COLUMN,price=COLUMN,size=COLUMN',
    );
    expect(unknownTable(headOf(['trade_id,side,size,price,time']))).toContain(
      'the nearest format is coinbase: if that is right, give --format coinbase',
    );
    expect(unknownTable(headOf(['1,2,x,4']))).toBe(
      'it begins "1,2,x,4"; name its columns, such as --columns time=#1,price=#2,size=#3',
    );
  });
});
