import Table from 'cli-table3';
import { counted } from '../../platform/counted.ts';
import { createLog } from '../../platform/log.ts';
import {
  heldOutputs,
  listProjectors,
  projectorNamed,
  projectorStatus,
  rebuildProjector,
  runProjector,
  type RebuildReport,
} from '../../projectors/main.ts';
import type { HttpOptions, JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { withTelemetry } from '../with-telemetry.ts';
import { progressBar } from '../progress.ts';
import { rootsText } from '../status/proof-state.ts';

export interface RebuildOptions extends JsonOption {
  readonly approveDifference?: true;
}

export async function printProjectors({ json }: JsonOption): Promise<void> {
  const where = connections();
  const held = await heldOutputs(where);
  const list = await Promise.all(
    listProjectors().map(async ({ name, summary, sink }) => ({
      name,
      summary,
      sink,
      status: await projectorStatus(name, where),
      held: held[name] ?? [],
    })),
  );
  print(json, list, () => {
    const table = new Table({
      head: [
        'projector',
        'store',
        'generation',
        'read',
        'applied',
        'duplicate',
        'conflict',
        'dead',
        'ignored',
        'roots',
      ],
      style: { head: [], border: [] },
    });
    for (const { name, sink, status, held: outputs } of list) {
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
        rootsText(outputs),
      ]);
    }
    return table.toString();
  });
}

export async function runProjectorProcess(name: string, options: HttpOptions): Promise<void> {
  const { sink } = projectorNamed(name);
  const where = connections();
  const { kafkaBrokers, registryUrl, postgresUrl, redisUrl } = where;
  const store = sink === 'postgres' ? { postgresUrl } : { redisUrl };
  const dependencies = { kafkaBrokers, registryUrl, ...store };
  const log = createLog(name);
  const signal = interruption();
  const commit = await gitCommit();
  await withTelemetry({ service: 'projector', name, dependencies, commit, log, options, signal }, (telemetry) =>
    runProjector({ name, connections: where, log, signal, telemetry }),
  );
}

export async function rebuild(name: string, { approveDifference, json }: RebuildOptions): Promise<void> {
  const { sink } = projectorNamed(name);
  const signal = interruption();
  await answeringKafka(name);
  const held = sink === 'postgres' ? ((await heldOutputs(connections()))[name] ?? []) : [];
  const differingRoots = held.reduce((sum, { differing }) => sum + differing, 0);
  const bar = progressBar(`rebuild ${name}`);
  const report = await rebuildProjector({
    name,
    connections: connections(),
    log: createLog(name, 'warn'),
    signal,
    approveDifference: approveDifference === true,
    progress: (progress) => {
      bar.update(progress);
    },
  }).finally(() => {
    bar.stop();
  });
  print(json, { ...report, differingRoots }, () => rebuildText(name, report, differingRoots));
}

/** The result of a rebuild, in a sentence or two. @param differingRoots - anchors that the live one differed from. */
export function rebuildText(name: string, report: RebuildReport, differingRoots = 0): string {
  const what = {
    equal: 'equal to the live one, byte for byte',
    restored: 'the live one had lost data, all else was equal',
    approved: 'it differed from the live one, and that was approved',
  }[report.comparison];
  const again =
    differingRoots === 0
      ? ''
      : ` The former one differed from ${counted(differingRoots, 'anchor')} of the engine, and where the log itself is wrong this one does, too: "npx tapeproof status" shows it once the running projector has compared them.`;
  return `${name}: ${report.records.toLocaleString('en')} records read; generation ${report.generation} is live (${what}); generation ${report.replaced} is kept until the next rebuild.${again}`;
}
