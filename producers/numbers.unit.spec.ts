import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import { amountOf, plainDecimal } from './numbers.ts';
import { microsecondsOf, type TimeForm } from './timestamps.ts';

const digits: TimeForm = { unit: 'digits', isUtcWithoutZone: false };
const utc: TimeForm = { unit: 'digits', isUtcWithoutZone: true };

describe('a number', () => {
  it.each([
    ['1e-5', '0.00001'],
    ['1.25e-7', '0.000000125'],
    ['12.5E+2', '1250'],
    ['1.2345e2', '123.45'],
    ['3e0', '3'],
    ['+1.5', '1.5'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['5.', '5'],
    ['007.10', '7.1'],
    ['9.35005e+04', '93500.5'],
    ['0.1000000000000000000000000', '0.1'],
  ])('%s is %s', (written, exact) => {
    expect(amountOf('price', written)).toEqual(Decimal.of(exact));
  });

  it.each([
    '',
    '.',
    'e5',
    '1e',
    '1e400',
    'NaN',
    'Infinity',
    '0x10',
    '1.2.3',
    '--1',
    '1 000',
    '1,5',
    '1_000',
    "1'000",
    '٣',
  ])('%j is refused', (text) => {
    expect(amountOf('size', text)).toMatchObject({ reason: 'NOT_A_NUMBER' });
  });

  it('with a mark that may separate thousands or decimals is refused with that reason', () => {
    for (const text of ['1,5', '1,234.5', "1'000", '1 000', '1_000', '1\u202f000']) {
      expect(amountOf('price', text)).toMatchObject({ detail: expect.stringContaining('it is ambiguous') as string });
    }
  });

  it('is the same however it is written', () => {
    const whole = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n });
    fc.assert(
      fc.property(whole, fc.integer({ min: 0, max: 12 }), fc.boolean(), (units, scale, isUpper) => {
        const magnitude = (units < 0n ? -units : units).toString();
        const sign = units < 0n ? '-' : '';
        const padded = magnitude.padStart(scale + 1, '0');
        const plain = `${sign}${padded.slice(0, padded.length - scale)}.${padded.slice(padded.length - scale)}0`;
        const scientific = `${sign}${magnitude[0] ?? ''}.${magnitude.slice(1)}${isUpper ? 'E' : 'e'}${magnitude.length - 1 - scale}`;
        expect(Decimal.of(plainDecimal(scientific) ?? '')).toEqual(Decimal.of(plain));
      }),
    );
  });
});

describe('a stamp', () => {
  const expected = 1_735_689_600_123_456;
  it.each([
    ['1735689600', digits, 1_735_689_600_000_000],
    ['1735689600123', digits, 1_735_689_600_123_000],
    ['1735689600123456', digits, expected],
    ['1735689600123456789', digits, expected],
    ['1735689600.123456', digits, expected],
    ['1735689600.1234', digits, 1_735_689_600_123_400],
    ['1735689600.123456999', digits, expected],
    ['1735689600123.456', digits, expected],
    ['1735689600123456.0', digits, expected],
    ['1735689600.', digits, 1_735_689_600_000_000],
    ['1.735689600123456e15', digits, expected],
    ['1.7356896E9', digits, 1_735_689_600_000_000],
    ['1735689600', { unit: 's', isUtcWithoutZone: false }, 1_735_689_600_000_000],
    ['1735689600123456789', { unit: 'ns', isUtcWithoutZone: false }, expected],
    ['123', { unit: 'ns', isUtcWithoutZone: false }, 0],
    ['2025-01-01T00:00:00.123456Z', digits, expected],
    ['2025-01-01T00:00:00.123456789Z', digits, expected],
    ['2025-01-01t00:00:00.123456z', digits, expected],
    ['2025-01-01 00:00:00.123456+00:00', digits, expected],
    ['2025-01-01 00:00:00.123456 UTC', digits, expected],
    ['2025-01-01T01:00:00.123456+0100', digits, expected],
    ['2024-12-31T19:00:00.123456-05', digits, expected],
    ['2025-01-01T05:30:00.123456+05:30', digits, expected],
    ['2025-01-01D00:00:00.123456000', utc, expected],
    ['2025-01-01 00:00:00.123456', utc, expected],
    ['2024-02-29T00:00:00', utc, 1_709_164_800_000_000],
  ] as const)('%s as %o is read exactly', (text, form, microseconds) => {
    expect(microsecondsOf(text, form)).toBe(microseconds);
  });

  it.each([
    ['', utc],
    ['173568960', digits],
    ['17356896001', digits],
    ['-1735689600', digits],
    ['1_735_689_600', digits],
    ['2025-01-01T00:00:00', digits],
    ['2025-01-01', utc],
    ['2025-02-30T00:00:00Z', utc],
    ['2023-02-29T00:00:00Z', utc],
    ['2025-13-01T00:00:00Z', utc],
    ['2025-01-01T24:00:00Z', utc],
    ['2025-01-01T00:60:00Z', utc],
    ['2025-01-01T00:00:60Z', utc],
    ['2025-01-01T00:00:00.1234567890Z', utc],
    ['2025-01-01T00:00:00+25:00', utc],
    ['01/02/2025 00:00:00', utc],
    ['999999999999999999999', { unit: 's', isUtcWithoutZone: false }],
  ] as const)('%j as %o is refused', (text, form) => {
    expect(microsecondsOf(text, form)).toBeUndefined();
  });

  it('is the same in every unit and as a calendar time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_230_768_000_000_000, max: 4_102_444_799_999_999 }), (microseconds) => {
        const text = String(microseconds);
        const iso = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, -1);
        const forms = [
          text,
          `${text}000`,
          `${text.slice(0, 10)}.${text.slice(10)}`,
          `${text.slice(0, 13)}.${text.slice(13)}`,
        ];
        for (const form of [...forms, `${iso}${text.slice(13)}Z`])
          expect(microsecondsOf(form, digits)).toBe(microseconds);
      }),
    );
  });
});
