import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { sessionCalendarOf } from '../sessions/session-calendar.ts';
import { PriceRows } from './price-rows.ts';
import { Sessions, type SessionsState } from './session.ts';

const DAY_US = 86_400_000_000;
const calendar = sessionCalendarOf({ anchorMs: 0, lengthMs: 86_400_000 }, {});
const price = Decimal.of('100');
const rowsFrom = () => PriceRows.uniform(Decimal.of('1'));

const spanOf = (day: number) => calendar.sessionAt(day * DAY_US)!;
const enter = (sessions: Sessions, day: number) => sessions.enter(spanOf(day), day);
const count = (sessions: Sessions, day: number, offset = day) => {
  sessions.of(spanOf(day), offset).add(price, Decimal.of('1'), offset, rowsFrom);
};
const held = (sessions: Sessions) => sessions.all.map(({ span, vwap }) => [span.index, vwap.tradeCount]);

describe('Sessions', () => {
  it('include the one that the clock is in, the one before and the one after', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    for (const day of [4, 5, 6]) {
      expect(sessions.placeOf(spanOf(day))).toBe('HELD');
      count(sessions, day);
    }
    expect(sessions.placeOf(spanOf(3))).toBe('TOO_OLD');
    expect(sessions.placeOf(spanOf(7))).toBe('TOO_FAR');
    expect(held(sessions)).toEqual([
      [4, 1],
      [5, 1],
      [6, 1],
    ]);
    expect([sessions.current?.span.index, sessions.previous?.span.index]).toEqual([5, 4]);
    expect(sessions.earliestUs).toBe(4 * DAY_US);
  });

  it('drop those into which no trade can count any more when the clock advances', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    for (const day of [4, 5, 6]) count(sessions, day);
    enter(sessions, 6);
    expect(held(sessions)).toEqual([
      [5, 1],
      [6, 1],
    ]);
    enter(sessions, 9);
    expect(held(sessions)).toEqual([
      [6, 1],
      [9, 0],
    ]);
  });

  it('accept an earlier one as the previous one while there is none', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    expect(sessions.earliestUs).toBe(Number.NEGATIVE_INFINITY);
    count(sessions, 2);
    expect(sessions.previous?.span.index).toBe(2);
    count(sessions, 3);
    expect(held(sessions)).toEqual([
      [3, 1],
      [5, 0],
    ]);
  });

  it('go back with a clock that was wrong, and keep the neighbours', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 100);
    count(sessions, 100);
    enter(sessions, 5);
    expect(held(sessions)).toEqual([[5, 0]]);
    enter(sessions, 6);
    enter(sessions, 5);
    expect(held(sessions)).toEqual([
      [5, 0],
      [6, 0],
    ]);
  });

  it('restart a profile, and restart it again when an earlier trade is taken out', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    count(sessions, 5);
    sessions.restartProfiles();
    expect(sessions.current?.profile).toBeUndefined();
    count(sessions, 5);
    expect(sessions.current?.profile?.size).toBe(1);
    sessions.current?.remove(price, Decimal.of('1'));
    expect(sessions.current?.profile).toBeUndefined();
    expect(sessions.current?.vwap.tradeCount).toBe(1);
  });

  it('remember the least offset of their trades', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    count(sessions, 5, 40);
    count(sessions, 5, 3);
    expect(sessions.current?.firstOffset).toBe(3);
  });

  it('continue from their state', () => {
    const sessions = new Sessions(calendar);
    enter(sessions, 5);
    for (const day of [4, 5, 6]) count(sessions, day);
    sessions.restartProfiles();
    count(sessions, 5);
    const state = JSON.parse(JSON.stringify(sessions.toState())) as SessionsState;
    const resumed = new Sessions(calendar, state);
    expect(canonicalJson(resumed.toState())).toBe(canonicalJson(sessions.toState()));
    for (const each of [sessions, resumed]) {
      count(each, 5);
      enter(each, 6);
    }
    expect(canonicalJson(resumed.toState())).toBe(canonicalJson(sessions.toState()));
  });
});
