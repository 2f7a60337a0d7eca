import type { Command } from 'commander';
import type { WhatIfOptions } from '../actions/what-if.ts';
import { collect, parseThreshold, withGridOptions } from './laboratory-options.ts';
import { parseWholeNumber } from './options.ts';
import { parseMoment } from './time-option.ts';

const THRESHOLD = 0.01;

export function registerWhatIf(program: Command): void {
  const command = program
    .command('what-if')
    .description('what another configuration would have decided on the recorded tape, beside what was decided')
    .requiredOption('--config <file>', 'the other engine configuration')
    .option('--strategy <file>', 'your own strategy in TypeScript; may be given again', collect)
    .option('--instrument <instrument>', 'decisions of this instrument alone')
    .option('--from <time>', 'decisions made at or after it, ISO 8601', parseMoment)
    .option('--to <time>', 'decisions made before it, ISO 8601', parseMoment)
    .option(
      '--threshold <difference>',
      'a probability has changed when it differs by more than this',
      parseThreshold,
      THRESHOLD,
    )
    .option('--explain <number>', 'explain so many of the first changed decisions field by field', parseWholeNumber);
  withGridOptions(command)
    .option('--csv', 'print every changed decision as CSV')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Everything is HYPOTHETICAL: nothing is written to the log. The trial is recorded in research.trials, so that the number of
configurations tried stands beside the score of the chosen one. docs/laboratory.md explains the comparison.

Examples:
  $ npx tapeproof what-if --config mine.yaml --explain 5
  $ npx tapeproof what-if --config mine.yaml --instrument BTC-USD@bitstamp --from 2013-11-25T00:00:00Z --csv
  $ npx tapeproof what-if --config mine.yaml --grid pooling.minEvidence=0.02,0.05,0.1`,
    )
    .action(async (options: WhatIfOptions) => {
      const { runWhatIf } = await import('../actions/what-if.ts');
      await runWhatIf(options);
    });
}
