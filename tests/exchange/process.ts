/**
 * An exchange in a process of its own, for measurements: `process.ts <trades of each of two markets> <trades a second>`.
 * Prints where it answers as a line of JSON and, when every trade is published, how long that took; runs until SIGTERM.
 */
import { syntheticCapture } from './captures.ts';
import { startExchange } from './exchange.ts';

const MILLISECONDS_PER_SECOND = 1000;

const [tradesPerMarket = '', tradesPerSecond = ''] = process.argv.slice(2);
const exchange = await startExchange({
  markets: syntheticCapture(Number(tradesPerMarket)),
  tradesPerSecond: Number(tradesPerSecond),
  seed: 1,
  faults: {},
  stamps: 'publication',
});
process.once('SIGTERM', () => {
  void exchange.close();
});
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
say({ webSocketUrl: exchange.webSocketUrl, restUrl: exchange.restUrl });
await exchange.finished;
const times = [...exchange.shown('BTCUSDT'), ...exchange.shown('ETHUSDT')]
  .map(({ timeMs }) => timeMs)
  .sort((left, right) => left - right);
// The first trade of each market was there before the rest began.
const [second = 0, last = 0] = [times[2], times.at(-1)];
say({ seconds: (last - second) / MILLISECONDS_PER_SECOND });
