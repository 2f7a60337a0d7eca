import type { Command } from 'commander';
import type { JsonOption } from './options.ts';

export function registerScoreboard(program: Command): void {
  program
    .command('scoreboard')
    .description('hit rates beside their base rates, with n, effective n and interval, from the decision log itself')
    .option('--json', 'print as JSON')
    .action(async (options: JsonOption) => {
      const { printScoreboard } = await import('../actions/scoreboard.ts');
      await printScoreboard(options);
    });
}
