import type { Command } from 'commander';
import type { BacktestOptions } from '../actions/backtest.ts';
import { FILE_SOURCE_NAMES } from '../../producers/catalogue.ts';
import { DEFAULT_CONFIGURATION_FILE, withFileSurveyOptions } from './options.ts';

export function registerBacktest(program: Command): void {
  const command = program
    .command('backtest')
    .description('the scoreboard of a file of trades, with no services; of two configurations side by side')
    .requiredOption('--trades <file>', 'a file of trades; given again, further files in the order given', collect)
    .option(
      '--config <file>',
      `engine configuration, ${DEFAULT_CONFIGURATION_FILE} by default; given twice, both are compared`,
      collect,
    )
    .option('--strategy <file>', 'your own strategy in TypeScript; may be given again', collect)
    .option('--events <file>', 'write the events too, as derive does')
    .option('--format <name>', `one of ${FILE_SOURCE_NAMES.join(', ')}; by default detected from the first lines`)
    .option('--instrument <instrument>', 'instrument of the rows where they name none; @venue where they name symbols')
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option(
      '--delimiter <character>',
      'the character between columns, or tab; by default detected from the first line',
    );
  withFileSurveyOptions(command)
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The results are hypothetical, and apply to these trades only. docs/backtest.md shows how to write a strategy.

Examples:
  $ npx tapeproof backtest --trades trades.csv.gz
  $ npx tapeproof backtest --trades trades.csv.gz --config config/engine.yaml --config mine.yaml
  $ npx tapeproof backtest --trades trades.csv.gz --strategy ./mine.ts`,
    )
    .action(async (options: BacktestOptions) => {
      const { runBacktest } = await import('../actions/backtest.ts');
      await runBacktest(options);
    });
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
