import { beforeAll, describe, expect, it } from 'vitest';
import type { Watermark } from '../contracts/generated/events.ts';
import type { Connections } from '../platform/connections.ts';
import type { LiveTelemetry } from '../producers/live/telemetry.ts';
import { REAL_CAPTURE_IS_PRESENT, realCapture, syntheticCapture } from './exchange/captures.ts';
import { drawsOf } from './exchange/draws.ts';
import {
  ANSWER_FAULTS,
  everyFault,
  FAULT_NAMES,
  FaultPlan,
  faultsNamed,
  type FaultName,
  type Faults,
} from './exchange/faults.ts';
import { openScene, renamed, SHORT_TIMING, type LiveRun, type LiveScene } from './exchange/live-run.ts';
import type { ExchangeStatistics } from './exchange/statistics.ts';
import {
  deadLettersAbout,
  expectSparseWatermarks,
  expectTrueWatermarks,
  lineOfExchange,
  lineOfTape,
} from './exchange/tape-witness.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

/** Trades of each of two markets. */
const TRADES = 2_000;
const TRADES_PER_SECOND = 2_500;
/** Requests for at most four pages a second are within Binance's weight: slower, so that they suffice. */
const POLLED_PER_SECOND = 1_200;
const NOTICED_WITHIN_MS = 10_000;
const MICROSECONDS_PER_MILLISECOND = 1000;

let connections: Connections;
let scenes = 0;

beforeAll(async () => {
  connections = stackConnections();
  await resetStores();
});

interface SceneOptions extends Partial<Parameters<typeof openScene>[1]> {
  /** Ids of the first market that are never shown. */
  readonly withheldIds?: readonly number[];
}

/** Plays a scene with its own markets. */
async function inScene(options: SceneOptions, play: (scene: LiveScene) => Promise<void>): Promise<void> {
  scenes += 1;
  const markets = renamed(options.markets ?? syntheticCapture(TRADES), `L${scenes}`);
  const withheld = { [markets[0]?.symbol ?? '']: options.withheldIds ?? [] };
  const scene = await openScene(connections, { tradesPerSecond: TRADES_PER_SECOND, withheld, ...options, markets });
  try {
    await play(scene);
  } finally {
    await scene.close();
  }
}

/** Everything is published; the run ends, and the tape is read to its end. */
async function toTheEnd(scene: LiveScene, run: LiveRun): Promise<void> {
  await scene.untilWhole();
  await run.stop();
  await scene.witness.catchUp();
}

/** Runs a capture through to its end and compares the tape with it. */
async function expectExactly(
  faults: Faults,
  seed: number,
  transport: 'stream' | 'poll' = 'stream',
): Promise<ExchangeStatistics> {
  const tradesPerSecond = transport === 'poll' ? POLLED_PER_SECOND : TRADES_PER_SECOND;
  const { promise, resolve } = Promise.withResolvers<ExchangeStatistics>();
  const opens = transport === 'poll' ? 'when-seen' : 'when-heard';
  await inScene({ faults, seed, tradesPerSecond, opens }, async (scene) => {
    await toTheEnd(scene, scene.start({ transport }));
    scene.expectExact();
    expectSparseWatermarks(scene.witness);
    expect(scene.exchange.limitsBroken()).toEqual([]);
    resolve(scene.exchange.stats);
  });
  return await promise;
}

/** Further faults needed for a fault to show: an answer can fail only when there is a request. */
function provoked(name: FaultName): Faults {
  if (name === 'refused-connection') return faultsNamed(name, 'cut');
  if (name === 'half-open' || name === 'deaf') return { [name]: 800 };
  if (name.startsWith('malformed')) return { [name]: 100 };
  const isOfAnswers = ANSWER_FAULTS.some((fault) => fault === name);
  return isOfAnswers ? { ...faultsNamed('dropped-frame'), [name]: name === 'banned' ? 6 : 3 } : faultsNamed(name);
}

/** A seed by which a fault of answers shows among the first requests: a busy machine makes few of them. */
function seedFor(name: FaultName): number {
  if (!ANSWER_FAULTS.some((fault) => fault === name)) return 1;
  for (let seed = 1; ; seed += 1) {
    const plan = new FaultPlan(provoked(name), drawsOf(seed));
    // After one for the newest trade of each market.
    const early = [2, 3, 4].filter((request) => plan.answerFaultOf(request) === name);
    if (early.length === 2) return seed;
  }
}

// Each waits for the exchange most of the time, and has its own instruments.
describe.concurrent('a live market is on the tape exactly, each trade once and in order', () => {
  it('with no fault, within the exchange’s limits', async () => {
    const stats = await expectExactly({}, 1);
    expect(stats.connections.length).toBe(1);
    expect(stats.requests.length).toBeLessThan(20);
  });

  it.each(FAULT_NAMES)('with the fault %s', async (name) => {
    const stats = await expectExactly(provoked(name), seedFor(name));
    expect(stats.happened.get(name)).toBeGreaterThan(0);
  });

  it.each([1, 2, 3])('with every fault at once, seed %d', async (seed) => {
    const stats = await expectExactly(everyFault(2, 4), seed);
    expect(stats.happened.size).toBeGreaterThan(5);
  });

  it('by REST alone', async () => {
    const stats = await expectExactly({}, 1, 'poll');
    expect(stats.connections).toEqual([]);
  });

  it.each([1, 2])('by REST alone with every fault, seed %d', async (seed) => {
    const stats = await expectExactly(everyFault(1, 2), seed, 'poll');
    expect(stats.happened.size).toBeGreaterThan(2);
  });
});

describe.concurrent('a live market whose connection', () => {
  it.each(['half-open', 'deaf'] as const)('is %s is noticed within ten seconds, as delivered', async (name) => {
    // At the pace of a slow market: a moment without trades proves nothing.
    const slow = { faults: { [name]: 100 }, tradesPerSecond: 100, markets: syntheticCapture(700) };
    await inScene(slow, async (scene) => {
      const run = scene.start({ timing: {} });
      const { connections: attempts } = scene.exchange.stats;
      await until('there is a second connection', () => attempts.length > 1);
      const [first, second] = attempts;
      expect(first?.fault?.name).toBe(name);
      expect((second?.openedAtMs ?? Infinity) - (first?.fault?.atMs ?? 0)).toBeLessThan(NOTICED_WITHIN_MS);
      await toTheEnd(scene, run);
      scene.expectExact();
    });
  });

  it('is half-open where nothing is traded is noticed within ten seconds as well', async () => {
    // One frame, and then silence: no trade will reveal it.
    const [market, other] = syntheticCapture(2);
    if (market === undefined || other === undefined) throw new RangeError('two markets are needed');
    const markets = [market, { ...other, trades: other.trades.slice(0, 1) }];
    await inScene({ faults: { 'half-open': 1 }, opens: 'when-heard', markets }, async (scene) => {
      const run = scene.start({ timing: {} });
      const { connections: attempts } = scene.exchange.stats;
      await until('there is a second connection', () => attempts.length > 1);
      const [first, second] = attempts;
      expect((second?.openedAtMs ?? Infinity) - (first?.fault?.atMs ?? 0)).toBeLessThan(NOTICED_WITHIN_MS);
      await toTheEnd(scene, run);
      scene.expectExact();
    });
  });

  it('grows old is replaced before the exchange cuts it, and misses nothing', async () => {
    await inScene({}, async (scene) => {
      await toTheEnd(scene, scene.start({ timing: { ...SHORT_TIMING, connectionLifetimeMs: 500 } }));
      scene.expectExact();
      const { connections: opened } = scene.exchange.stats;
      expect(opened.length).toBeGreaterThan(2);
      // Whether anything had to be requested depends on the load, too; whether the new one was there first does not.
      for (const [index, { closedAtMs = Infinity }] of opened.slice(0, -1).entries()) {
        const [subscribedAtMs] = opened[index + 1]?.incomingAtMs ?? [];
        expect(subscribedAtMs).toBeLessThanOrEqual(closedAtMs);
      }
    });
  });

  it('is pinged by the exchange answers, within five messages a second', async () => {
    await inScene({ pingIntervalMs: 1_000, tradesPerSecond: 1_000 }, async (scene) => {
      await toTheEnd(scene, scene.start());
      const [connection] = scene.exchange.stats.connections;
      expect(connection?.pingsSent).toBeGreaterThan(1);
      expect((connection?.pingsSent ?? 0) - (connection?.pongsReceived ?? 0)).toBeLessThan(2);
      expect(scene.exchange.limitsBroken()).toEqual([]);
    });
  });
});

const WITHHELD_AT = 500;
const FIRST = syntheticCapture(1)[0]?.trades[0]?.id ?? 0;
const WITHHELD = [FIRST + WITHHELD_AT, FIRST + WITHHELD_AT + 1, FIRST + WITHHELD_AT + 2];
const IMPATIENT = { ...SHORT_TIMING, gapDeadlineMs: 4_000 };

describe.concurrent('unobtainable trades', () => {
  it('are one gap with exactly their ids, right before the first newer trade; everything else is there', async () => {
    await inScene({ withheldIds: WITHHELD }, async (scene) => {
      await toTheEnd(scene, scene.start({ timing: IMPATIENT }));
      const [instrument = '', other = ''] = scene.instruments;
      const trades = scene.witness.trades(instrument);
      expect(trades.map(lineOfTape)).toEqual(scene.exchange.shown(`${scene.symbols[0]}`).map(lineOfExchange));
      expect(scene.witness.gaps(other)).toEqual([]);
      const own = scene.witness.recordsOf(instrument).filter(({ kind }) => kind !== 'watermark');
      const at = own.findIndex(({ kind }) => kind === 'gap');
      const [before, after] = [trades[at - 1], trades[at]];
      expect([before?.tradeId, after?.tradeId]).toEqual([String(FIRST + 499), String(FIRST + 503)]);
      expect(scene.witness.gaps(instrument)).toEqual([
        {
          venue: 'binance',
          instrument,
          firstTradeId: String(FIRST + 500),
          lastTradeId: String(FIRST + 502),
          missingTrades: 3,
          fromTime: before?.eventTime,
          toTime: after?.eventTime,
          reason: 'NOT_SERVED',
          receivedAt: expect.any(Number) as number,
          source: 'live:binance',
        },
      ]);
      expectTrueWatermarks(scene.witness);
    });
  });

  it('are one gap, beyond the operator’s limit, when a restart finds more missing than it may request', async () => {
    await inScene({}, async (scene) => {
      const first = scene.start();
      await scene.untilTrades(400);
      await first.stop();
      await scene.witness.catchUp();
      await scene.exchange.finished;
      const held = scene.instruments.map((instrument) => scene.witness.trades(instrument).at(-1)?.tradeId);
      const second = scene.start({ resumeTradesMax: 100 });
      await until('a gap of both is on the tape', async () => {
        await scene.witness.catchUp();
        return scene.instruments.every((instrument) => scene.witness.gaps(instrument).length > 0);
      });
      await second.stop();
      await scene.witness.catchUp();
      for (const [index, instrument] of scene.instruments.entries()) {
        const firstTradeId = String(Number(held[index]) + 1);
        expect(scene.witness.gaps(instrument)).toMatchObject([{ firstTradeId, reason: 'BEYOND_LIMIT' }]);
      }
    });
  });

  it('stop the clock of their instrument while they are requested, and of no other', async () => {
    await inScene({ tradesPerSecond: 1_000, withheldIds: WITHHELD }, async (scene) => {
      const [instrument = '', other = ''] = scene.instruments;
      let openedUs = 0;
      const reported: string[] = [];
      const telemetry: LiveTelemetry = (event) => {
        if (event.kind === 'gap-opened' && event.firstTradeId === String(WITHHELD[0])) openedUs = nowUs();
        else if (event.kind === 'gap-declared' && event.instrument === instrument) {
          reported.push(`${event.firstTradeId}-${event.lastTradeId}`);
        }
      };
      // Requested for about five seconds, in which others have their watermarks.
      const run = scene.start({ timing: { ...IMPATIENT, gapRetryMs: 1_000 }, telemetry });
      await scene.untilWhole();
      expect(openedUs).toBeGreaterThan(0);
      await scene.witness.catchUp();
      const gaps = scene.witness.gaps(instrument);
      const [{ receivedAt: declaredUs } = { receivedAt: 0 }] = gaps;
      await until('the clock goes on', async () => {
        await scene.witness.catchUp();
        return scene.witness.watermarks(instrument).some(({ receivedAt }) => receivedAt > declaredUs);
      });
      await run.stop();
      // Each is reported once, when it is on the tape.
      expect(reported).toEqual(gaps.map(({ firstTradeId, lastTradeId }) => `${firstTradeId}-${lastTradeId}`));
      const isWithin = ({ receivedAt }: Watermark): boolean => receivedAt > openedUs && receivedAt < declaredUs;
      expect(scene.witness.watermarks(instrument).filter(isWithin)).toEqual([]);
      expect(scene.witness.watermarks(other).filter(isWithin).length).toBeGreaterThan(0);
    });
  });
});

describe.concurrent('a live market', () => {
  it('that is quiet has a clock, one watermark a second at most', async () => {
    await inScene({ markets: syntheticCapture(200) }, async (scene) => {
      const run = scene.start();
      await scene.untilWhole();
      await untilClockGoesOn(scene, 3);
      await run.stop();
      scene.expectExact();
      expectSparseWatermarks(scene.witness);
      const [watermark] = scene.witness.watermarks(scene.instruments[0] ?? '');
      expect(watermark).toMatchObject({ venue: 'binance', source: 'live:binance' });
    });
  });

  it('that was stopped continues where the tape ends', async () => {
    await inScene({}, async (scene) => {
      const first = scene.start();
      await scene.untilTrades(TRADES);
      await first.stop();
      await toTheEnd(scene, scene.start());
      scene.expectExact();
    });
  });

  it('turns malformed frames into dead letters, and keeps the tape complete and the clock running', async () => {
    await inScene({ faults: { 'malformed-instead': 40, 'malformed-besides': 40 } }, async (scene) => {
      const run = scene.start();
      await scene.untilWhole();
      await untilClockGoesOn(scene, 1);
      await toTheEnd(scene, run);
      scene.expectExact();
      const deadLetters = await deadLettersAbout(connections, scene.symbols[0] ?? '');
      expect(new Set(deadLetters.map(({ reason }) => reason)).size).toBeGreaterThan(1);
      for (const { source, reader, deadLetterId, payloadHash } of deadLetters) {
        expect(source).toMatchObject({ kind: 'FILE', name: 'live:binance', partition: null });
        expect(reader).toBe('ingest-live');
        expect(deadLetterId).toBe(`dead-ingest-live-binance-${source.position}-${payloadHash.slice(0, 16)}`);
      }
    });
  });

  it('whose stream has nothing but malformed frames is taken by REST', async () => {
    const hopeless = { faults: { 'malformed-instead': 1 }, markets: syntheticCapture(200), tradesPerSecond: 100 };
    await inScene(hopeless, async (scene) => {
      await toTheEnd(scene, scene.start());
      scene.expectExact();
      expect(scene.exchange.limitsBroken()).toEqual([]);
    });
  });

  if (!REAL_CAPTURE_IS_PRESENT) it.skip('that is real is absent here: there is no ../shared/data', () => undefined);

  it.runIf(REAL_CAPTURE_IS_PRESENT)('that is real is on the tape exactly, under every fault', async () => {
    const faulty = { faults: everyFault(10, 4), seed: 7, tradesPerSecond: 5_000, stamps: 'capture' } as const;
    await inScene({ ...faulty, markets: await realCapture() }, async (scene) => {
      await toTheEnd(scene, scene.start());
      scene.expectExact();
      expect(scene.instruments.map((instrument) => scene.witness.count(instrument))).toEqual([19_904, 14_515]);
      expect(scene.exchange.limitsBroken()).toEqual([]);
    });
  });
});

/** This many watermarks of both instruments for a time after now are on the tape. */
async function untilClockGoesOn(scene: LiveScene, watermarks: number): Promise<void> {
  const sinceUs = nowUs();
  await until(`${watermarks} watermarks of the quiet time are on the tape`, async () => {
    await scene.witness.catchUp();
    const quiet = scene.instruments.map((instrument) => scene.witness.watermarks(instrument));
    return quiet.every((all) => all.filter(({ eventTime }) => eventTime > sinceUs).length >= watermarks);
  });
}

function nowUs(): number {
  return Date.now() * MICROSECONDS_PER_MILLISECOND;
}
