import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SALE_CONDITIONS, settingAside } from './sale-conditions.ts';
import { LEAN_CONDITIONS, LEAN_SET_ASIDE } from './sources/lean-conditions.ts';

it('each code has one meaning on each tape', () => {
  const uses = SALE_CONDITIONS.flatMap(({ code, tapes }) => Array.from(tapes, (tape) => `${code} ${tape}`));
  expect(new Set(uses).size).toBe(uses.length);
  for (const { code, meaning } of SALE_CONDITIONS) expect([code.length, meaning === '']).toEqual([1, false]);
});

it('a trade that updates all consolidated figures counts, and what is not a trade does not', () => {
  for (const { code, last, highLow, volume, setAside } of SALE_CONDITIONS) {
    if (last === 'YES' && highLow && volume) expect(setAside, code).toBeUndefined();
    if (!volume) expect(setAside, code).toBe('not a trade');
  }
});

it.each([
  [['@', 'I'], 'C', undefined],
  [['@', 'F', 'T', 'I'], 'A', undefined],
  [['B'], 'A', 'average price'],
  [['B'], 'C', undefined],
  [['W'], 'C', 'average price'],
  [['W'], 'A', undefined],
  [['@', 'Z'], 'C', 'sold out of sequence: reported late'],
  [['L'], 'B', undefined],
  [['7', 'V'], 'B', 'contingent on another trade'],
  // A code that no plan has.
  [['?'], 'A', undefined],
  [['Z'], 'undefined', undefined],
])('the conditions %j on tape %s are set aside by: %s', (codes, tape, meaning) => {
  expect(settingAside(codes, tape)?.meaning).toBe(meaning);
});

it('docs/us-stocks.md lists them', () => {
  const page = readFileSync(new URL('../docs/us-stocks.md', import.meta.url), 'utf8');
  const listed = page.split('\n').flatMap((line) => {
    const [, code, ...cells] = /^\| `(.)` +\|(.*)\|(.*)\|(.*)\|(.*)\|(.*)\|(.*)\|$/.exec(line) ?? [];
    return code === undefined ? [] : [[code, ...cells.map((cell) => cell.trim())]];
  });
  const words = { YES: 'yes', NO: 'no', CONDITIONAL: 'if the first' } as const;
  const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');
  expect(listed).toEqual(
    SALE_CONDITIONS.map(({ code, tapes, meaning, last, highLow, volume, setAside }) => {
      return [code, tapes, meaning, words[last], yesOrNo(highLow), yesOrNo(volume), setAside ?? ''];
    }),
  );
  const [, bits = ''] = /mask of 32 bits instead, from the lowest:([^]*?)\. Trades with one in bold/.exec(page) ?? [];
  const names = bits.split(',').map((name) => name.replaceAll('`', '').trim());
  expect(names).toEqual(LEAN_CONDITIONS.map((name) => (LEAN_SET_ASIDE.has(name) ? `**${name}**` : name)));
});
