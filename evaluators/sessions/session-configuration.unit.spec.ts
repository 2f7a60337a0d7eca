import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { canonicalConfiguration, ConfigurationError, parseConfiguration } from '../configuration.ts';
import { parseNewConfiguration } from '../new-configuration.ts';
import { dayNumberOf, isTradingHours, weekdayOf } from './session-configuration.ts';

const HOURS = { timeZone: 'America/New_York', open: '09:30', close: '16:00' };
const FUTURES = { timeZone: 'America/Chicago', open: '18:00', close: '17:00' };
const ZONE = 'America/New_York';
const FROM = 1_230_768_000;

const complaint = (raw: unknown, parser = parseNewConfiguration) => {
  try {
    parser(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return 'none';
};

describe('trading hours', () => {
  it('are normalized: weekdays, dates and times have one text', () => {
    const { session } = parseNewConfiguration({
      session: {
        ...HOURS,
        open: '9:30',
        weekdays: ['FRI', 'MON', 'FRI'],
        daysOff: ['2025-12-25', '2025-01-01', '2025-12-25'],
      },
    });
    expect(session).toEqual({
      ...HOURS,
      weekdays: ['MON', 'FRI'],
      daysOff: ['2025-01-01', '2025-12-25'],
      halfDays: {},
    });
  });

  it.each([
    [
      { ...HOURS, timeZone: 'America/New_Yrok' },
      'session.timeZone "America/New_Yrok" is not in the IANA database of time zones. Did you mean "America/New_York"?',
    ],
    [{ ...HOURS, timeZone: 'zzzzzzzzzzzzzzzzzzzzzzzz' }, 'Its names are like "America/New_York".'],
    [
      { ...HOURS, anchorMs: 0 },
      'session is wrong: anchorMs belongs to windows of UTC and timeZone to trading hours, and a session is one of them.',
    ],
    [
      { timeZone: ZONE, open: '09:30' },
      'session is wrong: trading hours need timeZone, open and close, and it has no close.',
    ],
    [{ daysOff: ['2025-12-25'] }, 'and it has no timeZone and no open and no close.'],
    [{ ...HOURS, closes: '16:00' }, 'an unknown key "closes" in session. Did you mean "close"?'],
    [{ ...HOURS, open: 570 }, "session.open is wrong: must be a time of day in quotes, for example '09:30'."],
    [{ ...HOURS, open: '9.30' }, 'session.open is wrong: must be a time of day'],
    [{ ...HOURS, open: '25:00' }, 'session.open is wrong: must be a time of day'],
    [{ ...HOURS, close: '24:01' }, 'session.close is wrong: must be a time of day'],
    [{ ...HOURS, open: '24:00' }, 'open must be before 24:00'],
    [{ ...HOURS, close: '00:00' }, 'close must be after 00:00: the midnight that ends a day is 24:00.'],
    [{ ...HOURS, weekdays: [] }, 'session.weekdays is wrong: must name one to seven days'],
    [{ ...HOURS, weekdays: ['Mon'] }, 'session.weekdays.0 is wrong: it must be MON or TUE or'],
    [{ ...HOURS, daysOff: '2025-12-25' }, 'session.daysOff is wrong: it must be a list'],
    [
      { ...HOURS, daysOff: ['2025-12-25', '2025-02-30'] },
      "session.daysOff.1 is wrong: must be a date of 2009 to 2099 in quotes, for example '2025-12-25'.",
    ],
    [{ ...HOURS, daysOff: ['25.12.2025'] }, 'session.daysOff.0 is wrong: must be a date'],
    [{ ...HOURS, daysOff: ['0025-12-25'] }, 'session.daysOff.0 is wrong: must be a date'],
    [{ ...HOURS, daysOff: [new Date(0)] }, 'session.daysOff.0 is wrong: must be a date'],
    [{ ...HOURS, halfDays: ['2025-11-28'] }, 'session.halfDays is wrong: it must be a mapping'],
    [{ ...HOURS, halfDays: { 'Nov 28': '13:00' } }, `key "session.halfDays.Nov 28" must be a date of 2009 to 2099`],
    [{ ...HOURS, halfDays: { '2025-11-28': 780 } }, 'session.halfDays.2025-11-28 is wrong: must be a time of day'],
    [
      { ...HOURS, daysOff: ['2025-11-28'], halfDays: { '2025-11-28': '13:00' } },
      'session is wrong: 2025-11-28 is a half day and a day off, and can be one of them.',
    ],
    [
      { ...HOURS, halfDays: { '2025-11-29': '13:00' } },
      'the half day 2025-11-29 is a SAT, which is not among its weekdays.',
    ],
    [
      { ...HOURS, halfDays: { '2025-11-28': '16:00' } },
      'the half day 2025-11-28 closes at 16:00, which is not before 16:00.',
    ],
    [
      { ...HOURS, halfDays: { '2025-11-28': '9:30' } },
      'the half day 2025-11-28 closes at 09:30, which is not after its opening at 09:30.',
    ],
    [
      { ...FUTURES, halfDays: { '2025-11-28': '19:00' } },
      'the half day 2025-11-28 closes at 19:00, which is not before 17:00.',
    ],
  ])('are refused with a sentence: %j', (session, sentence) => {
    expect(complaint({ session })).toContain(sentence);
    expect(complaint({ instruments: { 'A@b': { session } } })).toContain(
      sentence
        .replace(/\bsession(?=\.| is)/, 'instruments.A@b.session')
        .replace(' in session', ' in instruments.A@b.session'),
    );
  });

  it('are read from YAML with and without quotes, and refused if YAML 1.1 reads them as numbers', () => {
    const text = (mark: string) =>
      [
        `session: { timeZone: America/New_York, open: ${mark}09:30${mark}, close: ${mark}16:00${mark},`,
        `  weekdays: [MON, TUE, FRI], daysOff: [${mark}2025-12-26${mark}], halfDays: { ${mark}2025-11-28${mark}: ${mark}13:00${mark} } }`,
      ].join('\n');
    const read = parseNewConfiguration(parse(text("'")));
    expect(parseNewConfiguration(parse(text('')))).toEqual(read);
    const old = parse('session: { timeZone: UTC, open: 09:30, close: 16:00 }', { version: '1.1' }) as unknown;
    expect(complaint(old)).toContain('session.open is wrong: must be a time of day in quotes');
  });
});

describe('data of time zones', () => {
  const made = parseNewConfiguration({ instruments: { 'A@b': { session: HOURS } } });
  const canonical = canonicalConfiguration(made);
  const own = { ...HOURS };

  it('are added once, and are read again without a library, to the same text', () => {
    expect(made.timeZones?.[ZONE]?.dataVersion).toMatch(/^20\d\d[a-z]$/);
    expect(canonicalConfiguration(parseConfiguration(JSON.parse(canonical)))).toBe(canonical);
    expect(canonicalConfiguration(parseNewConfiguration(JSON.parse(canonical)))).toBe(canonical);
    expect(canonical.length).toBeLessThan(6_000);
  });

  it('are absent when no session names a zone', () => {
    expect(parseNewConfiguration({})).toEqual(parseConfiguration({}));
    expect(canonicalConfiguration(parseNewConfiguration({}))).not.toContain('timeZones');
  });

  it('that a configuration holds already are kept', () => {
    const timeZones = { [ZONE]: { dataVersion: '2013a', offsets: [[FROM, -18_000]] } };
    expect(parseNewConfiguration({ session: own, timeZones }).timeZones).toEqual(timeZones);
  });

  it('that no session names are refused in a new configuration', () => {
    const { timeZones } = made;
    expect(complaint({ timeZones })).toContain(`timeZones.${ZONE} belongs to no session: leave it out.`);
  });

  const zone = (offsets: unknown) => ({ [ZONE]: { dataVersion: '2026a', offsets } });
  it.each([
    ['are missing', undefined, `session.timeZone is wrong: timeZones has no data of ${ZONE}.`],
    ['belong to another zone', { UTC: { dataVersion: '2026a', offsets: [[FROM, 0]] } }, 'timeZones has no data of'],
    ['begin late', zone([[FROM + 1, 0]]), `timeZones.${ZONE}.offsets is wrong: it must begin at ${FROM}, ascend`],
    [
      'descend',
      zone([
        [FROM, 0],
        [FROM + 9, 1],
        [FROM + 9, 2],
      ]),
      `and [${FROM + 9}, 2] does not.`,
    ],
    [
      'change nothing',
      zone([
        [FROM, 0],
        [FROM + 9, 0],
      ]),
      `and [${FROM + 9}, 0] does not.`,
    ],
    ['are empty', zone([]), `timeZones.${ZONE}.offsets is wrong`],
    ['are not numbers', zone([[FROM, 'x']]), `timeZones.${ZONE}.offsets.0.1 is wrong`],
  ])('of a configuration on the tape are refused when they %s', (_, timeZones, sentence) => {
    expect(complaint({ session: own, ...(timeZones && { timeZones }) }, parseConfiguration)).toContain(sentence);
  });
});

describe('the examples of docs/sessions.md', () => {
  const page = readFileSync(new URL('../../docs/sessions.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) =>
    parseNewConfiguration(parse(text ?? '')),
  );

  it('are complete configurations, and their days off and half days would otherwise be trading days', () => {
    const sessions = examples.map(({ session, instruments }) => instruments['ES@cme']?.session ?? session);
    expect(sessions.map((session) => isTradingHours(session) && session.timeZone)).toEqual([
      'America/New_York',
      'America/Chicago',
      'Europe/Berlin',
    ]);
    for (const session of sessions.filter(isTradingHours)) {
      for (const date of session.daysOff) expect(session.weekdays).toContain(weekdayOf(dayNumberOf(date)!));
    }
  });

  it('have the days off of the New York exchange by its rules', () => {
    const session = examples[0]!.session;
    const listed = isTradingHours(session) ? session.daysOff : [];
    const byRule = [2024, 2025, 2026, 2027].flatMap(daysOffOf);
    expect(listed).toEqual([...byRule, '2025-01-09'].sort());
  });

  it('have Good Friday and Easter Monday of the Frankfurt exchange by the date of Easter', () => {
    const session = examples[2]!.session;
    const listed = isTradingHours(session) ? session.daysOff : [];
    for (const year of [2024, 2025, 2026, 2027]) {
      expect(listed).toContain(dateOf(easterOf(year) - 2));
      expect(listed).toContain(dateOf(easterOf(year) + 1));
    }
  });
});

const dateOf = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);
const first = (year: number, month: number) => Date.UTC(year, month - 1, 1) / 86_400_000;

/** The nth of a weekday in a month; the last one for 5. */
function nthOf(year: number, month: number, weekday: string, nth: number): number {
  const days = Array.from({ length: 31 }, (_, at) => first(year, month) + at);
  const found = days.filter(
    (day) => weekdayOf(day) === weekday && dateOf(day).slice(5, 7) === String(month).padStart(2, '0'),
  );
  return found[Math.min(nth, found.length) - 1]!;
}

/** Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher), days since 1970. */
function easterOf(year: number): number {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100];
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const sum = h + l - 7 * m + 114;
  return first(year, Math.floor(sum / 31)) + (sum % 31);
}

/** Rule 7.2 of the NYSE: a holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after. */
function daysOffOf(year: number): string[] {
  const kept = (month: number, date: number) => {
    const day = first(year, month) + date - 1;
    const shift = { SAT: -1, SUN: 1 }[weekdayOf(day) as string] ?? 0;
    return day + shift;
  };
  return [
    kept(1, 1),
    nthOf(year, 1, 'MON', 3),
    nthOf(year, 2, 'MON', 3),
    easterOf(year) - 2,
    nthOf(year, 5, 'MON', 5),
    kept(6, 19),
    kept(7, 4),
    nthOf(year, 9, 'MON', 1),
    nthOf(year, 11, 'THU', 4),
    kept(12, 25),
  ].map(dateOf);
}
