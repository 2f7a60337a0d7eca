import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionIndexOf } from '../indicators/vwap.ts';
import { parseNewConfiguration } from '../new-configuration.ts';
import { compileRules } from '../rules.ts';
import { sessionCalendarOf, type SessionCalendar, type SessionSpan } from './session-calendar.ts';
import { WEEKDAYS, type ZoneData } from './session-configuration.ts';

const DAY_US = 86_400_000_000;
const us = (text: string) => Date.parse(text) * 1_000;
const iso = (timeUs: number) => new Date(timeUs / 1_000).toISOString().slice(0, 16);
const dayOf = (date: string) => us(`${date}T00:00Z`) / DAY_US;
const shown = (span: SessionSpan | undefined) =>
  span === undefined
    ? 'closed'
    : `${iso(span.index * DAY_US).slice(0, 10)}: ${iso(span.startUs)} to ${iso(span.endUs)}`;

function calendarOf(session: object): SessionCalendar {
  const configuration = parseNewConfiguration({ session });
  return sessionCalendarOf(configuration.session, configuration.timeZones);
}

/** The session that belongs to a date, or the next one. */
const on = (calendar: SessionCalendar, date: string) => shown(calendar.after(dayOf(date) - 1));

const NEW_YORK = { timeZone: 'America/New_York', open: '09:30', close: '16:00' };

describe('windows of UTC', () => {
  it('have the same number in every engine version', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: us('2009-01-01T00:00Z'), max: us('2099-12-31T23:59Z') }),
        fc.integer({ min: 0, max: 2_000_000_000_000 }),
        fc.integer({ min: 1_000, max: 366 * 86_400_000 }),
        (timeUs, anchorMs, lengthMs) => {
          const calendar = sessionCalendarOf({ anchorMs, lengthMs });
          const span = calendar.sessionAt(timeUs)!;
          expect(span.index).toBe(sessionIndexOf(timeUs, { anchorUs: anchorMs * 1_000, lengthUs: lengthMs * 1_000 }));
          expect(span.startUs <= timeUs && timeUs < span.endUs).toBe(true);
          expect(calendar.after(span.index)).toMatchObject({ index: span.index + 1, startUs: span.endUs });
        },
      ),
    );
  });
});

describe('trading hours', () => {
  it('follow the local clock, winter and summer', () => {
    const calendar = calendarOf(NEW_YORK);
    expect(on(calendar, '2025-01-13')).toBe('2025-01-13: 2025-01-13T14:30 to 2025-01-13T21:00');
    expect(on(calendar, '2025-07-14')).toBe('2025-07-14: 2025-07-14T13:30 to 2025-07-14T20:00');
    expect(on(calendar, '2099-07-14')).toBe('2099-07-14: 2099-07-14T13:30 to 2099-07-14T20:00');
  });

  it('begin with the opening and end before the closing time', () => {
    const calendar = calendarOf(NEW_YORK);
    const at = (text: string) => shown(calendar.sessionAt(us(text)));
    const monday = '2025-01-13: 2025-01-13T14:30 to 2025-01-13T21:00';
    expect(at('2025-01-13T14:29:59.999Z')).toBe('closed');
    expect(at('2025-01-13T14:30:00Z')).toBe(monday);
    expect(at('2025-01-13T20:59:59.999Z')).toBe(monday);
    expect(at('2025-01-13T21:00:00Z')).toBe('closed');
    // Queried again, and later ones first: earlier queries change nothing.
    expect(at('2025-01-14T15:00:00Z')).toBe('2025-01-14: 2025-01-14T14:30 to 2025-01-14T21:00');
    expect(at('2025-01-13T15:00:00Z')).toBe(monday);
    expect(at('2025-01-14T03:00:00Z')).toBe('closed');
    expect(at('2025-01-14T14:29:59Z')).toBe('closed');
    expect(at('2025-01-14T14:30:00Z')).toBe('2025-01-14: 2025-01-14T14:30 to 2025-01-14T21:00');
  });

  it('leave out weekends and days off, and end early on half days', () => {
    const calendar = calendarOf({ ...NEW_YORK, daysOff: ['2025-11-27'], halfDays: { '2025-11-28': '13:00' } });
    expect(on(calendar, '2025-11-27')).toBe('2025-11-28: 2025-11-28T14:30 to 2025-11-28T18:00');
    expect(on(calendar, '2025-11-29')).toBe('2025-12-01: 2025-12-01T14:30 to 2025-12-01T21:00');
    expect(shown(calendar.sessionAt(us('2025-11-27T15:00Z')))).toBe('closed');
    expect(shown(calendar.sessionAt(us('2025-11-28T18:00Z')))).toBe('closed');
    expect(shown(calendar.sessionAt(us('2025-11-29T15:00Z')))).toBe('closed');
  });

  it('overnight belong to the day on which they end, even when the clock changes between', () => {
    const futures = { timeZone: 'America/Chicago', open: '17:00', close: '16:00' };
    const calendar = calendarOf({ ...futures, halfDays: { '2025-11-28': '12:15' } });
    expect(on(calendar, '2025-01-13')).toBe('2025-01-13: 2025-01-12T23:00 to 2025-01-13T22:00');
    expect(on(calendar, '2025-03-10')).toBe('2025-03-10: 2025-03-09T22:00 to 2025-03-10T21:00');
    // A half day's session opens as usual, on the evening before.
    expect(on(calendar, '2025-11-28')).toBe('2025-11-28: 2025-11-27T23:00 to 2025-11-28T18:15');
    expect(shown(calendar.sessionAt(us('2025-01-10T23:00Z')))).toBe('closed');
    expect(shown(calendar.sessionAt(us('2025-01-12T22:59Z')))).toBe('closed');
    const round = calendarOf({ ...futures, close: '17:00' });
    expect(on(round, '2025-01-14')).toBe('2025-01-14: 2025-01-13T23:00 to 2025-01-14T23:00');
  });

  it('from midnight to 24:00 are the local day, of 23, 24, 24.5 or 25 hours', () => {
    const wholeDays = (timeZone: string) => calendarOf({ timeZone, open: '00:00', close: '24:00', weekdays: WEEKDAYS });
    const hours = (calendar: SessionCalendar, date: string) => {
      const { startUs, endUs } = calendar.after(dayOf(date) - 1);
      return (endUs - startUs) / 3_600_000_000;
    };
    expect(hours(wholeDays('America/New_York'), '2025-03-09')).toBe(23);
    expect(hours(wholeDays('America/New_York'), '2025-11-02')).toBe(25);
    expect(hours(wholeDays('Australia/Lord_Howe'), '2025-04-06')).toBe(24.5);
    // The clock went back at midnight itself, to 23:00 of the day before, which so became longer.
    expect(hours(wholeDays('America/Sao_Paulo'), '2019-02-16')).toBe(25);
    expect(on(wholeDays('America/Sao_Paulo'), '2019-02-17')).toBe('2019-02-17: 2019-02-17T03:00 to 2019-02-18T03:00');
    // The clock went forward at midnight, to 01:00.
    expect(on(wholeDays('America/Sao_Paulo'), '2018-11-04')).toBe('2018-11-04: 2018-11-04T03:00 to 2018-11-05T02:00');
    // Samoa had no December 30, 2011.
    expect(on(wholeDays('Pacific/Apia'), '2011-12-30')).toBe('2011-12-31: 2011-12-30T10:00 to 2011-12-31T10:00');
  });

  it('that open at a skipped time open with the change, and at a repeated time open at its first occurrence', () => {
    const early = { timeZone: 'America/New_York', close: '16:00', weekdays: WEEKDAYS };
    expect(on(calendarOf({ ...early, open: '02:30' }), '2025-03-09')).toBe(
      '2025-03-09: 2025-03-09T07:00 to 2025-03-09T20:00',
    );
    expect(on(calendarOf({ ...early, open: '01:30' }), '2025-11-02')).toBe(
      '2025-11-02: 2025-11-02T05:30 to 2025-11-02T21:00',
    );
    // A session that the change skips completely does not take place.
    const skipped = calendarOf({ ...early, open: '02:10', close: '02:50' });
    expect(on(skipped, '2025-03-09')).toBe('2025-03-10: 2025-03-10T06:10 to 2025-03-10T06:50');
    expect(skipped.sessionAt(us('2025-03-09T07:00Z'))).toBeUndefined();
  });

  it('are also right when a clock goes back, and again before it caught up', () => {
    const from = us('2025-06-02T10:00Z') / 1e6;
    const offsets = [
      [us('2009-01-01T00:00Z') / 1e6, 7_200],
      [from, 0],
      [from + 3_600, -3_600],
    ] as const;
    const zones = { 'A/B': { dataVersion: 'x', offsets } };
    const hours = {
      timeZone: 'A/B',
      open: '11:30',
      close: '12:30',
      weekdays: ['MON'] as const,
      daysOff: [],
      halfDays: {},
    };
    // 11:30 was shown at 09:30 UTC first; 12:30 not before 13:30 UTC.
    expect(on(sessionCalendarOf(hours, zones), '2025-06-02')).toBe('2025-06-02: 2025-06-02T09:30 to 2025-06-02T13:30');
  });

  it('are found after as many days off as a configuration can name', () => {
    const daysOff = Array.from({ length: 4_700 }, (_, week) =>
      iso((dayOf('2009-01-05') + week * 7) * DAY_US).slice(0, 10),
    );
    const calendar = calendarOf({ ...NEW_YORK, weekdays: ['MON'], daysOff });
    expect(on(calendar, '2009-01-01')).toBe('2099-02-02: 2099-02-02T14:30 to 2099-02-02T21:00');
  });

  it('contain the trades of a day at the New York exchange, and none before its opening', () => {
    const session = NEW_YORK;
    const instrument = 'SPY@nyse';
    const rules = compileRules(parseNewConfiguration({ instruments: { [instrument]: { session } } }));
    const calendar = rules.of(instrument).calendar;
    const tradesFrom = (first: string, price: number) =>
      Array.from({ length: 10 }, (_, at) => ({ timeUs: us(first) + at * 60_000_000, price: price + at / 10 }));
    // Half an hour before the opening, and from 14:30 UTC on.
    const trades = [...tradesFrom('2025-01-13T13:40:00Z', 570), ...tradesFrom('2025-01-13T14:30:00Z', 575)];
    const counted = trades.filter(({ timeUs }) => calendar.sessionAt(timeUs)?.index === dayOf('2025-01-13'));
    expect(counted[0]?.timeUs).toBe(us('2025-01-13T14:30:00Z'));
    expect(counted.reduce((sum, { price }) => sum + price, 0) / counted.length).toBeCloseTo(575.45, 9);
  });
});

describe('sessions of any calendar', () => {
  const zones = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Pacific/Apia'];
  const data = parseNewConfiguration({
    instruments: Object.fromEntries(zones.map((timeZone, at) => [`A${at}@b`, { session: { ...NEW_YORK, timeZone } }])),
  }).timeZones;
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
  const zone = fc.constantFrom(...zones);
  /** Days at which a clock changes, and others. */
  const day = fc.oneof(
    zone
      .map((name) => data?.[name]?.offsets ?? [])
      .chain((offsets) => fc.constantFrom(...offsets.map(([from]) => from))),
    fc.integer({ min: us('2009-01-02T00:00Z') / 1e6, max: us('2099-12-01T00:00Z') / 1e6 }),
  );

  it('are in order, do not overlap, and contain exactly the times from their start to before their end', () => {
    fc.assert(
      fc.property(
        zone,
        time,
        time,
        fc.subarray([...WEEKDAYS], { minLength: 1 }),
        day,
        (timeZone, open, close, weekdays, at) => {
          const hours = { timeZone, open, close, weekdays, daysOff: [], halfDays: {} };
          const calendar = sessionCalendarOf(hours, data);
          const asked = sessionCalendarOf(hours, data);
          let span = calendar.after(Math.floor(at / 86_400) - 4);
          for (let count = 0; count < 8; count += 1) {
            const next = calendar.after(span.index);
            expect(next.index).toBeGreaterThan(span.index);
            expect(span.startUs).toBeLessThan(span.endUs);
            expect(span.endUs).toBeLessThanOrEqual(next.startUs);
            for (const inside of [span.startUs, span.startUs + 1, span.endUs - 1]) {
              expect(asked.sessionAt(inside)).toEqual(span);
            }
            const atEnd = span.endUs === next.startUs ? next : undefined;
            expect(asked.sessionAt(span.endUs)).toEqual(atEnd);
            expect(asked.sessionAt(next.startUs - 1)).toEqual(atEnd === undefined ? undefined : span);
            span = next;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are the same in whatever order times are queried', () => {
    const times = fc.array(fc.integer({ min: -6 * DAY_US, max: 6 * DAY_US }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(zone, time, time, day, times, (timeZone, open, close, at, distances) => {
        const hours = { timeZone, open, close, weekdays: ['MON', 'TUE', 'FRI'] as const, daysOff: [], halfDays: {} };
        const asked = sessionCalendarOf(hours, data);
        for (const distance of distances) {
          const timeUs = at * 1e6 + distance;
          expect(asked.sessionAt(timeUs)).toEqual(sessionCalendarOf(hours, data).sessionAt(timeUs));
        }
      }),
    );
  });
});

describe('a calendar of rules', () => {
  const configuration = parseNewConfiguration({
    session: NEW_YORK,
    instruments: { 'A@b': {}, 'B@b': { session: {} }, 'C@b': { session: { ...NEW_YORK, close: '17:00' } } },
  });

  it('is shared by the instruments without their own session', () => {
    const rules = compileRules(configuration);
    expect(rules.of('A@b').calendar).toBe(rules.of('D@b').calendar);
    expect(rules.of('B@b').calendar.sessionAt(us('2025-01-12T00:00Z'))?.index).toBe(dayOf('2025-01-12'));
    expect(shown(rules.of('C@b').calendar.sessionAt(us('2025-01-13T21:30Z')))).toContain('22:00');
  });

  it('has another key if and only if the session or the data of its zone differ', () => {
    const rules = compileRules(configuration);
    const again = compileRules(parseNewConfiguration(JSON.parse(JSON.stringify({ ...configuration, cadenceMs: 7 }))));
    for (const name of ['A@b', 'B@b', 'C@b']) expect(again.of(name).sessionKey).toBe(rules.of(name).sessionKey);
    expect(new Set(['A@b', 'B@b', 'C@b', 'D@b'].map((name) => rules.of(name).sessionKey)).size).toBe(3);
    const zone: ZoneData = { ...configuration.timeZones!['America/New_York']!, dataVersion: '2099z' };
    const later = compileRules({ ...configuration, timeZones: { 'America/New_York': zone } });
    expect(later.of('A@b').sessionKey).not.toBe(rules.of('A@b').sessionKey);
    expect(later.of('B@b').sessionKey).toBe(rules.of('B@b').sessionKey);
  });
});
