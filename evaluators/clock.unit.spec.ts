import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Watermark, EngineActivated, Outcome, Trade } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { DerivedEvent } from '../contracts/topics.ts';
import { parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { onlyStrategies } from './fixtures/only-strategies.ts';
import { sequenceOf, syntheticTrades } from './fixtures/synthetic-market.ts';
import {
  activated,
  eventsOf,
  gapBefore,
  missed,
  ofType,
  resumptionsOf,
  run,
  watermarked,
  watermarkOf,
  traded,
} from './fixtures/tape-contents.ts';
import type { DerivedRecord } from './advance.ts';
import { createPartitionTask, type PartitionTask } from './partition-task.ts';

const SECOND_US = 1_000_000;
const START_US = 1_742_943_600_000_000;
const BTC = 'BTC-USDT@binance';
const ETH = 'ETH-USDT@binance';
const PARTITION = 3;

/** Each trade that differs from the average makes a forecast; it is due after 10 s, with a grace of 5 s. */
const CONFIGURATION = {
  cadenceMs: 0,
  hitRule: { horizonMs: 10_000, graceMs: 5_000 },
  strategies: onlyStrategies({ VWAP_REVERSION: { parameters: { entryDeviations: 0 } } }),
};

function activation(configuration: object = CONFIGURATION, changes: Partial<EngineActivated> = {}): EngineActivated {
  const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
  return { ...activationOf(parseConfiguration(configuration), identity), ...changes };
}
function started(configuration: object = CONFIGURATION): PartitionTask {
  const task = createPartitionTask(PARTITION);
  run(task, [activated(activation(configuration))]);
  return task;
}

let nextId = 1;
const trade = (seconds: number, price: string, instrument = BTC): Trade => ({
  venue: 'binance',
  instrument,
  tradeId: String((nextId += 1)),
  eventTime: START_US + seconds * SECOND_US,
  price: Decimal.of(price),
  size: Decimal.of('1'),
  side: 'BUY',
  receivedAt: START_US + seconds * SECOND_US,
  source: 'test',
  suspicious: false,
  conditions: [],
});
const at = (seconds: number, price = '100', instrument = BTC) => traded(trade(seconds, price, instrument));
const watermark = (seconds: number, instruments: readonly string[] = [BTC]) =>
  watermarked(watermarkOf(instruments, START_US + seconds * SECOND_US));
const outcomes = (records: readonly DerivedRecord[]) => ofType<Outcome>(records, 'Outcome');
const step = (task: PartitionTask, ...contents: TapeContent[]) => eventsOf(run(task, contents));

describe('a watermark', () => {
  it('makes VOID the forecasts that no trade can resolve any more, and only beyond the grace', () => {
    const task = started();
    // At offset 2 a result and a decision are made, due at 11 s.
    step(task, at(0), at(1, '90'));
    expect(step(task, watermark(16))).toEqual([]);
    const records = step(task, watermark(17));
    expect(records.map(({ event }) => event.eventId)).toEqual(['outcome-3-4-0', 'outcome-3-4-1']);
    expect(outcomes(records)).toMatchObject([
      {
        instrument: BTC,
        eventTime: START_US + 17 * SECOND_US,
        tape: { partition: 3, offset: 4 },
        sequence: 0,
        causes: ['result-3-2-0', 'watermark-3-4-0'],
        forecastId: 'result-3-2-0',
        verdict: 'VOID',
        dueTime: START_US + 11 * SECOND_US,
        observedPrice: null,
        observedTime: null,
        moveBps: null,
        resolvingTradeId: null,
      },
      { sequence: 1, causes: ['decision-3-2-0', 'watermark-3-4-0'], forecastKind: 'DECISION', verdict: 'VOID' },
    ]);
    expect(outcomes(step(task, at(18, '95')))).toEqual([]);
  });

  it('lets a trade within the grace resolve', () => {
    const task = started();
    step(task, at(0), at(1, '90'), watermark(15));
    expect(outcomes(step(task, at(16, '95')))).toMatchObject([{ verdict: 'HIT' }, { verdict: 'HIT' }]);
    expect(step(task, watermark(40))).not.toEqual([]);
  });

  it('steps the instruments in its order, numbers the events of the whole record, and touches no other instrument', () => {
    const task = started();
    step(task, at(0, '7', ETH), at(1, '6', ETH), at(0), at(1, '90'), at(0, '5', 'SOL-USDT@binance'));
    step(task, at(1, '4', 'SOL-USDT@binance'));
    const records = step(task, watermark(60, [ETH, BTC, 'UNSEEN@binance']));
    expect(outcomes(records).map(({ eventId, instrument }) => `${eventId} ${instrument}`)).toEqual([
      `outcome-3-7-0 ${BTC}`,
      `outcome-3-7-1 ${BTC}`,
      `outcome-3-7-2 ${ETH}`,
      `outcome-3-7-3 ${ETH}`,
    ]);
    expect(outcomes(step(task, watermark(60, ['SOL-USDT@binance'])))).toHaveLength(2);
  });

  it("applies each forecast's own grace, even when the longer one is due first", () => {
    const task = started({ ...CONFIGURATION, hitRule: { horizonMs: 10_000, graceMs: 60_000 } });
    step(task, at(0), at(1, '90'));
    step(task, activated(activation(CONFIGURATION, { activationId: 'second' })), at(2, '80'));
    expect(outcomes(step(task, watermark(20))).map(({ forecastTime }) => forecastTime)).toEqual([
      START_US + 2 * SECOND_US,
      START_US + 2 * SECOND_US,
    ]);
    expect(outcomes(step(task, watermark(71)))).toEqual([]);
    expect(outcomes(step(task, watermark(72)))).toHaveLength(2);
  });

  it('does not move a trade clock, takes no snapshot, and touches no indicator', () => {
    const trades = [at(0), at(1, '90'), at(2, '80'), at(3, '85')];
    const without = step(started(), ...trades);
    const task = started();
    const watermarks = step(
      task,
      trades[0]!,
      watermark(9),
      trades[1]!,
      watermark(9),
      trades[2]!,
      watermark(10),
      trades[3]!,
    );
    expect(task.counts).toMatchObject({ late: 0, watermarks: 3 });
    const anywhere = { eventId: 0, tape: 0, causes: 0, contributions: 0, firstOffset: 0, lastOffset: 0 };
    const figures = (records: readonly DerivedRecord[]) => records.map(({ event }) => ({ ...event, ...anywhere }));
    expect(figures(watermarks)).toEqual(figures(without));
  });

  it('has no effect when it is not later than another one', () => {
    const task = started();
    step(task, watermark(50), at(0), watermark(50), at(1, '90'), watermark(50), watermark(49));
    // Stamped long before the time up to which the market is complete: it can still be resolved.
    expect(step(task, watermark(50), watermark(17))).toEqual([]);
    expect(outcomes(step(task, at(11, '95')))).toMatchObject([{ verdict: 'HIT' }, { verdict: 'HIT' }]);
    expect(task.counts).toMatchObject({ watermarks: 6 });
  });
});

describe('a gap', () => {
  it('is counted and has no other effect', () => {
    const task = started();
    const gap = missed(gapBefore(trade(1, '90'), 100, 5));
    expect(run(task, [at(0), gap]).at(-1)).toEqual({ derived: [], deadLetters: [], anchor: undefined });
    expect(task.counts).toMatchObject({ gaps: 1, trades: 1, deadLetters: 0 });
  });
});

describe('watermarks and gaps that do not count', () => {
  it('are skipped before the first activation', () => {
    const task = createPartitionTask(PARTITION);
    expect(step(task, watermark(0), missed(gapBefore(trade(1, '90'), 100, 5)))).toEqual([]);
    expect(task.counts).toMatchObject({ skipped: 2, watermarks: 0, gaps: 0 });
  });

  it('are dead letters with a reason of the catalogue', () => {
    const good = watermarkOf([BTC], START_US + 60 * SECOND_US);
    const gap = gapBefore(trade(1, '90'), 100, 5);
    const task = started();
    step(task, at(0), at(1, '90'));
    const letters = run(task, [
      watermarked(good, 'ff'.repeat(32)),
      watermarked({ ...good, instruments: [ETH, BTC] }),
      watermarked({ ...good, instruments: ['btc'] }),
      watermarked({ ...good, eventTime: good.receivedAt + 10_000_001 }),
      missed(gap, 'ff'.repeat(32)),
      missed({ ...gap, missingTrades: 4 }),
    ]);
    expect(letters.flatMap(({ deadLetters }) => deadLetters.map(({ reason }) => reason))).toEqual([
      'SCHEMA_NOT_ACCEPTED',
      'MALFORMED',
      'INSTRUMENT_MALFORMED',
      'CLOCK_LEAD',
      'SCHEMA_NOT_ACCEPTED',
      'MALFORMED',
    ]);
    expect(eventsOf(letters)).toEqual([]);
    expect(task.counts).toMatchObject({ watermarks: 0, gaps: 0, deadLetters: 6 });
  });
});

/**
 * A live market of two instruments: trades of all kinds, watermarks 2 s behind, gaps, and quiet times that only
 * watermarks fill.
 */
function marketOf(seed: number, count: number): TapeContent[] {
  const next = sequenceOf(seed + 1);
  let knownUs = 0;
  let quietUs = 0;
  return syntheticTrades({ seed, count, instruments: [BTC, ETH] }).flatMap((each, index) => {
    const shifted = { ...each, eventTime: each.eventTime + quietUs, receivedAt: each.receivedAt + quietUs };
    const contents: TapeContent[] = [];
    if (next() < 0.03) {
      for (let second = 0; second < 60; second += 1) {
        quietUs += SECOND_US;
        contents.push(liveWatermark(next, knownUs + second * SECOND_US));
      }
    } else if (next() < 0.2) contents.push(liveWatermark(next, knownUs));
    if (next() < 0.02) contents.push(missed(gapBefore(shifted, index * 10, 1 + Math.floor(next() * 9))));
    knownUs = Math.max(knownUs, shifted.eventTime);
    return [...contents, traded(shifted)];
  });
}

function liveWatermark(next: () => number, knownUs: number): TapeContent {
  const instruments = next() < 0.6 ? [BTC, ETH] : next() < 0.5 ? [BTC] : [ETH];
  return watermarked(
    watermarkOf(instruments, Math.max(START_US, Math.floor(knownUs / SECOND_US) * SECOND_US - 2 * SECOND_US)),
  );
}

const MARKET_CONFIGURATION = {
  anchorIntervalRecords: 40,
  cadenceMs: 2_000,
  range: { barMs: 5_000, bars: 4 },
  hitRule: { horizonMs: 20_000, graceMs: 3_000 },
  strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 0.2 } } },
};

describe('a tape with watermarks and gaps', () => {
  it('gives the same bytes from any anchor on', () => {
    let causedByWatermarks = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const tape = [activated(activation(MARKET_CONFIGURATION)), ...marketOf(seed, 250)];
        const task = createPartitionTask(PARTITION);
        const advances = run(task, tape);
        causedByWatermarks += outcomes(eventsOf(advances)).filter(({ causes }) =>
          causes[1]?.startsWith('watermark-'),
        ).length;
        const resumed = resumptionsOf(advances, tape);
        expect(resumed.length).toBeGreaterThan(2);
        for (const { before, after } of resumed) expect(after).toEqual(before);
        expect(resumed.at(-1)?.counts).toEqual(task.counts);
      }),
      { numRuns: 12 },
    );
    // Not in each market: twelve without one would be a market without watermarks.
    expect(causedByWatermarks).toBeGreaterThan(0);
  });

  it('makes a forecast VOID at the first watermark after its grace, even if no trade ever comes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 40 }), (seed, seconds) => {
        const task = started(MARKET_CONFIGURATION);
        const trades = marketOf(seed, 60).filter(({ kind }) => kind === 'trade');
        const records = step(task, ...trades);
        const resolved = new Set(outcomes(records).map(({ forecastId }) => forecastId));
        const pending = records
          .map(({ event }) => event as DerivedEvent & { direction?: string; hitRule?: unknown })
          .filter((event) => !('forecastId' in event) && event.hitRule !== undefined && event.direction !== 'NEUTRAL')
          .filter(({ eventId }) => !resolved.has(eventId));
        const end = Math.max(...trades.map((content) => (content.kind === 'trade' ? content.trade.eventTime : 0)));
        for (const second of seconds) {
          const watermark = watermarkOf([BTC, ETH], end + second * SECOND_US);
          const offset = task.nextOffset;
          for (const { forecastId } of outcomes(step(task, watermarked(watermark)))) resolved.add(forecastId);
          for (const forecast of pending) {
            const isOver = forecast.eventTime + 23 * SECOND_US < watermark.eventTime;
            if (isOver) expect(resolved, `${forecast.eventId} at ${offset}`).toContain(forecast.eventId);
          }
        }
        const latest = seconds.length === 0 ? 0 : end + Math.max(...seconds) * SECOND_US;
        const over = pending.filter(({ eventTime }) => eventTime + 23 * SECOND_US < latest);
        expect(pending.filter(({ eventId }) => resolved.has(eventId))).toEqual(over);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a hot standby', () => {
  /** Two producers write the same records: each at its own pace, so either may be ahead. */
  function interleaved(records: readonly TapeContent[], seed: number): { tape: TapeContent[]; origin: number[] } {
    const next = sequenceOf(seed);
    const tape: TapeContent[] = [];
    const origin: number[] = [];
    const written: [number, number] = [0, 0];
    let ahead: 0 | 1 = 0;
    while (written[0] < records.length || written[1] < records.length) {
      if (next() < 0.05) ahead = ahead === 0 ? 1 : 0;
      const lot: 0 | 1 = next() < 0.8 ? ahead : ahead === 0 ? 1 : 0;
      const who: 0 | 1 = written[lot] < records.length ? lot : lot === 0 ? 1 : 0;
      tape.push(records[written[who]]!);
      origin.push(written[who]);
      written[who] += 1;
    }
    return { tape, origin };
  }

  /** The events, with each place on the tape replaced by the record there. */
  function toldByRecord(records: readonly DerivedRecord[], recordAt: (offset: number) => number): string[] {
    return records.map(({ event }) =>
      JSON.stringify(event, (key, value: unknown) => {
        if (key === 'lastOutcomeOffset' && value === null) return value;
        if (/^(offset|(first|last|lastOutcome)Offset)$/.test(key)) return recordAt(value as number);
        if (typeof value !== 'string') return value;
        return value.replace(
          /^([a-z]+-\d+)-(\d+)-(\d+)$/,
          (_, kind: string, offset: string, number: string) => `${kind}-${recordAt(Number(offset))}-${number}`,
        );
      }),
    );
  }

  it('leads to the same events as one producer, except for their places on the tape', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, pace) => {
        const records = marketOf(seed, 250);
        const once = step(started(MARKET_CONFIGURATION), ...records);
        const { tape, origin } = interleaved(records, pace);
        const task = started(MARKET_CONFIGURATION);
        const twice = step(task, ...tape);
        // The activation is at offset 0 of both.
        expect(toldByRecord(twice, (offset) => origin[offset - 1]! + 1)).toEqual(
          toldByRecord(once, (offset) => offset),
        );
        expect(task.counts.watermarks).toBe(2 * records.filter(({ kind }) => kind === 'watermark').length);
      }),
      { numRuns: 25 },
    );
  });

  it("lets one producer's watermark be behind the other's", () => {
    const task = started();
    step(task, at(0), at(1, '90'), at(0, '7', ETH), at(1, '6', ETH));
    const less: Watermark = watermarkOf([BTC], START_US + 17 * SECOND_US);
    expect(outcomes(step(task, watermarked(less))).map(({ instrument }) => instrument)).toEqual([BTC, BTC]);
    expect(outcomes(step(task, watermark(17, [BTC, ETH]))).map(({ instrument }) => instrument)).toEqual([ETH, ETH]);
  });
});
