import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  displayName,
  instrumentNameOf,
  isInstrument,
  normalisedInstrument,
  refusalOfName,
  symbolOf,
  SYMBOL_LENGTH_MAX,
} from './instrument-name.ts';

const venues = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,31}$/);
/** Any well-formed text whose UTF-8, escaped, is within the bound. */
const symbols = fc.string({ unit: 'binary', minLength: 1, maxLength: 10 });
const CHARACTERS = ['A', 'z', '0', '-', '.', '_', '~', '@', '/', ' ', '\0', '%', '币', 'é', '\ufeff', '🚀', '\ud800'];

describe('the written form of a name', () => {
  it.each([
    ['BTC-USDT', 'binance', 'BTC-USDT@binance'],
    ['BRK.B', 'nyse', 'BRK.B@nyse'],
    ['BTCUSDT_250328', 'binance', 'BTCUSDT_250328@binance'],
    ['BTC-28MAR25-100000-C', 'deribit', 'BTC-28MAR25-100000-C@deribit'],
    ['XBT/USD', 'kraken', 'XBT~2FUSD@kraken'],
    ['kPEPE', 'hyperliquid', '~6BPEPE@hyperliquid'],
    ['币', 'binance', '~E5~B8~81@binance'],
    ['A~B@C', 'x', 'A~7EB~40C@x'],
    ['\ufeffA', 'x', '~EF~BB~BFA@x'],
  ])('of %j at %s is %s, and leads back', (symbol, venue, written) => {
    expect(instrumentNameOf(symbol, venue)).toBe(written);
    expect(isInstrument(written)).toBe(true);
    expect(symbolOf(written)).toEqual({ symbol, venue });
  });

  it('leads back to every symbol that a venue may have', () => {
    fc.assert(
      fc.property(symbols, venues, (symbol, venue) => {
        const written = instrumentNameOf(symbol, venue);
        expect(written).toMatch(/^[A-Z0-9._~-]+@[a-z0-9._-]+$/);
        expect(isInstrument(written)).toBe(true);
        expect(symbolOf(written)).toEqual({ symbol, venue });
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the only one: what is accepted is what its own symbol is written as', () => {
    const texts = fc.oneof(
      fc.stringMatching(/^([A-Z0-9._-]|~[0-9A-Fa-f]{2}|~E5~B8~81|~){1,12}@[a-z0-9]{1,4}$/),
      fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 12 }).map((text) => `${text}@x`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (!isInstrument(text)) {
          expect(() => symbolOf(text)).toThrow(RangeError);
          return;
        }
        const { symbol, venue } = symbolOf(text);
        expect(instrumentNameOf(symbol, venue)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['an escape of what needs none', '~41@x'],
    ['an escape in lower case', '~e5~b8~81@x'],
    ['half of a character', '~E5~B8@x'],
    ['a byte that UTF-8 has not', '~FF@x'],
    ['a surrogate', '~ED~A0~80@x'],
    ['a longer encoding than needed', '~C0~AF@x'],
    ['a character cut by a letter', '~E5A~B8~81@x'],
    ['an escape cut off', 'A~4@x'],
    ['no symbol', '@x'],
    ['no venue', 'A@'],
    ['two venues', 'A@x@y'],
    ['a venue with an escape', 'A@~41'],
    ['a line break at its end', 'A@x\n'],
    ['half of a surrogate pair', instrumentNameOf('\ud800', 'x')],
    ['a symbol that is too long', `${'A'.repeat(SYMBOL_LENGTH_MAX + 1)}@x`],
    ['a venue that is too long', `A@${'x'.repeat(33)}`],
  ])('has not %s', (_, text) => {
    expect(isInstrument(text)).toBe(false);
  });

  it('may be as long as its bounds', () => {
    expect(isInstrument(`${'A'.repeat(SYMBOL_LENGTH_MAX)}@${'x'.repeat(32)}`)).toBe(true);
  });

  it('contains every name of earlier versions', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z0-9]{1,16}(?:-[A-Z0-9]{1,16})?@[a-z0-9][a-z0-9._-]{0,31}$/),
        (name) => isInstrument(name) && displayName(name) === name,
      ),
    );
  });
});

describe('a name that is not a written form', () => {
  it.each([
    ['BTC/USDT@binance', 'has "/" in its symbol', ['BTC-USDT@binance', 'BTC~2FUSDT@binance']],
    ['BTC:USDT@binance', 'has ":" in its symbol', ['BTC-USDT@binance', 'BTC~3AUSDT@binance']],
    ['BTC USDT@binance', 'has a space in its symbol', ['BTC-USDT@binance', 'BTC~20USDT@binance']],
    ['BTC–USDT@binance', 'has "–" in its symbol', ['BTC-USDT@binance', 'BTC~E2~80~93USDT@binance']],
    ['btc-usdt@binance', 'has lower case', ['BTC-USDT@binance', '~62~74~63-~75~73~64~74@binance']],
    ['kPEPE-USD@hyperliquid', 'has lower case', ['KPEPE-USD@hyperliquid', '~6BPEPE-USD@hyperliquid']],
    ['~6BPEPE/USD@x', 'has "/" in its symbol', ['~6BPEPE-USD@x', '~6BPEPE~2FUSD@x']],
    ['1INCH-USDT@Binance', 'must have its venue in lower case', ['1INCH-USDT@binance']],
    ['ES=F@yahoo', 'has "=" in its symbol', ['ES~3DF@yahoo']],
    ['ＢＴＣ@x', 'in its symbol', ['BTC@x', '~EF~BC~A2~EF~BC~B4~EF~BC~A3@x']],
    ['A@B@x', 'has "@" in its symbol', ['A~40B@x']],
    ['A~B/@x', 'has a "~" that no two hex digits follow', ['A~7EB-@x', 'A~7EB~2F@x']],
    ['~41@x', 'is escaped otherwise', ['A@x']],
    ['B\u0007TC@x', 'a character that is not seen, U+0007', ['BTC@x', 'B~07TC@x']],
    ['BTC\u200b@x', 'a character that is not seen, U+200B', ['BTC@x', 'BTC~E2~80~8B@x']],
    ['BTC-USDT', 'names no venue: write BTC-USDT@ and the venue, like BTC-USDT@binance', []],
    ['btc/usdt', 'names no venue: write BTC-USDT@ and the venue', []],
    ['', 'is empty', []],
    [' ', 'is empty', []],
    ['@binance', 'has no symbol before the @', []],
    ['A@b c', 'is at no venue: "b c" must have 1 to 32 of', []],
    ['~FF@x', 'has escapes that are not UTF-8', []],
    ['\udc00A@x', 'holds half of a character', []],
    [`${'A'.repeat(121)}@x`, 'is too long: a symbol has at most 120', []],
    ['x'.repeat(100_000), 'is too long: a symbol has at most 120', []],
  ])('%j: %s', (text, words, forms) => {
    const refusal = refusalOfName(text);
    expect(refusal?.detail).toContain(words);
    expect(refusal?.forms).toEqual(forms);
    for (const form of forms) expect(refusal?.detail).toContain(form);
    expect(normalisedInstrument(text)).toEqual(text === '~41@x' ? 'A@x' : refusal);
  });

  it('is refused with a bounded sentence that shows nothing unseen, and forms that are names', () => {
    const texts = fc.oneof(
      fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 600 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const refusal = refusalOfName(text);
        expect(refusal === undefined).toBe(isInstrument(text));
        expect(refusal?.detail.length ?? 0).toBeLessThan(1_500);
        expect(refusal?.detail ?? '').not.toMatch(/[\0-\x1f\u200b\u202e\ufeff]/);
        for (const form of refusal?.forms ?? []) expect(isInstrument(form)).toBe(true);
        const normalised = normalisedInstrument(text);
        if (typeof normalised === 'string') expect(isInstrument(normalised)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a name as a person writes it', () => {
  it.each([
    ['币安人生USDT@binance', '~E5~B8~81~E5~AE~89~E4~BA~BA~E7~94~9FUSDT@binance'],
    ['~E5~B8~81安@binance', '~E5~B8~81~E5~AE~89@binance'],
    ['ФЫ@x', '~D0~A4~D0~AB@x'],
    ['BTC-USDT@binance', 'BTC-USDT@binance'],
  ])('%s is %s where only one thing can be meant', (text, written) => {
    expect(normalisedInstrument(text)).toBe(written);
  });

  it.each(['é-USD@x', 'A\u115f@x', '🚀@x', 'BTC／USD@x', '~FF币@x', '币安@Binance'])(
    '%s is left to the person',
    (text) => {
      expect(normalisedInstrument(text)).toEqual(refusalOfName(text));
    },
  );

  it('is shown with its letters, and with escapes where they would not be seen', () => {
    expect(displayName('BTC-USDT@binance')).toBe('BTC-USDT@binance');
    expect(displayName('~E5~B8~81-USDT@binance')).toBe('币-USDT@binance');
    expect(displayName('~6BPEPE@hyperliquid')).toBe('kPEPE@hyperliquid');
    expect(displayName('A~07~20~E2~80~AE~7E~40@x')).toBe('A~07~20~E2~80~AE~7E~40@x');
  });
});
