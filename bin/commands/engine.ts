import type { Command } from 'commander';
import { withHttpOptions, type HttpOptions } from './options.ts';

export function registerEngine(program: Command): void {
  const engine = program.command('engine').description('derive events from the tape');
  withHttpOptions(
    engine.command('run').description('run one engine until it is stopped; start more to share the partitions'),
  ).action(async (options: HttpOptions) => {
    const { runEngineProcess } = await import('../actions/engine.ts');
    await runEngineProcess(options);
  });
}
