import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EXCHANGE_CALENDARS, sessionOfExchange, yearsOf } from './exchange-calendars.ts';
import { dayNumberOf, session, weekdayOf, type TradingHours } from './session-configuration.ts';

describe.each(EXCHANGE_CALENDARS)('the calendar $name', (calendar) => {
  const [first, last] = yearsOf(calendar);
  const block = sessionOfExchange(calendar, first, last);

  it('has every year from the first to the last, and is a valid session', () => {
    expect(Object.keys(calendar.years)).toHaveLength(last - first + 1);
    expect(session.parse(block)).toMatchObject(block);
  });

  it('names days in order, once, on which it would be open', () => {
    for (const days of [block.daysOff, Object.keys(block.halfDays)]) {
      expect(days).toEqual([...new Set(days)].sort());
      for (const day of days) expect(['SAT', 'SUN', undefined], day).not.toContain(weekdayOf(dayNumberOf(day) ?? NaN));
      for (const day of days) expect(dayNumberOf(day), day).toBeDefined();
    }
    expect(block.daysOff.filter((day) => day in block.halfDays)).toEqual([]);
  });

  it('has the days of the years asked for, and no others', () => {
    const { daysOff, halfDays } = sessionOfExchange(calendar, last, last + 5);
    expect(daysOff.length).toBeGreaterThan(0);
    for (const day of [...daysOff, ...Object.keys(halfDays)]) expect(day.startsWith(`${last}-`)).toBe(true);
  });
});

it('docs/sessions.md has the calendar of US stocks', () => {
  const page = readFileSync(new URL('../../docs/sessions.md', import.meta.url), 'utf8');
  const [, yaml = ''] = /## US equities[^]*?```yaml\n([^]*?)```/.exec(page) ?? [];
  const written = parse(yaml) as { session: TradingHours };
  const [xnys] = EXCHANGE_CALENDARS;
  if (xnys === undefined) throw new RangeError('there is no calendar');
  expect(written.session).toEqual(sessionOfExchange(xnys, 2024, 2027));
});
