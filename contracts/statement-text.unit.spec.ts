import { describe, expect, it } from 'vitest';
import { isStatement, shown, STATEMENT_LENGTH_MAX } from './statement-text.ts';

describe('a reason or a name', () => {
  it.each(['shorter horizon', 'Jürgen Groß <j@example.org>', '東京', 'نام', '👩‍💻'])('may be %s', (text) => {
    expect(isStatement(text)).toBe(true);
    expect(shown(text)).toBe(text);
  });

  it.each([
    ['empty', ''],
    ['blank', '  '],
    ['two lines', 'a\nb'],
    ['an escape sequence', '\u001b[2Ka'],
    ['an eight-bit control', '\u009b2K'],
    ['a line separator', 'a\u2028b'],
    ['reordering text', 'a\u202eb'],
    ['half a character', 'a\ud800'],
    ['too long', 'x'.repeat(STATEMENT_LENGTH_MAX + 1)],
  ])('may not be %s', (_what, text) => {
    expect(isStatement(text)).toBe(false);
    expect(isStatement(shown(text).slice(0, STATEMENT_LENGTH_MAX))).toBe(text.trim() !== '');
  });

  it('is shown as not stated where it is missing', () => {
    expect(shown(null)).toBe('not stated');
  });
});
