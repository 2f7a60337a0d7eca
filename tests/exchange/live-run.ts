import { expect } from 'vitest';
import type { Connections } from '../../platform/connections.ts';
import { createLog } from '../../platform/log.ts';
import type { LiveTiming } from '../../producers/live/timing.ts';
import { ingestLive, type LiveIngestOptions, type LiveIngestReport } from '../../producers/main.ts';
import { until } from '../support/until.ts';
import { startExchange, type Exchange, type ExchangeOptions } from './exchange.ts';
import type { Market } from './market.ts';
import { expectTrueWatermarks, lineOfExchange, lineOfTape, TapeWitness } from './tape-witness.ts';

/** Like the defaults, but faster: a fault is noticed and repaired within a second or two. */
export const SHORT_TIMING: Partial<LiveTiming> = {
  pingIntervalMs: 400,
  silenceMs: 1_500,
  reconnectMinMs: 30,
  reconnectMaxMs: 1_000,
  overlapMs: 1_000,
  probeAfterMs: 800,
  probeGraceMs: 400,
  requestTimeoutMs: 1_500,
  retryMinMs: 50,
  retryMaxMs: 1_000,
  gapRetryMs: 100,
  gapDeadlineMs: 60_000,
  pollIntervalMs: 400,
};
const QUOTE = 'USDT';

/** An exchange with this test's own markets, and their records on the tape. */
export interface LiveScene {
  readonly exchange: Exchange;
  readonly symbols: readonly string[];
  /** In the order of the symbols. */
  readonly instruments: readonly string[];
  readonly witness: TapeWitness;
  /** Takes the markets live, inside this process. */
  start(options?: Partial<LiveIngestOptions>): LiveRun;
  /** The tape holds at least this many trades of all markets. */
  untilTrades(count: number): Promise<void>;
  /** Everything is published and on the tape. */
  untilWhole(deadlineMs?: number): Promise<void>;
  /**
   * The tape has every trade that the exchange showed, in the order of the ids, each once, without gaps, and with true
   * watermarks.
   */
  expectExact(): void;
  close(): Promise<void>;
}

export interface LiveRun {
  /** Ends it as SIGTERM does. */
  stop(): Promise<LiveIngestReport>;
}

/** The instrument of a symbol of these tests. */
function instrumentOf(symbol: string): string {
  return `${symbol.slice(0, -QUOTE.length)}-${QUOTE}@binance`;
}

/** A capture's markets under separate names, so that tests share a tape but not their instruments. */
export function renamed(markets: readonly Market[], prefix: string): Market[] {
  return markets.map(({ symbol, trades }) => ({ symbol: prefix + symbol, trades }));
}

export async function openScene(
  connections: Connections,
  options: Omit<ExchangeOptions, 'seed' | 'faults'> & Partial<ExchangeOptions>,
): Promise<LiveScene> {
  const exchange = await startExchange({ seed: 1, faults: {}, stamps: 'publication', ...options });
  const symbols = options.markets.map(({ symbol }) => symbol);
  const instruments = symbols.map(instrumentOf);
  const witness = await TapeWitness.from(connections, instruments);
  const runs = new Set<LiveRun>();
  const total = (): number => instruments.reduce((sum, instrument) => sum + witness.count(instrument), 0);
  const untilTrades = (count: number, deadlineMs?: number): Promise<void> =>
    until(
      `${count} trades are on the tape`,
      async () => {
        await witness.catchUp();
        return total() >= count;
      },
      deadlineMs,
    );
  return {
    exchange,
    symbols,
    instruments,
    witness,
    untilTrades,
    start(overrides = {}) {
      const run = startRun(connections, exchange, instruments, overrides);
      runs.add(run);
      return run;
    },
    async untilWhole(deadlineMs) {
      await exchange.finished;
      const shown = symbols.reduce((sum, symbol) => sum + exchange.shown(symbol).length, 0);
      await untilTrades(shown, deadlineMs).catch((error: unknown) => {
        throw new Error(`${total()} of ${shown} trades: ${missingOf(exchange, witness, symbols)}`, { cause: error });
      });
    },
    expectExact() {
      for (const symbol of symbols) {
        const instrument = instrumentOf(symbol);
        expect(witness.trades(instrument).map(lineOfTape)).toEqual(exchange.shown(symbol).map(lineOfExchange));
        expect(witness.gaps(instrument)).toEqual([]);
      }
      if (options.stamps !== 'capture') expectTrueWatermarks(witness);
    },
    async close() {
      await Promise.allSettled([...runs].map((run) => run.stop()));
      await witness.close();
      await exchange.close();
    },
  };
}

function startRun(
  connections: Connections,
  exchange: Exchange,
  instruments: readonly string[],
  overrides: Partial<LiveIngestOptions>,
): LiveRun {
  const abort = new AbortController();
  const ended = ingestLive({
    venue: 'binance',
    instruments,
    transport: 'stream',
    endpoints: { webSocketUrl: exchange.webSocketUrl, restUrl: exchange.restUrl },
    timing: SHORT_TIMING,
    connections,
    log: createLog('ingest', 'silent'),
    signal: abort.signal,
    ...overrides,
  });
  ended.catch(() => undefined);
  return {
    stop() {
      abort.abort();
      return ended;
    },
  };
}

/** For a failure's message: the first ids missing on the tape. */
function missingOf(exchange: Exchange, witness: TapeWitness, symbols: readonly string[]): string {
  return symbols
    .map((symbol) => {
      const held = new Set(witness.trades(instrumentOf(symbol)).map(({ tradeId }) => tradeId));
      const missing = exchange.shown(symbol).filter(({ id }) => !held.has(String(id)));
      const gaps = witness.gaps(instrumentOf(symbol)).map(({ firstTradeId, reason }) => `${firstTradeId} ${reason}`);
      return `${symbol} lacks ${missing.length} from ${missing[0]?.id ?? 'none'} on, gaps: ${gaps.join(', ') || 'none'}`;
    })
    .join('; ');
}
