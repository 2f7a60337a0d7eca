import { describe, expect, it } from 'vitest';
import { Decimal } from '../../../contracts/decimal.ts';
import { isRefusedTrade, isTrades } from '../../venue.ts';
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
    if (trade === undefined || !('price' in trade)) expect.fail('it is refused');
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

  // Both as Alpaca documents them.
  const CORRECTION =
    '[{"T":"c","S":"EEM","x":"M","oi":52983525033527,"op":39.1582,"os":440000,"oc":["7"],"ci":52983525034326,"cp":39.1809,"cs":440000,"cc":["7"],"z":"B","t":"2023-04-06T14:25:06.542305024Z"}]';
  const CANCEL =
    '[{"T":"x","S":"GOOGL","i":465,"x":"D","p":105.31,"s":300,"a":"C","z":"C","t":"2023-04-06T13:15:42.83540958Z"}]';
  // The day of New York, which is four hours behind in April.
  const DAY = { fromUs: Date.UTC(2023, 3, 6, 4) * 1_000, toUs: Date.UTC(2023, 3, 7, 4) * 1_000 };

  it('reads a correction, exactly', () => {
    expect(only(CORRECTION)).toMatchObject({
      ...{ amends: 'CORRECT', instrument: 'EEM@alpaca', tradeId: 'M-52983525033527', window: DAY },
      stated: { price: Decimal.of('39.1582'), size: Decimal.of('440000') },
      corrected: { price: Decimal.of('39.1809'), size: Decimal.of('440000'), tradeId: 'M-52983525034326' },
      ...{ origin: 'STREAM', receivedAt: RECEIVED_AT },
    });
    const fine = only(CORRECTION.replace('39.1809', '39.180912345678'));
    expect(fine).toMatchObject({ corrected: { price: Decimal.of('39.180912345678') } });
  });

  it('reads a cancel, and an error, with the letter that says which', () => {
    expect(only(CANCEL)).toMatchObject({
      ...{
        amends: 'CANCEL',
        instrument: 'GOOGL@alpaca',
        tradeId: 'D-465',
        window: DAY,
        corrected: undefined,
        word: 'C',
      },
      stated: { price: Decimal.of('105.31'), size: Decimal.of('300') },
    });
    expect(only(CANCEL.replace('"a":"C"', '"a":"E"'))).toMatchObject({ amends: 'CANCEL', word: 'E' });
  });

  it.each([
    [CANCEL.replace('"i":465', '"i":"x"'), 'no trade id'],
    [CANCEL.replace('"x":"D",', ''), 'no trade id'],
    [CANCEL.replace('"S":"GOOGL"', '"S":"?"'), 'no symbol'],
    [CANCEL.replace('2023-04-06T', 'yesterday '), 'no time'],
    [CANCEL.replace('105.31', '0'), 'not above 0'],
    [CANCEL.replace('"s":300', '"s":0'), 'the size is 0'],
    [CORRECTION.replace('"cp":39.1809,', ''), 'is not text'],
    [CORRECTION.replace('39.1809', '39.1809123456789'), 'more than 12 digits'],
    [CORRECTION.replace('"cs":440000', '"cs":-1'), 'the size is negative'],
  ])('refuses %s', (text, words) => {
    const item = only(text);
    if (item === undefined || !isRefusedTrade(item)) expect.fail(JSON.stringify(item));
    expect(item.refusal.detail).toContain(words);
    // The trade that it names was not refused.
    expect(item.tradeId).toBeUndefined();
  });

  it.each(['canceled', 'incorrect'])('sets aside a trade that a page marks as %s, and takes it back', (mark) => {
    const row = `{"t":"2021-02-22T15:51:44.208Z","x":"D","p":126.55,"s":1,"c":["@"],"i":7,"z":"C","u":"${mark}"}`;
    const page = alpaca.history.parsePage(`{"trades":[${row}],"symbol":"AAPL"}`, 'AAPL', RECEIVED_AT);
    expect(page).toMatchObject([
      { tradeId: 'D-7', suspicious: true },
      { amends: 'CANCEL', tradeId: 'D-7', origin: 'PAGE', word: mark },
    ]);
  });

  it('counts the trade that replaced another one, and a day without trades has none', () => {
    const row = '{"t":"2021-02-22T15:51:44.208Z","x":"D","p":126.55,"s":1,"c":["@"],"i":8,"z":"C","u":"corrected"}';
    const page = alpaca.history.parsePage(`{"trades":[${row}],"symbol":"AAPL"}`, 'AAPL', RECEIVED_AT);
    expect(page).toMatchObject([{ tradeId: 'D-8', suspicious: false }]);
    expect(alpaca.history.parsePage('{"trades":null,"symbol":"AAPL"}', 'AAPL', RECEIVED_AT)).toEqual([]);
  });
});
