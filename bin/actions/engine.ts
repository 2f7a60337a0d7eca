import { runEngine } from '../../evaluators/main.ts';
import { createLog } from '../../platform/log.ts';
import type { HttpOptions } from '../commands/options.ts';
import { connections } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { withTelemetry } from '../with-telemetry.ts';

/** Not by pipeline.ts, like the other services: that would load the code of every stage, a third more memory. */
export async function runEngineProcess(options: HttpOptions): Promise<void> {
  const { kafkaBrokers, registryUrl } = connections();
  const dependencies = { kafkaBrokers, registryUrl };
  const commit = await gitCommit();
  const log = createLog('engine');
  const signal = interruption();
  await withTelemetry({ service: 'engine', dependencies, commit, log, options, signal }, (telemetry) =>
    runEngine({ connections: dependencies, gitCommit: commit, log, signal, telemetry }),
  );
}
