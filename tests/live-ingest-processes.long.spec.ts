import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TradeIdentities } from '../contracts/trade-identities.ts';
import type { Connections } from '../platform/connections.ts';
import { killService } from '../stack/main.ts';
import { REAL_CAPTURE_IS_PRESENT, realCapture, syntheticCapture } from './exchange/captures.ts';
import { openScene, renamed, SHORT_TIMING, type LiveScene } from './exchange/live-run.ts';
import { expectTrueWatermarks, lineOfExchange, lineOfTape } from './exchange/tape-witness.ts';
import { Processes, type TapeproofProcess } from './support/processes.ts';
import { resetStores, stackConnections, stackOptions, startAgain } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES_PER_SECOND = 1_500;
const STOPPED_WITHIN_MS = 10_000;
const TRADES = 3_000;
/** This many repeated trades on the tape show that two processes write. */
const REPEATED_MIN = 100;
/** Few of those that must be requested: all processes at an address share the exchange's weight. */
const FAULTS = {
  cut: 1_500,
  'out-of-order': 40,
  'duplicated-frame': 40,
  'dropped-frame': 1_000,
  'malformed-instead': 1_000,
};
const REAL_FAULTS = { ...FAULTS, cut: 8_000, 'dropped-frame': 8_000, 'malformed-instead': 8_000 };

let connections: Connections;
let processes: Processes;
let scenes = 0;

beforeAll(async () => {
  connections = stackConnections();
  processes = new Processes(connections, join(tmpdir(), `tapeproof-live-ingest-${process.pid}`));
  await resetStores();
});
afterAll(async () => {
  await processes.killAll();
});

type SceneOptions = Partial<Parameters<typeof openScene>[1]>;

async function inScene(options: SceneOptions, play: (scene: LiveScene) => Promise<void>): Promise<void> {
  scenes += 1;
  const markets = renamed(options.markets ?? syntheticCapture(TRADES), `P${scenes}`);
  const faulty = { faults: FAULTS, seed: scenes, tradesPerSecond: TRADES_PER_SECOND };
  const scene = await openScene(connections, { ...faulty, ...options, markets });
  try {
    await play(scene);
  } finally {
    await scene.close();
  }
}

/** The command as an operator starts it. */
function ingest({ exchange, instruments }: LiveScene): TapeproofProcess {
  const names = instruments.map((instrument) => instrument.replace('@binance', '')).join(',');
  return processes.start(
    ...['ingest', 'live', '--venue', 'binance', '--instruments', names],
    ...['--ws-url', exchange.webSocketUrl, '--rest-url', exchange.restUrl],
  );
}

function published({ exchange, symbols }: LiveScene): number {
  return symbols.reduce((sum, symbol) => sum + exchange.published(symbol), 0);
}

function untilPublished(scene: LiveScene, trades: number): Promise<void> {
  return until(`${trades} trades are published`, () => published(scene) >= trades);
}

describe.concurrent('a process that takes a market live', () => {
  async function expectToSurviveKills(scene: LiveScene, killsAt: readonly number[]): Promise<void> {
    for (const trades of killsAt) {
      const child = ingest(scene);
      await scene.untilTrades(trades);
      await child.kill();
    }
    const last = ingest(scene);
    await scene.untilWhole();
    await last.stop();
    await scene.witness.catchUp();
    scene.expectExact();
  }

  it('continues where the tape ends after kill -9, each trade once', async () => {
    await inScene({}, (scene) => expectToSurviveKills(scene, [2, 1_500, 4_000]));
  });

  if (!REAL_CAPTURE_IS_PRESENT) it.skip('that is real: absent here, there is no ../shared/data', () => undefined);

  it.runIf(REAL_CAPTURE_IS_PRESENT)('that is real does so as well', async () => {
    const real = { markets: await realCapture(), faults: REAL_FAULTS, tradesPerSecond: 4_000 };
    await inScene({ ...real, stamps: 'capture' }, async (scene) => {
      await expectToSurviveKills(scene, [17_000]);
      expect(scene.instruments.map((instrument) => scene.witness.count(instrument))).toEqual([19_904, 14_515]);
    });
  });

  it('ends cleanly within ten seconds of SIGTERM, and nothing is lost', async () => {
    await inScene({}, async (scene) => {
      const first = ingest(scene);
      await scene.untilTrades(2_500);
      const askedAt = performance.now();
      await first.stop();
      expect(performance.now() - askedAt).toBeLessThan(STOPPED_WITHIN_MS);
      const second = ingest(scene);
      await scene.untilWhole();
      await second.stop();
      await scene.witness.catchUp();
      scene.expectExact();
    });
  });

  it('has a hot standby: each trade has one effect, also when one of the two is killed', async () => {
    await inScene({ opens: 'when-told' }, async (scene) => {
      const [first, second] = [ingest(scene), ingest(scene)];
      await until('both listen', () => scene.exchange.stats.connections.length >= 2);
      scene.exchange.open();
      // Both begin with the first trade: that alone would not show that they run side by side.
      await until('both write', async () => {
        await scene.witness.catchUp();
        return scene.instruments.every((instrument) => {
          const held = scene.witness.trades(instrument);
          return held.length - new Set(held.map(({ tradeId }) => tradeId)).size > REPEATED_MIN;
        });
      });
      await first.kill();
      await scene.untilWhole();
      await until('the last trades of both markets are on the tape', async () => {
        await scene.witness.catchUp();
        return scene.symbols.every((symbol, index) => {
          const held = scene.witness.trades(scene.instruments[index] ?? '');
          return held.some(({ tradeId }) => tradeId === String(scene.exchange.shown(symbol).at(-1)?.id));
        });
      });
      await second.stop();
      await scene.witness.catchUp();
      for (const [index, symbol] of scene.symbols.entries()) {
        const seen = new TradeIdentities();
        const all = scene.witness.trades(scene.instruments[index] ?? '');
        const effective = all.filter(({ tradeId, eventTime }) => seen.add(tradeId, eventTime));
        expect(effective.map(lineOfTape)).toEqual(scene.exchange.shown(symbol).map(lineOfExchange));
      }
      expectTrueWatermarks(scene.witness);
    });
  });
});

describe('while a market is taken live', () => {
  it('Kafka may be killed and come back: nothing is lost, and nothing is there twice', async () => {
    await inScene({}, async (scene) => {
      const run = scene.start({ timing: { ...SHORT_TIMING, appendPauseMs: 500 } });
      await scene.untilTrades(2_000);
      await killService(stackOptions(), 'kafka');
      await untilPublished(scene, 4_000);
      await startAgain('kafka');
      await scene.untilWhole();
      await run.stop();
      await scene.witness.catchUp();
      scene.expectExact();
    });
  });
});
