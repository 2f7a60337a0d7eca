import type { Command } from 'commander';
import type { DeriveOptions } from '../actions/derive.ts';
import { DEFAULT_CONFIGURATION_FILE, withFileSurveyOptions } from './options.ts';

export function registerDerive(program: Command): void {
  const command = program
    .command('derive')
    .description('run the engine over a file of trades, with no services: the same bytes on any machine')
    .requiredOption('--trades <file>', 'a file of trades; the order of its rows is the order of the tape')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--out <file>', 'where to write the events, one JSON object a line; - is standard output', '-')
    .option('--format <name>', 'format of the file; by default detected from its first lines')
    .option('--instrument <instrument>', 'instrument of the rows where they name none; @venue where they name symbols')
    .option('--columns <columns>', 'columns of any other table: time=ts:ms,price=px,size=qty,side=taker,id=#5')
    .option(
      '--delimiter <character>',
      'the character between columns, or tab; by default detected from the first line',
    );
  withFileSurveyOptions(command).action(async (options: DeriveOptions) => {
    const { runDerive } = await import('../actions/derive.ts');
    await runDerive(options);
  });
}
