import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoTimeOf, parseIsoTime } from './iso-time.ts';
import { EVENT_TIME_US_MAX, EVENT_TIME_US_MIN } from './trade-rules.ts';

describe('isoTimeOf and parseIsoTime', () => {
  it('are the inverse of each other, to the microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: EVENT_TIME_US_MIN, max: EVENT_TIME_US_MAX - 1 }), (timeUs) => {
        expect(parseIsoTime(isoTimeOf(timeUs))).toBe(timeUs);
        expect(parseIsoTime(String(timeUs))).toBe(timeUs);
      }),
    );
  });

  it.each([
    ['2025-03-25T23:08:00Z', 1_742_944_080_000_000],
    ['2025-03-26T00:08:00.5+01:00', 1_742_944_080_500_000],
    ['2025-03-25T23:08:00.000125Z', 1_742_944_080_000_125],
  ])('reads %s', (text, timeUs) => {
    expect(parseIsoTime(text)).toBe(timeUs);
  });

  it.each([
    '',
    'yesterday',
    '2025-03-25',
    '2025-03-25T23:08:00',
    '2025-13-25T23:08:00Z',
    '2025-02-29T23:08:00Z',
    '2025-03-25T24:00:00Z',
    '2025-03-25T23:08:00+15:00',
    '1742944080',
    '-1742944080000000',
  ])('refuses %j', (text) => {
    expect(parseIsoTime(text)).toBeUndefined();
  });
});
