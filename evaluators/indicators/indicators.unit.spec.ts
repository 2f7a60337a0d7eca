import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { PriceRows } from './price-rows.ts';
import { Sessions } from './session.ts';
import { sessionIndexOf } from './vwap.ts';

const DAY_US = 86_400_000_000;
const UTC_DAYS = { anchorUs: 0, lengthUs: DAY_US };

describe('sessionIndexOf', () => {
  it('resets on the index of the epoch session, not on a calendar', () => {
    expect(sessionIndexOf(DAY_US - 1, UTC_DAYS)).toBe(0);
    expect(sessionIndexOf(DAY_US, UTC_DAYS)).toBe(1);
    expect(sessionIndexOf(5, { anchorUs: 10, lengthUs: 10 })).toBe(-1);
    // The same day of the month, one month later, is another session.
    const day = (text: string) => sessionIndexOf(Date.parse(text) * 1_000, UTC_DAYS);
    expect(day('2025-02-01T12:00:00Z') - day('2025-01-01T12:00:00Z')).toBe(31);
    expect(day('2025-01-01T00:00:00.000Z') - day('2024-12-31T23:59:59.999Z')).toBe(1);
  });
});

describe('Sessions', () => {
  const add = (sessions: Sessions, index: number, offset: number) => {
    sessions.add(index, offset, PriceRows.uniform(Decimal.of('1')), Decimal.of('10'), Decimal.of('1'));
  };
  const counts = (sessions: Sessions) => [
    sessions.previous?.index,
    sessions.previous?.vwap.tradeCount,
    sessions.current?.index,
    sessions.current?.vwap.tradeCount,
  ];

  it('counts a late trade into its own session, and one of an older session into none', () => {
    const sessions = new Sessions();
    add(sessions, 3, 0);
    add(sessions, 4, 1);
    add(sessions, 3, 2);
    expect(counts(sessions)).toEqual([3, 2, 4, 1]);
    add(sessions, 2, 3);
    expect(counts(sessions)).toEqual([3, 2, 4, 1]);
    add(sessions, 9, 4);
    add(sessions, 8, 5);
    expect(counts(sessions)).toEqual([8, 1, 9, 1]);
    expect(Sessions.fromState(sessions.toState()).toState()).toEqual(sessions.toState());
  });
});
