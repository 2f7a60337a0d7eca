/**
 * Kinds of faults in real trade data, each with the right value computed independently of the engine. Faults of files
 * and formats are tested in producers/.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type {
  IndicatorSnapshot,
  Outcome,
  ProbabilityDecision,
  StrategyResult,
  Trade,
  TradeCancelled,
  TradeCorrected,
  TradeReleased,
} from '../contracts/generated/events.ts';
import { activationOf } from './derive.ts';
import {
  amended,
  activated,
  eventsOf,
  ofType,
  run,
  watermarked,
  watermarkOf,
  traded,
} from './fixtures/tape-contents.ts';
import { parseNewConfiguration } from './new-configuration.ts';
import type { Advance } from './advance.ts';
import { createPartitionTask, type PartitionTask } from './partition-task.ts';

const SECOND_US = 1_000_000;
const HOUR_US = 3_600 * SECOND_US;
const DAY_US = 24 * HOUR_US;
/** Midnight UTC. */
const START_US = 1_735_689_600_000_000;
const INSTRUMENT = 'BTC-USDT@binance';

/** A trade at a time after the start, in microseconds. */
function tradeAt(timeUs: number, tradeId: string, price: string, size = '1', changes: Partial<Trade> = {}): Trade {
  return {
    ...{ venue: 'binance', instrument: INSTRUMENT, tradeId, eventTime: START_US + timeUs },
    ...{ price: Decimal.of(price), size: Decimal.of(size), side: 'BUY', receivedAt: 0, source: 'test' },
    ...{ suspicious: false, conditions: [], ...changes },
  };
}

function started(configuration: object = {}): PartitionTask {
  const task = createPartitionTask(0);
  const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
  run(task, [activated(activationOf(parseNewConfiguration(configuration), identity))]);
  return task;
}

function over(trades: readonly Trade[], configuration: object = {}): { task: PartitionTask; advances: Advance[] } {
  const task = started(configuration);
  return {
    task,
    advances: run(
      task,
      trades.map((trade) => traded(trade)),
    ),
  };
}

const decisionsOf = (advances: readonly Advance[]) =>
  ofType<ProbabilityDecision>(eventsOf(advances), 'ProbabilityDecision');
const snapshotsOf = (advances: readonly Advance[]) =>
  ofType<IndicatorSnapshot>(eventsOf(advances), 'IndicatorSnapshot');
const resultsOf = (advances: readonly Advance[], strategy: string) =>
  ofType<StrategyResult>(eventsOf(advances), 'StrategyResult').filter((result) => result.strategy === strategy);
const lastOf = <Event>(events: readonly Event[]): Event => {
  const last = events.at(-1);
  if (last === undefined) throw new Error('there is none');
  return last;
};
const countsOf = (task: PartitionTask, name = INSTRUMENT) => {
  const found = task.overview.find((overview) => overview.name === name);
  if (found === undefined) throw new Error(`${name} has no trades`);
  return found.counts;
};
/** Count, volume, VWAP and deviation of each session in memory. */
const sumsOf = (task: PartitionTask, name = INSTRUMENT) =>
  task
    .sessionsOf(name)
    .map(({ span, vwap }) => [span.index, vwap.tradeCount, vwap.totalVolume, vwap.average, vwap.deviation]);
const numbered = (count: number, everyUs: number, idOf: (index: number) => string = String): Trade[] =>
  Array.from({ length: count }, (_, index) =>
    tradeAt(index * everyUs, idOf(index), `${93_000 + ((index * 7) % 90)}.5`, '0.1'),
  );
/** Random-looking ids, the same at each run. */
const scattered = (index: number) => ((index * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0');

describe('one trade, one effect', () => {
  it.each([
    ['ids without an order', numbered(6_000, SECOND_US / 10, scattered)],
    ['ids with holes', numbered(6_000, SECOND_US / 10, (index) => String(1_000 + index * 37))],
    ['descending ids', numbered(6_000, SECOND_US / 10, (index) => String(9_000_000 - index))],
    ['ids that restart', numbered(6_000, SECOND_US / 10, (index) => String(index % 500))],
  ])('counts each once when the day comes again: %s', (_name, trades) => {
    const newer = tradeAt(6_000 * (SECOND_US / 10), 'newer', '93500.5');
    const { task } = over([...trades, ...trades, newer]);
    expect(countsOf(task)).toMatchObject({ onTime: 6_001, duplicates: 6_000, late: 0 });
    expect(sumsOf(task)[0]?.[1]).toBe(6_001);
  });

  it('counts holes that are filled late, however many', () => {
    const trades = numbered(5_000, SECOND_US);
    const [even, odd] = [trades.filter((_, index) => index % 2 === 0), trades.filter((_, index) => index % 2 === 1)];
    const { task } = over([...even, ...odd, ...odd]);
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
    expect(countsOf(task)).toMatchObject({ late: 2_499, duplicates: 2_500 });
  });

  const two = fc
    .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 2 * 86_400 - 1 }), fc.nat({ max: 3 })), {
      minLength: 2,
      maxLength: 40,
      selector: String,
    })
    .chain((places) =>
      fc.record({
        trades: fc.constant(
          places.map(([seconds, id], index) =>
            tradeAt(seconds * SECOND_US, `${id}`, `${90 + (index % 13)}.${10 + (index % 7)}`, `0.${1 + (index % 9)}`),
          ),
        ),
        order: fc.shuffledSubarray([...places.keys()], { minLength: places.length, maxLength: places.length }),
        again: fc.array(fc.nat({ max: places.length - 1 }), { maxLength: 20 }),
        cut: fc.nat({ max: places.length + 20 }),
      }),
    );
  it('gives the same session sums in any order, with any split and any repetition', () => {
    fc.assert(
      fc.property(two, ({ trades, order, again, cut }) => {
        const sorted = [...trades].sort((left, right) => left.eventTime - right.eventTime);
        // The last ones of the second day, so that no trade waits for others at the end.
        const closing = [1, 2, 3]
          .map((index) => tradeAt(2 * DAY_US - index, `closing-${3 - index}`, '95', '1'))
          .reverse();
        const expected = sumsOf(over([...sorted, ...closing]).task);
        const scrambled = [...order, ...again].map((index) => trades[index]!);
        const shuffled = [...scrambled, ...closing].map((trade) => traded(trade));
        const task = started();
        run(task, shuffled.slice(0, cut));
        run(task, shuffled.slice(cut));
        expect(sumsOf(task)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a time stamp far ahead', () => {
  const clean = numbered(400, SECOND_US);
  const far = (index: number, days: number) => ({
    ...clean[index]!,
    eventTime: clean[index]!.eventTime + days * DAY_US,
  });

  it.each([0.1, 0.9, 1.5, 177, 20_000])('has no lasting effect: %s days', (days) => {
    const { task, advances } = over(clean.map((trade, index) => (index === 100 ? far(100, days) : trade)));
    const times = (list: readonly Advance[]) => decisionsOf(list).map(({ eventTime }) => eventTime);
    const expected = times(over(clean).advances).filter((time) => time !== clean[100]!.eventTime);
    expect(times(advances)).toEqual(expected);
    expect(countsOf(task)).toMatchObject({ onTime: 399, ahead: 1, late: 0 });
  });

  it('nor do several, nor one at the very beginning', () => {
    const several = clean.map((trade, index) => ([100, 101, 200].includes(index) ? far(index, 30 + index) : trade));
    expect(decisionsOf(over(several).advances)).toHaveLength(397);
    const { advances, task } = over(clean.map((trade, index) => (index === 0 ? far(0, 177) : trade)));
    expect(decisionsOf(advances)).toHaveLength(400);
    expect(sumsOf(task)).toEqual(sumsOf(over(clean.slice(1)).task));
  });

  it('does not confirm itself when it is repeated', () => {
    const wrong = far(100, 177);
    const { task } = over([...clean.slice(0, 100), wrong, wrong, wrong, wrong, ...clean.slice(100)]);
    expect(countsOf(task)).toMatchObject({ onTime: 400, ahead: 1, duplicates: 3, setAside: 1 });
  });

  it('is a dead letter that names the command to release it', () => {
    const { advances } = over(clean.map((trade, index) => (index === 100 ? far(100, 177) : trade)));
    const letters = advances.flatMap(({ deadLetters }) => deadLetters);
    expect(letters).toMatchObject([{ reason: 'CLOCK_LEAD', source: { position: 101 } }]);
    expect(letters[0]?.detail).toContain('npx tapeproof tape release');
  });

  it('is not wrong if the market continued: nothing is lost over a weekend', () => {
    const monday = numbered(50, SECOND_US).map((trade) => ({
      ...trade,
      tradeId: `monday-${trade.tradeId}`,
      eventTime: trade.eventTime + 3 * DAY_US,
    }));
    const { task, advances } = over([...clean, ...monday]);
    expect(countsOf(task)).toMatchObject({ counted: 450, onTime: 450, ahead: 0, setAside: 0, late: 0 });
    expect(sumsOf(task).map(([, count]) => count)).toEqual([400, 50]);
    expect(decisionsOf(advances)).toHaveLength(450);
  });

  it('is not taken back by the trade that confirms it, which is late behind it', () => {
    const monday = (seconds: number) => tradeAt(3 * DAY_US + seconds * SECOND_US, `monday-${seconds}`, '95000');
    const { task, advances } = over([...clean, monday(50), monday(0), monday(10), monday(20), monday(60)]);
    const times = snapshotsOf(advances).map(({ eventTime }) => eventTime);
    expect(times.slice(-2)).toEqual([monday(50).eventTime, monday(60).eventTime]);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(countsOf(task)).toMatchObject({ counted: 405, onTime: 402, late: 3, ahead: 0 });
    expect(sumsOf(task).map(([, count]) => count)).toEqual([400, 5]);
  });

  it('never lets a decision go back in time, whatever order the trades after a pause come in', () => {
    const seconds = fc.array(fc.integer({ min: 0, max: 7_200 }), { minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(seconds, seconds, (first, second) => {
        const after = [first, second].flatMap((times, day) =>
          times.map((time, index) =>
            tradeAt((day + 1) * DAY_US + time * SECOND_US, `${day}-${index}`, String(95_000 + index)),
          ),
        );
        const times = snapshotsOf(over([...clean.slice(0, 20), ...after]).advances).map(({ eventTime }) => eventTime);
        expect(times).toEqual(times.toSorted((left, right) => left - right));
      }),
    );
  });

  it('is confirmed by a watermark', () => {
    const task = started();
    const later = tradeAt(9 * HOUR_US, 'later', '95000');
    run(task, [
      ...clean.map((trade) => traded(trade)),
      watermarked(watermarkOf([INSTRUMENT], START_US + 9 * HOUR_US)),
      traded(later),
    ]);
    expect(countsOf(task)).toMatchObject({ onTime: 401, ahead: 0 });
  });

  it('counts when a record on the tape vouches for it', () => {
    const late = { ...far(100, 40), tradeId: 'lone' };
    const task = started();
    run(
      task,
      [...clean.slice(0, 100), late, ...clean.slice(100)].map((trade) => traded(trade)),
    );
    expect(sumsOf(task).map(([, count]) => count)).toEqual([400]);
    const [advance] = run(task, [amended('TradeReleased', amendmentOf(late))]);
    expect(advance?.setAside?.kind).toBe('released');
    expect(sumsOf(task).map(([, count]) => count)).toEqual([400, 1]);
    expect(countsOf(task)).toMatchObject({ counted: 401, lastTradeUs: late.eventTime });
    const [again] = run(task, [amended('TradeReleased', amendmentOf(late))]);
    expect(again?.setAside?.kind).toBe('unmatched');
  });

  it('no longer counts as waiting once a record on the tape vouches for it or takes it back', () => {
    for (const [name, counts] of [
      ['TradeReleased', { ahead: 0, released: 1, counted: 101 }],
      ['TradeCancelled', { ahead: 0, cancelled: 1, counted: 100 }],
    ] as const) {
      const { task } = over([...clean.slice(0, 100), far(100, 40)]);
      expect(countsOf(task).ahead).toBe(1);
      run(task, [amended(name, amendmentOf(far(100, 40)))]);
      expect(countsOf(task)).toMatchObject(counts);
    }
  });

  it('counts a late trade that waited behind it by its fate at that time', () => {
    const late = tradeAt(50 * SECOND_US + 1, 'late', '93000');
    const monday = [0, 1, 2, 3].map((index) => tradeAt(3 * DAY_US + index * SECOND_US, `monday-${index}`, '93000'));
    const [first, ...others] = monday;
    const { task } = over([...clean, first!, late, ...others]);
    const { onTime, late: lateTrades, tooLate } = countsOf(task);
    expect([onTime, lateTrades + tooLate]).toEqual([404, 1]);
  });
});

function amendmentOf(trade: Trade): TradeCancelled & TradeReleased {
  const { venue, instrument, tradeId, eventTime, price, size } = trade;
  return {
    venue,
    instrument,
    tradeId,
    eventTime,
    price,
    size,
    reason: 'bust',
    actor: 'test',
    receivedAt: 0,
    source: 'operator',
  };
}

describe('prints that were wrong', () => {
  const trades = numbered(300, SECOND_US);
  const wrong = tradeAt(150 * SECOND_US + 1, 'wrong', '9.5', '1000');
  const withWrong = [...trades.slice(0, 151), wrong, ...trades.slice(151)];
  const cancelled = amended('TradeCancelled', amendmentOf(wrong));

  it('are left out of the sums from their cancellation on; earlier decisions are not changed', () => {
    const task = started();
    const before = run(
      task,
      withWrong.map((trade) => traded(trade)),
    );
    const standing = eventsOf(before).length;
    const [advance] = run(task, [cancelled]);
    expect(advance).toMatchObject({ derived: [], setAside: { kind: 'cancelled', tradeId: 'wrong' } });
    expect(eventsOf(before)).toHaveLength(standing);
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
    const next = run(task, [traded(tradeAt(400 * SECOND_US, 'next', '93001.5'))]);
    const clean = over([...trades, tradeAt(400 * SECOND_US, 'next', '93001.5')]);
    const { vwap, vwapDeviation, pointOfControl, valueAreaLow, valueAreaHigh } = lastOf(snapshotsOf(next));
    expect({ vwap, vwapDeviation, pointOfControl, valueAreaLow, valueAreaHigh }).toEqual(
      (({ vwap, vwapDeviation, pointOfControl, valueAreaLow, valueAreaHigh }) => ({
        ...{ vwap, vwapDeviation, pointOfControl, valueAreaLow, valueAreaHigh },
      }))(lastOf(snapshotsOf(clean.advances))),
    );
  });

  it('are taken back once, however often and in whatever order the records come', () => {
    const task = started();
    run(
      task,
      withWrong.map((trade) => traded(trade)),
    );
    expect(run(task, [cancelled, cancelled]).map(({ setAside }) => setAside?.kind)).toEqual(['cancelled', 'unmatched']);
    expect(run(task, [traded(wrong)]).map(({ setAside }) => setAside?.kind)).toEqual(['duplicates']);
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
  });

  it('never count when their cancellation is there first', () => {
    const task = started();
    run(task, [...trades.slice(0, 151).map((trade) => traded(trade)), cancelled, traded(wrong)]);
    run(
      task,
      trades.slice(151).map((trade) => traded(trade)),
    );
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
  });

  it('have their latest corrected figures, and none after a cancellation', () => {
    const correction = (price: string, size: string) =>
      amended('TradeCorrected', {
        ...amendmentOf(wrong),
        correctedPrice: Decimal.of(price),
        correctedSize: Decimal.of(size),
      } satisfies TradeCorrected);
    const task = started();
    run(task, [...withWrong.map((trade) => traded(trade)), correction('93010', '3'), correction('93005', '2')]);
    const right = tradeAt(150 * SECOND_US + 1, 'wrong', '93005', '2');
    expect(sumsOf(task)).toEqual(sumsOf(over([...trades.slice(0, 151), right, ...trades.slice(151)]).task));
    run(task, [cancelled]);
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
    expect(countsOf(task)).toMatchObject({ corrected: 2, cancelled: 1 });
  });

  it('do not count if their source marks them, unless the configuration allows it', () => {
    const marked = withWrong.map((trade) => (trade.tradeId === 'wrong' ? { ...trade, suspicious: true } : trade));
    const { task } = over(marked);
    expect(sumsOf(task)).toEqual(sumsOf(over(trades).task));
    expect(countsOf(task).suspicious).toBe(1);
    expect(sumsOf(over(marked, { suspiciousPrints: 'COUNT' }).task)).toEqual(sumsOf(over(withWrong).task));
  });
});

describe('prices of 0 and below', () => {
  const prices = ['1.25', '0.50', '0.01', '-0.10', '-13.10', '-37.63', '-40.32', '-10.01', '0.02', '1.10'];
  const oil = prices.map((price, index) => tradeAt(index * SECOND_US, String(index), price));
  const allowed = { instruments: { [INSTRUMENT]: { negativePrices: true, binSize: '0.01' } } };

  it('count if the instrument allows them', () => {
    const { advances } = over(oil, allowed);
    expect(lastOf(snapshotsOf(advances)).vwap).toBeCloseTo(-9.828, 12);
    expect(lastOf(snapshotsOf(advances)).tradeCount).toBe(10);
  });

  it('otherwise silence the instrument visibly until its session ends: no average without them is published', () => {
    const { task, advances } = over(oil);
    expect(decisionsOf(advances)).toHaveLength(3);
    expect(countsOf(task)).toMatchObject({ onTime: 5, refused: 5 });
    expect(task.overview[0]?.silence).toContain('price below 0');
    const tomorrow = [0, 1, 2].map((seconds) => traded(tradeAt(DAY_US + seconds * SECOND_US, `next-${seconds}`, '2')));
    expect(decisionsOf(run(task, tomorrow))).toHaveLength(3);
  });

  it('silence the session that their time stamps name, and no other: a wrong time stamp has no lasting effect', () => {
    const wrong = tradeAt(60 * DAY_US, 'wrong', '-1');
    const days = numbered(500, 1_000 * SECOND_US);
    const { task, advances } = over([...days.slice(0, 100), wrong, ...days.slice(100)]);
    expect(decisionsOf(advances)).toHaveLength(500);
    expect(countsOf(task)).toMatchObject({ onTime: 500, refused: 1 });
  });

  it('move in points', () => {
    const configuration = {
      ...allowed,
      hitRule: { horizonMs: 1_000, graceMs: 10_000, minMoveBps: 0 },
      strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 0 } } },
    };
    const rule = {
      ...configuration,
      instruments: { [INSTRUMENT]: { ...allowed.instruments[INSTRUMENT], minMovePoints: '5' } },
    };
    const outcomes = (settings: object) => ofType<Outcome>(eventsOf(over(oil, settings).advances), 'Outcome');
    const below = outcomes(configuration).filter(({ referencePrice }) => !referencePrice.isPositive());
    expect(below.length).toBeGreaterThan(0);
    for (const { moveBps, movePoints, observedPrice, referencePrice } of below) {
      expect(moveBps).toBeNull();
      expect(movePoints?.toString()).toBe(observedPrice?.minus(referencePrice).toString());
    }
    for (const { verdict, direction, movePoints } of outcomes(rule)) {
      const move = (movePoints?.toNumber() ?? 0) * (direction === 'LONG' ? 1 : -1);
      expect(verdict).toBe(move > 5 ? 'HIT' : 'MISS');
    }
  });
});

describe('profile, edges, exactness', () => {
  const plain = { instruments: { [INSTRUMENT]: { binSize: '1' } } };

  it('a constant price has no deviation, whatever the sizes', () => {
    const constant = Array.from({ length: 40 }, (_, index) =>
      tradeAt(index * SECOND_US, String(index), '96937.89', '46.305'),
    );
    const { advances } = over(constant);
    for (const { vwapDeviation, vwap } of snapshotsOf(advances)) expect([vwapDeviation, vwap]).toEqual([0, 96_937.89]);
    for (const { direction, confidence } of resultsOf(advances, 'VWAP_REVERSION')) {
      expect([direction, confidence]).toEqual(['NEUTRAL', 0]);
    }
  });

  it('0.1 and 0.2 are exactly 0.3: the tie is broken by the rule', () => {
    const tie = [
      tradeAt(0, '1', '100.5', '0.1'),
      tradeAt(1, '2', '100.5', '0.2'),
      tradeAt(2, '3', '101.5', '0.05'),
      tradeAt(2 * SECOND_US, '4', '102.5', '0.3'),
    ];
    expect(lastOf(snapshotsOf(over(tie, plain).advances)).pointOfControl.toString()).toBe('102');
  });

  it('mirror images of a price at the value area have the same confidence', () => {
    const body = [
      ['98.5', '1'],
      ['99.5', '10'],
      ['100.5', '30'],
      ['101.5', '10'],
      ['102.5', '1'],
    ].map(([price = '', size], index) => tradeAt(index + 1, String(index), price, size));
    const result = (last: string) =>
      lastOf(
        resultsOf(over([...body, tradeAt(2 * SECOND_US, 'last', last, '0.001')], plain).advances, 'VWAP_REVERSION'),
      );
    const [up, down] = [result('101.9'), result('99.1')];
    expect([up.direction, down.direction]).toEqual(['SHORT', 'LONG']);
    expect(up.confidence).toBe(down.confidence);
    expect(up.confidence).toBeGreaterThan(0);
  });

  it('a bin size that is not configured follows the price from session to session', () => {
    const falling = ['80.12', '30.1', '1.1', '0.0012', '0.00005'].flatMap((first, day) =>
      Array.from({ length: 30 }, (_, index) => {
        const price = (Number(first) * (1 - index / 100)).toFixed(9);
        return tradeAt(day * DAY_US + index * SECOND_US, `${day}-${index}`, price, '10');
      }),
    );
    const { advances } = over(falling);
    for (const day of [0, 1, 2, 3, 4]) {
      const ofDay = snapshotsOf(advances).filter(
        ({ eventTime }) => Math.floor((eventTime - START_US) / DAY_US) === day,
      );
      const { lastPrice, valueAreaLow, valueAreaHigh, pointOfControl, profileBinSize } = lastOf(ofDay);
      expect(pointOfControl.isPositive()).toBe(true);
      expect(valueAreaHigh.compare(valueAreaLow)).toBeGreaterThan(0);
      const share = (profileBinSize?.toNumber() ?? 1) / lastPrice.toNumber();
      expect(share).toBeLessThan(2e-3);
    }
  });
});

describe('a session in a time zone', () => {
  const session = { timeZone: 'America/New_York', open: '09:30', close: '16:00' };
  const winter = Date.UTC(2025, 0, 13, 13, 40) * 1_000 - START_US;
  const minutes = (from: number, first: number) =>
    Array.from({ length: 10 }, (_, index) =>
      tradeAt(from + index * 60 * SECOND_US, `${first}-${index}`, `${first}.${index}0`, '100', {
        venue: 'nyse',
        instrument: 'SPY@nyse',
      }),
    );

  it('begins when its market opens, in winter and in summer, and skips earlier trades', () => {
    for (const offset of [winter, Date.UTC(2025, 6, 14, 12, 40) * 1_000 - START_US]) {
      const early = minutes(offset, 570);
      const open = minutes(offset + 50 * 60 * SECOND_US, 575);
      const { task, advances } = over([...early, ...open], {
        instruments: { 'SPY@nyse': { session, binSize: '0.01' } },
      });
      expect(lastOf(snapshotsOf(advances)).vwap).toBe(575.45);
      expect(countsOf(task, 'SPY@nyse')).toMatchObject({ outside: 10, onTime: 10 });
    }
  });
});
