import type { Command } from 'commander';
import { pipeline } from '../../pipeline.ts';
import { createLog } from '../../platform/log.ts';
import { connections, interruption } from '../context.ts';
import { gitCommit } from '../git-commit.ts';

export function registerEngine(program: Command): void {
  const engine = program.command('engine').description('derive events from the tape');
  engine
    .command('run')
    .description('run one engine until it is stopped; start more to share the partitions')
    .action(async () => {
      await pipeline.engine.run({
        connections: connections(),
        gitCommit: await gitCommit(),
        log: createLog('engine'),
        signal: interruption(),
      });
    });
}
