import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { gridOf } from '../bench/figure.ts';
import { BINANCE } from './exchange/binance.ts';
import { syntheticCapture } from './exchange/captures.ts';
import { BINANCE_OF_CCXT, CCXT_IS_PRESENT, watchWithCcxt } from './exchange/ccxt-stream.ts';
import { startExchange, type Exchange } from './exchange/exchange.ts';
import type { Faults } from './exchange/faults.ts';
import type { ExchangeProtocol } from './exchange/protocol.ts';
import { releasedRecords } from './exchange/released-records.ts';
import { until } from './support/until.ts';

if (!CCXT_IS_PRESENT) {
  console.warn('The test beside ccxt is skipped: run "npm ci --prefix bench/peers/ccxt --ignore-scripts" to have it.');
}

const SEED = 7;
const TRADES = 1_000;
const TRADES_PER_SECOND = 100;
/** After the last trade, ccxt has this long to be given what is on its way. */
const SETTLE_MS = 3_000;
/** A limit against hanging. */
const DEADLINE_MS = 240_000;

/** Each the same for both: the seed decides by the numbers of connections and frames. */
const FAULTS = {
  none: {},
  cut: { cut: 150 },
  'half-open': { 'half-open': 200 },
  duplicates: { 'duplicated-frame': 20 },
  reordering: { 'out-of-order': 20 },
  'sequence jump': { 'dropped-frame': 50 },
  all: { cut: 300, 'half-open': 400, 'duplicated-frame': 40, 'out-of-order': 40, 'dropped-frame': 100 },
} as const satisfies Readonly<Record<string, Faults>>;
type FaultSet = keyof typeof FAULTS;
const FAULT_SETS = Object.keys(FAULTS) as readonly FaultSet[];

/** What became of the trades of one stream; the first, which precedes every subscription, does not count. */
interface Fate {
  readonly published: number;
  readonly lost: number;
  readonly repeated: number;
  /** Trades given after one with a greater id, repeated ones aside. */
  readonly outOfOrder: number;
}

function fateOf(ids: readonly number[], published: readonly number[]): Fate {
  const [first, ...counted] = published;
  const given = new Set<number>();
  let greatest = 0;
  let [repeated, outOfOrder] = [0, 0];
  for (const id of ids) {
    if (id === first) continue;
    if (given.has(id)) repeated += 1;
    else if (id < greatest) outOfOrder += 1;
    given.add(id);
    greatest = Math.max(greatest, id);
  }
  return { published: counted.length, lost: counted.filter((id) => !given.has(id)).length, repeated, outOfOrder };
}

function openExchange(faults: Faults, protocol: ExchangeProtocol): Promise<Exchange> {
  const markets = syntheticCapture(TRADES).slice(0, 1);
  return startExchange({
    ...{ markets, faults, protocol, seed: SEED, tradesPerSecond: TRADES_PER_SECOND },
    ...{ opens: 'when-told', stamps: 'publication' },
  });
}

async function publish(exchange: Exchange): Promise<void> {
  await until('there is a subscription', () => (exchange.stats.connections.at(-1)?.symbols.length ?? 0) > 0);
  exchange.open();
  await exchange.finished;
}

function published(exchange: Exchange): number[] {
  return exchange.shown('BTCUSDT').map(({ id }) => id);
}

async function fateByCcxt(faults: Faults): Promise<Fate> {
  const exchange = await openExchange(faults, BINANCE_OF_CCXT);
  const watcher = await watchWithCcxt(exchange.webSocketUrl);
  try {
    await publish(exchange);
    await sleep(SETTLE_MS);
    return fateOf(watcher.ids, published(exchange));
  } finally {
    await watcher.stop();
    await exchange.close();
  }
}

async function fateByUs(faults: Faults): Promise<Fate> {
  const exchange = await openExchange(faults, BINANCE);
  const ours = await releasedRecords(exchange, 'BTC-USDT');
  try {
    await publish(exchange);
    await until(`${TRADES} trades are released`, () => ours.records.length >= TRADES);
    expect(ours.records.filter(({ kind }) => kind === 'gap')).toEqual([]);
    const ids = ours.records.flatMap((record) => (record.kind === 'trade' ? [Number(record.trade.tradeId)] : []));
    return fateOf(ids, published(exchange));
  } finally {
    await ours.stop();
    await exchange.close();
  }
}

describe.skipIf(!CCXT_IS_PRESENT)('the same faulty stream, to ccxt.pro and to us', () => {
  const fates = new Map<FaultSet, { readonly ccxt: Fate; readonly ours: Fate }>();

  beforeAll(async () => {
    const play = async (name: FaultSet): Promise<void> => {
      const [ccxt, ours] = await Promise.all([fateByCcxt(FAULTS[name]), fateByUs(FAULTS[name])]);
      fates.set(name, { ccxt, ours });
    };
    await Promise.all(FAULT_SETS.map(play));
    const rows = FAULT_SETS.flatMap((name) => {
      const fate = fates.get(name);
      if (fate === undefined) return [];
      const cells = ({ lost, repeated, outOfOrder }: Fate) => [lost, repeated, outOfOrder].map(String);
      return [[name, String(fate.ours.published), ...cells(fate.ccxt), ...cells(fate.ours)]];
    });
    const heads = [
      'fault',
      'trades',
      'ccxt: lost',
      'repeated',
      'out of order',
      'ours: lost',
      'repeated',
      'out of order',
    ];
    console.info(gridOf(heads, rows));
  }, DEADLINE_MS);

  const of = (name: FaultSet) => fates.get(name) ?? expect.fail(`${name} was not played`);

  it.each(FAULT_SETS)('reaches us whole, each trade once, in order: %s', (name) => {
    expect(of(name).ours).toEqual({ published: TRADES - 1, lost: 0, repeated: 0, outOfOrder: 0 });
  });

  it('is given whole by ccxt where nothing is wrong', () => {
    expect(of('none').ccxt).toEqual({ published: TRADES - 1, lost: 0, repeated: 0, outOfOrder: 0 });
  });

  it.each(['cut', 'half-open', 'sequence jump', 'all'] as const)('loses trades in ccxt: %s', (name) => {
    expect(of(name).ccxt.lost).toBeGreaterThan(0);
  });

  it('is passed on by ccxt as it comes where trades are repeated or out of order', () => {
    expect(of('duplicates').ccxt.repeated).toBeGreaterThan(0);
    expect(of('reordering').ccxt.outOfOrder).toBeGreaterThan(0);
  });
});
