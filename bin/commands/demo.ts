import type { Command } from 'commander';
import { runDemo } from '../demo/demo.ts';
import { interruption } from '../context.ts';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'real trades through the whole path: services, tape, engine, projectors, a summary, an audit, a wipe and a replay',
    )
    .option('--down', 'stop the services at the end')
    .option('--json', 'print the summary as JSON')
    .action(async ({ down, json }: { readonly down?: true; readonly json?: true }) => {
      const signal = interruption();
      await runDemo({ signal, json: json === true, down: down === true });
      if (signal.aborted) process.exitCode = 130;
    });
}
