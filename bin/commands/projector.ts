import Table from 'cli-table3';
import type { Command } from 'commander';
import { pipeline } from '../../pipeline.ts';
import { createLog } from '../../platform/log.ts';
import { projectorNamed, projectorStatus, rebuildProjector, type RebuildReport } from '../../projectors/main.ts';
import { connections, interruption, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { observed, withHttpOptions, type HttpOptions } from '../observed.ts';
import { progressBar } from '../progress.ts';

interface JsonOption {
  readonly json?: true;
}

export function registerProjector(program: Command): void {
  const projector = program.command('projector').description('read models: pure mappings from events to a store');
  projector
    .command('list')
    .description('what there is, which generation is live, and its ledger')
    .option('--json', 'print as JSON')
    .action(async ({ json }: JsonOption) => {
      const where = connections();
      const list = await Promise.all(
        pipeline.projectors.all.map(async ({ name, summary, sink }) => ({
          name,
          summary,
          sink,
          status: await projectorStatus(name, where),
        })),
      );
      print(json, list, () => {
        const table = new Table({
          head: ['projector', 'store', 'generation', 'read', 'applied', 'duplicate', 'conflict', 'dead', 'ignored'],
          style: { head: [], border: [] },
        });
        for (const { name, sink, status } of list) {
          const sum = (key: 'read' | 'applied' | 'duplicate' | 'conflict' | 'dead' | 'ignored') =>
            (status?.ledger ?? []).reduce((total, entry) => total + entry[key], 0).toLocaleString('en');
          table.push([
            name,
            sink,
            status?.generation ?? 'none',
            sum('read'),
            sum('applied'),
            sum('duplicate'),
            sum('conflict'),
            sum('dead'),
            sum('ignored'),
          ]);
        }
        return table.toString();
      });
    });
  withHttpOptions(
    projector
      .command('run')
      .argument('<name>', 'see projector list')
      .description('keep a read model up to date until it is stopped; start more to share the partitions'),
  ).action(async (name: string, options: HttpOptions) => {
    const { sink } = projectorNamed(name);
    const where = connections();
    const { kafkaBrokers, registryUrl, postgresUrl, redisUrl } = where;
    const store = sink === 'postgres' ? { postgresUrl } : { redisUrl };
    const dependencies = { kafkaBrokers, registryUrl, ...store };
    const log = createLog(name);
    const signal = interruption();
    const commit = await gitCommit();
    await observed({ service: 'projector', name, dependencies, commit, log, options }, (observation) =>
      pipeline.projectors.run({ name, connections: where, log, signal, observation }),
    );
  });
  projector
    .command('rebuild')
    .argument('<name>', 'see projector list')
    .description(
      'build a read model anew from Kafka beside the live one, compare, and swap; no process needs to be stopped',
    )
    .option('--approve-difference', 'swap even where the rebuilt values differ from the live ones')
    .option('--json', 'print the report as JSON')
    .action(async (name: string, { approveDifference, json }: JsonOption & { readonly approveDifference?: true }) => {
      const bar = progressBar(`rebuild ${name}`);
      const report = await rebuildProjector({
        name,
        connections: connections(),
        log: createLog(name, 'warn'),
        signal: interruption(),
        approveDifference: approveDifference === true,
        progress: (progress) => {
          bar.update(progress);
        },
      });
      bar.stop();
      print(json, report, () => rebuildText(name, report));
    });
}

/** What a rebuild found, in a sentence. */
export function rebuildText(name: string, report: RebuildReport): string {
  const what = {
    equal: 'equal to the live one, byte for byte',
    restored: 'the live one had lost what it held, all else was equal',
    approved: 'it differed from the live one, which was approved',
  }[report.comparison];
  return `${name}: ${report.records.toLocaleString('en')} records read; generation ${report.generation} is live (${what}); generation ${report.replaced} is kept until the next rebuild.`;
}
