import type { Command } from 'commander';
import { pipeline } from '../../pipeline.ts';
import { createLog } from '../../platform/log.ts';
import { connections, interruption } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { observed, withHttpOptions, type HttpOptions } from '../observed.ts';

export function registerEngine(program: Command): void {
  const engine = program.command('engine').description('derive events from the tape');
  withHttpOptions(
    engine.command('run').description('run one engine until it is stopped; start more to share the partitions'),
  ).action(async (options: HttpOptions) => {
    const { kafkaBrokers, registryUrl } = connections();
    const dependencies = { kafkaBrokers, registryUrl };
    const commit = await gitCommit();
    const log = createLog('engine');
    const signal = interruption();
    await observed({ service: 'engine', dependencies, commit, log, options }, (observation) =>
      pipeline.engine.run({ connections: dependencies, gitCommit: commit, log, signal, observation }),
    );
  });
}
