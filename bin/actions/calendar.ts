import { stringify } from 'yaml';
import {
  EXCHANGE_CALENDARS,
  sessionOfExchange,
  yearsOf,
  type ExchangeCalendar,
} from '../../evaluators/sessions/exchange-calendars.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';

export interface CalendarOptions extends JsonOption {
  readonly from?: number;
  readonly to?: number;
}

/**
 * Prints the session of an exchange, or lists the exchanges.
 *
 * @throws TapeproofError USAGE for an exchange or a year that is not recorded.
 */
export function printCalendar(exchange: string | undefined, { json, from, to }: CalendarOptions): void {
  if (exchange === undefined) {
    const list = EXCHANGE_CALENDARS.map((calendar) => {
      const { name, description, source } = calendar;
      return { name, description, source, years: yearsOf(calendar) };
    });
    print(json, list, () => EXCHANGE_CALENDARS.map(lineOf).join('\n'));
    return;
  }
  const calendar = EXCHANGE_CALENDARS.find(({ name }) => name === exchange.toUpperCase());
  if (calendar === undefined) {
    const names = EXCHANGE_CALENDARS.map(({ name }) => name).join(', ');
    throw new TapeproofError(
      'USAGE',
      `There is no calendar of ${JSON.stringify(exchange)}: those of ${names} are recorded; docs/sessions.md says how to write another.`,
    );
  }
  const [first, last] = yearsOf(calendar);
  const years = [from ?? first, to ?? last] as const;
  if (years[0] < first || years[1] > last || years[0] > years[1]) {
    throw new TapeproofError(
      'USAGE',
      `The calendar of ${calendar.name} is recorded for ${first} to ${last}, not ${years[0]} to ${years[1]}: choose years within with --from and --to.`,
    );
  }
  const session = sessionOfExchange(calendar, ...years);
  print(json, { session }, () => yamlOf(calendar, years, session));
}

function lineOf(calendar: ExchangeCalendar): string {
  const [first, last] = yearsOf(calendar);
  return `${calendar.name}  ${calendar.description}, ${first} to ${last}. Source: ${calendar.source}.`;
}

function yamlOf({ description, source }: ExchangeCalendar, [first, last]: readonly [number, number], session: object) {
  // Quoted, because some readers of YAML take 13:00 for a number.
  const text = stringify({ session }, { defaultStringType: 'QUOTE_SINGLE', defaultKeyType: 'PLAIN' });
  return `# ${description}, ${first} to ${last}.\n# Source: ${source}.\n${text.trimEnd()}`;
}
