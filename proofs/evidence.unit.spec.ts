import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { EventTypes, TradeGap } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { admissionOf } from './admission.ts';
import { checkTrades } from './audit-checks.ts';
import { evidenceOf, figuresOf, missingTrades, NAMED_TRADES_MAX, type Evidence } from './evidence.ts';
import {
  INSTRUMENT,
  marketLog,
  said,
  SECOND_US,
  START_US,
  tradeAt,
  traded,
  type Written,
} from './fixtures/market-log.ts';

type Snapshot = EventTypes['IndicatorSnapshot'];

const configuration = parseConfiguration({});

/** A snapshot at the last record of a tape, with the sums of that many trades. */
function snapshotOf(tape: readonly Written[], changed: Partial<Snapshot> = {}): Snapshot {
  const lastOffset = tape.length - 1;
  const last = tape[lastOffset]?.event;
  if (last === undefined || !('side' in last)) throw new RangeError('a snapshot is taken at a trade');
  return {
    ...{ instrument: INSTRUMENT, engineVersion: '3', eventTime: last.eventTime, lastPrice: last.price },
    ...{ tape: { partition: 0, offset: lastOffset }, causes: [`trade-0-${lastOffset}-0`], firstOffset: 0, lastOffset },
    ...changed,
  } as Snapshot;
}

/** Key of engine version 3's configuration, which an earlier build does not know. */
type More = Readonly<Record<string, unknown>>;

function read(tape: readonly Written[], more: More = {}, changed: Partial<Snapshot> = {}): Promise<Evidence> {
  const snapshot = snapshotOf(tape, changed);
  return evidenceOf(marketLog(tape), snapshot, admissionOf({ ...configuration, ...more }, snapshot));
}

const idsOf = ({ trades }: Evidence) => trades.map(({ event }) => event.tradeId);
const countsOf = ({ remarks }: Evidence) =>
  Object.fromEntries(Object.entries(remarks).map(([remark, { count }]) => [remark, count]));

describe('evidenceOf', () => {
  it('identifies a trade by id and time together, and by its id alone for engines 1 and 2', async () => {
    const tape = [traded(0, 'a'), traded(1, 'a'), traded(1, 'a', { price: Decimal.of('7') }), traded(2, 'b')];
    const evidence = await read(tape);
    expect(idsOf(evidence)).toEqual(['a', 'a', 'b']);
    expect(evidence.remarks.duplicates).toEqual({
      count: 1,
      first: [{ tradeId: 'a', eventTime: START_US + SECOND_US, offset: 2 }],
    });
    expect(idsOf(await read(tape, {}, { engineVersion: '2' }))).toEqual(['a', 'b']);
  });

  it('leaves out suspicious prints unless the configuration counts them', async () => {
    const tape = [traded(0, 'a', { suspicious: true }), traded(1, 'b')];
    expect(countsOf(await read(tape))).toEqual({ suspicious: 1 });
    expect(idsOf(await read(tape))).toEqual(['b']);
    expect(idsOf(await read(tape, { suspiciousPrints: 'COUNT' }))).toEqual(['a', 'b']);
  });

  it.each(['0', '-3.5'])('leaves out a price of %s unless the instrument allows it', async (price) => {
    const tape = [traded(0, 'a', { price: Decimal.of(price) }), traded(1, 'b')];
    expect(countsOf(await read(tape))).toEqual({ refused: 1 });
    expect(idsOf(await read(tape))).toEqual(['b']);
    expect(idsOf(await read(tape, { instruments: { [INSTRUMENT]: { negativePrices: true } } }))).toEqual(['a', 'b']);
    expect(idsOf(await read(tape, { instruments: { 'X@y': { negativePrices: true } } }))).toEqual(['b']);
  });

  it('leaves out malformed trades, and skips other instruments', async () => {
    const other = { instrument: 'ETH-USDT@binance' };
    const tape = [
      traded(0, 'bad id'),
      traded(0, 'x', other),
      said('TradeCancelled', tradeAt(2, 'b', other)),
      traded(2, 'b'),
    ];
    const evidence = await read(tape);
    expect(idsOf(evidence)).toEqual(['b']);
    expect(countsOf(evidence)).toEqual({ refused: 1 });
  });

  it('reports trades that came late, and trades stamped after the snapshot', async () => {
    const evidence = await read([traded(5, 'a'), traded(900, 'ahead'), traded(4, 'late'), traded(6, 'b')]);
    expect(idsOf(evidence)).toEqual(['a', 'ahead', 'late', 'b']);
    expect(countsOf(evidence)).toEqual({ late: 1, ahead: 1 });
  });

  it('leaves out trades that were taken back in its range, before or after the trade, and only those', async () => {
    const tape = [
      ...[said('TradeCancelled', tradeAt(1, 'early')), traded(0, 'a'), traded(1, 'early'), traded(2, 'a')],
      ...[said('TradeCancelled', tradeAt(2, 'a')), traded(3, 'b')],
    ];
    const evidence = await read(tape);
    expect(evidence.trades.map(({ offset }) => offset)).toEqual([1, 5]);
    expect(countsOf(evidence)).toEqual({ cancelled: 2 });
    expect(evidence.isBehind('a', START_US)).toBe(true);
    expect(evidence.isBehind('a', START_US + 2 * SECOND_US)).toBe(false);
    expect(evidence.isBehind('z', START_US)).toBe(false);
  });

  it('counts a corrected trade with its new figures, and keeps those on the tape beside them', async () => {
    const tape = [traded(0, 'a'), said('TradeCorrected', tradeAt(0, 'a')), traded(1, 'b')];
    const [first, second] = (await read(tape)).trades;
    expect(figuresOf(first!)).toMatchObject({ price: Decimal.of('200'), size: Decimal.of('2') });
    expect(first?.event.price).toEqual(Decimal.of('100'));
    expect(figuresOf(second!)).toMatchObject({ price: Decimal.of('100') });
    expect(countsOf(await read(tape))).toEqual({ corrected: 1 });
  });

  it('ignores a correction before a trade came or after it was taken back', async () => {
    const correction = said('TradeCorrected', tradeAt(0, 'a'));
    const [first] = (await read([correction, traded(0, 'a'), traded(1, 'b')])).trades;
    expect(first?.correction).toBeUndefined();
    const gone = [traded(0, 'a'), said('TradeCancelled', tradeAt(0, 'a')), correction, traded(1, 'b')];
    expect(idsOf(await read(gone))).toEqual(['b']);
  });

  it('skips an amendment that is malformed', async () => {
    const malformed = said('TradeCancelled', tradeAt(0, 'a', { size: Decimal.ZERO }));
    expect(idsOf(await read([traded(0, 'a'), malformed, traded(1, 'b')]))).toEqual(['a', 'b']);
  });

  it('counts a trade from its release on, once, even if it came before the range', async () => {
    const released = said('TradeReleased', tradeAt(1, 'far'));
    expect(idsOf(await read([traded(0, 'a'), released, traded(1, 'far'), traded(2, 'b')]))).toEqual(['a', 'far', 'b']);
    expect(countsOf(await read([traded(1, 'far'), released, traded(2, 'b')]))).toEqual({ released: 1 });
  });

  it('names a few of many, and counts all', async () => {
    const repeats = Array.from({ length: 9 }, () => traded(0, 'a'));
    const { duplicates } = (await read([traded(0, 'a'), ...repeats, traded(1, 'b')])).remarks;
    expect([duplicates?.count, duplicates?.first.length]).toEqual([9, NAMED_TRADES_MAX]);
  });
});

describe('checkTrades', () => {
  const tape = [
    traded(0, 'a', { price: Decimal.of('0.1'), size: Decimal.of('0.1') }),
    traded(1, 'b', { price: Decimal.of('0.2'), size: Decimal.of('0.2') }),
    traded(-86_400, 'of-the-day-before'),
    traded(2, 'c', { price: Decimal.of('0.3'), size: Decimal.of('0.3') }),
  ];
  /** 0.14 / 0.6 and 0.6 exactly, each rounded once: adding up in doubles gives another volume. */
  const exact = { tradeCount: 3, sessionVolume: 0.6, vwap: 7 / 30 };

  async function sumsPass(changed: Partial<Snapshot>, isInForceThroughout = true, of = tape): Promise<boolean> {
    const snapshot = snapshotOf(of, { ...exact, ...changed });
    const admission = admissionOf(configuration, snapshot);
    const evidence = await evidenceOf(marketLog(of), snapshot, admission);
    const checks = checkTrades(snapshot, evidence, admission, isInForceThroughout);
    return checks.find(({ name }) => name.includes('added up anew'))?.passed === true;
  }

  it('holds engine 3 to the last bit', async () => {
    expect(await sumsPass({})).toBe(true);
    expect(await sumsPass({ sessionVolume: 0.1 + 0.2 + 0.3 })).toBe(false);
    expect(await sumsPass({ vwap: (7 / 30) * (1 + 2 ** -52) })).toBe(false);
    expect(await sumsPass({ tradeCount: 4 })).toBe(false);
  });

  it('lets engines 1 and 2, and sums that began under another activation, be off by rounding alone', async () => {
    for (const [engineVersion, isThroughout] of [
      ['1', true],
      ['2', true],
      ['3', false],
    ] as const) {
      expect(await sumsPass({ engineVersion, sessionVolume: 0.1 + 0.2 + 0.3 }, isThroughout)).toBe(true);
      expect(await sumsPass({ engineVersion, sessionVolume: 0.600001 }, isThroughout)).toBe(false);
    }
  });

  it('adds up corrected figures, and no trade that was taken back', async () => {
    const amended = [
      ...[traded(0, 'a'), said('TradeCorrected', tradeAt(0, 'a')), traded(1, 'b')],
      ...[said('TradeCancelled', tradeAt(1, 'b')), traded(2, 'c')],
    ];
    expect(await sumsPass({ tradeCount: 2, sessionVolume: 3, vwap: 500 / 3 }, true, amended)).toBe(true);
  });
});

const gap = (firstTradeId: string, lastTradeId: string, missing: number) =>
  ({ firstTradeId, lastTradeId, missingTrades: missing }) as TradeGap;

describe('missingTrades', () => {
  it('counts each missing id once, however gaps overlap, and none that exists', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 20 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 6 }), fc.uniqueArray(fc.nat({ max: 90 })), (ranges, there) => {
        const named = new Set(ranges.flatMap(([first, more]) => Array.from({ length: more + 1 }, (_, n) => first + n)));
        const gaps = ranges.map(([first, more]) => gap(String(first), String(first + more), more + 1));
        const expected = [...named].filter((id) => !there.includes(id)).length;
        expect(missingTrades(gaps, [...there.map(String), 'late-1'])).toBe(expected);
      }),
    );
  });

  it('trusts the counts of gaps whose ids are not numbers, each once', () => {
    expect(missingTrades([gap('a', 'b', 3), gap('a', 'b', 3), gap('c', 'd', 1)], ['a', 'x'])).toBe(4);
  });
});
