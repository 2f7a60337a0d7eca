import type { Command } from 'commander';
import type { JsonOption } from './options.ts';

export function registerOracle(program: Command): void {
  program
    .command('oracle')
    .description('what oracle-check found: indicators of sampled snapshots, recomputed from the trades by other code')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 no divergence, 1 a published indicator is not what the trades give, or nothing was checked yet.

Examples:
  $ npx tapeproof projector run oracle-check
  $ npx tapeproof oracle`,
    )
    .action(async (options: JsonOption) => {
      const { printOracle } = await import('../actions/oracle.ts');
      await printOracle(options);
    });
}
