import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbabilityDecision, StrategyResult } from '../../contracts/generated/events.ts';
import { parseConfiguration } from '../configuration.ts';
import { activationOf } from '../derive.ts';
import { syntheticTrades } from '../fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded } from '../fixtures/tape-contents.ts';
import type { DerivedRecord } from '../advance.ts';
import { createPartitionTask } from '../partition-task.ts';

const configuration = parseConfiguration({
  hitRules: [
    { horizonMs: 20_000, graceMs: 5_000 },
    { kind: 'FIRST_TOUCH', horizonMs: 60_000, minMoveBps: 1, graceMs: 5_000 },
  ],
  range: { barMs: 5_000, bars: 4 },
  confidence: { halfSampleTrades: 10 },
});
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });

type Forecast = StrategyResult | ProbabilityDecision;

function isForecast(event: object): event is Forecast {
  return 'calibration' in event;
}

/** Forecasts whose calibration names an outcome that was not yet on the tape. */
function lookingAhead(records: readonly DerivedRecord[]): string[] {
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  for (const { event } of records) {
    if ('forecastId' in event) {
      const { instrument, strategy, hitRuleKind, tape } = event;
      outcomes.set(`${instrument} ${strategy} ${hitRuleKind}`, tape.offset);
    }
    if (!isForecast(event) || event.calibration === null) continue;
    const { instrument, hitRule, eventId, calibration } = event;
    const strategy = 'strategy' in event ? event.strategy : null;
    const last = outcomes.get(`${instrument} ${strategy} ${hitRule.kind}`) ?? null;
    if (calibration.lastOutcomeOffset !== last) wrong.push(eventId);
  }
  return wrong;
}

function derivedOf(seed: number, count: number): { records: DerivedRecord[]; perRecord: DerivedRecord[][] } {
  const trades = syntheticTrades({ seed, count, instruments: ['BTC-USDT@binance'], meanGapSeconds: 1 });
  const advances = run(createPartitionTask(3), [activated(activation), ...trades.map((trade) => traded(trade))]);
  return { records: eventsOf(advances), perRecord: advances.map(({ derived }) => [...derived]) };
}

describe('calibration', () => {
  it('uses all outcomes that are on the tape, and no others', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { records } = derivedOf(seed, 400);
        const learned = records.filter(({ event }) => isForecast(event) && (event.calibration?.effectiveN ?? 0) > 0);
        expect(learned.length).toBeGreaterThan(20);
        expect(lookingAhead(records)).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  it('detects a forecast that knows a future outcome', () => {
    const { records } = derivedOf(5, 400);
    const first = records.findIndex(({ event }) => 'forecastId' in event && event.strategy === null);
    const outcome = records[first]!;
    const decision = records.slice(0, first).findLastIndex(({ event }) => 'contributions' in event);
    // The outcome is known one decision earlier than on the tape.
    const leaking = records.map((record, index) => {
      const { event } = record;
      if (index !== decision || !isForecast(event)) return record;
      const calibration = { ...event.calibration!, lastOutcomeOffset: outcome.event.tape.offset };
      return { ...record, event: { ...event, calibration } };
    });
    expect(lookingAhead(leaking)).toEqual([records[decision]!.event.eventId]);
  });

  it('is not changed by later records of the tape', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 50, max: 399 }), (seed, cut) => {
        const whole = derivedOf(seed, 400).perRecord;
        const short = derivedOf(seed, cut).perRecord;
        const bytes = (lists: DerivedRecord[][]) => lists.map((list) => list.map(({ body }) => body.toString('hex')));
        expect(bytes(whole.slice(0, short.length))).toEqual(bytes(short));
      }),
      { numRuns: 10 },
    );
  });
});
