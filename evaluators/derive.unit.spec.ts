import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { TakerSide, Trade } from '../contracts/generated/events.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { derive, type Derivation } from './derive.ts';

/** Digest of the events that each engine version derives from the committed trades: each new version adds a line. */
const GOLDEN_DIGESTS: Readonly<Record<string, string>> = {
  '1': '06a3c80f8a97cc7a2e44827decdebc4443b46af61caf804154fb61914ed78c1d',
  // A tape without watermarks gives the same as version 1, except for the version's own name.
  '2': 'e16e87cb4c92e229487367f29756d36ab1694148c09ab8225348d4087e72c0ab',
  '3': 'b5dc3b86df8340344cd427a384520ab2e509e580130e015958033c6252895931',
  '4': '36d8803003f8486da6127137c07260fc9fcf4ff160b562ca0be0358bd4eced44',
  // The same as version 4, except for the version's own name: its anchors are different.
  '5': 'e3f957df1a531cf3241b74957ef3402d8050698dd117887be4af59706cb21625',
};

const CONFIGURATION = parseConfiguration({
  // Part of its hash, which is in each event: the default may change.
  anchorIntervalRecords: 50_000,
  range: { barMs: 10_000, bars: 5 },
  hitRule: { horizonMs: 30_000, graceMs: 2_000, minMoveBps: 1 },
  instruments: { 'BTC-USDT@binance': { binSize: '2.5' } },
});

function goldenTrades(): Trade[] {
  const text = readFileSync(new URL('fixtures/golden-trades.csv', import.meta.url), 'utf8');
  const rows = text.trim().split('\n').slice(1);
  return rows.map((row) => {
    const [tradeId, time, instrument, price, size, side] = row.split(',') as [
      string,
      string,
      string,
      string,
      string,
      TakerSide,
    ];
    return {
      venue: instrument.split('@')[1] ?? '',
      instrument,
      tradeId,
      eventTime: Number(time),
      price: Decimal.of(price),
      size: Decimal.of(size),
      side,
      receivedAt: Number(time),
      source: 'golden',
      suspicious: false,
      conditions: [],
    };
  });
}

async function derivedText(
  trades: Iterable<Trade> | AsyncIterable<Trade>,
): Promise<{ text: string; summary: Derivation }> {
  const lines = derive(trades, CONFIGURATION);
  let text = '';
  let step = await lines.next();
  for (; step.done !== true; step = await lines.next()) text += step.value;
  return { text, summary: step.value };
}

describe('derive', () => {
  it('derives the committed bytes from the committed trades', async () => {
    const { text, summary } = await derivedText(goldenTrades());
    const digest = createHash('sha256').update(text).digest('hex');
    expect(summary.events).toBeGreaterThan(1_000);
    const golden = GOLDEN_DIGESTS[ENGINE_VERSION];
    const whatToDo =
      golden === undefined
        ? `engine version ${ENGINE_VERSION} has no golden digest yet: add "'${ENGINE_VERSION}': '${digest}'," to GOLDEN_DIGESTS`
        : `the events of engine version ${ENGINE_VERSION} have changed without a new ENGINE_VERSION in configuration.ts: put the old behaviour back, or give the engine a new version and add its digest`;
    expect(digest, whatToDo).toBe(golden);
  });

  it('writes one object on each line, with row i at offset i + 1', async () => {
    const trades = goldenTrades().slice(0, 200);
    const { text } = await derivedText(trades);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { topic: string; type: string; event: Record<string, unknown> });
    expect(Object.keys(lines[0]!)).toEqual(['topic', 'type', 'event']);
    expect(lines[0]).toMatchObject({
      topic: 'indicator.snapshots',
      type: 'IndicatorSnapshot',
      event: {
        eventId: 'snapshot-0-1-0',
        tape: { partition: 0, offset: 1 },
        eventTime: trades[0]?.eventTime,
        lastPrice: trades[0]?.price.toString(),
      },
    });
  });

  it('is the same for trades that arrive one by one', async () => {
    async function* slowly(): AsyncGenerator<Trade> {
      for (const trade of goldenTrades().slice(0, 300)) yield await Promise.resolve(trade);
    }
    expect(await derivedText(slowly())).toEqual(await derivedText(goldenTrades().slice(0, 300)));
  });
});
