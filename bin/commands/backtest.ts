import type { Command } from 'commander';
import type { BacktestOptions } from '../actions/backtest-options.ts';
import { FILE_SOURCE_NAMES } from '../../producers/catalogue.ts';
import { collect, withGridOptions } from './laboratory-options.ts';
import { DEFAULT_CONFIGURATION_FILE, withFileSurveyOptions } from './options.ts';
import { parseMoment } from './time-option.ts';

export function registerBacktest(program: Command): void {
  const command = program
    .command('backtest')
    .description('the scoreboard of a file of trades, with no services, or of the recorded tape')
    .option('--trades <file>', 'a file of trades; given again, further files in the order given', collect)
    .option('--tape', 'the recorded tape instead of files; with the recorded configurations unless --config is given')
    .option('--compare', 'of the tape: compare every event with the recorded log, byte for byte')
    .option('--from <time>', 'of the tape: score forecasts made at or after it, ISO 8601', parseMoment)
    .option('--to <time>', 'of the tape: score forecasts made before it, ISO 8601', parseMoment)
    .option(
      '--config <file>',
      `engine configuration, ${DEFAULT_CONFIGURATION_FILE} by default; given twice, both are compared`,
      collect,
    )
    .option('--strategy <file>', 'your own strategy in TypeScript; may be given again', collect)
    .option('--events <file>', 'write the events too, as derive does')
    .option('--format <name>', `one of ${FILE_SOURCE_NAMES.join(', ')}; by default detected from the first lines`)
    .option(
      '--instrument <instrument>',
      'instrument of the rows where they name none; @venue where they name symbols; of the tape: the only one scored',
    )
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option(
      '--delimiter <character>',
      'the character between columns, or tab; by default detected from the first line',
    );
  withGridOptions(withFileSurveyOptions(command))
    .option('--no-record', 'of files: do not record this trial, which then is not counted')
    .option('--csv', 'print a grid as CSV')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The results are hypothetical, and apply to these trades only. docs/backtest.md shows how to write a strategy;
docs/laboratory.md explains trials, grids and what is compared.

Examples:
  $ npx tapeproof backtest --trades trades.csv.gz
  $ npx tapeproof backtest --trades trades.csv.gz --config config/engine.yaml --config mine.yaml
  $ npx tapeproof backtest --trades trades.csv.gz --strategy ./mine.ts
  $ npx tapeproof backtest --tape --compare
  $ npx tapeproof backtest --tape --config mine.yaml --grid cadenceMs=1000,5000 --grid hitRule.minMoveBps=0,2`,
    )
    .action(async (options: BacktestOptions) => {
      const { runBacktest } = await import('../actions/backtest.ts');
      await runBacktest(options);
    });
}
