import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DistinctHoldings } from './distinct-holdings.ts';
import { idOf, laneOf, OrderedHoldings, Pace, recordOf, type HeldRows, type KeptRow, type Mismatch } from './ingest.ts';

function tradeRow(tradeId: string, instrument = 'BTC-USDT@binance'): KeptRow {
  const trade: Trade = {
    venue: 'binance',
    instrument,
    tradeId,
    eventTime: 1_723_161_255_342_000,
    price: Decimal.of('61837.63'),
    size: Decimal.of('0.02'),
    side: 'SELL',
    receivedAt: 1_723_161_255_342_000,
    source: 'file:feedfacecafebeef',
    suspicious: false,
    conditions: [],
  };
  return { kind: 'trade', trade };
}

function deadRow(position: number): KeptRow {
  const deadLetter: DeadLetter = {
    deadLetterId: `dead-ingest-file-file:feedfacecafebeef-${position}`,
    source: { kind: 'FILE', name: 'file:feedfacecafebeef', partition: null, position },
    reader: 'ingest-file',
    reason: 'MALFORMED',
    detail: 'the row has 1 columns, not 6',
    payload: Buffer.from('x'),
    payloadBytes: 1,
    payloadHash: '00',
  };
  return { kind: 'dead-letter', deadLetter };
}

function mismatchBetween(held: HeldRows, file: readonly KeptRow[]): Mismatch | undefined {
  const comparison = held.comparison();
  for (const row of file) {
    if (comparison.isComplete()) break;
    comparison.accept(row);
  }
  return comparison.mismatch();
}

function told(held: HeldRows, rows: readonly KeptRow[]): HeldRows {
  for (const row of rows) held.add(row);
  return held;
}

/** What a run that stops somewhere in each lane has appended. */
function firstRows(file: readonly KeptRow[], stopOf: (lane: string) => number): KeptRow[] {
  const counts = new Map<string, number>();
  return file.filter((row) => {
    const lane = laneOf(row);
    const count = (counts.get(lane) ?? 0) + 1;
    counts.set(lane, count);
    return count <= stopOf(lane);
  });
}

/** Two runs on one log, each in its order; `turns` say whose row comes next. */
function merged(left: readonly KeptRow[], right: readonly KeptRow[], turns: readonly boolean[]): KeptRow[] {
  const waiting: [KeptRow[], KeptRow[]] = [[...left], [...right]];
  const log = turns.flatMap((isLeft) => waiting[isLeft ? 0 : 1].splice(0, 1));
  return [...log, ...waiting[0], ...waiting[1]];
}

const nameOf = (row: KeptRow): string => `${laneOf(row)} ${idOf(row)}`;

const missingFrom = (held: HeldRows, file: readonly KeptRow[]): KeptRow[] => {
  const resumption = held.resumption();
  return file.filter((row) => !resumption.isThere(row));
};

describe('a record', () => {
  it('of a trade goes where its instrument belongs, stamped with its event time', () => {
    const row = tradeRow('7');
    const record = recordOf(row, 6, 0);
    expect(record).toMatchObject({
      topic: 'raw.trades',
      partition: partitionOf('BTC-USDT@binance', 6),
      key: 'BTC-USDT@binance',
      type: 'Trade',
      timestampUs: 1_723_161_255_342_000,
    });
    expect(decodeBody('Trade', record.body)).toEqual(row.kind === 'trade' ? row.trade : undefined);
  });

  it('of a refused row goes to the one partition of its file', () => {
    expect(recordOf(deadRow(3), 6, 42)).toMatchObject({
      topic: 'dead.letters',
      partition: partitionOf('file:feedfacecafebeef', 6),
      key: 'file:feedfacecafebeef',
      type: 'DeadLetter',
      timestampUs: 42,
    });
  });
});

describe('a run after another', () => {
  const rows = fc.array(
    fc.oneof(
      fc
        .tuple(fc.nat(9), fc.constantFrom('A-B@x', 'C-D@x'))
        .map(([id, instrument]) => tradeRow(String(id), instrument)),
      fc.nat(9).map(deadRow),
    ),
    { maxLength: 40 },
  );

  it('appends what is missing and nothing else, wherever the first one stopped in each lane', () => {
    const stop = fc.func(fc.nat(40));
    fc.assert(
      fc.property(rows, stop, (file, stopOf) => {
        const firstRun = firstRows(file, stopOf);
        const held = told(new OrderedHoldings(), firstRun);
        expect(mismatchBetween(held, file)).toBeUndefined();
        const secondRun = missingFrom(held, file);
        for (const lane of new Set(file.map(laneOf))) {
          const inLane = (row: KeptRow): boolean => laneOf(row) === lane;
          expect([...firstRun.filter(inLane), ...secondRun.filter(inLane)]).toEqual(file.filter(inLane));
        }
      }),
    );
  });

  it('appends what is missing and nothing else after two that ran at the same time, however they met', () => {
    const stops = fc.tuple(fc.func(fc.nat(40)), fc.func(fc.nat(40)));
    fc.assert(
      fc.property(rows, stops, fc.array(fc.boolean()), (file, [stopOf, otherStopOf], turns) => {
        const held = told(new DistinctHoldings(), merged(firstRows(file, stopOf), firstRows(file, otherStopOf), turns));
        expect(mismatchBetween(held, file)).toBeUndefined();
        const there = new Set([...firstRows(file, stopOf), ...firstRows(file, otherStopOf)].map(nameOf));
        expect(missingFrom(held, file)).toEqual(file.filter((row) => !there.has(nameOf(row))));
      }),
    );
  });

  it.each([
    ['another id', [tradeRow('1'), tradeRow('2')], [tradeRow('1'), tradeRow('3'), tradeRow('4')], 2],
    ['another order', [tradeRow('1'), tradeRow('2')], [tradeRow('2'), tradeRow('1')], 2],
    ['fewer rows', [tradeRow('1'), tradeRow('2')], [tradeRow('1')], 2],
    ['another instrument', [tradeRow('1')], [tradeRow('1', 'ETH-USDT@binance')], 1],
  ])('is refused where the file has %s', (_what, held, file, count) => {
    for (const holdings of [new OrderedHoldings(), new DistinctHoldings()]) {
      expect(mismatchBetween(told(holdings, held), file)).toEqual({ lane: 'BTC-USDT@binance', count });
    }
  });

  it('is refused where a row that was refused no longer is', () => {
    for (const holdings of [new OrderedHoldings(), new DistinctHoldings()]) {
      const held = told(holdings, [deadRow(2)]);
      expect(mismatchBetween(held, [tradeRow('1')])).toEqual({ lane: 'dead.letters', count: 1 });
    }
  });
});

describe('the pace', () => {
  it('follows the gaps of the market, N times as fast, and never waits for a late trade', () => {
    const pace = new Pace(10);
    expect(pace.delayMs(5_000_000, 0)).toBe(0);
    expect(pace.delayMs(6_000_000, 0)).toBe(100);
    expect(pace.delayMs(6_000_000, 40)).toBe(60);
    expect(pace.delayMs(4_000_000, 40)).toBeLessThan(0);
  });
});
