import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connections } from '../platform/connections.ts';
import { createLog } from '../platform/log.ts';
import { ingestVenues, type LiveIngestReport } from '../producers/main.ts';
import { VENUES } from '../producers/venues/catalogue.ts';
import { drawsOf } from './exchange/draws.ts';
import { FaultPlan } from './exchange/faults.ts';
import { SHORT_TIMING } from './exchange/live-run.ts';
import { TapeWitness } from './exchange/tape-witness.ts';
import {
  CAPTURED_VENUES,
  capturedFrames,
  FRAMES_ARE_PRESENT,
  syntheticFrames,
  type CapturedTrade,
  type CapturedVenue,
  type VenueCapture,
} from './exchange/venue-captures.ts';
import { startVenue, type VenueServer } from './exchange/venue-server.ts';
import { lineOfCapture, lineOfTrade } from './exchange/venue-simulation.ts';
import { WORDS } from './exchange/venue-words.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const SYNTHETIC_TRADES = 60;
const FRAME_INTERVAL_MS = 20;
/** Bybit shows only its last 60 trades: slower, so that an interruption is within them. */
const SHORT_PAGES_INTERVAL_MS = 60;
const FAULTS = {
  ...{ cut: 40, 'duplicated-frame': 8, 'malformed-instead': 25, 'malformed-besides': 25 },
  ...{ 'rate-limited': 12, 'server-error': 8 },
};

interface Played {
  readonly server: VenueServer;
  /** By instrument. */
  readonly trades: ReadonlyMap<string, readonly CapturedTrade[]>;
}

function tradesOf(name: CapturedVenue, { frames }: VenueCapture): Map<string, CapturedTrade[]> {
  const venue = VENUES.find((each) => each.name === name);
  const trades = new Map<string, CapturedTrade[]>();
  for (const trade of frames.flatMap((frame) => frame.trades)) {
    const instrument = venue?.instrumentOf(trade.symbol) ?? '';
    trades.set(instrument, [...(trades.get(instrument) ?? []), trade]);
  }
  return trades;
}

// One process for five venues: what each does to the others is part of the test.
describe('five venues in one process, over sockets and with faults', () => {
  const played = new Map<CapturedVenue, Played>();
  let connections: Connections;
  let witness: TapeWitness;
  let report: LiveIngestReport;

  beforeAll(async () => {
    connections = stackConnections();
    await resetStores();
    for (const [index, name] of CAPTURED_VENUES.entries()) {
      const capture = FRAMES_ARE_PRESENT ? await capturedFrames(name) : syntheticFrames(name, SYNTHETIC_TRADES);
      const isShort = name === 'bybit';
      const plan = new FaultPlan(isShort ? FAULTS : { ...FAULTS, 'half-open': 120 }, drawsOf(index + 1));
      const frameIntervalMs = isShort ? SHORT_PAGES_INTERVAL_MS : FRAME_INTERVAL_MS;
      const server = await startVenue({ words: WORDS[name], capture, plan, frameIntervalMs });
      played.set(name, { server, trades: tradesOf(name, capture) });
    }
    const all = [...played.values()];
    const instruments = all.flatMap(({ trades }) => [...trades.keys()]);
    witness = await TapeWitness.from(connections, instruments);
    const abort = new AbortController();
    const ended = ingestVenues({
      ...{ instruments, transport: 'stream', connections, signal: abort.signal, log: createLog('ingest', 'silent') },
      timing: { ...SHORT_TIMING, subscriptionGraceMs: 300 },
      endpoints: Object.fromEntries([...played].map(([name, { server }]) => [name, server])),
    });
    const total = all.reduce((sum, { trades }) => sum + [...trades.values()].flat().length, 0);
    await Promise.race([Promise.all(all.map(({ server }) => server.finished)), ended]);
    await until(
      `${total} trades are on the tape`,
      async () => {
        await witness.catchUp();
        return instruments.reduce((sum, instrument) => sum + witness.count(instrument), 0) >= total;
      },
      90_000,
    );
    abort.abort();
    report = await ended;
    await witness.catchUp();
  });
  afterAll(async () => {
    await witness.close();
    for (const { server } of played.values()) await server.close();
  });

  it.each(CAPTURED_VENUES)('the tape has exactly the trades of %s, each once', (name) => {
    for (const [instrument, trades] of played.get(name)?.trades ?? []) {
      const found = witness.trades(instrument).map(lineOfTrade);
      const wanted = trades.map(lineOfCapture);
      const isNumbered = VENUES.find((venue) => venue.name === name)?.tradeIds === 'DENSE';
      expect(isNumbered ? found : found.toSorted(), instrument).toEqual(isNumbered ? wanted : wanted.toSorted());
      expect(witness.gaps(instrument)).toEqual([]);
    }
  });

  it('the report is that of all of them', () => {
    const total = [...played.values()].reduce((sum, { trades }) => sum + [...trades.values()].flat().length, 0);
    expect(report).toMatchObject({ complete: true, tradesAppended: total, gaps: 0 });
    expect(report.fromHistory).toBeGreaterThan(0);
    expect(Math.max(...[...played.values()].map(({ server }) => server.connections))).toBeGreaterThan(1);
  });
});
