import type { TradingHours } from './session-configuration.ts';

/** Days of a year, as `MM-DD` separated by spaces. */
interface YearOfExchange {
  readonly off: string;
  /** Days that close early, at {@link ExchangeCalendar.halfDayClose}. */
  readonly half: string;
}

/** The published trading calendar of an exchange. */
export interface ExchangeCalendar {
  /** Market identifier code of ISO 10383. */
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly hours: Pick<TradingHours, 'timeZone' | 'open' | 'close'>;
  readonly halfDayClose: string;
  readonly years: Readonly<Record<number, YearOfExchange>>;
}

/** The session block of a configuration. */
export type CalendarSession = Pick<TradingHours, 'timeZone' | 'open' | 'close' | 'daysOff' | 'halfDays'>;

const XNYS: Readonly<Record<number, YearOfExchange>> = {
  2009: { off: '01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25', half: '11-27 12-24' },
  2010: { off: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', half: '11-26' },
  2011: { off: '01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26', half: '11-25' },
  2012: { off: '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25', half: '07-03 11-23 12-24' },
  2013: { off: '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25', half: '07-03 11-29 12-24' },
  2014: { off: '01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25', half: '07-03 11-28 12-24' },
  2015: { off: '01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25', half: '11-27 12-24' },
  2016: { off: '01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26', half: '11-25' },
  2017: { off: '01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25', half: '07-03 11-24' },
  2018: { off: '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25', half: '07-03 11-23 12-24' },
  2019: { off: '01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25', half: '07-03 11-29 12-24' },
  2020: { off: '01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25', half: '11-27 12-24' },
  2021: { off: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', half: '11-26' },
  2022: { off: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26', half: '11-25' },
  2023: { off: '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25', half: '07-03 11-24' },
  2024: { off: '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25', half: '07-03 11-29 12-24' },
  2025: { off: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25', half: '07-03 11-28 12-24' },
  2026: { off: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25', half: '11-27 12-24' },
  2027: { off: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24', half: '11-26' },
};

/** The calendars that are recorded here. A new year is announced by the exchange, and is a line above. */
export const EXCHANGE_CALENDARS: readonly ExchangeCalendar[] = [
  {
    name: 'XNYS',
    description: 'New York Stock Exchange and Nasdaq, regular hours',
    source: 'NYSE, "Holidays and trading hours"; compared with the package exchange_calendars 4.13.2',
    hours: { timeZone: 'America/New_York', open: '09:30', close: '16:00' },
    halfDayClose: '13:00',
    years: XNYS,
  },
];

/** The first and the last year recorded. */
export function yearsOf({ years }: ExchangeCalendar): readonly [first: number, last: number] {
  const recorded = Object.keys(years).map(Number);
  return [Math.min(...recorded), Math.max(...recorded)];
}

/** The session of an exchange in some years, both included; years that are not recorded have no days off. */
export function sessionOfExchange(calendar: ExchangeCalendar, from: number, to: number): CalendarSession {
  const { hours, halfDayClose, years } = calendar;
  const daysIn = (kind: keyof YearOfExchange): string[] =>
    Object.entries(years)
      .filter(([year]) => Number(year) >= from && Number(year) <= to)
      .flatMap(([year, days]) => days[kind].split(' ').map((day) => `${year}-${day}`));
  const halfDays = Object.fromEntries(daysIn('half').map((day) => [day, halfDayClose]));
  return { ...hours, daysOff: daysIn('off'), halfDays };
}
