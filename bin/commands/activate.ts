import type { Command } from 'commander';
import type { ActivateOptions } from '../actions/activate.ts';
import { DEFAULT_CONFIGURATION_FILE } from './options.ts';

export function registerActivate(program: Command): void {
  program
    .command('activate')
    .description('put this engine version and a configuration in force, from the end of the tape on')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--json', 'print as JSON')
    .action(async (options: ActivateOptions) => {
      const { activateEngine } = await import('../actions/activate.ts');
      await activateEngine(options);
    });
}
