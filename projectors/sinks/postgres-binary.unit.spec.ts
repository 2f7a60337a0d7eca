import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Column, Value } from '../projector.ts';
import { BinaryRows } from './postgres-binary.ts';

const HEADER_BYTES = 19;
const TRAILER_BYTES = 2;

/** The bytes between header and trailer, as hex. */
function rowsOf(columns: Readonly<Record<string, Column>>, rows: readonly Readonly<Record<string, Value>>[]): string {
  const binary = new BinaryRows({ name: 'anything', columns, key: [] });
  for (const row of rows) binary.add(row);
  const bytes = binary.finish();
  expect(bytes.toString('latin1', 0, 11)).toBe('PGCOPY\n\xff\r\n\0');
  expect(bytes.subarray(-TRAILER_BYTES).toString('hex')).toBe('ffff');
  return bytes.subarray(HEADER_BYTES, -TRAILER_BYTES).toString('hex');
}

/** A value of a row's only field: its length and its bytes. */
function fieldOf(column: Column, value: Value): string {
  const row = rowsOf({ only: column }, [{ only: value }]);
  expect(row.slice(0, 4)).toBe('0001');
  return row.slice(4);
}

describe('BinaryRows', () => {
  // As `COPY … TO STDOUT (FORMAT binary)` of PostgreSQL 18 writes them.
  it.each<[Column, Value, string]>([
    ['text', '', '00000000'],
    ['text', 'a\tü\0', '00000007' + '6109c3bcefbfbd'],
    ['integer', -2, '00000004' + 'fffffffe'],
    ['bigint', 9_007_199_254_740_991, '00000008' + '001fffffffffffff'],
    ['bigint', -1, '00000008' + 'ffffffffffffffff'],
    ['double precision', -0.1, '00000008' + 'bfb999999999999a'],
    ['double precision null', null, 'ffffffff'],
    ['timestamptz', 946_684_800_000_001, '00000008' + '0000000000000001'],
    ['timestamptz', 0, '00000008' + 'fffca2fec4c82000'],
    ['bytea', Buffer.from('00ff', 'hex'), '00000002' + '00ff'],
    ['jsonb', '{"a":1}', '00000008' + '017b2261223a317d'],
    ['text[]', [], '0000000c' + '00000000' + '00000000' + '00000019'],
    ['text[]', ['a', ''], '0000001d' + '000000010000000000000019' + '0000000200000001' + '0000000161' + '00000000'],
    ['numeric', Decimal.ZERO, '00000008' + '0000' + '0000' + '0000' + '0000'],
    ['numeric', Decimal.of('61837.63'), '0000000e' + '0003' + '0001' + '0000' + '0002' + '0006072d189c'],
    ['numeric', Decimal.of('0.000000000001'), '0000000a' + '0001' + 'fffd' + '0000' + '000c' + '0001'],
    ['numeric', Decimal.of('100000000'), '0000000a' + '0001' + '0002' + '0000' + '0000' + '0001'],
    ['numeric', '1.0', '0000000a' + '0001' + '0000' + '0000' + '0001' + '0001'],
    [
      'numeric',
      '-12345678901234567890.5000',
      '00000014' + '0006' + '0004' + '4000' + '0004' + '04d2162e23340d801ed21388',
    ],
  ])('writes %s %o', (column, value, expected) => {
    expect(fieldOf(column, value)).toBe(expected);
  });

  it('writes rows one after another, of any length', () => {
    const long = 'ü€𝄞'.repeat(50_000);
    const columns = { id: 'text', hash: 'bytea' } as const;
    const row = (id: string): string => {
      const bytes = Buffer.from(id);
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes.length);
      return `0002${length.toString('hex')}${bytes.toString('hex')}00000001ff`;
    };
    const hash = Buffer.from([255]);
    expect(
      rowsOf(columns, [
        { id: 'a', hash },
        { id: long, hash },
        { id: '', hash },
      ]),
    ).toBe(row('a') + row(long) + row(''));
  });

  it('refuses an invalid numeric', () => {
    expect(() => fieldOf('numeric', 'NaN')).toThrow('"NaN" is not a valid numeric');
  });
});
