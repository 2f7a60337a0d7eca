import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { BINANCE } from './binance.ts';
import type { ExchangeProtocol } from './protocol.ts';

/** A package of its own: `npm ci --prefix bench/peers/ccxt --ignore-scripts` installs it. */
const CCXT = join(import.meta.dirname, '../../bench/peers/ccxt/node_modules/ccxt/js/ccxt.js');

export const CCXT_IS_PRESENT = existsSync(CCXT);

/** Of its 180 seconds we make the interval of our own pings, so that it notices a half-open connection as soon as we do. */
const KEEP_ALIVE_MS = 2_000;

/** Binance as ccxt reaches it: below `/stream`, with subscriptions by messages. */
export const BINANCE_OF_CCXT: ExchangeProtocol = {
  ...BINANCE,
  subscriptionOf: (url) => (url.pathname.startsWith('/stream/') ? [] : undefined),
};

/** The part of ccxt's Binance that is used here. */
interface CcxtBinance {
  urls: { api: { ws: { spot: string } } };
  /** Without it, an address that is not encrypted is refused. */
  loadHttpProxyAgent(): Promise<unknown>;
  setMarkets(markets: readonly object[]): unknown;
  watchTrades(symbol: string): Promise<readonly { readonly id: string }[]>;
  close(): Promise<unknown>;
}

interface Ccxt {
  readonly version: string;
  readonly pro: { readonly binance: new (configuration: object) => CcxtBinance };
}

/** A program that watches BTC/USDT with ccxt as its manual shows it: in a loop, and again after an error. */
export interface CcxtWatcher {
  readonly version: string;
  /** Ids of all trades that it was given, in that order. */
  readonly ids: readonly number[];
  /** Errors that it was given. */
  readonly errors: number;
  stop(): Promise<void>;
}

export async function watchWithCcxt(webSocketUrl: string): Promise<CcxtWatcher> {
  const { default: ccxt } = (await import(CCXT)) as { default: Ccxt };
  const exchange = new ccxt.pro.binance({ streaming: { keepAlive: KEEP_ALIVE_MS } });
  exchange.urls.api.ws.spot = `${webSocketUrl}/stream`;
  // In place of a request for all markets.
  exchange.setMarkets([
    {
      ...{ id: 'BTCUSDT', lowercaseId: 'btcusdt', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', type: 'spot' },
      ...{ baseId: 'BTC', quoteId: 'USDT', spot: true, contract: false, option: false, active: true },
    },
  ]);
  await exchange.loadHttpProxyAgent();
  const ids: number[] = [];
  let errors = 0;
  let isStopped = false;
  const watch = async (): Promise<void> => {
    while (!isStopped) {
      try {
        for (const { id } of await exchange.watchTrades('BTC/USDT')) ids.push(Number(id));
      } catch {
        errors += 1;
        // An error that needs no time would otherwise leave none to anybody else.
        await turn();
      }
    }
  };
  const watching = watch();
  return {
    version: ccxt.version,
    ids,
    get errors() {
      return errors;
    },
    async stop() {
      isStopped = true;
      await exchange.close();
      await watching;
    },
  };
}
