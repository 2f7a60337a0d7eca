import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Table } from '../projector.ts';
import { copyText, timeText, toText } from './postgres-text.ts';

const TABLE: Table = {
  name: 'anything',
  columns: {
    id: 'text',
    amount: 'numeric',
    ratio: 'double precision null',
    at: 'timestamptz',
    hash: 'bytea',
    causes: 'text[]',
    figures: 'jsonb',
    count: 'bigint',
  },
  key: ['id'],
};
const ROW = {
  id: 'a\tb\\c\nd\re',
  amount: Decimal.of('0.000000000001'),
  ratio: null,
  at: 1_723_161_255_342_007,
  hash: Buffer.from('00ff', 'hex'),
  causes: ['x', 'say "y"', 'back\\slash', ''],
  figures: '{"a":1e-7}',
  count: 9_007_199_254_740_991,
};

describe('copyText', () => {
  it('escapes what would end a value, a row or a text', () => {
    expect(copyText(TABLE, [ROW]).toString()).toBe(
      [
        'a\\tb\\\\c\\nd\\re',
        '0.000000000001',
        '\\N',
        '2024-08-08T23:54:15.342007Z',
        '\\\\x00ff',
        '{"x","say \\\\"y\\\\"","back\\\\\\\\slash",""}',
        '{"a":1e-7}',
        '9007199254740991\n',
      ].join('\t'),
    );
  });

  it('keeps columns apart where the first is empty, and takes rows of any length', () => {
    const long = 'ü€𝄞'.repeat(5_000);
    const rows = [
      { ...ROW, id: '' },
      { ...ROW, id: long },
    ];
    const lines = copyText(TABLE, rows).toString().split('\n');
    expect(lines.map((line) => line.split('\t').length)).toEqual([8, 8, 1]);
    expect(lines[1]?.startsWith(`${long}\t`)).toBe(true);
  });
});

describe('toText', () => {
  it('replaces what Postgres cannot store', () => {
    expect(toText('text', 'a\0b')).toBe('a\ufffdb');
  });
});

describe('timeText', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000000Z'],
    [-1, '1969-12-31T23:59:59.999999Z'],
    [1_723_161_255_000_001, '2024-08-08T23:54:15.000001Z'],
    [4_102_444_799_999_999, '2099-12-31T23:59:59.999999Z'],
  ])('writes %d µs exactly', (timeUs, text) => {
    expect(timeText(timeUs)).toBe(text);
    // Once more, from memory.
    expect(timeText(timeUs)).toBe(text);
  });
});
