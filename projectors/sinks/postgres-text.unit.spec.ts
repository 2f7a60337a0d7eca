import { describe, expect, it } from 'vitest';
import { timeText, toText } from './postgres-text.ts';

describe('toText', () => {
  it('replaces characters that Postgres cannot store', () => {
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
