import type { Command } from 'commander';
import type { TrialsOptions } from '../actions/trials.ts';

export function registerTrials(program: Command): void {
  program
    .command('trials')
    .description('every configuration that was tried on data that existed already, each once')
    .option('--csv', 'print as CSV')
    .option('--json', 'print as JSON')
    .action(async (options: TrialsOptions) => {
      const { printTrials } = await import('../actions/trials.ts');
      await printTrials(options);
    });
}
