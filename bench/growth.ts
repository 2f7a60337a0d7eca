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
  /** From start to end; only of engines, which others delay. */
  readonly tradesPerSecond?: number;
}

/** A derivation in a process of its own: decode, step, encode and hash, with nothing to read or to send. */
export interface GrowthTask {
  readonly instruments: number;
  readonly trades: number;
  /** A point is measured after each so many trades. */
  readonly every: number;
}

const INSTRUMENTS = [16, 500, 5_000] as const;
const SESSION_INSTRUMENTS = 16;
const SESSION_POINTS = 10;
/** Midnight, so that 10 million trades of 16 instruments, 30 a second, are all of one session. */
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
    const found = await derivedApart({ instruments, trades, every: trades });
    points.push(...found.map((point): GrowthPoint => ({ curve: 'instruments', ...point, at: instruments })));
  }
  log(`growth: a session of ${ofSession.toLocaleString('en')} trades …`);
  const session = { instruments: SESSION_INSTRUMENTS, trades: ofSession, every: Math.ceil(ofSession / SESSION_POINTS) };
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

type Place = Pick<GrowthPoint, 'at' | 'cpuUsPerTrade' | 'residentMib'>;

async function derivedApart(task: GrowthTask): Promise<readonly Place[]> {
  const nowhere = { kafkaBrokers: [], registryUrl: '', postgresUrl: '', redisUrl: '' };
  const child = startChild({ role: 'growth', connections: nowhere, argument: JSON.stringify(task) });
  return (await child.ended).result as readonly Place[];
}

/** The work of {@link derivedApart}'s process. */
export function runGrowth({ instruments, trades, every }: GrowthTask): readonly Place[] {
  const task = startDerivation(parseConfiguration({ cadenceMs: CADENCE_MS }));
  const places: Place[] = [];
  let [done, cpuUs, since] = [0, 0, 0];
  const tape = syntheticTrades(trades, TRADES_PER_SNAPSHOT, namesOf(instruments), SESSION_START_US);
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
    places.push({ at: done, cpuUsPerTrade, residentMib: process.memoryUsage.rss() / MEBIBYTE });
    [cpuUs, since] = [0, done];
  }
  return places;
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
