import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  instrumentNameOf,
  isInstrument,
  normalisedInstrument,
  refusalOfName,
  symbolOf,
} from '../contracts/instrument-name.ts';
import { binanceInstrument, binanceSymbol } from '../producers/binance-trade.ts';

const PAGE = readFileSync(new URL('../docs/instrument-names.md', import.meta.url), 'utf8');

/** The rows of the page's table with these headings; each cell's words in backticks, or else its text. */
function rowsOf(...headings: readonly string[]): (readonly (readonly string[])[])[] {
  const [, table = ''] = PAGE.split(`| ${headings.join(' | ')} |\n|${'---|'.repeat(headings.length)}\n`);
  const lines = (table.split('\n\n')[0] ?? '').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(3);
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => {
        const quoted = [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
        return quoted.length === 0 ? [cell.trim()] : quoted;
      }),
  );
}

describe('docs/instrument-names.md', () => {
  it.each(rowsOf("the venue's own symbol", 'venue', 'written form'))(
    'is right that %s at %s is %s',
    ([symbol = ''] = [], [venue = ''] = [], [written = ''] = []) => {
      expect(instrumentNameOf(symbol, venue)).toBe(written);
      expect(isInstrument(written)).toBe(true);
      expect(symbolOf(written)).toEqual({ symbol, venue });
    },
  );

  it.each(rowsOf('written', 'form to use'))('is right that for %s there is %s', ([text = ''] = [], words = []) => {
    expect(refusalOfName(text)?.forms).toEqual(words.filter((word) => word.includes('@')));
    expect(normalisedInstrument(text)).toEqual(refusalOfName(text));
  });

  it.each(rowsOf("Binance's symbol", 'written form'))(
    'is right that %s of Binance is %s',
    ([symbol = ''] = [], [written = ''] = []) => {
      expect(binanceInstrument(symbol)).toBe(written);
      expect(binanceSymbol(written)).toBe(symbol);
    },
  );

  it('is right about letters that need no escape', () => {
    const [, raw = '', written = ''] = /`([^`]+)` is read as `([^`]+)`/.exec(PAGE) ?? [];
    expect(normalisedInstrument(raw)).toBe(written);
  });
});
