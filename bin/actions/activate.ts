import { activate } from '../../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import { createLog } from '../../platform/log.ts';
import { doubtsAbout, knownInstruments } from '../../proofs/known-instruments.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print, readConfiguration } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { withEvents } from '../with-events.ts';

export interface ActivateOptions extends JsonOption {
  readonly config: string;
}

export async function activateEngine({ config, json }: ActivateOptions): Promise<void> {
  const configuration = await readConfiguration(config);
  await answeringKafka('activate');
  const report = await activate({
    connections: connections(),
    configuration: canonicalConfiguration(configuration),
    engineVersion: ENGINE_VERSION,
    gitCommit: await gitCommit(),
    log: createLog('activate', 'error'),
  });
  print(json, report, () => describeActivation(report));
  await sayDoubts(Object.keys(configuration.instruments));
}

/** A mistyped name cannot be an error, for its first trade may be yet to come. */
async function sayDoubts(configured: readonly string[]): Promise<void> {
  if (configured.length === 0) return;
  await withEvents('activate', async ({ log, partitions }) => {
    for (const doubt of doubtsAbout(configured, await knownInstruments(log, partitions))) {
      process.stderr.write(`${doubt}\n`);
    }
  });
}

function describeActivation(report: Awaited<ReturnType<typeof activate>>): string {
  const lines = report.partitions.map(
    ({ partition, offset, action }) => `  partition ${partition}  offset ${offset}  ${action}`,
  );
  return [
    `Engine ${ENGINE_VERSION}, configuration ${report.configHash.slice(0, 12)}, tape ${report.tapeId}:`,
    ...lines,
  ].join('\n');
}
