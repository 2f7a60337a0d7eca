import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { AppendCounts } from './append-counts.ts';
import { tradeWith } from './fixtures/trade.ts';
import { InstrumentStream } from './instrument-stream.ts';
import { recordOfTrade, type LiveRecord } from './live-records.ts';
import { NO_TELEMETRY } from './telemetry.ts';
import { LIVE_TIMING } from './timing.ts';

const MEBIBYTE = 1_048_576;
/** As many as are remembered where ids have no order, and then as many again several times. */
const WARM_UP = 30_000;
const TRADES = 150_000;
/** A hundred bytes of each would be 14 MiB. */
const GROWTH_MIB_MAX = 4;
const BATCH = 1_000;

function mebibytesHeld(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / MEBIBYTE;
}

it.each(['DENSE', 'OPAQUE'] as const)('of trades with %s ids that reached the tape nothing is kept', (tradeIds) => {
  const stream = new InstrumentStream({
    ...{ instrument: 'BTC-USDT@binance', symbol: 'BTCUSDT', partition: 0, transport: 'stream', tradeIds },
    ...{ pageTradesMax: 1_000, asksFrom: true, waitingMax: 50_000, resumeTradesMax: 1_000, timing: LIVE_TIMING },
    ...{ telemetry: NO_TELEMETRY, onRefused: () => expect.fail('refused') },
  });
  const counts = new AppendCounts(NO_TELEMETRY);
  stream.resume(undefined);
  stream.beginWithAny();
  stream.connected(0);
  // Where ids have no order, trades wait for a page after each interruption.
  stream.answered({ kind: 'newest', limit: 1, urgent: true }, [], { askedAtMs: 1, askedAtWallMs: 1, nowMs: 1 });
  let next = 1;
  const pass = (trades: number): void => {
    for (const end = next + trades; next < end; next += BATCH) {
      for (let id = next; id < next + BATCH; id += 1) stream.received(tradeWith(id), id);
      const records: LiveRecord[] = [];
      for (let { append } = stream.next(next); append?.kind === 'trade'; { append } = stream.next(next)) {
        records.push(recordOfTrade(append.trade, append.origin, 0));
        stream.appended();
      }
      counts.acknowledged(records);
    }
  };
  pass(WARM_UP);
  const before = mebibytesHeld();
  pass(TRADES);
  const growth = mebibytesHeld() - before;
  expect(counts.trades).toBe(WARM_UP + TRADES);
  expect(growth).toBeLessThan(GROWTH_MIB_MAX);
});
