import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trade } from '../../../contracts/generated/events.ts';
import { isInstrument, refusalOf } from '../../../contracts/trade-rules.ts';
import { isAmendment, isRefusedTrade, isTrades, isUnreadable, type RefusedTrade } from '../../venue.ts';
import { ccxtVenue, ccxtVenueNamed, writtenVenue } from './venue.ts';

const RECEIVED_AT = 1_790_000_000_000_000;
const venue = ccxtVenue('kraken');

/** A trade as ccxt has it, with the exchange's own in `info`. */
function row(changes: object = {}) {
  const info = { id: '4665906', px: '61837.63000', sz: '0.02000000', when: '1695628177.7087063', s: 'sell' };
  return {
    ...{ id: '4665906', symbol: 'BTC/USD', timestamp: 1_695_628_177_708, side: 'sell', price: 61837.63, amount: 0.02 },
    info,
    ...changes,
  };
}

function read(...rows: readonly object[]): readonly (Trade | RefusedTrade)[] {
  const page = venue.history.parsePage(JSON.stringify({ trades: rows }), 'BTC/USD', RECEIVED_AT);
  if (!isTrades(page)) expect.fail(JSON.stringify(page));
  return page.map((item) => (isAmendment(item) ? expect.fail('an amendment') : item));
}

function only(changes: object): Trade | string {
  const [item] = read(row(changes));
  if (item === undefined) expect.fail('no trade');
  return isRefusedTrade(item) ? item.refusal.detail : item;
}

/** Price and size as the tape has them. */
function amountsOf(changes: object): string {
  const trade = only(changes);
  return typeof trade === 'string' ? trade : `${trade.price.toString()} ${trade.size.toString()}`;
}

describe('a page of ccxt', () => {
  it('gives the trade in the digits of the exchange', () => {
    expect(only({})).toMatchObject({
      ...{ venue: 'ccxt-kraken', instrument: 'BTC-USD@ccxt-kraken', tradeId: '4665906', side: 'SELL' },
      ...{ eventTime: 1_695_628_177_708_000, receivedAt: RECEIVED_AT, source: 'live:ccxt-kraken' },
    });
    expect(amountsOf({})).toBe('61837.63 0.02');
  });

  it.each([
    // More digits than a double has.
    [
      { price: 123456789012345.12, info: ['123456789012345.123456789012', '4665906', '0.02'] },
      '123456789012345.123456789012 0.02',
    ],
    [{ amount: 1e-8, info: { id: 4_665_906, p: '61837.63', q: '1e-8' } }, '61837.63 0.00000001'],
    // A whole number of JSON is exact.
    [{ price: 61837, info: { id: 4_665_906, deep: [{ p: 61_837 }], q: '0.02' } }, '61837 0.02'],
    // The size of a sale, negative.
    [{ info: ['4665906', '61837.63', '-0.0200'] }, '61837.63 0.02'],
    // Written twice, once with zeros: one number.
    [{ info: { id: '4665906', p: '61837.63', last: '61837.630', q: '0.02' } }, '61837.63 0.02'],
  ])('takes them wherever the exchange has them: %j', (changes, amounts) => {
    expect(amountsOf(changes)).toBe(amounts);
  });

  it.each([
    [{ price: 61837.64 }, 'the price 61837.64 is not a text of the exchange: ccxt calculated it'],
    [{ amount: 0.04 }, 'the size 0.04 is not a text of the exchange: ccxt calculated it'],
    [{ info: { id: '4665906', p: 61837.63, q: '0.02' } }, 'the price 61837.63 is not a text of the exchange'],
    [
      { price: 0.1, info: { id: '4665906', p: '0.1', r: '0.10000000000000000001', q: '0.02' } },
      'several texts of the exchange are the price 0.1',
    ],
    [{ price: undefined }, 'ccxt gives no price'],
    [{ price: null }, 'ccxt gives no price'],
    [{ amount: '0.02' }, 'ccxt gives no size'],
    [{ id: undefined }, 'the exchange gives the trade no id'],
    // As ccxt makes one for MEXC: two equal trades of a millisecond would be one.
    [{ id: '1695628177708-sell-0.02-61837.63-taker' }, 'ccxt made the id of the trade: the exchange gives none'],
    [{ symbol: 'ETH/USD' }, 'the trade is of another symbol than the one requested'],
    [{ timestamp: undefined }, 'the trade has no time that can be read'],
    [{ timestamp: 1_695_628_177_708.5 }, 'the trade has no time that can be read'],
    [{ side: 'both' }, 'the side "both"'],
    [{ info: undefined }, 'ccxt made the id of the trade'],
  ])('refuses a trade with its reason: %j', (changes, reason) => {
    expect(only(changes)).toContain(reason);
  });

  it('takes the side as that of the taker, reverses that of a maker, and invents none', () => {
    const sideOf = (changes: object) => {
      const trade = only(changes);
      return typeof trade === 'string' ? trade : trade.side;
    };
    expect(sideOf({ side: 'buy' })).toBe('BUY');
    expect(sideOf({ side: 'buy', takerOrMaker: 'taker' })).toBe('BUY');
    expect(sideOf({ side: 'buy', takerOrMaker: 'maker' })).toBe('SELL');
    expect(sideOf({ side: undefined })).toBe('UNKNOWN');
    expect(sideOf({ side: null })).toBe('UNKNOWN');
  });

  it('puts trades of one time in the order of their numbers', () => {
    const withId = (id: string) => row({ id, info: { id, p: '61837.63', q: '0.02' } });
    const ids = read(withId('10'), withId('11'), withId('9')).map(({ tradeId }) => tradeId);
    expect(ids).toEqual(['9', '10', '11']);
    const texts = read(withId('b'), withId('a')).map(({ tradeId }) => tradeId);
    expect(texts).toEqual(['b', 'a']);
  });

  it('is unreadable where it is truncated or something else', () => {
    const text = JSON.stringify({ trades: [row()] });
    for (let length = 0; length < text.length; length += 1) {
      expect(isUnreadable(venue.history.parsePage(text.slice(0, length), 'BTC/USD', RECEIVED_AT))).toBe(true);
    }
    for (const other of ['[]', 'null', '{"trades":{}}', '{"trades":[null]}', '{"trades":[[]]}', '['.repeat(200_000)]) {
      expect(isUnreadable(venue.history.parsePage(other, 'BTC/USD', RECEIVED_AT))).toBe(true);
    }
    expect(venue.history.parsePage('{"trades":[]}', 'BTC/USD', RECEIVED_AT)).toEqual([]);
  });

  it('gives no trade that breaks a rule, whatever its members are, and never throws', () => {
    const anything = fc.dictionary(
      fc.constantFrom('id', 'symbol', 'timestamp', 'side', 'takerOrMaker', 'price', 'amount', 'info', '__proto__'),
      fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.double(), fc.constantFrom('61837.63', '', 0, -1, 1e308, '1e99')),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 3 }), (rows) => {
        for (const item of read(...rows.map((each) => row(each)))) {
          if (isRefusedTrade(item)) expect(item.refusal.detail).not.toBe('');
          else expect(refusalOf(item)).toBeUndefined();
        }
      }),
    );
  });
});

describe('an instrument by ccxt', () => {
  it.each([
    ['BTC/USD', 'BTC-USD@ccxt-kraken'],
    ['BTC/USDT:USDT', 'BTC-USDT~3AUSDT@ccxt-kraken'],
    ['BTC/USD:BTC-240927-60000-C', 'BTC-USD~3ABTC-240927-60000-C@ccxt-kraken'],
    ['kPEPE/USDC:USDC', '~6BPEPE-USDC~3AUSDC@ccxt-kraken'],
  ])('%s is %s, and back', (symbol, instrument) => {
    expect(venue.instrumentOf(symbol)).toBe(instrument);
    expect(venue.symbolOf(instrument)).toBe(symbol);
    expect(isInstrument(instrument)).toBe(true);
  });

  it('is none where its symbol could not be read back', () => {
    for (const symbol of ['', 'BTC', '/', 'BTC/', 'A-B/USD', 'A/B/C', 'A@B/C', 'BTC/\ud800']) {
      expect(venue.instrumentOf(symbol)).toBeUndefined();
    }
    for (const name of ['', '@', '@ccxt-kraken', 'BTC@ccxt-kraken', 'BTC-USD@kraken', 'btc-usd@ccxt-kraken']) {
      expect(venue.symbolOf(name)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (symbol) => {
        const name = venue.instrumentOf(symbol);
        if (name !== undefined) expect(venue.symbolOf(name)).toBe(symbol);
      }),
    );
  });

  it('is at a venue of its own, whose name people may write with a colon', () => {
    expect(writtenVenue('ccxt:kraken')).toBe('ccxt-kraken');
    expect(writtenVenue('kraken')).toBe('kraken');
    expect(ccxtVenueNamed('ccxt-kraken')).toMatchObject({ name: 'ccxt-kraken', ccxtExchange: 'kraken' });
    for (const name of ['ccxt-', 'ccxt', 'ccxt-__proto__', 'ccxt-a/b', 'kraken', `ccxt-${'a'.repeat(28)}`]) {
      expect(ccxtVenueNamed(name)).toBeUndefined();
    }
  });
});
