import type { Command } from 'commander';
import type { ActivationsOptions, RecommendationsOptions } from '../actions/report.ts';
import { parseMoment } from './time-option.ts';

export function registerReport(program: Command): void {
  const report = program.command('report').description('print what the log records, for those who have to show it');
  report
    .command('activations')
    .description('every activation on the tape: what was put in force when, by whom and why')
    .option('--csv', 'print as CSV')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The time is its author's clock. An activation of an earlier version than 0.3.0 does not say who ordered it.

Examples:
  $ npx tapeproof report activations
  $ npx tapeproof report activations --csv`,
    )
    .action(async (options: ActivationsOptions) => {
      const { printActivations } = await import('../actions/report.ts');
      await printActivations(options);
    });
  report
    .command('recommendations')
    .description('the published decisions of an instrument, with assumptions and substantiation')
    .requiredOption('--instrument <instrument>', 'such as BTC-USDT@binance')
    .requiredOption('--from <time>', 'made at or after this market time, ISO 8601 with its zone', parseMoment)
    .requiredOption('--to <time>', 'made before this market time, ISO 8601 with its zone', parseMoment)
    .option('--csv', 'print as CSV')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The items are those that Article 20 of Regulation (EU) 596/2014 and Delegated Regulation (EU) 2016/958 require of a
recommendation. Whether a decision is one is for you to judge: see the report's first lines.

Examples:
  $ npx tapeproof report recommendations --instrument BTC-USDT@binance --from 2025-03-25T23:00:00Z --to 2025-03-26T00:00:00Z
  $ npx tapeproof report recommendations --instrument BTC-USD@bitstamp --from 2013-11-26T13:30:00+01:00 --to 2013-11-26T14:00:00+01:00 --json`,
    )
    .action(async (options: RecommendationsOptions) => {
      const { printRecommendations } = await import('../actions/report.ts');
      await printRecommendations(options);
    });
}
