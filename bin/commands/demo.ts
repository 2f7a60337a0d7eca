import type { Command } from 'commander';
import type { DemoCommandOptions } from '../actions/demo.ts';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'real trades through the whole path: services, tape, engine, projectors, a summary, an audit, a wipe and a replay',
    )
    .option('--down', 'stop the services at the end')
    .option('--yes', 'continue although the tape on the local stack is not the demo’s')
    .option('--json', 'print the summary as JSON')
    .action(async (options: DemoCommandOptions) => {
      const { demo } = await import('../actions/demo.ts');
      await demo(options);
    });
}
