import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeBody, FINGERPRINTS } from '../contracts/codec.ts';
import { readTrade } from '../contracts/trade-reader.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { goOn, startDerivation } from '../evaluators/derive.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { CADENCE_MS, deriveTape, fillTape, layTape, TRADES_PER_SNAPSHOT } from './tape.ts';
import { syntheticTrades } from './trades.ts';

/** A place on a curve: what a trade costs there, and what the process holds. */
export interface GrowthPoint {
  readonly curve: 'instruments' | 'session' | 'engines';
  /** Instruments; trades of the session so far; engine processes. */
  readonly at: number;
  /** Of the trades since the point before. */
  readonly cpuUsPerTrade: number;
  readonly residentMib: number;
  /** On the heap and beside it, after a collection: what the state takes, without what a collection would free. */
  readonly heldMib?: number;
  /** From start to end; only of engines, which others delay. */
  readonly tradesPerSecond?: number;
}

/** A derivation in a process of its own: decode, step, encode and hash, with nothing to read or to send. */
export interface GrowthTask {
  readonly instruments: number;
  readonly trades: number;
  /** Of one instrument, in a second of market time. */
  readonly perSecond: number;
  /** A point is measured after each so many trades. */
  readonly every: number;
}

const INSTRUMENTS = [16, 500, 5_000] as const;
const SESSION_POINTS = 10;
const SECONDS_PER_DAY = 86_400;
/** Midnight: a session is a day. */
const SESSION_START_US = 1_700_006_400_000_000;
/** Trades that are made ahead, so that making them does not count. */
const CHUNK_TRADES = 20_000;
const MEBIBYTE = 1_048_576;

/** The curves that need no services. @param trades - for each number of instruments. @param ofSession - of the session. */
export async function measureGrowth(
  trades: number,
  ofSession: number,
  log: (text: string) => void,
): Promise<GrowthPoint[]> {
  const points: GrowthPoint[] = [];
  for (const instruments of INSTRUMENTS) {
    log(`growth: ${instruments} instruments …`);
    const found = await derivedApart({ instruments, trades, perSecond: TRADES_PER_SNAPSHOT, every: trades });
    points.push(...found.map((point): GrowthPoint => ({ curve: 'instruments', ...point, at: instruments })));
  }
  log(`growth: a session of ${ofSession.toLocaleString('en')} trades of one instrument …`);
  // All of one instrument and of one day: the more trades, the more in a second.
  const perSecond = Math.max(TRADES_PER_SNAPSHOT, Math.ceil(ofSession / SECONDS_PER_DAY));
  const session = { instruments: 1, trades: ofSession, perSecond, every: Math.ceil(ofSession / SESSION_POINTS) };
  points.push(...(await derivedApart(session)).map((point): GrowthPoint => ({ curve: 'session', ...point })));
  return points;
}

/** One point: the same tape derived by so many engine processes, on services that begin empty. */
export async function measureEngines(bench: Bench, engines: number): Promise<GrowthPoint> {
  await layTape(bench, CADENCE_MS);
  await fillTape(bench);
  const { usages, tradesPerSecond } = await deriveTape(bench, engines);
  const cpuSeconds = usages.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
  return {
    curve: 'engines',
    at: engines,
    cpuUsPerTrade: (cpuSeconds * 1e6) / bench.trades,
    residentMib: Math.max(...usages.map(({ peakResidentBytes }) => peakResidentBytes)) / MEBIBYTE,
    tradesPerSecond,
  };
}

type Place = Pick<GrowthPoint, 'at' | 'cpuUsPerTrade' | 'residentMib' | 'heldMib'>;

async function derivedApart(task: GrowthTask): Promise<readonly Place[]> {
  const nowhere = { kafkaBrokers: [], registryUrl: '', postgresUrl: '', redisUrl: '' };
  const child = startChild({ role: 'growth', connections: nowhere, argument: JSON.stringify(task) });
  return (await child.ended).result as readonly Place[];
}

/** The work of {@link derivedApart}'s process. */
export function runGrowth({ instruments, trades, perSecond, every }: GrowthTask): readonly Place[] {
  const collect = collector();
  const task = startDerivation(parseConfiguration({ cadenceMs: CADENCE_MS }));
  const places: Place[] = [];
  let [done, cpuUs, since] = [0, 0, 0];
  const tape = syntheticTrades(trades, perSecond, namesOf(instruments), SESSION_START_US);
  for (let left = trades; left > 0; left -= CHUNK_TRADES) {
    const chunk = nextBodies(tape, Math.min(left, CHUNK_TRADES));
    const before = process.cpuUsage();
    for (const body of chunk)
      goOn(task, { kind: 'trade', trade: readTrade(body), fingerprint: FINGERPRINTS.Trade, body });
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    done += chunk.length;
    if (done - since < every) continue;
    const cpuUsPerTrade = cpuUs / (done - since);
    const residentMib = process.memoryUsage.rss() / MEBIBYTE;
    collect();
    const { heapUsed, external } = process.memoryUsage();
    places.push({ at: done, cpuUsPerTrade, residentMib, heldMib: (heapUsed + external) / MEBIBYTE });
    [cpuUs, since] = [0, done];
  }
  return places;
}

/** Frees all that nothing refers to; not counted as the engine's time. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function namesOf(instruments: number): readonly string[] {
  return Array.from({ length: instruments }, (_, index) => `I${String(index).padStart(4, '0')}-USDT@bench`);
}

/** Unlike the iterator's own `take`, leaves the rest for the next call. */
function nextBodies(tape: Iterator<Trade>, count: number): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (let next = tape.next(); next.done !== true; next = tape.next()) {
    bodies.push(encodeBody('Trade', next.value));
    if (bodies.length === count) break;
  }
  return bodies;
}
