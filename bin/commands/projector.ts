import type { Command } from 'commander';
import type { RebuildOptions } from '../actions/projector.ts';
import { withHttpOptions, type HttpOptions, type JsonOption } from './options.ts';

export function registerProjector(program: Command): void {
  const projector = program.command('projector').description('read models: pure mappings from events to a store');
  projector
    .command('list')
    .description('list the projectors, which generation is live, and its ledger')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { printProjectors } = await import('../actions/projector.ts');
      await printProjectors(options);
    });
  withHttpOptions(
    projector
      .command('run')
      .argument('<name>', 'see projector list')
      .description('keep a read model up to date until it is stopped; start more to share the partitions'),
  ).action(async (name: string, options: HttpOptions) => {
    const { runProjectorProcess } = await import('../actions/projector.ts');
    await runProjectorProcess(name, options);
  });
  projector
    .command('rebuild')
    .argument('<name>', 'see projector list')
    .description(
      'rebuild a read model from Kafka beside the live one, compare, and swap; no process needs to be stopped',
    )
    .option('--approve-difference', 'swap even where the rebuilt values differ from the live ones')
    .option('--json', 'print the report as JSON')
    .action(async (name: string, options: RebuildOptions) => {
      const { rebuild } = await import('../actions/projector.ts');
      await rebuild(name, options);
    });
}
