import type { Command } from 'commander';
import type { CalendarOptions } from '../actions/calendar.ts';
import { parseWholeNumber } from './options.ts';

export function registerCalendar(program: Command): void {
  program
    .command('calendar')
    .description("print an exchange's trading hours, days off and half days as the session of a configuration")
    .argument('[exchange]', 'its market identifier code, such as XNYS; without one, lists those recorded')
    .option('--from <year>', 'the first year; by default the first recorded', parseWholeNumber)
    .option('--to <year>', 'the last year; by default the last recorded', parseWholeNumber)
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  $ npx tapeproof calendar XNYS --from 2026 --to 2027 >> engine.yaml')
    .action(async (exchange: string | undefined, options: CalendarOptions) => {
      const { printCalendar } = await import('../actions/calendar.ts');
      printCalendar(exchange, options);
    });
}
