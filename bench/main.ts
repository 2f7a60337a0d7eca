/**
 * Measures Tapeproof on its own services: `npm run bench`, with `-- --json`, `--only engine,latency`, `--runs 3`,
 * `--trades 1500000`. Prints the median of the runs. docs/benchmarks.md explains the figures.
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog } from '../platform/log.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, stackReset, stackUp, type StackOptions } from '../stack/main.ts';
import { measureAudit } from './audit.ts';
import type { Bench } from './bench.ts';
import { writeCapacity } from './capacity.ts';
import { measureCertify } from './certify.ts';
import { measureCompression } from './compression.ts';
import { COMPRESSIONS, measureCosts, servicesOf, type Costs } from './costs.ts';
import { measureEngine } from './engine.ts';
import { figureOf, tableOf, type Figure } from './figure.ts';
import { measureEngines, measureGrowth } from './growth.ts';
import { measureJdbcSink } from './jdbc-sink.ts';
import { keep, type Machine } from './kept.ts';
import { measureLaboratory } from './laboratory.ts';
import { measureLatency } from './latency.ts';
import { measureLatencyCompression } from './latency-compression.ts';
import { measureLiveIngest } from './live-ingest.ts';
import { buildConnect } from './peers/build.ts';
import { SINK_MODES } from './peers/connect-process.ts';
import { writePlots } from './plots.ts';
import { measureReadModels } from './read-models.ts';
import { measureRebuildMemory } from './rebuild-memory.ts';
import { measureScoreboard } from './scoreboard.ts';
import { measureStart } from './start.ts';
import { CADENCE_MS, deriveTape, EACH_TRADE_MS, fillTape, layTape } from './tape.ts';
import { measureViewers } from './viewers.ts';

const RUNS = 5;
/**
 * A few seconds of an engine's work: with a shorter tape, loading and compiling weigh more than in a long-running
 * process.
 */
const TRADES = 1_500_000;
/** The part of them used for the read models, with a snapshot at each trade: the most events. */
const TRADES_PER_EVENTFUL_TRADE = 8;
/** Trades of one session, for `growth`. */
const SESSION_TRADES = 10_000_000;
/** Sharing the tape's partitions. */
const ENGINES = [1, 2] as const;
const HASHES = 200_000;
const PARTS = [
  'start',
  'scoreboard',
  'laboratory',
  'compression',
  'engine',
  'read-models',
  'audit',
  'certify',
  'latency',
  'live-ingest',
  'viewers',
] as const;
/** Each takes long, or needs Maven: only when it is named. */
const NAMED_PARTS = ['jdbc-sink', 'rebuild-memory', 'latency-compression'] as const;
/** Measured for the pages docs/benchmarks.md and docs/capacity.md, each only when it is named. */
const KEPT_PARTS = ['growth', 'costs'] as const;

const USAGE = `Usage: npm run bench -- [--json] [--only ${[...PARTS, ...NAMED_PARTS, ...KEPT_PARTS].join(',')}] [--runs ${RUNS}] [--trades ${TRADES}] [--session ${SESSION_TRADES}], or --plot, --capacity`;

type Part = (typeof PARTS)[number] | (typeof NAMED_PARTS)[number];

/** Rejects when a person ends the run, so that the services end with it. */
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      reject(new Error('interrupted'));
    });
  }
});
interrupted.catch(() => undefined);

/** Each part except the first four is measured on its own services, which begin empty. */
const MEASUREMENTS: Readonly<
  Record<
    Exclude<Part, 'start' | 'scoreboard' | 'laboratory' | 'compression'>,
    (bench: Bench, options: StackOptions) => Promise<Figure[]>
  >
> = {
  engine: async (bench) => {
    await layTape(bench, CADENCE_MS);
    await fillTape(bench);
    return [...(await measureEngine(bench)), ...(await deriveTape(bench)).figures];
  },
  'read-models': async (bench) => measureReadModels(await deriveEventful(bench)),
  'jdbc-sink': async (bench, options) => {
    const { postgres } = await servicesOf(options);
    const settings = { postgres, classPath: await buildConnect(), modes: SINK_MODES };
    return await measureJdbcSink(await deriveEventful(bench), settings, tell);
  },
  // All of the trades given: what counts is a long log.
  'rebuild-memory': async (bench) => measureRebuildMemory(await deriveEventful(bench, 1), tell),
  'latency-compression': async (bench) => {
    await layTape(bench, CADENCE_MS);
    return await measureLatencyCompression(bench, tell);
  },
  audit: async (bench) => measureAudit(await deriveEventful(bench)),
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

/** A complete log with a snapshot at each trade. @returns the bench, with the number of its trades */
async function deriveEventful(bench: Bench, tradesPerEventfulTrade = TRADES_PER_EVENTFUL_TRADE): Promise<Bench> {
  const eventful = { ...bench, trades: Math.ceil(bench.trades / tradesPerEventfulTrade) };
  await layTape(eventful, EACH_TRADE_MS);
  await fillTape(eventful);
  await deriveTape(eventful);
  return eventful;
}

function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

async function measure(part: Part, runs: number, trades: number): Promise<Figure[]> {
  if (part === 'start') return measureStart(runs);
  if (part === 'scoreboard') return measureScoreboard(runs);
  if (part === 'laboratory') return await measureLaboratory(runs);
  if (part === 'compression') return measureCompression(runs);
  return await onServices(part, runs, trades, MEASUREMENTS[part]);
}

/** Services that begin empty, for the time of a measurement. */
async function onServices<Result>(
  part: string,
  runs: number,
  trades: number,
  work: (bench: Bench, options: StackOptions) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-bench-'));
  const options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  try {
    tell(`${part}: starting services …`);
    const endpoints = await stackUp(options, () => undefined);
    const connections = { ...endpoints, kafkaBrokers: [endpoints.kafkaBrokers] };
    tell(`${part}: measuring …`);
    const bench: Bench = { connections, log: createLog('bench', 'error'), runs, trades };
    return await Promise.race([work(bench, options), interrupted]);
  } finally {
    await stackReset(options, () => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Measures what the pages keep, and writes it where `--plot` and `--capacity` read it. */
async function measureKept(part: (typeof KEPT_PARTS)[number], trades: number, ofSession: number): Promise<void> {
  if (part === 'growth') {
    const points = await measureGrowth(trades, ofSession, tell);
    for (const engines of ENGINES) {
      points.push(await onServices(`${engines} engines`, 1, trades, (bench) => measureEngines(bench, engines)));
    }
    await keep('growth', { machine: machine(), points });
    return;
  }
  const costs: Costs[] = [];
  for (const compression of COMPRESSIONS) {
    const work = (bench: Bench, options: StackOptions) => measureCosts(bench, options, compression);
    costs.push(await onServices(`costs, ${compression}`, 1, trades, work));
  }
  await keep('costs', { machine: machine(), calibration: calibration(part, RUNS), costs });
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

function machine(): Machine {
  const [first] = cpus();
  const [load = Number.NaN] = loadavg();
  return { processor: first?.model, processors: cpus().length, node: process.version, load };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      plot: { type: 'boolean', default: false },
      capacity: { type: 'boolean', default: false },
      runs: { type: 'string', default: String(RUNS) },
      trades: { type: 'string', default: String(TRADES) },
      session: { type: 'string', default: String(SESSION_TRADES) },
    },
  });
  const [runs, trades, ofSession] = [values.runs, values.trades, values.session].map(Number) as [
    number,
    number,
    number,
  ];
  const asked = values.only ?? (values.plot || values.capacity ? '' : PARTS.join(','));
  const names = asked.split(',').filter((name) => name !== '');
  const parts = names.filter((name) => isOneOf([...PARTS, ...NAMED_PARTS], name));
  const keptParts = names.filter((name) => isOneOf(KEPT_PARTS, name));
  if (parts.length + keptParts.length !== names.length || !(runs >= 1) || !(trades >= 1) || !(ofSession >= 1))
    throw new Error(USAGE);
  const figures: Figure[] = [];
  for (const part of parts) figures.push(calibration(part, runs), ...(await measure(part, runs, trades)));
  for (const part of keptParts) await measureKept(part, trades, ofSession);
  if (values.plot) await writePlots();
  if (values.capacity) await writeCapacity();
  if (parts.length === 0) return;
  process.stdout.write(values.json ? `${JSON.stringify({ machine: machine(), figures })}\n` : `${tableOf(figures)}\n`);
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return names.some((known) => known === name);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 2;
});
