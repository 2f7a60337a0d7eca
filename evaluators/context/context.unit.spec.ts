import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTEXT_KINDS } from '../../contracts/context-rules.ts';
import { Decimal } from '../../contracts/decimal.ts';
import type { ContextSignal, ProbabilityDecision, StrategyResult, Trade } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { parseConfiguration } from '../configuration.ts';
import { activationOf, ACCEPTED_TAPE_SCHEMAS } from '../derive.ts';
import { onlyStrategies } from '../fixtures/only-strategies.ts';
import { syntheticTrades } from '../fixtures/synthetic-market.ts';
import {
  activated,
  bytesOf,
  eventsOf,
  everything,
  ofType,
  resumptionsOf,
  run,
  signalAt,
  signalled,
  traded,
  watermarked,
  watermarkOf,
} from '../fixtures/tape-contents.ts';
import { createPartitionTask } from '../partition-task.ts';
import { SignalBook, SIGNALS_OF_KIND_MAX } from './signal-book.ts';
import { signalOf, type Signal } from './signal.ts';

const START_US = 1_742_943_600_000_000;
const SECOND_US = 1_000_000;
const HOUR_US = 3_600 * SECOND_US;
const INSTRUMENT = 'BTC-USDT@binance';
const at = (seconds: number) => START_US + seconds * SECOND_US;

const CONFIGURATION = {
  cadenceMs: 0,
  anchorIntervalRecords: 50,
  hitRule: { horizonMs: 20_000 },
  strategies: onlyStrategies({ VWAP_REVERSION: {}, NEWS_SENTIMENT: {}, SECTOR_ROTATION: {} }),
};
const activationFor = (configuration: object) =>
  activationOf(parseConfiguration(configuration), { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const activation = activated(activationFor(CONFIGURATION));

function tradeAt(seconds: number, instrument = INSTRUMENT): TapeContent {
  const trade: Trade = {
    ...{ venue: instrument.split('@')[1] ?? '', instrument, tradeId: `t${seconds}`, eventTime: at(seconds) },
    ...{ price: Decimal.of('100'), size: Decimal.of('1'), side: 'BUY', receivedAt: at(seconds), source: 'test' },
    ...{ suspicious: false, conditions: [] },
  };
  return traded(trade);
}

/** A task after an activation and a trade at second 0, at offsets 0 and 1, and all results for the records after these. */
function after(...contents: readonly TapeContent[]) {
  const task = createPartitionTask(3);
  run(task, [activation, tradeAt(0)]);
  return { task, advances: run(task, contents) };
}

/** The result of a strategy at the last record. */
function lastResult(strategy: string, ...contents: readonly TapeContent[]): StrategyResult {
  const { advances } = after(...contents);
  const results = ofType<StrategyResult>(eventsOf(advances.slice(-1)), 'StrategyResult');
  const found = results.find((result) => result.strategy === strategy);
  if (found === undefined) throw new RangeError(`no result of ${strategy}`);
  return found;
}

describe('a signal on the tape', () => {
  it('is used by a decision after it, which names it', () => {
    const result = lastResult('NEWS_SENTIMENT', signalled(signalAt(at(1))), tradeAt(2));
    expect(result).toMatchObject({ direction: 'LONG', causes: ['snapshot-3-3-0', 'signal-3-2-0'] });
    expect(result.indicators).toMatchObject({ signals: 1, sentiment: 0.8 });
  });

  it('has no effect on the strategies that do not use it', () => {
    const without = lastResult('VWAP_REVERSION', tradeAt(2));
    const beside = lastResult('VWAP_REVERSION', signalled(signalAt(at(1))), tradeAt(2));
    expect(beside.causes).toEqual(['snapshot-3-3-0']);
    expect(beside.indicators).toEqual(without.indicators);
  });

  it('has no effect on a decision before it', () => {
    const { advances } = after(tradeAt(2), signalled(signalAt(at(1))));
    const results = ofType<StrategyResult>(eventsOf(advances), 'StrategyResult');
    expect(results.map(({ causes }) => causes.length)).toEqual([1, 1, 1]);
  });

  it.each([
    ['not in force yet', 5, 60, 4, false],
    ['in force from its first moment', 5, 60, 5, true],
    ['in force to its last', 5, 60, 59, true],
    ['over', 5, 60, 60, false],
  ])('is %s, by the clock of its instrument', (_name, from, until, tradeSeconds, isUsed) => {
    const signal = signalAt(at(1), { validFrom: at(from), validUntil: at(until) });
    const result = lastResult('NEWS_SENTIMENT', signalled(signal), tradeAt(tradeSeconds));
    expect(result.causes.length > 1).toBe(isUsed);
  });

  it('is in force for its instrument only, and one about the market for every instrument', () => {
    const other = 'ETH-USDT@binance';
    const own = signalled(signalAt(at(1), { instrument: other }));
    const common = signalled(signalAt(at(1), { signalId: 'common' }));
    const news = (...contents: readonly TapeContent[]) => lastResult('NEWS_SENTIMENT', tradeAt(1, other), ...contents);
    expect(news(own, tradeAt(2)).causes).toHaveLength(1);
    expect(news(own, tradeAt(2, other)).causes).toHaveLength(2);
    expect(news(common, tradeAt(2)).causes).toHaveLength(2);
    expect(news(own, common, tradeAt(2, other)).causes).toHaveLength(3);
  });

  it('silences the news while an important event of the calendar is in force', () => {
    const event = signalAt(at(1), { kind: 'CALENDAR_EVENT', value: 0, confidence: 1, signalId: 'rates' });
    const result = lastResult('NEWS_SENTIMENT', signalled(signalAt(at(1))), signalled(event), tradeAt(2));
    expect(result).toMatchObject({ direction: 'NEUTRAL', causes: ['snapshot-3-4-0', 'signal-3-3-0'] });
    const minor = signalled({ ...event, confidence: 0.4 });
    expect(lastResult('NEWS_SENTIMENT', signalled(signalAt(at(1))), minor, tradeAt(2)).direction).toBe('LONG');
  });

  it('is used by SECTOR_ROTATION, which takes the newest', () => {
    const strength = (seconds: number, value: number) =>
      signalled(signalAt(at(seconds), { kind: 'SECTOR_ROTATION', instrument: INSTRUMENT, value }));
    const result = lastResult('SECTOR_ROTATION', strength(1, 0.9), strength(2, -0.9), tradeAt(3));
    expect(result).toMatchObject({ direction: 'SHORT', causes: ['snapshot-3-4-0', 'signal-3-3-0'] });
  });

  it('counts towards the pooled decision', () => {
    const { advances } = after(signalled(signalAt(at(1))), tradeAt(2));
    const [decision] = ofType<ProbabilityDecision>(eventsOf(advances), 'ProbabilityDecision');
    expect(decision?.direction).toBe('LONG');
    expect(decision?.contributions.map(({ strategy }) => strategy)).toContain('NEWS_SENTIMENT');
  });
});

describe('a signal without an effect', () => {
  it('is counted and said: repeated', () => {
    const signal = signalled(signalAt(at(1)));
    const { task, advances } = after(signal, signal, tradeAt(2));
    expect(advances[1]?.setAside).toMatchObject({ kind: 'REPEATED' });
    expect(task.signalCounts).toEqual({ taken: 1, repeated: 1, expired: 0, crowdedOut: 0 });
    const [, news] = ofType<StrategyResult>(eventsOf(advances), 'StrategyResult');
    expect(news?.causes).toEqual(['snapshot-3-4-0', 'signal-3-2-0']);
  });

  it.each([
    ['about its instrument', INSTRUMENT],
    ['about the market', null],
  ])('is counted and said: expired, %s', (_name, instrument) => {
    const { task, advances } = after(
      tradeAt(100),
      signalled(signalAt(at(1), { instrument, validUntil: at(100) })),
      signalled(signalAt(at(1), { instrument, validUntil: at(101) })),
    );
    expect(advances[1]?.setAside).toMatchObject({ kind: 'EXPIRED' });
    expect(advances[2]?.setAside).toBeUndefined();
    expect(task.signalCounts).toMatchObject({ taken: 1, expired: 1 });
  });

  it('is not expired while one instrument of the market lags behind', () => {
    const signal = signalled(signalAt(at(1), { validUntil: at(50) }));
    const { task } = after(tradeAt(100), tradeAt(10, 'ETH-USDT@binance'), signal);
    expect(task.signalCounts).toMatchObject({ taken: 1, expired: 0 });
  });

  it.each<[string, Partial<ContextSignal>, string]>([
    ['a value outside -1 to 1', { value: 1.5 }, 'MALFORMED'],
    ['a confidence outside 0 to 1', { confidence: 2 }, 'MALFORMED'],
    ['an unknown kind', { kind: 'RUMOUR' }, 'MALFORMED'],
    ['a stamp in the future', { eventTime: at(3_600), validFrom: at(3_600), validUntil: at(7_200) }, 'CLOCK_LEAD'],
    ['a malformed instrument', { instrument: 'btc' }, 'INSTRUMENT_MALFORMED'],
    ['an instrument without a trade before it', { instrument: 'ETH-USDT@binance' }, 'INSTRUMENT_NOT_ALLOWED'],
  ])('is a dead letter for %s', (_name, changes, reason) => {
    const { task, advances } = after(signalled(signalAt(at(1), changes)), tradeAt(2));
    expect(advances[0]?.deadLetters[0]).toMatchObject({ reason, source: { position: 2 } });
    expect(task.counts.deadLetters).toBe(1);
    const [, news] = ofType<StrategyResult>(eventsOf(advances), 'StrategyResult');
    expect(news?.causes).toHaveLength(1);
  });

  it('is a dead letter under an activation that does not accept its schema', () => {
    const signal = signalled(signalAt(at(1)));
    const acceptedTapeSchemas = ACCEPTED_TAPE_SCHEMAS.filter((fingerprint) => fingerprint !== signal.fingerprint);
    const task = createPartitionTask(3);
    const former = activated({ ...activationFor(CONFIGURATION), acceptedTapeSchemas });
    const [, , refused] = run(task, [former, tradeAt(0), signal]);
    expect(refused?.deadLetters[0]?.reason).toBe('SCHEMA_NOT_ACCEPTED');
  });

  it('is skipped before the first activation', () => {
    const task = createPartitionTask(3);
    run(task, [signalled(signalAt(at(1)))]);
    expect(task.counts.skipped).toBe(1);
  });
});

describe('the state of a partition', () => {
  const trades = syntheticTrades({ seed: 5, count: 600, instruments: [INSTRUMENT, 'ETH-USDT@binance'] });
  const market = trades.map((trade) => traded(trade));
  const endUs = Math.max(...trades.map(({ eventTime }) => eventTime));
  const close = watermarked(watermarkOf([INSTRUMENT, 'ETH-USDT@binance'], endUs + HOUR_US));

  it('has no context, and so its earlier bytes, while the tape has no signal', () => {
    const anchors = run(createPartitionTask(3), [activation, ...market, close]).flatMap(({ anchor }) => anchor ?? []);
    expect(anchors.length).toBeGreaterThan(5);
    for (const anchor of anchors) expect(JSON.parse(bytesOf(anchor).toString('utf8'))).not.toHaveProperty('context');
  });

  it('continues from every anchor with the same bytes', () => {
    const tape: TapeContent[] = [activation, ...market, close];
    for (const [index, { eventTime, instrument }] of trades.entries()) {
      if (index % 7 !== 3) continue;
      const kind = CONTEXT_KINDS[index % CONTEXT_KINDS.length]!;
      const validSeconds = kind === 'CALENDAR_EVENT' ? 3 : 60;
      const about = index % 2 === 0 ? null : instrument;
      const value = (index % 20) / 10 - 1;
      const signal = signalAt(eventTime, {
        kind,
        instrument: about,
        value,
        validUntil: eventTime + validSeconds * SECOND_US,
      });
      tape.splice(tape.indexOf(market[index]!) + 1, 0, signalled(signal));
    }
    const task = createPartitionTask(3);
    const advances = run(task, tape);
    const results = ofType<StrategyResult>(eventsOf(advances), 'StrategyResult');
    expect(results.filter(({ causes }) => causes.length > 1).length).toBeGreaterThan(100);
    expect(
      new Set(results.filter(({ strategy }) => strategy === 'NEWS_SENTIMENT').map((each) => each.direction)),
    ).toEqual(new Set(['LONG', 'SHORT', 'NEUTRAL']));
    expect(task.signalCounts.taken).toBeGreaterThan(70);
    for (const { before, after: resumed } of resumptionsOf(advances, tape)) expect(resumed).toEqual(before);
    expect(everything(run(createPartitionTask(3), tape))).toEqual(everything(advances));
  });
});

describe('a book of signals', () => {
  const held = (index: number, changes: Partial<ContextSignal> = {}): Signal =>
    signalOf(signalAt(at(1), { signalId: `s${index}`, validUntil: at(1 + index), ...changes }), index);

  it('holds so many of each kind, those that are valid for longest', () => {
    const book = new SignalBook();
    const fates = Array.from({ length: SIGNALS_OF_KIND_MAX + 3 }, (_, index) => book.add(held(index + 1)));
    expect(new Set(fates)).toEqual(new Set(['TAKEN']));
    expect(book.add(held(1))).toBe('CROWDED_OUT');
    expect(book.add(held(1, { kind: 'CALENDAR_EVENT' }))).toBe('TAKEN');
    expect(
      book
        .toState()
        .filter(({ kind }) => kind === 'NEWS_SENTIMENT')
        .map(({ offset }) => offset),
    ).toEqual(Array.from({ length: SIGNALS_OF_KIND_MAX }, (_, index) => index + 4));
  });

  it('holds the same whatever their order is, repetitions included', () => {
    const anySignals = fc.array(
      fc.record({ id: fc.integer({ min: 0, max: 40 }), kind: fc.constantFrom(...CONTEXT_KINDS) }),
      { maxLength: 120 },
    );
    const stateOf = (signals: readonly { id: number; kind: string }[]) => {
      const book = new SignalBook();
      for (const { id, kind } of signals) book.add(held(id, { kind, validUntil: at(2 + (id % 5)) }));
      return book.toState();
    };
    fc.assert(
      fc.property(anySignals, fc.integer(), (signals, seed) => {
        const [shuffled] = fc.sample(fc.shuffledSubarray(signals, { minLength: signals.length }), { numRuns: 1, seed });
        expect(stateOf([...(shuffled ?? []), ...signals])).toEqual(stateOf(signals));
      }),
      { numRuns: 200 },
    );
  });
});
