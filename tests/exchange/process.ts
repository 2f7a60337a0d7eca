/**
 * An exchange in a separate process, for measurements and for trials without a network:
 * `process.ts <trades of each of two markets> <trades a second> [prefix of the symbols BTCUSDT and ETHUSDT] [burst]`,
 * where a burst is ten times as fast for ten seconds, from so many seconds after the opening on. Prints its addresses as
 * a line of JSON and, when every trade is published, how long that took; runs until SIGTERM or Ctrl-C.
 */
import { syntheticCapture } from './captures.ts';
import { startExchange } from './exchange.ts';

const MILLISECONDS_PER_SECOND = 1000;
const BURST = { durationMs: 10_000, times: 10 };

const [tradesPerMarket = '', tradesPerSecond = '', prefix = '', burst = ''] = process.argv.slice(2);
const markets = syntheticCapture(Number(tradesPerMarket)).map(({ symbol, trades }) => ({
  symbol: prefix + symbol,
  trades,
}));
const exchange = await startExchange({
  markets,
  tradesPerSecond: Number(tradesPerSecond),
  ...(burst === '' ? {} : { burst: { ...BURST, afterMs: Number(burst) * MILLISECONDS_PER_SECOND } }),
  seed: 1,
  faults: {},
  stamps: 'publication',
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void exchange.close().finally(() => process.exit());
  });
}
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
say({ webSocketUrl: exchange.webSocketUrl, restUrl: exchange.restUrl });
await exchange.finished;
const times = markets
  .flatMap(({ symbol }) => exchange.shown(symbol))
  .map(({ timeMs }) => timeMs)
  .sort((left, right) => left - right);
// The first trade of each market was published before the rest began.
const [second = 0, last = 0] = [times[2], times.at(-1)];
say({ seconds: (last - second) / MILLISECONDS_PER_SECOND });
