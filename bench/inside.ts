/**
 * A process that is measured: started by `startChild` with its task. It loads only its own role, as the program's own
 * command does: what the others need would count as its memory and its time.
 */
import type { Connections } from '../platform/connections.ts';
import { createLog, type Log } from '../platform/log.ts';
import { TASK_VARIABLE, usageNow, type ChildTask } from './child.ts';
import type { TapeWork } from './certify.ts';
import type { GrowthTask } from './growth.ts';
import type { LiveTask } from './live-ingest.ts';

interface Service {
  readonly connections: Connections;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What each role reports; a service, which ends when it is asked to, reports nothing. */
const ROLES: Readonly<Record<string, (service: Service, argument: string) => Promise<unknown>>> = {
  'engine-over-tape': async ({ connections, log }, records) =>
    (await import('./engine.ts')).runEngineOver(connections, Number(records), log),
  'over-tape': async ({ connections }, work) =>
    (await import('./certify.ts')).runOverTape(connections, work as TapeWork),
  'live-ingest': async ({ connections, log }, task) =>
    (await import('./live-ingest.ts')).runLiveIngest(JSON.parse(task) as LiveTask, connections, log),
  growth: async (_service, task) => (await import('./growth.ts')).runGrowth(JSON.parse(task) as GrowthTask),
  'naive-consumer': async ({ connections, log }, trades) =>
    (await import('./peers/naive-consumer.ts')).runNaiveConsumer(connections, Number(trades), log),
  rebuild: async ({ connections, log, signal }, name) =>
    (await import('../projectors/main.ts')).rebuildProjector({ name, connections, log, signal }),
  dashboard: async ({ connections, log, signal }, port) => {
    await (await import('./viewers.ts')).runDashboardOn(Number(port), connections, log, signal);
  },
  engine: async (service) => {
    await (await import('../evaluators/main.ts')).runEngine(service);
  },
  'decisions-projector': async (service) => {
    await (await import('./decisions-projector.ts')).runDecisionsProjector(service);
  },
  projector: async (service, name) => {
    await (await import('../projectors/main.ts')).runProjector({ ...service, name });
  },
};

try {
  const { role, connections, argument } = JSON.parse(process.env[TASK_VARIABLE] ?? '') as ChildTask;
  const run = ROLES[role];
  if (run === undefined) throw new Error(`unknown role ${role}`);
  const abort = new AbortController();
  process.once('SIGTERM', () => {
    abort.abort();
  });
  const result = await run({ connections, log: createLog(role, 'error'), signal: abort.signal }, String(argument));
  process.stdout.write(JSON.stringify({ result: result ?? null, usage: usageNow() }));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
