import type { EndFault, FaultName } from './faults.ts';
import type { ExchangeLimits } from './protocol.ts';

/** An attempt to connect to the stream, and its result. Times are milliseconds since 1970. */
export interface ConnectionRecord {
  /** From 0, refused attempts included. */
  readonly number: number;
  readonly openedAtMs: number;
  readonly refused: boolean;
  /** Symbols subscribed to at last. */
  symbols: readonly string[];
  closedAtMs: number | undefined;
  /** Code in the client's close frame, or 1006 where there was none. */
  closeCode: number | undefined;
  framesSent: number;
  /** The fault that ended or silenced it, and since when. */
  fault: { readonly name: EndFault; readonly atMs: number } | undefined;
  /** Arrivals of pings, pongs and messages of the client. */
  readonly incomingAtMs: number[];
  pingsReceived: number;
  pingsSent: number;
  /** Pongs of the client with the payload of our last ping. */
  pongsReceived: number;
}

export interface RequestRecord {
  /** From 0. */
  readonly number: number;
  readonly atMs: number;
  /** Path and query. */
  readonly address: string;
  readonly weight: number;
  /** Sent although an earlier answer demanded a wait, after that answer must have arrived. */
  readonly duringRetryAfter: boolean;
  status: number;
  fault: FaultName | undefined;
  /** How long the client was served; undefined while it still waits. */
  endedAtMs: number | undefined;
}

/** The clients' actions, and the faults that they met. */
export interface ExchangeStatistics {
  readonly connections: readonly ConnectionRecord[];
  readonly requests: readonly RequestRecord[];
  /** How often each fault has happened. */
  readonly happened: ReadonlyMap<FaultName, number>;
}

export class StatisticsRecorder implements ExchangeStatistics {
  readonly connections: ConnectionRecord[] = [];
  readonly requests: RequestRecord[] = [];
  readonly happened = new Map<FaultName, number>();

  noteFault(name: FaultName): void {
    this.happened.set(name, (this.happened.get(name) ?? 0) + 1);
  }

  connection(refused: boolean): ConnectionRecord {
    const record: ConnectionRecord = {
      number: this.connections.length,
      openedAtMs: Date.now(),
      refused,
      symbols: [],
      closedAtMs: undefined,
      closeCode: undefined,
      framesSent: 0,
      fault: undefined,
      incomingAtMs: [],
      pingsReceived: 0,
      pingsSent: 0,
      pongsReceived: 0,
    };
    this.connections.push(record);
    return record;
  }

  request(address: string, weight: number, duringRetryAfter: boolean): RequestRecord {
    const record: RequestRecord = {
      number: this.requests.length,
      atMs: Date.now(),
      address,
      weight,
      duringRetryAfter,
      status: 0,
      fault: undefined,
      endedAtMs: undefined,
    };
    this.requests.push(record);
    return record;
  }
}

/** More requests than this in one second are a flood, whatever their weight. */
const REQUESTS_PER_SECOND_MAX = 25;
const SECOND_MS = 1_000;

/** The exchange's limits that a client exceeded, one sentence each. */
export function limitsBroken(statistics: ExchangeStatistics, limits: ExchangeLimits): string[] {
  const { connections, requests } = statistics;
  const broken: string[] = [];
  const expectAtMost = (what: string, most: number, max: number): void => {
    if (most > max) broken.push(`${what}: ${most}, allowed are ${max}`);
  };
  expectAtMost(
    `connections in ${limits.connections.windowMs} ms`,
    mostWithin(
      connections.map(({ openedAtMs }) => openedAtMs),
      limits.connections.windowMs,
    ),
    limits.connections.max,
  );
  for (const { number, incomingAtMs } of connections) {
    const most = mostWithin(incomingAtMs, limits.incomingMessages.windowMs);
    expectAtMost(`messages on connection ${number} in a second`, most, limits.incomingMessages.max);
  }
  const weights = new Map<number, number>();
  for (const { atMs, weight } of requests) {
    const window = Math.floor(atMs / limits.requestWeight.windowMs);
    weights.set(window, (weights.get(window) ?? 0) + weight);
  }
  expectAtMost('weight of the requests in a minute', Math.max(0, ...weights.values()), limits.requestWeight.max);
  const requestTimes = requests.map(({ atMs }) => atMs);
  expectAtMost('requests in a second', mostWithin(requestTimes, SECOND_MS), REQUESTS_PER_SECOND_MAX);
  for (const { number, address, duringRetryAfter } of requests) {
    if (duringRetryAfter) broken.push(`request ${number} came before the time of Retry-After: ${address}`);
  }
  return broken;
}

/** The greatest number of times within any window of a given length. */
export function mostWithin(timesMs: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, timeMs] of timesMs.entries()) {
    while (timeMs - (timesMs[first] ?? timeMs) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
