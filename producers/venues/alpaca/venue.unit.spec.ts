import { describe, expect, it } from 'vitest';
import { isRefusedTrade, isTrades } from '../../venue.ts';
import { NOT_OF_THE_MARKET, settingAside } from './conditions.ts';
import { alpaca } from './venue.ts';

const RECEIVED_AT = 1_790_000_000_000_000;

function only(text: string) {
  const parsed = alpaca.stream.parseFrame(text, RECEIVED_AT);
  if (!isTrades(parsed) || parsed.length !== 1) expect.fail(JSON.stringify(parsed));
  return parsed[0];
}

function tradeWith(changes: object) {
  const trade = {
    T: 't',
    i: 96921,
    S: 'AAPL',
    x: 'D',
    p: 126.55,
    s: 1,
    t: '2021-02-22T15:51:44.208Z',
    c: ['@'],
    z: 'C',
  };
  return only(JSON.stringify([{ ...trade, ...changes }]));
}

describe('alpaca', () => {
  it.each(['AAPL', 'BRK.B', 'F'])('names %s by its own symbol', (symbol) => {
    expect(alpaca.instrumentOf(symbol)).toBe(`${symbol}@alpaca`);
    expect(alpaca.symbolOf(`${symbol}@alpaca`)).toBe(symbol);
  });

  it('keeps a price to its last digit, and a time to the microsecond', () => {
    const text =
      '[{"T":"t","i":52983525029461,"S":"AAPL","x":"V","p":126.123456789012,"s":100,"t":"2021-02-22T15:51:44.208123456Z","c":[],"z":"C"}]';
    const trade = only(text);
    if (trade === undefined || isRefusedTrade(trade)) expect.fail('it is refused');
    expect(trade.price.toString()).toBe('126.123456789012');
    expect(trade).toMatchObject({ tradeId: 'V-52983525029461', eventTime: 1_614_009_104_208_123, side: 'UNKNOWN' });
  });

  it.each([
    [['@'], 'C', false],
    [['@', 'I'], 'C', false],
    [['@', 'T', 'I'], 'C', false],
    [['@', 'W'], 'C', true],
    [['B'], 'A', true],
    // A bunched trade of Nasdaq, an average price at the others.
    [['B'], 'C', false],
    [['Z'], 'B', true],
    [['U'], 'C', true],
    [['4'], 'A', true],
  ])('of conditions %j on tape %s sets aside: %s', (c, z, isSetAside) => {
    expect(tradeWith({ c, z })).toMatchObject({ conditions: c, suspicious: isSetAside });
  });

  it('has each condition once, with its meaning', () => {
    const uses = NOT_OF_THE_MARKET.flatMap(({ code, tapes }) => Array.from(tapes, (tape) => `${code} ${tape}`));
    expect(new Set(uses).size).toBe(uses.length);
    for (const { code, meaning } of NOT_OF_THE_MARKET) expect([code.length, meaning === '']).toEqual([1, false]);
    expect(settingAside(['@', 'Z'], 'C')?.meaning).toContain('out of sequence');
  });

  // Both as Alpaca documents them.
  it.each([
    [
      '[{"T":"c","S":"EEM","x":"M","oi":52983525033527,"op":39.1582,"os":440000,"oc":["7"],"ci":52983525034326,"cp":39.1809,"cs":440000,"cc":["7"],"z":"B","t":"2023-04-06T14:25:06.542305024Z"}]',
      'corrects its trade M-52983525033527',
    ],
    [
      '[{"T":"x","S":"GOOGL","i":465,"x":"D","p":105.31,"s":300,"a":"C","z":"C","t":"2023-04-06T13:15:42.83540958Z"}]',
      'takes back (C) its trade D-465',
    ],
  ])('keeps a correction and a cancel as dead letters: %s', (text, words) => {
    const item = only(text);
    if (item === undefined || !isRefusedTrade(item)) expect.fail('it is a trade');
    expect(item.refusal.detail).toContain(words);
    expect(item.instrument).toMatch(/@alpaca$/);
  });

  it('sets aside a trade that a page knows to be taken back', () => {
    const row = '{"t":"2021-02-22T15:51:44.208Z","x":"D","p":126.55,"s":1,"c":["@"],"i":7,"z":"C","u":"canceled"}';
    const page = alpaca.history.parsePage(`{"trades":[${row}],"symbol":"AAPL"}`, 'AAPL', RECEIVED_AT);
    expect(page).toMatchObject([{ tradeId: 'D-7', suspicious: true }]);
    expect(alpaca.history.parsePage('{"trades":null,"symbol":"AAPL"}', 'AAPL', RECEIVED_AT)).toEqual([]);
  });
});
