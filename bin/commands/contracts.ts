import type { Command } from 'commander';
import type { JsonOption } from './options.ts';

export function registerContracts(program: Command): void {
  const contracts = program.command('contracts').description('the Avro schemas of contracts/events in the registry');
  contracts
    .command('register')
    .description('register every schema under its subject, FULL_TRANSITIVE')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { registerSchemas } = await import('../actions/contracts.ts');
      await registerSchemas(options);
    });
  contracts
    .command('check')
    .description(
      'exit 1 when the registry lacks a schema of this build, would refuse it, or has different ids than the log',
    )
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { checkSchemas } = await import('../actions/contracts.ts');
      await checkSchemas(options);
    });
}
