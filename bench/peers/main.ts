/**
 * Sets the engine beside what else could do its work: `npm run bench:peers`, with `-- --json`, `--runs 5`, `--trades
 * 700000`, `--trades-per-snapshot 17`, `--only tapeproof,streams`, `--parts throughput,latency,recovery`. All derive
 * the same tape on the same services, in turn, and their events are compared before a ratio is reported.
 * docs/benchmarks.md explains the figures.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createLog } from '../../platform/log.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, stackReset, stackUp } from '../../stack/main.ts';
import type { Bench } from '../bench.ts';
import { CADENCE_MS, fillTape, layTape } from '../tape.ts';
import { buildStreams } from './build.ts';
import { CONTENDERS, lastingContenderOf, type Arena, type ContenderName } from './contenders.ts';
import { measurePeerLatency, type LatencyReport } from './latency.ts';
import { measureRecovery, NEW_TRADES, type RecoveryReport } from './recovery.ts';
import { latencyText, recoveryText, reportOf, reportText, type ContenderReport, type Round } from './report.ts';
import { runRounds } from './rounds.ts';

const PARTS = ['throughput', 'latency', 'recovery'] as const;
type Part = (typeof PARTS)[number];
/** Others are slower by design, or would be noticed by the end of a transaction and not by an event. */
const MEASURED_LIVE = ['tapeproof', 'streams'] as const;
const RUNS = 5;
const TRADES = 700_000;
const TRADES_PER_SNAPSHOT = 17;
/** Each takes about a millisecond. */
const NAIVE_TRADES = 20_000;

const USAGE = `Usage: npm run bench:peers -- [--json] [--parts ${PARTS.join(',')}] [--only ${CONTENDERS.join(',')}] [--runs ${RUNS}] [--trades ${TRADES}] [--trades-per-snapshot ${TRADES_PER_SNAPSHOT}] [--naive-trades ${NAIVE_TRADES}]`;

/** Rejects when a person ends the run, so that the services end with it. */
const interrupted = new Promise<never>((_resolve, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      reject(new Error('interrupted'));
    });
  }
});
interrupted.catch(() => undefined);

interface Request {
  readonly isJson: boolean;
  readonly parts: readonly Part[];
  readonly only: readonly ContenderName[];
  readonly runs: number;
  readonly trades: number;
  readonly tradesPerSnapshot: number;
  readonly naiveTrades: number;
}

interface Measured {
  rounds: readonly Round[];
  latencies: LatencyReport[];
  recoveries: RecoveryReport[];
}

function requestFrom(words: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      parts: { type: 'string', default: PARTS.join(',') },
      only: { type: 'string', default: CONTENDERS.join(',') },
      runs: { type: 'string', default: String(RUNS) },
      trades: { type: 'string', default: String(TRADES) },
      'trades-per-snapshot': { type: 'string', default: String(TRADES_PER_SNAPSHOT) },
      'naive-trades': { type: 'string', default: String(NAIVE_TRADES) },
    },
  });
  // In our order: ours is first, and the events of the others are compared with its.
  const only = namedIn(values.only, CONTENDERS);
  const parts = namedIn(values.parts, PARTS);
  const numbers = [values.runs, values.trades, values['trades-per-snapshot'], values['naive-trades']].map(Number);
  const [runs = 0, trades = 0, tradesPerSnapshot = 0, naiveTrades = 0] = numbers;
  if (numbers.some((number) => !Number.isInteger(number) || number < 1)) throw new Error(USAGE);
  return { isJson: values.json, parts, only, runs, trades, tradesPerSnapshot, naiveTrades };
}

/** @throws Error when a name is unknown. */
function namedIn<Name extends string>(text: string, known: readonly Name[]): readonly Name[] {
  const named = text.split(',');
  if (named.some((name) => !known.includes(name as Name))) throw new Error(USAGE);
  return known.filter((name) => named.includes(name));
}

function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

/** Each part has its own services, which begin empty. */
async function measure(part: Part, request: Request, classPath: string, measured: Measured): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-peers-'));
  const options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  tell(`${part}: starting services …`);
  try {
    const endpoints = await stackUp(options, () => undefined);
    const connections = { ...endpoints, kafkaBrokers: [endpoints.kafkaBrokers] };
    const { runs, trades, naiveTrades } = request;
    const bench: Bench = { connections, log: createLog('bench', 'error'), runs, trades };
    const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench-peers', bench.log);
    const reader = createLogReader(connections.kafkaBrokers);
    const arena: Arena = { bench, kafka, reader, classPath, folder, naiveTrades };
    try {
      await layTape(bench, CADENCE_MS);
      await Promise.race([measurePart(part, request, arena, measured), interrupted]);
    } finally {
      await reader.close();
    }
  } finally {
    await stackReset(options, () => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

async function measurePart(part: Part, request: Request, arena: Arena, measured: Measured): Promise<void> {
  const { only, trades, tradesPerSnapshot } = request;
  if (part !== 'latency') await fillTape(arena.bench, tradesPerSnapshot);
  if (part === 'throughput') {
    measured.rounds = await runRounds(arena, only, tell);
    return;
  }
  const contenders = MEASURED_LIVE.filter((name) => only.includes(name)).map((name) => lastingContenderOf(name, arena));
  for (const [index, contender] of contenders.entries()) {
    tell(`${part}: ${contender.name} …`);
    if (part === 'latency') measured.latencies.push(await measurePeerLatency(arena, contender));
    else {
      const onTape = trades + index * NEW_TRADES;
      measured.recoveries.push(await measureRecovery(arena, contender, onTape, tradesPerSnapshot));
    }
  }
}

function machine(): object {
  return { processor: cpus()[0]?.model, processors: cpus().length, node: process.version, load: loadavg()[0] };
}

function textOf(reports: readonly ContenderReport[], { latencies, recoveries }: Measured): string {
  return [reportText(reports), latencyText(latencies), recoveryText(recoveries)]
    .filter((text) => text !== '')
    .join('\n\n');
}

async function main(): Promise<void> {
  const request = requestFrom(process.argv.slice(2));
  if (process.platform !== 'linux') {
    throw new Error('The processor time of other processes is read from /proc: run bench:peers on Linux.');
  }
  const { isJson, ...asked } = request;
  const classPath = asked.only.some((name) => name.startsWith('streams')) ? await buildStreams() : '';
  const measured: Measured = { rounds: [], latencies: [], recoveries: [] };
  for (const part of asked.parts) await measure(part, request, classPath, measured);
  const reports = reportOf(measured.rounds);
  const json = { machine: machine(), asked, reports, ...measured };
  process.stdout.write(`${isJson ? JSON.stringify(json) : textOf(reports, measured)}\n`);
  if (reports.some(({ difference }) => difference !== undefined)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // At once: what was interrupted waits for services that are gone, and its processes end with this one.
  process.exit(error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 2);
});
