import type { Command } from 'commander';
import { activate } from '../../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createLog } from '../../platform/log.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { doubtsAbout, knownInstruments } from '../../proofs/known-instruments.ts';
import { connections, DEFAULT_CONFIGURATION_FILE, print, readConfiguration, type JsonOption } from '../context.ts';
import { gitCommit } from '../git-commit.ts';

export function registerActivate(program: Command): void {
  program
    .command('activate')
    .description('put this engine version and a configuration in force, from the end of the tape on')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .option('--json', 'print as JSON')
    .action(async ({ config, json }: JsonOption & { config: string }) => {
      const configuration = await readConfiguration(config);
      const report = await activate({
        connections: connections(),
        configuration: canonicalConfiguration(configuration),
        engineVersion: ENGINE_VERSION,
        gitCommit: await gitCommit(),
        log: createLog('activate', 'error'),
      });
      print(json, report, () => describeActivation(report));
      await sayDoubts(Object.keys(configuration.instruments), report.partitions.length);
    });
}

/** A name that was mistyped is no error, for its first trade may be still to come. */
async function sayDoubts(configured: readonly string[], partitions: number): Promise<void> {
  if (configured.length === 0) return;
  const where = connections();
  const reader = createLogReader(where.kafkaBrokers);
  try {
    const known = await knownInstruments(new EventLog(reader, createRegistry(where.registryUrl)), partitions);
    for (const doubt of doubtsAbout(configured, known)) process.stderr.write(`${doubt}\n`);
  } finally {
    await reader.close();
  }
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
