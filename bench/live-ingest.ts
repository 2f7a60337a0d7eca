import { execFileSync, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Connections } from '../platform/connections.ts';
import type { Log } from '../platform/log.ts';
import { ingestLive } from '../producers/main.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, type Figure } from './figure.ts';

const TRADES_PER_SECOND = 20_000;
const SECONDS = 60;
const MARKETS = 2;
const INSTRUMENTS = ['BTC-USDT', 'ETH-USDT'];
/** When the resident memory is read, seconds after the first trade. */
const MEMORY_AT_SECONDS = [10, 30, 60];
/** The wait after the exchange has published its last trade: later trades count against the rate. */
const DEADLINE_MS = (SECONDS + 60) * 1_000;
const EXCHANGE = join(import.meta.dirname, '..', 'tests', 'exchange', 'process.ts');
const INGEST_CORE = '0';
const EXCHANGE_CORE = '1';
const MEBIBYTE = 1_048_576;
const MILLISECONDS_PER_SECOND = 1000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/** The ingesting process's own measurements. */
interface LiveRun {
  readonly trades: number;
  /** From the first batch that Kafka acknowledged to the last. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** At each of `MEMORY_AT_SECONDS`; the last one at the end if the run ends earlier. */
  readonly residentBytes: readonly number[];
  /** The most trades that waited for older ones or for Kafka, read once a second. */
  readonly waitingMax: number;
}

export interface LiveTask {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  readonly trades: number;
}

/** Ingests a live market with 20,000 trades a second for a minute, on one core. The tape must be created. */
export async function measureLiveIngest({ connections }: Bench): Promise<Figure[]> {
  const tradesPerMarket = (TRADES_PER_SECOND * SECONDS) / MARKETS;
  const exchange = await startExchangeProcess(tradesPerMarket);
  try {
    const task: LiveTask = { ...exchange.urls, trades: tradesPerMarket * MARKETS };
    const child = startChild({ role: 'live-ingest', connections, argument: JSON.stringify(task) });
    const run = (await child.ended).result as LiveRun;
    return figuresOf(run, await exchange.publishedInSeconds);
  } finally {
    exchange.stop();
  }
}

function figuresOf(run: LiveRun, publishedInSeconds: number): Figure[] {
  const { trades, seconds, cpuSeconds, residentBytes, waitingMax } = run;
  const published = (trades / publishedInSeconds).toFixed(0);
  const how = `WebSocket to acknowledged by Kafka, ${trades} trades of ${MARKETS} instruments, published at ${published} a second`;
  const [early = Number.NaN, , late = Number.NaN] = residentBytes;
  return [
    figureOf('live ingest', 'trades/s', [trades / seconds], `${how}; one run`, { atLeast: 0.99 * TRADES_PER_SECOND }),
    figureOf(
      'live ingest, CPU',
      'µs a trade',
      [(cpuSeconds * MICROSECONDS_PER_SECOND) / trades],
      'of the whole process on one core, compiling included',
      { below: MICROSECONDS_PER_SECOND / TRADES_PER_SECOND },
    ),
    ...MEMORY_AT_SECONDS.map((second, index) => {
      const bytes = residentBytes[index] ?? Number.NaN;
      return figureOf(`live ingest, memory at ${second} s`, 'MiB', [bytes / MEBIBYTE], 'resident, of its process');
    }),
    figureOf('live ingest, growth of memory', 'MiB', [(late - early) / MEBIBYTE], 'from 10 to 60 seconds'),
    figureOf('live ingest, waiting trades', 'trades', [waitingMax], 'the most, read once a second'),
  ];
}

/** Ingests until all trades are acknowledged; runs in a separate process, which it pins to one core. */
export async function runLiveIngest(task: LiveTask, connections: Connections, log: Log): Promise<LiveRun> {
  pin(process.pid, INGEST_CORE);
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort();
  }, DEADLINE_MS);
  const residentBytes: number[] = [];
  let trades = 0;
  let waitingMax = 0;
  let startedAt: number | undefined;
  let endedAt = 0;
  let cpuAtStart: NodeJS.CpuUsage | undefined;
  await ingestLive({
    venue: 'binance',
    instruments: INSTRUMENTS,
    transport: 'stream',
    endpoints: { webSocketUrl: task.webSocketUrl, restUrl: task.restUrl },
    connections,
    log,
    signal: abort.signal,
    telemetry(event) {
      if (event.kind === 'status') waitingMax = Math.max(waitingMax, event.waitingTrades);
      if (event.kind !== 'trades-appended') return;
      cpuAtStart ??= process.cpuUsage();
      endedAt = performance.now();
      startedAt ??= endedAt;
      trades += event.count;
      const dueSeconds = MEMORY_AT_SECONDS[residentBytes.length] ?? Infinity;
      const isDue = endedAt - startedAt >= dueSeconds * MILLISECONDS_PER_SECOND;
      if (isDue || trades >= task.trades) residentBytes.push(process.memoryUsage.rss());
      if (trades >= task.trades) abort.abort();
    },
  });
  clearTimeout(deadline);
  const { user, system } = process.cpuUsage(cpuAtStart);
  const cpuSeconds = (user + system) / MICROSECONDS_PER_SECOND;
  const seconds = (endedAt - (startedAt ?? endedAt)) / MILLISECONDS_PER_SECOND;
  return { trades, seconds, cpuSeconds, residentBytes, waitingMax };
}

async function startExchangeProcess(tradesPerMarket: number) {
  const child = spawn(process.execPath, [EXCHANGE, String(tradesPerMarket), String(TRADES_PER_SECOND)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  pin(child.pid ?? 0, EXCHANGE_CORE);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the exchange ended before its time');
    return JSON.parse(value) as unknown;
  };
  const urls = (await next()) as Pick<LiveTask, 'webSocketUrl' | 'restUrl'>;
  const publishedInSeconds = next().then((line) => (line as { seconds: number }).seconds);
  publishedInSeconds.catch(() => undefined);
  return { urls, publishedInSeconds, stop: () => child.kill('SIGTERM') };
}

/** Keeps a process and its threads on one core, where there are several cores and taskset exists. */
function pin(pid: number, core: string): void {
  if (cpus().length < 2) return;
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', core, String(pid)], { stdio: 'ignore' });
  } catch {
    process.stderr.write('live-ingest: no taskset here, so its process may use several cores\n');
  }
}
