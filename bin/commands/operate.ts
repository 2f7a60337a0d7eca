import type { Command } from 'commander';
import { createPool, migrate } from '../../platform/postgres.ts';
import { connections, print, type JsonOption } from '../context.ts';
import { registerActivate } from './activate.ts';
import { registerContracts } from './contracts.ts';
import { registerDeadLetters } from './dead-letters.ts';
import { registerTopics } from './topics.ts';

/** The commands that prepare and look after the services. */
export function registerOperate(program: Command): void {
  registerTopics(program);
  registerContracts(program);
  registerMigrate(program);
  registerActivate(program);
  registerDeadLetters(program);
}

function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the Postgres schema up to date')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const pool = createPool(connections().postgresUrl, 'tapeproof-migrate');
      try {
        const report = await migrate(pool);
        print(json, report, () => report.map(({ name, action }) => `${name.padEnd(32)} ${action}`).join('\n'));
      } finally {
        await pool.end();
      }
    });
}
