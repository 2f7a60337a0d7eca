import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../../contracts/codec.ts';
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
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { createLog } from '../../platform/log.ts';
import { Metrics } from '../../platform/metrics/metrics.ts';
import { createMemoryTables } from '../../tests/support/memory-store.ts';
import { readerOf, sampleLog, sampleRegistry, SAMPLE_PARTITIONS } from '../../tests/support/sample-log.ts';
import { createBatchWriter } from '../batch-writer.adapter.ts';
import { createEventReader } from '../event-reader.adapter.ts';
import type { ProjectedEvent, RowInsert } from '../projector.ts';
import { createWindowReader } from '../tape-windows.adapter.ts';
import { oracleCheck, RECORDS_PER_SNAPSHOT } from './projector.ts';
import { Recomputation, type Verdict } from './recomputation.ts';
import { nearestOf, writtenRational } from './rational.ts';

/** Markets for each configuration. */
const RUNS = 12;
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
  return amended('TradeCancelled', amendmentOf(trade) satisfies TradeCancelled);
}

function corrected(trade: Trade, price: string): TapeContent {
  const figures = { correctedPrice: Decimal.of(price), correctedSize: Decimal.of('0.25') };
  return amended('TradeCorrected', { ...amendmentOf(trade), ...figures } satisfies TradeCorrected);
}

function amendmentOf({ venue, instrument, tradeId, eventTime, price, size, receivedAt }: Trade) {
  return {
    venue,
    instrument,
    tradeId,
    eventTime,
    price,
    size,
    receivedAt,
    source: 'operator',
    actor: 'test',
    reason: 'test',
  };
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
        const verdicts = snapshotsOf(tape).map((snapshot) => verdictOf(snapshot, tape));
        expect(verdicts.filter(({ kind }) => kind === 'DIVERGES').slice(0, 3)).toEqual([]);
        checked += countsOf(verdicts).agrees / verdicts.length;
      }),
      // 157: a trade is taken back when its session is forgotten and its bar is not.
      { numRuns: RUNS, examples: [[157]] },
    );
    expect(checked / RUNS).toBeGreaterThan(0.9);
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
  // Sessions longer than a step of the clock: there the time before the window is searched, too.
  const tape = [
    activationWith({ ...QUICK, session: { lengthMs: 7_200_000 } }),
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

describe('a divergence in the log', () => {
  const log = sampleLog();
  const topic = 'indicator.snapshots';
  const records = log.get(topic)?.[0] ?? [];

  async function written(delivered: readonly LogRecord[]) {
    const lines: string[] = [];
    const metrics = new Metrics('projector');
    const store = createMemoryTables();
    const writer = createBatchWriter<RowInsert>({
      projector: oracleCheck,
      sink: store,
      read: createEventReader(
        sampleRegistry,
        oracleCheck,
        SAMPLE_PARTITIONS,
        createWindowReader(readerOf(log), sampleRegistry),
      ),
      remedyForGap: () => Promise.resolve(''),
      startOffset: () => Promise.resolve(0),
      sendDeadLetters: () => Promise.resolve(),
      log: createLog('oracle-check', 'info', { write: (line: string) => void lines.push(line) }),
      metrics,
    });
    const batch = { topic, partition: 0, firstOffset: 0, highWatermark: delivered.length };
    const handling = { heartbeat: () => Promise.resolve(), interrupted: () => false };
    for (let turn = 0; turn < 2; turn += 1) {
      writer.forget(topic, 0);
      await writer.handle({ ...batch, ...handling, records: delivered });
    }
    return { errors: lines.filter((line) => line.includes('oracle-divergence')), text: await metrics.text(), store };
  }

  it('is not reported of a true log', async () => {
    const { errors, text } = await written(records);
    expect(errors).toEqual([]);
    expect(text).toContain('tapeproof_oracle_divergences_total 0');
    expect(text).toMatch(/tapeproof_oracle_checked_total\{result="agrees"\} \d{3}/);
  });

  it('is stored, logged as an error and counted once, and the projector goes on', async () => {
    const forged = records.map((record, offset) => {
      // Early enough to be drawn for its short window.
      if (offset !== 20 || record.value === null) return record;
      const event = decodeBody('IndicatorSnapshot', record.value.subarray(5));
      const body = encodeBody('IndicatorSnapshot', { ...event, tradeCount: event.tradeCount + 1 });
      return { ...record, value: Buffer.concat([record.value.subarray(0, 5), body]) };
    });
    const { errors, text, store } = await written(forged);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /"log.level":"error".*tradeCount is published as \d+, and offsets \d+ to \d+ of partition 0/,
    );
    expect(text).toContain('tapeproof_oracle_divergences_total 1');
    expect(
      store
        .values()
        .split('\n')
        .filter((row) => row.includes('DIVERGES')),
    ).toHaveLength(1);
    expect(store.counts().applied).toBe((await written(records)).store.counts().applied);
  });

  it('is looked for in every snapshot with a short window, and in one of so many with a long one', () => {
    const record = records.find(({ value }) => value !== null);
    const event = decodeBody('IndicatorSnapshot', (record?.value ?? Buffer.alloc(0)).subarray(5));
    const drawnOf = (windowRecords: number): number =>
      Array.from({ length: 2_000 }, (_, index) => {
        const tape = { partition: 0, offset: event.firstOffset + windowRecords - 1 };
        const source = { type: 'IndicatorSnapshot', event: { ...event, eventId: `snapshot-0-${index}-0`, tape } };
        return oracleCheck.window?.(source as ProjectedEvent);
      }).filter((window) => window !== undefined).length;
    expect(drawnOf(RECORDS_PER_SNAPSHOT)).toBe(2_000);
    expect(drawnOf(10 * RECORDS_PER_SNAPSHOT)).toBeGreaterThan(150);
    expect(drawnOf(10 * RECORDS_PER_SNAPSHOT)).toBeLessThan(250);
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
