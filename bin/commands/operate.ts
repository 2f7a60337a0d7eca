import type { Command } from 'commander';
import { registerActivate } from './activate.ts';
import { registerContracts } from './contracts.ts';
import { registerDeadLetters } from './dead-letters.ts';
import type { JsonOption } from './options.ts';
import { registerTopics } from './topics.ts';

/** The commands that prepare and maintain the services. */
export function registerOperate(program: Command): void {
  registerTopics(program);
  registerContracts(program);
  program
    .command('migrate')
    .description('bring the Postgres schema up to date')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { migrateAll } = await import('../actions/migrate.ts');
      await migrateAll(options);
    });
  registerActivate(program);
  registerDeadLetters(program);
}
