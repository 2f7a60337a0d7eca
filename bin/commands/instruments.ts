import type { Command } from 'commander';
import type { JsonOption } from './options.ts';

export function registerInstruments(program: Command): void {
  program
    .command('instruments')
    .description('list the instruments on the tape: records, first and last trade, gaps')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { listInstruments } = await import('../actions/instruments.ts');
      await listInstruments(options);
    });
}
