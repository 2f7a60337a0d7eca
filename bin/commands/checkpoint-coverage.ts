import type { Command } from 'commander';
import type { CoverageOptions } from '../actions/checkpoint-coverage.ts';
import { collect } from './options.ts';
import { parseLength } from './time-option.ts';

const MIN_HORIZON = '5m';

/** @param checkpoints - the command group. */
export function registerCoverage(checkpoints: Command): void {
  checkpoints
    .command('coverage')
    .description('which share of the decisions a witness had cosigned before their outcome was known')
    .option(
      '--min-horizon <length>',
      `of the decisions that count (default: ${MIN_HORIZON})`,
      parseLength,
      parseLength(MIN_HORIZON),
    )
    .option('--log-key <key>', "the log's verifier key, or a file of such keys, to hold checkpoints to", collect, [])
    .option('--witness-key <key>', "a witness's verifier key, or a file of such keys; again for each", collect, [])
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof checkpoints coverage
  $ npx tapeproof checkpoints coverage --min-horizon 30m --log-key log.pub --witness-key witness.pub --json`,
    )
    .action(async (options: CoverageOptions) => {
      const { printCoverage } = await import('../actions/checkpoint-coverage.ts');
      await printCoverage(options);
    });
}
