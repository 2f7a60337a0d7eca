import { describe, expect, it } from 'vitest';
import { parseLength, parseMoment } from './time-option.ts';

const NINE_US = 1_795_683_600_000_000;

describe('a moment', () => {
  it.each([
    ['2026-11-26T09:00:00Z', NINE_US],
    ['2026-11-26T09:00Z', NINE_US],
    ['2026-11-26 10:00:00 +01:00', NINE_US],
    ['2026-11-26T10:00:00+0100', NINE_US],
    ['2026-11-26T04:00:00.000125-05', NINE_US + 125],
    ['2026-11-26T09:00:00z', NINE_US],
    [String(NINE_US), NINE_US],
  ])('%s is read', (text, timeUs) => {
    expect(parseMoment(text)).toBe(timeUs);
  });

  it.each([
    ['2026-11-26T09:00:00', '2026-11-26T09:00:00Z or 2026-11-26T09:00:00+01:00'],
    ['2026-11-26 09:00', '2026-11-26T09:00:00Z'],
    ['2026-11-26', 'with its zone'],
    ['2026-02-30T09:00:00Z', 'is not a valid time'],
    ['2026-02-30', 'is not a valid time'],
    ['2026-11-26Z', 'is not a valid time'],
    ['2026-11-26T25:00:00Z', 'is not a valid time'],
    ['2026-11-26T09:00:00+99:99', 'is not a valid time'],
    ['yesterday', 'is not a valid time'],
    ['', 'is not a valid time'],
  ])('%s is refused', (text, sentence) => {
    expect(() => parseMoment(text)).toThrow(sentence);
  });
});

describe('a length of time', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['5 min', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s is read', (text, ms) => {
    expect(parseLength(text)).toBe(ms);
  });

  it.each(['30', '-1s', '1.5h', 'long', ''])('%s is refused', (text) => {
    expect(() => parseLength(text)).toThrow('is not a valid length of time');
  });
});
