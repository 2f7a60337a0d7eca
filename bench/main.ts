/**
 * Measures Tapeproof on its own services: `npm run bench`, with `-- --json`, `--only engine,latency`, `--runs 3`,
 * `--trades 1500000`. Prints the median of the runs. docs/benchmarks.md explains the figures.
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runEngine } from '../evaluators/main.ts';
import { createLog } from '../platform/log.ts';
import { runProjector } from '../projectors/main.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, stackReset, stackUp } from '../stack/main.ts';
import { measureAudit } from './audit.ts';
import type { Bench } from './bench.ts';
import { measureCertify, runOverTape, type TapeWork } from './certify.ts';
import { TASK_VARIABLE, usageNow, type ChildTask } from './child.ts';
import { measureEngine, runEngineOver } from './engine.ts';
import { figureOf, tableOf, type Figure } from './figure.ts';
import { measureLaboratory } from './laboratory.ts';
import { measureLatency } from './latency.ts';
import { measureLiveIngest, runLiveIngest, type LiveTask } from './live-ingest.ts';
import { runNaiveConsumer } from './peers/naive-consumer.ts';
import { measureReadModels } from './read-models.ts';
import { measureScoreboard } from './scoreboard.ts';
import { measureStart } from './start.ts';
import { CADENCE_MS, deriveTape, EACH_TRADE_MS, fillTape, layTape } from './tape.ts';
import { measureViewers, runDashboardOn } from './viewers.ts';

const RUNS = 5;
/**
 * A few seconds of an engine's work: with a shorter tape, loading and compiling weigh more than in a long-running
 * process.
 */
const TRADES = 1_500_000;
/** The part of them used for the read models, with a snapshot at each trade: the most events. */
const TRADES_PER_EVENTFUL_TRADE = 8;
const HASHES = 200_000;
const PARTS = [
  'start',
  'scoreboard',
  'laboratory',
  'engine',
  'read-models',
  'audit',
  'certify',
  'latency',
  'live-ingest',
  'viewers',
] as const;

const USAGE = `Usage: npm run bench -- [--json] [--only ${PARTS.join(',')}] [--runs ${RUNS}] [--trades ${TRADES}]`;

/** Rejects when a person ends the run, so that the services end with it. */
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      reject(new Error('interrupted'));
    });
  }
});
interrupted.catch(() => undefined);

/** Each part except the first three is measured on its own services, which begin empty. */
const MEASUREMENTS: Readonly<
  Record<Exclude<(typeof PARTS)[number], 'start' | 'scoreboard' | 'laboratory'>, (bench: Bench) => Promise<Figure[]>>
> = {
  engine: async (bench) => {
    await layTape(bench, CADENCE_MS);
    await fillTape(bench);
    return [...(await measureEngine(bench)), ...(await deriveTape(bench))];
  },
  'read-models': async (bench) => {
    const eventful = { ...bench, trades: Math.ceil(bench.trades / TRADES_PER_EVENTFUL_TRADE) };
    await layTape(eventful, EACH_TRADE_MS);
    await fillTape(eventful);
    await deriveTape(eventful);
    return await measureReadModels(eventful);
  },
  audit: async (bench) => {
    const eventful = { ...bench, trades: Math.ceil(bench.trades / TRADES_PER_EVENTFUL_TRADE) };
    await layTape(eventful, EACH_TRADE_MS);
    await fillTape(eventful);
    await deriveTape(eventful);
    return await measureAudit(eventful);
  },
  certify: async (bench) => {
    await layTape(bench, CADENCE_MS);
    await fillTape(bench);
    await deriveTape(bench);
    return await measureCertify(bench);
  },
  latency: async (bench) => {
    await layTape(bench, CADENCE_MS);
    return await measureLatency(bench);
  },
  'live-ingest': async (bench) => {
    await layTape(bench, CADENCE_MS);
    return await measureLiveIngest(bench);
  },
  viewers: measureViewers,
};

async function measure(part: (typeof PARTS)[number], runs: number, trades: number): Promise<Figure[]> {
  if (part === 'start') return measureStart(runs);
  if (part === 'scoreboard') return measureScoreboard(runs);
  if (part === 'laboratory') return await measureLaboratory(runs);
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-bench-'));
  const options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  try {
    process.stderr.write(`${part}: starting services …\n`);
    const endpoints = await stackUp(options, () => undefined);
    const connections = { ...endpoints, kafkaBrokers: [endpoints.kafkaBrokers] };
    process.stderr.write(`${part}: measuring …\n`);
    const bench: Bench = { connections, log: createLog('bench', 'error'), runs, trades };
    return await Promise.race([MEASUREMENTS[part](bench), interrupted]);
  } finally {
    await stackReset(options, () => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The part of Tapeproof that a child process runs. */
async function inside({ role, connections, argument }: ChildTask): Promise<unknown> {
  const abort = new AbortController();
  process.once('SIGTERM', () => {
    abort.abort();
  });
  const run = { connections, log: createLog(role, 'error'), signal: abort.signal };
  if (role === 'engine-over-tape') return await runEngineOver(connections, Number(argument), run.log);
  if (role === 'over-tape') return await runOverTape(connections, String(argument) as TapeWork);
  if (role === 'live-ingest') {
    return await runLiveIngest(JSON.parse(String(argument)) as LiveTask, connections, run.log);
  }
  if (role === 'naive-consumer') return await runNaiveConsumer(connections, Number(argument), run.log);
  if (role === 'dashboard') await runDashboardOn(Number(argument), connections, run.log, run.signal);
  else if (role === 'engine') await runEngine(run);
  else if (role === 'projector') await runProjector({ ...run, name: String(argument) });
  else throw new Error(`unknown role ${role}`);
  return undefined;
}

/** The present speed of the machine: other work on it lowers every figure, including this one. */
function calibration(part: string, runs: number): Figure {
  const block = Buffer.alloc(80, 1);
  const values = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < HASHES; index += 1) hash('sha256', block, 'buffer');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / HASHES;
  });
  return figureOf(
    `before ${part}: SHA-256 of 80 bytes`,
    'µs of CPU',
    values,
    'to compare machines, and times on one machine',
  );
}

function machine(): object {
  const [first] = cpus();
  return { processor: first?.model, processors: cpus().length, node: process.version, load: loadavg()[0] };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: PARTS.join(',') },
      runs: { type: 'string', default: String(RUNS) },
      trades: { type: 'string', default: String(TRADES) },
      inside: { type: 'boolean' },
    },
  });
  if (values.inside === true) {
    const result = await inside(JSON.parse(process.env[TASK_VARIABLE] ?? '') as ChildTask);
    process.stdout.write(JSON.stringify({ result: result ?? null, usage: usageNow() }));
    return;
  }
  const parts = values.only
    .split(',')
    .filter((name) => PARTS.some((part) => part === name)) as (typeof PARTS)[number][];
  const [runs, trades] = [Number(values.runs), Number(values.trades)];
  if (parts.length !== values.only.split(',').length || !(runs >= 1) || !(trades >= 1)) throw new Error(USAGE);
  const figures: Figure[] = [];
  for (const part of parts) figures.push(calibration(part, runs), ...(await measure(part, runs, trades)));
  process.stdout.write(values.json ? `${JSON.stringify({ machine: machine(), figures })}\n` : `${tableOf(figures)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 2;
});
