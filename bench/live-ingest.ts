import { execFileSync, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Connections } from '../platform/connections.ts';
import type { Log } from '../platform/log.ts';
import { ingestLive } from '../producers/main.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, type Aim, type Figure } from './figure.ts';

const TRADES_PER_SECOND = 20_000;
const SECONDS = 180;
const MARKETS = 2;
/** When the resident memory is read, seconds after the first trade. */
const MEMORY_AT_SECONDS = [10, 60, 120, 180];
/** Ten times as many trades for ten seconds, as the exchange makes a burst; before it and after it, this many. */
const CALMS_PER_SECOND = [5_000, 20_000];
const BURST_TIMES = 10;
const BURST_SECONDS = 10;
/** What is kept does not grow with the trades: 3.6 million of them would be more than a gigabyte. */
const HELD_GROWTH_MIB_MAX = 32;
const FROM_FIRST_TO_LAST = `from ${MEMORY_AT_SECONDS.at(0) ?? 0} to ${MEMORY_AT_SECONDS.at(-1) ?? 0} seconds`;
const CALM_SECONDS_BEFORE = 10;
const CALM_SECONDS_AFTER = 20;
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
  /** In use after a full collection, at the first of `MEMORY_AT_SECONDS` and at the end. */
  readonly heldBytes: readonly number[];
  /** The most trades that waited for older ones or for Kafka, read once a second. */
  readonly waitingMax: number;
  /** Trades for which there was no room, so that they were requested again. */
  readonly forgotten: number;
  readonly gaps: number;
}

export interface LiveTask {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  readonly instruments: readonly string[];
  readonly trades: number;
}

/**
 * Ingests a live market with 20,000 trades a second for three minutes, and one with a burst, on one core. The tape must
 * be created.
 */
export async function measureLiveIngest({ connections }: Bench): Promise<Figure[]> {
  const steady = await measureMarket(connections, TRADES_PER_SECOND * SECONDS, [String(TRADES_PER_SECOND)]);
  const figures = figuresOf(steady.run, steady.publishedInSeconds);
  for (const [index, calm] of CALMS_PER_SECOND.entries()) {
    const seconds = CALM_SECONDS_BEFORE + CALM_SECONDS_AFTER + BURST_TIMES * BURST_SECONDS;
    const words = [String(calm), `BURST${index}`, String(CALM_SECONDS_BEFORE)];
    const burst = await measureMarket(connections, calm * seconds, words);
    figures.push(...burstFiguresOf(calm, burst.run, burst.publishedInSeconds));
  }
  return figures;
}

/** @param words of the exchange's process, after the number of trades */
async function measureMarket(connections: Connections, trades: number, words: readonly string[]) {
  const exchange = await startExchangeProcess([String(trades / MARKETS), ...words]);
  const [, prefix = ''] = words;
  try {
    const task: LiveTask = { ...exchange.urls, instruments: [`${prefix}BTC-USDT`, `${prefix}ETH-USDT`], trades };
    const child = startChild({ role: 'live-ingest', connections, argument: JSON.stringify(task) });
    const run = (await child.ended).result as LiveRun;
    return { run, publishedInSeconds: await exchange.publishedInSeconds };
  } finally {
    exchange.stop();
  }
}

function burstFiguresOf(calm: number, run: LiveRun, publishedInSeconds: number): Figure[] {
  const { trades, seconds, waitingMax, forgotten, gaps } = run;
  const each = `${calm} trades a second, ${BURST_TIMES} times as many for ${BURST_SECONDS} s`;
  const published = `published in ${publishedInSeconds.toFixed(0)} s`;
  const figure = (name: string, unit: string, value: number, aim?: Aim) =>
    figureOf(`live ingest, burst: ${name}`, unit, [value], `${each}, ${trades} trades, ${published}; one run`, aim);
  return [
    figure('reached the tape', 'trades', trades),
    figure('resident memory at its end', 'MiB', (run.residentBytes.at(-1) ?? Number.NaN) / MEBIBYTE),
    figure('heap in use after a full collection', 'MiB', (run.heldBytes.at(-1) ?? Number.NaN) / MEBIBYTE),
    figure('on the tape after the exchange published the last', 's', Math.max(0, seconds - publishedInSeconds)),
    figure('waiting trades, the most', 'trades', waitingMax),
    figure('requested again for want of room', 'trades', forgotten),
    figure('gaps', 'gaps', gaps, { below: 1 }),
  ];
}

function figuresOf(run: LiveRun, publishedInSeconds: number): Figure[] {
  const { trades, seconds, cpuSeconds, residentBytes, heldBytes, waitingMax } = run;
  const published = (trades / publishedInSeconds).toFixed(0);
  const how = `WebSocket to acknowledged by Kafka, ${trades} trades of ${MARKETS} instruments, published at ${published} a second`;
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
    figureOf('live ingest, growth of resident memory', 'MiB', [growthOf(residentBytes)], FROM_FIRST_TO_LAST),
    figureOf(
      'live ingest, growth of the heap in use after a full collection',
      'MiB',
      [growthOf(heldBytes)],
      `${FROM_FIRST_TO_LAST}, at the end ${((heldBytes.at(-1) ?? Number.NaN) / MEBIBYTE).toFixed(0)} MiB`,
      { below: HELD_GROWTH_MIB_MAX },
    ),
    figureOf('live ingest, waiting trades', 'trades', [waitingMax], 'the most, read once a second'),
  ];
}

function growthOf(bytes: readonly number[]): number {
  return ((bytes.at(-1) ?? Number.NaN) - (bytes[0] ?? Number.NaN)) / MEBIBYTE;
}

/** Ingests until all trades are acknowledged; runs in a separate process, which it pins to one core. */
export async function runLiveIngest(task: LiveTask, connections: Connections, log: Log): Promise<LiveRun> {
  pin(process.pid, INGEST_CORE);
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort();
  }, DEADLINE_MS);
  const residentBytes: number[] = [];
  const heldBytes: number[] = [];
  let trades = 0;
  let waitingMax = 0;
  let [forgotten, gaps] = [0, 0];
  let startedAt: number | undefined;
  let endedAt = 0;
  let cpuAtStart: NodeJS.CpuUsage | undefined;
  await ingestLive({
    venue: 'binance',
    instruments: task.instruments,
    transport: 'stream',
    endpoints: { webSocketUrl: task.webSocketUrl, restUrl: task.restUrl },
    connections,
    log,
    signal: abort.signal,
    telemetry(event) {
      if (event.kind === 'forgotten') forgotten += 1;
      if (event.kind === 'gap-declared') gaps += 1;
      if (event.kind === 'status') waitingMax = Math.max(waitingMax, event.waitingTrades);
      if (event.kind !== 'trades-appended') return;
      cpuAtStart ??= process.cpuUsage();
      endedAt = performance.now();
      startedAt ??= endedAt;
      trades += event.count;
      const dueSeconds = MEMORY_AT_SECONDS[residentBytes.length] ?? Infinity;
      const isDue = endedAt - startedAt >= dueSeconds * MILLISECONDS_PER_SECOND;
      const isLast = trades >= task.trades;
      if (isDue || isLast) {
        residentBytes.push(process.memoryUsage.rss());
        if (residentBytes.length === 1 || isLast) heldBytes.push(bytesHeld());
      }
      if (isLast) abort.abort();
    },
  });
  clearTimeout(deadline);
  if (trades < task.trades) {
    residentBytes.push(process.memoryUsage.rss());
    heldBytes.push(bytesHeld());
  }
  const { user, system } = process.cpuUsage(cpuAtStart);
  const cpuSeconds = (user + system) / MICROSECONDS_PER_SECOND;
  const seconds = (endedAt - (startedAt ?? endedAt)) / MILLISECONDS_PER_SECOND;
  return { trades, seconds, cpuSeconds, residentBytes, heldBytes, waitingMax, forgotten, gaps };
}

/** Heap in use after a full collection. */
function bytesHeld(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

async function startExchangeProcess(words: readonly string[]) {
  const child = spawn(process.execPath, ['--max-old-space-size=4096', EXCHANGE, ...words], {
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
