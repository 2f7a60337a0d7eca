import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { deadRow, START_US, tradeOfRow, tradeRow } from './fixtures/rows.ts';
import { FileCounts, MissingRows } from './ingest-counts.ts';
import { Holdings, Pace, recordOf } from './ingest.ts';
import type { FileRow } from './rows.ts';
import { isOutOfOrder } from './survey-order.ts';
import { Surveyor, type Survey } from './survey.ts';

/** A log in memory: what was appended, in its order. */
class Tape {
  readonly rows: FileRow[] = [];

  /** Like a run: survey, scan, then each new row; up to this many of them. */
  ingest(file: readonly FileRow[], appendedMax = Number.POSITIVE_INFINITY): FileCounts {
    const survey = surveyOf(file);
    const counts = new FileCounts(survey, this.holdingsFor(survey));
    let appended = 0;
    for (const row of file) {
      if (row.kind !== 'trade' && row.kind !== 'dead-letter') continue;
      if (counts.passesOver(row)) continue;
      if (appended >= appendedMax) break;
      counts.take(row, row.line);
      if (row.kind === 'trade') counts.appendedTrade(row.trade.instrument);
      this.rows.push(row);
      appended += 1;
    }
    return counts;
  }

  holdingsFor(survey: Survey): Holdings {
    const holdings = new Holdings(survey.instruments);
    for (const row of this.rows) {
      if (row.kind === 'trade') holdings.hold(row.trade);
      else if (row.kind === 'dead-letter') holdings.holdDeadLetter(row.deadLetter.deadLetterId);
    }
    return holdings;
  }

  names(): string[] {
    return this.rows.map(nameOf);
  }
}

function surveyOf(file: readonly FileRow[]): Survey {
  const surveyor = new Surveyor();
  for (const row of file) surveyor.accept(row);
  return surveyor.survey();
}

function nameOf(row: FileRow): string {
  if (row.kind === 'dead-letter') return row.deadLetter.deadLetterId;
  return row.kind === 'trade' ? `${row.trade.instrument} ${row.trade.eventTime} ${row.trade.tradeId}` : '';
}

const distinct = (files: readonly (readonly FileRow[])[]): string[] => [...new Set(files.flat().map(nameOf))].sort();

describe('a record', () => {
  it('of a trade goes where its instrument belongs, stamped with its event time', () => {
    const row = tradeRow(7, START_US);
    const record = recordOf(row, 6, 0);
    expect(record).toMatchObject({
      topic: 'raw.trades',
      partition: partitionOf('BTC-USDT@binance', 6),
      key: 'BTC-USDT@binance',
      type: 'Trade',
      timestampUs: START_US,
    });
    expect(decodeBody('Trade', record.body)).toEqual(row.trade);
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

describe('files that overlap', () => {
  const row = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.nat(5), fc.nat(9), fc.constantFrom('A-B@x', 'C-D@x')) },
    { weight: 1, arbitrary: fc.nat(5) },
  );
  const files = fc.array(
    fc.array(row, { maxLength: 30 }).map((rows) =>
      rows.map((each, index) => {
        if (typeof each === 'number') return deadRow(index + 2, { deadLetterId: `dead-${each}` });
        const [id, second, instrument] = each;
        return tradeRow(index + 2, START_US + second * 1_000_000, { tradeId: String(id), instrument });
      }),
    ),
    { maxLength: 5 },
  );

  it('give the union of their rows, each once, in any order of ingest and however often runs were killed', () => {
    fc.assert(
      fc.property(files, fc.func(fc.nat(20)), (all, stopOf) => {
        const tape = new Tape();
        for (const [turn, file] of [...all, ...all].entries()) tape.ingest(file, stopOf(turn));
        for (const file of all) tape.ingest(file);
        const trades = tape.names().filter((name) => !name.startsWith('dead'));
        expect(trades.sort()).toEqual(distinct(all).filter((name) => !name.startsWith('dead')));
        expect([...new Set(tape.names())].sort()).toEqual(distinct(all));
      }),
    );
  });

  it('count new rows, rows already there, and repeated rows', () => {
    const tape = new Tape();
    const monday = Array.from({ length: 80 }, (_, index) => tradeRow(index + 2, START_US + index * 3_000_000));
    const tuesday = Array.from({ length: 100 }, (_, index) => tradeRow(index + 2, START_US + index * 3_000_000));
    expect(tape.ingest(monday)).toMatchObject({ appended: 80, alreadyThere: 0 });
    expect(tape.ingest(tuesday)).toMatchObject({ appended: 20, alreadyThere: 80 });
    expect(tape.ingest(monday)).toMatchObject({ appended: 0, alreadyThere: 80 });
    const twice = [...tuesday, ...tuesday.map((each) => ({ ...each, line: each.line + 100 }))];
    expect(tape.ingest(twice).byInstrument()['BTC-USDT@binance']).toMatchObject({
      rows: 200,
      appended: 0,
      alreadyThere: 100,
      repeated: 100,
      firstRepeated: [102, 103, 104, 105, 106],
    });
    expect(tape.rows.length).toBe(100);
  });

  it('are compared with the end of the tape: older rows are late, rows already there are not', () => {
    const tape = new Tape();
    const rows = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => tradeRow(from + index, START_US + (from + index) * 1_000_000));
    tape.ingest(rows(100, 200));
    const ordersOf = (file: readonly FileRow[]) => {
      const survey = surveyOf(file);
      const holdings = tape.holdingsFor(survey);
      const missing = new MissingRows(survey, holdings);
      for (const each of file) if (each.kind === 'trade') missing.accept(each.trade, each.line);
      return { meets: holdings.meetsTheTape(), tape: missing.ordersBehindTape().get('BTC-USDT@binance') };
    };
    expect(ordersOf(rows(200, 300)).meets).toBe(false);
    expect(ordersOf(rows(100, 200))).toEqual({ meets: true, tape: undefined });
    expect(ordersOf(rows(100, 250)).tape).toMatchObject({ rows: 50, late: 0 });
    const older = ordersOf(rows(50, 150)).tape!;
    expect(older).toMatchObject({ rows: 50, late: 50, silencedSeconds: 50 });
    expect(isOutOfOrder(older, { rows: 100, seconds: 100 })).toBe(true);
  });
});

describe('rows without ids that an earlier release appended', () => {
  const FILE = 'feedfacecafebeef';
  const content = (trade: Trade): string =>
    createHash('sha256')
      .update(`${trade.eventTime}|${trade.price.toString()}|${trade.size.toString()}`)
      .digest('hex')
      .slice(0, 16);
  const former = (row: number, second: number, file = FILE): Trade =>
    tradeOfRow({ tradeId: `${file}-${row}`, eventTime: START_US + second * 1_000_000, source: `file:${file}` });
  const now = (trade: Trade, ordinal: number): Trade => ({ ...trade, tradeId: `c${content(trade)}-${ordinal}` });
  const span = new Map([['BTC-USDT@binance', { firstEventTimeUs: START_US, lastEventTimeUs: START_US + 60_000_000 }]]);
  const isHeld = (holdings: Holdings, trade: Trade): boolean => holdings.has({ kind: 'trade', trade });

  it('are identified by their content and ordinal among equals, even if two runs appended them twice', () => {
    const holdings = new Holdings(span);
    for (const trade of [former(1, 1), former(2, 1), former(1, 1), former(3, 2)]) holdings.hold(trade);
    expect(isHeld(holdings, now(former(1, 1), 0))).toBe(true);
    expect(isHeld(holdings, now(former(1, 1), 1))).toBe(true);
    expect(isHeld(holdings, now(former(1, 1), 2))).toBe(false);
    expect(isHeld(holdings, now(former(3, 2), 0))).toBe(true);
    expect(isHeld(holdings, former(1, 1))).toBe(false);
  });

  it('are the same trades from another file', () => {
    const holdings = new Holdings(span);
    for (const trade of [former(1, 1), former(7, 1, '0123456789abcdef')]) holdings.hold(trade);
    expect(isHeld(holdings, now(former(1, 1), 0))).toBe(true);
    expect(isHeld(holdings, now(former(1, 1), 1))).toBe(false);
  });

  it('do not come from ids that only look like those', () => {
    const holdings = new Holdings(span);
    const trade = { ...former(1, 1), source: 'file:0123456789abcdef', price: Decimal.of('5') };
    holdings.hold(trade);
    expect(isHeld(holdings, trade)).toBe(true);
  });
});

describe('what is held', () => {
  it('is bounded, and only of the time and the instruments that the file has', () => {
    const span = new Map([['BTC-USDT@binance', { firstEventTimeUs: START_US + 10, lastEventTimeUs: START_US + 20 }]]);
    const holdings = new Holdings(span, 2);
    const hold = (tradeId: string, afterUs: number, instrument = 'BTC-USDT@binance'): void => {
      holdings.hold(tradeOfRow({ tradeId, eventTime: START_US + afterUs, instrument }));
    };
    hold('before', 9);
    hold('other', 10, 'ETH-USDT@binance');
    hold('first', 10);
    hold('last', 20);
    hold('after', 21);
    expect(() => {
      hold('one too many', 15);
    }).toThrow(RangeError);
  });
});

it('a trade under the id that a correction gave it is held, on that day', () => {
  const span = new Map([['AAPL@alpaca', { firstEventTimeUs: START_US, lastEventTimeUs: START_US + 60_000_000 }]]);
  const holdings = new Holdings(span);
  const known = { instrument: 'AAPL@alpaca', eventTime: START_US };
  holdings.hold(tradeOfRow({ ...known, tradeId: 'V-3' }));
  holdings.rename('AAPL@alpaca', 'V-30', START_US);
  const isHeld = (tradeId: string, afterUs: number): boolean =>
    holdings.has({ kind: 'trade', trade: tradeOfRow({ ...known, tradeId, eventTime: START_US + afterUs }) });
  expect([isHeld('V-3', 0), isHeld('V-30', 5), isHeld('V-31', 0)]).toEqual([true, true, false]);
  expect(isHeld('V-30', 2 * 86_400_000_000)).toBe(false);
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
