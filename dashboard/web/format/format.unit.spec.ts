import { describe, expect, it } from 'vitest';
import {
  bytesText,
  countOf,
  countText,
  percentBounds,
  percentText,
  priceDigits,
  priceText,
  signedBounds,
  signedText,
} from './numbers.ts';
import { ageText, durationText, timeText } from './times.ts';

describe('numbers', () => {
  it.each([
    [percentText(0.642197), '64.2\u202f%'],
    [percentText(-0.05, 0), '−5\u202f%'],
    [percentText(null), '–'],
    [percentBounds({ low: 0.468, high: 0.549 }), '46.8 to 54.9\u202f%'],
    [percentBounds(null), '–'],
    [signedText(0.0016), '+0.0016'],
    [signedText(-0.0199), '−0.0199'],
    [signedText(-0.00001), '+0.0000'],
    [signedText(undefined), '–'],
    [signedBounds({ low: -0.006, high: 0.0075 }), '−0.0060 to +0.0075'],
    [signedBounds(null), '–'],
    [countText(19_758), '19,758'],
    [countText(null), '–'],
    [countOf(1, 'gap'), '1 gap'],
    [countOf(0, 'gap'), '0 gaps'],
    [bytesText(33), '33 bytes'],
    [bytesText(65_536), '64.0 KiB'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  it.each([
    ['64120.50', '64,120.50'],
    ['0.000000012345', '0.000000012345'],
    ['-37.63', '−37.63'],
    ['1234567', '1,234,567'],
    ['not a price', 'not a price'],
    [64_120.5, '64,120.50'],
    [1.0824, '1.0824'],
    [0.00000123, '0.00000123'],
    [null, '–'],
  ])('a price keeps its digits: %s', (price, expected) => {
    expect(priceText(price)).toBe(expected);
  });

  it('the finest price decides the digits of all', () => {
    expect(priceDigits(['1', '1.25', '1.5'])).toBe(2);
    expect(priceDigits([])).toBe(0);
    expect(priceDigits(['0.000000000001'])).toBe(8);
  });
});

describe('times', () => {
  it.each([
    [0, 'now'],
    [999, 'now'],
    [8_000, '8 s'],
    [240_000, '4 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [273_600_000, '3 d 4 h'],
  ])('an age of %i ms is %s', (ageMs, text) => {
    expect(ageText(ageMs)).toBe(text);
  });

  it('a duration is exact', () => {
    expect([durationText(300_000), durationText(250)]).toEqual(['300 s', '250 ms']);
  });

  it('are in the zone of the viewer, with the day where it is another one there, and in UTC', () => {
    const time = Date.parse('2025-03-25T23:03:07.250Z');
    expect(timeText(time, time, 'UTC').local).toBe('23:03:07');
    expect(timeText(time, time + 3_600_000, 'UTC').local).toBe('25 Mar 2025, 23:03:07');
    expect(timeText(time, time + 3_600_000, 'Europe/Berlin').local).toBe('00:03:07');
    expect(timeText(time, time, 'Asia/Tokyo')).toEqual({
      local: '08:03:07',
      utc: '2025-03-25 23:03:07.250 UTC',
      iso: '2025-03-25T23:03:07.250Z',
    });
  });
});
