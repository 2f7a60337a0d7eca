import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { IndicatorSnapshot, Trade, TradeCancelled, TradeCorrected } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { parseNewConfiguration } from '../../evaluators/new-configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { sequenceOf, syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import {
  activated,
  amended,
  eventsOf,
  ofType,
  run,
  traded,
  watermarked,
  watermarkOf,
} from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { Recomputation, type Verdict } from './recomputation.ts';
import { nearestOf, writtenRational } from './rational.ts';

const US_PER_HOUR = 3_600_000_000;
const QUICK = { cadenceMs: 0, session: { lengthMs: 600_000 }, range: { barMs: 20_000, bars: 4 } };
const IDENTITY = { tapeId: 'tape', activationId: 'activation', gitCommit: 'unknown' };

function activationWith(raw: unknown) {
  return activated(activationOf(parseConfiguration(raw), IDENTITY));
}

/** Recomputes a snapshot over a partition's tape, as the runner would. */
function verdictOf(snapshot: IndicatorSnapshot, tape: readonly TapeContent[]): Verdict {
  const window = new Recomputation(snapshot);
  if (window.from < window.to) {
    const activation = tape.find(
      (each) => each.kind === 'activation' && each.activation.configHash === window.configHash,
    );
    window.begin(activation?.kind === 'activation' ? activation.activation : undefined);
    for (let offset = window.from; offset < window.to; offset += 1) {
      const content = tape[offset];
      if (content !== undefined) window.take(offset, content);
    }
  }
  return window.verdict;
}

function snapshotsOf(tape: readonly TapeContent[]): IndicatorSnapshot[] {
  return ofType<IndicatorSnapshot>(eventsOf(run(createPartitionTask(0), tape)), 'IndicatorSnapshot');
}

function cancelled(trade: Trade): TapeContent {
  return amended('TradeCancelled', amendmentOf(trade) as TradeCancelled);
}

function corrected(trade: Trade, price: string): TapeContent {
  const figures = { correctedPrice: Decimal.of(price), correctedSize: Decimal.of('0.25') };
  return amended('TradeCorrected', { ...amendmentOf(trade), ...figures } as TradeCorrected);
}

function amendmentOf({ venue, instrument, tradeId, eventTime, price, size, receivedAt }: Trade) {
  return { venue, instrument, tradeId, eventTime, price, size, receivedAt, source: 'operator:test', reason: 'test' };
}

/** A tape of a market with everything that changes whether, and as what, a trade counts. */
function eventfulTape(seed: number, raw: unknown): TapeContent[] {
  const next = sequenceOf(seed + 7);
  const trades = syntheticTrades({ seed, count: 400, instruments: ['BTC-USDT@binance', 'ETH-USDT@binance'] });
  const tape: TapeContent[] = [activationWith(raw)];
  trades.forEach((trade, index) => {
    const lot = next();
    const earlier = trades[Math.floor(next() * index)] ?? trade;
    const ahead = trade.eventTime + Math.floor((next() * 3 + 0.5) * US_PER_HOUR);
    if (lot < 0.02) tape.push(traded({ ...trade, tradeId: `ahead-${index}`, eventTime: ahead, receivedAt: 0 }));
    else if (lot < 0.03) tape.push(traded({ ...trade, tradeId: `odd-${index}`, suspicious: true }));
    else if (lot < 0.035) tape.push(traded({ ...trade, tradeId: `free-${index}`, price: Decimal.ZERO }));
    else if (lot < 0.04) tape.push(watermarked(watermarkOf(['BTC-USDT@binance'], trade.eventTime + 1)));
    else if (lot < 0.05) tape.push(cancelled(earlier));
    else if (lot < 0.06) tape.push(corrected(earlier, '9000.5'));
    tape.push(traded(trade));
  });
  return tape;
}

function countsOf(verdicts: readonly Verdict[]) {
  const of = (kind: Verdict['kind']): number => verdicts.filter((verdict) => verdict.kind === kind).length;
  return { agrees: of('AGREES'), diverges: of('DIVERGES'), notChecked: of('NOT_CHECKED') };
}

const CONFIGURATIONS = {
  'the defaults': { ...QUICK },
  'two rows and a bin size': {
    ...QUICK,
    volumeProfile: { valueAreaRule: 'TWO_ROW', valueAreaShare: 0.685 },
    instruments: { 'BTC-USDT@binance': { binSize: '7.5' } },
  },
  'suspicious prints and small steps': {
    ...QUICK,
    suspiciousPrints: 'COUNT',
    clock: { maxStepMs: 120_000, confirmingTrades: 2 },
  },
} as const;

describe('oracle-check', () => {
  it.each(Object.entries(CONFIGURATIONS))('agrees with the engine about any market: %s', (_, raw) => {
    let checked = 0;
    fc.assert(
      fc.property(fc.nat(1_000_000), (seed) => {
        const tape = eventfulTape(seed, raw);
        const verdicts = snapshotsOf(tape).map((snapshot) => ({ snapshot, verdict: verdictOf(snapshot, tape) }));
        expect(verdicts.filter(({ verdict }) => verdict.kind === 'DIVERGES').slice(0, 3)).toEqual([]);
        checked += countsOf(verdicts.map(({ verdict }) => verdict)).agrees / verdicts.length;
      }),
      { numRuns: 12 },
    );
    expect(checked / 12).toBeGreaterThan(0.9);
  });

  it('agrees about sessions of an exchange, over its nights', () => {
    const hours = { timeZone: 'America/New_York', open: '09:30', close: '16:00' };
    const raw = parseNewConfiguration({ ...QUICK, session: hours });
    const tape = [
      activationWith(raw),
      // 25 to 28 March 2025, New York's opening at 13:30 UTC; trades before and after it, too.
      ...[25, 26, 27, 28].flatMap((day) =>
        syntheticTrades({
          ...{ seed: day, count: 300, instruments: ['SPY@nyse'], meanGapSeconds: 100 },
          startUs: Date.UTC(2025, 2, day, 12, 30) * 1_000,
        }).map((trade) => traded({ ...trade, tradeId: `${day}-${trade.tradeId}` })),
      ),
    ];
    const verdicts = snapshotsOf(tape).map((snapshot) => verdictOf(snapshot, tape));
    expect(verdicts.filter(({ kind }) => kind === 'DIVERGES').slice(0, 3)).toEqual([]);
    expect(countsOf(verdicts).agrees).toBeGreaterThan(500);
  });
});

describe('a planted divergence', () => {
  const tape = [
    activationWith(QUICK),
    ...syntheticTrades({ seed: 5, count: 300, instruments: ['BTC-USDT@binance'] }).map((trade) => traded(trade)),
  ];
  const snapshot = snapshotsOf(tape).findLast(({ rangeHigh }) => rangeHigh !== null) as IndicatorSnapshot;
  const lastDigit = Decimal.of('0.000000000001');

  /** The next double. */
  const nudged = (value: number): number => {
    const bits = new BigInt64Array(new Float64Array([value]).buffer);
    bits[0] = (bits[0] ?? 0n) + 1n;
    return new Float64Array(bits.buffer)[0] ?? Number.NaN;
  };

  it('is not there before it is planted', () => {
    expect(verdictOf(snapshot, tape)).toMatchObject({ kind: 'AGREES', leftOut: [] });
  });

  it.each([
    ...['vwap', 'vwapDeviation', 'sessionVolume', 'barVolume', 'meanBarVolume', 'takerBuyVolume', 'takerSellVolume'],
    ...['takerUnknownVolume', 'lastPrice', 'pointOfControl', 'valueAreaLow', 'valueAreaHigh', 'profileBinSize'],
    ...['rangeHigh', 'rangeLow', 'rangeFirstPrice', 'tradeCount'],
  ] as const)('in the last digit of %s is found', (field) => {
    const value = snapshot[field as keyof IndicatorSnapshot] as Decimal | number;
    const wrong =
      field === 'tradeCount' ? Number(value) + 1 : typeof value === 'number' ? nudged(value) : value.plus(lastDigit);
    expect(wrong).not.toEqual(value);
    const verdict = verdictOf({ ...snapshot, [field]: wrong }, tape);
    expect(verdict).toMatchObject({
      kind: 'DIVERGES',
      divergences: [{ field, published: String(wrong), recomputed: String(value) }],
    });
  });

  it('of a null where there is a range is found', () => {
    const verdict = verdictOf({ ...snapshot, rangeHigh: null }, tape);
    expect(verdict).toMatchObject({ divergences: [{ field: 'rangeHigh', published: 'null' }] });
  });

  it('of a sum that began in the middle of its session is found, although the window agrees with it', () => {
    // The engine never saw the first trades; its snapshot is about the rest alone.
    const lost = 40;
    const seen = tape.map((content, offset) =>
      offset > 0 && offset <= lost ? watermarked(watermarkOf(['X@binance'], 1)) : content,
    );
    const [early] = snapshotsOf(seen).slice(30);
    if (early === undefined) throw new Error('no snapshot');
    expect(verdictOf(early, seen)).toMatchObject({ kind: 'AGREES' });
    expect(verdictOf(early, tape)).toMatchObject({ kind: 'DIVERGES', divergences: [{ field: 'firstOffset' }] });
  });

  it('in the window is found: of another beginning, end, cause', () => {
    for (const change of [{ firstOffset: snapshot.firstOffset + 1 }, { firstOffset: snapshot.firstOffset - 1 }]) {
      expect(verdictOf({ ...snapshot, ...change }, tape)).toMatchObject({ kind: 'DIVERGES' });
    }
    const end = { lastOffset: snapshot.lastOffset + 1, tape: { partition: 0, offset: snapshot.lastOffset + 1 } };
    expect(verdictOf({ ...snapshot, ...end }, tape)).toMatchObject({ kind: 'DIVERGES' });
    expect(verdictOf({ ...snapshot, eventTime: snapshot.eventTime + 1 }, tape)).toMatchObject({ kind: 'DIVERGES' });
  });

  it.each([
    ['ENGINE_VERSION', { engineVersion: '3' }],
    ['WINDOW_TOO_LONG', { tape: { partition: 0, offset: 10_000_000 } }],
    ['CONFIGURATION', { configHash: '00' }],
  ])('is not looked for where the snapshot cannot be judged: %s', (reason, change) => {
    expect(verdictOf({ ...snapshot, ...change }, tape)).toEqual({ kind: 'NOT_CHECKED', reason });
  });

  it('is not looked for across another activation, nor where the tape is gone', () => {
    const other = tape.map((content, offset) =>
      offset === snapshot.lastOffset - 3 ? activationWith({ ...QUICK, cadenceMs: 5 }) : content,
    );
    expect(verdictOf(snapshot, other)).toEqual({ kind: 'NOT_CHECKED', reason: 'ACTIVATION' });
    const window = new Recomputation(snapshot);
    const [first] = tape;
    window.begin(first?.kind === 'activation' ? first.activation : undefined);
    tape.slice(snapshot.firstOffset + 1).forEach((content, index) => {
      window.take(snapshot.firstOffset + 1 + index, content);
    });
    expect(window.verdict).toEqual({ kind: 'NOT_CHECKED', reason: 'TAPE_GONE' });
  });
});

describe('a quotient', () => {
  it('is rounded to the nearest double, ties to even', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-30, max: 1e30 }), (value) => {
        const { numerator, denominator } = exactOf(value);
        expect(nearestOf({ numerator, denominator })).toBe(value);
        expect(nearestOf({ numerator: -numerator, denominator })).toBe(-value);
      }),
    );
    const above = 9_007_199_254_740_992n;
    expect(nearestOf({ numerator: above + 1n, denominator: 1n })).toBe(2 ** 53);
    expect(nearestOf({ numerator: above + 3n, denominator: 1n })).toBe(2 ** 53 + 4);
    expect(nearestOf({ numerator: (above + 1n) * 10n ** 30n + 1n, denominator: 10n ** 30n })).toBe(2 ** 53 + 2);
  });

  it('is read as written', () => {
    expect(writtenRational(0.7)).toEqual({ numerator: 7n, denominator: 10n });
    expect(writtenRational(1)).toEqual({ numerator: 1n, denominator: 1n });
    expect(writtenRational(2.5e-7)).toEqual({ numerator: 25n, denominator: 100_000_000n });
  });
});

/** A double as the quotient that it is. */
function exactOf(value: number) {
  let [numerator, denominator] = [value, 1n];
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  return { numerator: BigInt(numerator), denominator };
}
