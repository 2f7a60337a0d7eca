/**
 * Sets the engine beside what else could do its work: `npm run bench:peers`, with `-- --json`, `--runs 5`, `--trades
 * 700000`, `--trades-per-snapshot 17`, `--only tapeproof,streams`. All derive the same tape on the same services, in
 * turn, and their events are compared before anything is reported. docs/benchmarks.md explains the figures.
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
import { CONTENDERS, type ContenderName } from './contenders.ts';
import { reportOf, reportText, type Round } from './report.ts';
import { runRounds } from './rounds.ts';

const RUNS = 5;
const TRADES = 700_000;
const TRADES_PER_SNAPSHOT = 17;
/** It takes about a millisecond for each. */
const NAIVE_TRADES = 20_000;

const USAGE = `Usage: npm run bench:peers -- [--json] [--only ${CONTENDERS.join(',')}] [--runs ${RUNS}] [--trades ${TRADES}] [--trades-per-snapshot ${TRADES_PER_SNAPSHOT}] [--naive-trades ${NAIVE_TRADES}]`;

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
  readonly only: readonly ContenderName[];
  readonly runs: number;
  readonly trades: number;
  readonly tradesPerSnapshot: number;
  readonly naiveTrades: number;
}

function requestFrom(words: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: CONTENDERS.join(',') },
      runs: { type: 'string', default: String(RUNS) },
      trades: { type: 'string', default: String(TRADES) },
      'trades-per-snapshot': { type: 'string', default: String(TRADES_PER_SNAPSHOT) },
      'naive-trades': { type: 'string', default: String(NAIVE_TRADES) },
    },
  });
  const named = values.only.split(',');
  // Ours first: the events of the others are compared with its.
  const only = CONTENDERS.filter((name) => named.includes(name));
  const numbers = [values.runs, values.trades, values['trades-per-snapshot'], values['naive-trades']].map(Number);
  const [runs = 0, trades = 0, tradesPerSnapshot = 0, naiveTrades = 0] = numbers;
  if (only.length !== named.length || numbers.some((number) => !Number.isInteger(number) || number < 1)) {
    throw new Error(USAGE);
  }
  return { isJson: values.json, only, runs, trades, tradesPerSnapshot, naiveTrades };
}

async function compete({ only, runs, trades, tradesPerSnapshot, naiveTrades }: Request): Promise<readonly Round[]> {
  const classPath = only.some((name) => name.startsWith('streams')) ? await buildStreams() : '';
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-peers-'));
  const options = { folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports: await freePorts() };
  try {
    process.stderr.write('starting services …\n');
    const endpoints = await stackUp(options, () => undefined);
    const connections = { ...endpoints, kafkaBrokers: [endpoints.kafkaBrokers] };
    const bench: Bench = { connections, log: createLog('bench', 'error'), runs, trades };
    await layTape(bench, CADENCE_MS);
    await fillTape(bench, tradesPerSnapshot);
    const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench-peers', bench.log);
    const reader = createLogReader(connections.kafkaBrokers);
    const rounds = runRounds({ bench, kafka, reader, classPath, naiveTrades }, only, (progress) => {
      process.stderr.write(`${progress}\n`);
    });
    try {
      return await Promise.race([rounds, interrupted]);
    } finally {
      await reader.close();
    }
  } finally {
    await stackReset(options, () => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

function machine(): object {
  return { processor: cpus()[0]?.model, processors: cpus().length, node: process.version, load: loadavg()[0] };
}

async function main(): Promise<void> {
  const request = requestFrom(process.argv.slice(2));
  const rounds = await compete(request);
  const reports = reportOf(rounds);
  const { isJson, ...asked } = request;
  process.stdout.write(
    isJson ? `${JSON.stringify({ machine: machine(), asked, reports, rounds })}\n` : `${reportText(reports)}\n`,
  );
  if (reports.some(({ difference }) => difference !== undefined)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 2;
});
