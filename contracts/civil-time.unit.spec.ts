import { describe, expect, it } from 'vitest';
import { civilMs } from './civil-time.ts';

const at = (text: string): number | undefined => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[- :]/).map(Number);
  return civilMs({ year, month, day, hour, minute, second });
};

describe('a civil time', () => {
  it.each(['2025-03-26 10:00:00', '2024-02-29 23:59:59', '1970-01-01 00:00:00'])('is %s', (text) => {
    expect(at(text)).toBe(Date.parse(`${text.replace(' ', 'T')}Z`));
  });

  it.each([
    '2025-02-29 00:00:00',
    '2026-02-30 10:00:00',
    '2026-04-31 10:00:00',
    '2026-13-01 10:00:00',
    '2026-00-01 10:00:00',
    '2026-01-00 10:00:00',
    '2026-01-01 24:00:00',
    '2026-01-01 10:60:00',
    '2026-01-01 10:00:60',
  ])('is not %s', (text) => {
    expect(at(text)).toBeUndefined();
  });
});
