import { describe, expect, it } from 'vitest';
import type { Outcome } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { onlyStrategies } from '../evaluators/fixtures/only-strategies.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded, watermarked, watermarkOf } from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { audit } from './audit.ts';
import { recordedLog, type Change } from './fixtures/recorded-log.ts';

const QUIET_US = 1_800_000_000;
const configuration = parseConfiguration({
  hitRules: [{ kind: 'FIRST_TOUCH', horizonMs: 60_000, minMoveBps: 0.5, graceMs: 10_000 }],
  strategies: onlyStrategies({ VWAP_REVERSION: {}, RANGE_BREAKOUT: {} }),
});
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
/** In the middle the market is quiet for half an hour. */
const trades = syntheticTrades({ seed: 11, count: 1_500, meanGapSeconds: 3 }).map((trade, index) => {
  const laterUs = index < 750 ? 0 : QUIET_US;
  return { ...trade, eventTime: trade.eventTime + laterUs, receivedAt: trade.receivedAt + laterUs };
});
const endUs = Math.max(...trades.map(({ eventTime }) => eventTime));
const tape = [
  activated(activation),
  ...trades.map((trade) => traded(trade)),
  watermarked(watermarkOf([trades[0]!.instrument], endUs + QUIET_US)),
];
const derived = eventsOf(run(createPartitionTask(2), tape));
const outcomes = derived.map(({ event }) => event).filter((event): event is Outcome => 'forecastId' in event);
const byTouch = (outcome: Outcome) => outcome.observedTime !== null && outcome.observedTime < outcome.dueTime;
const byHorizon = (outcome: Outcome) => outcome.observedTime !== null && outcome.observedTime >= outcome.dueTime;
const options = { listTrades: false, verifyWith: undefined };

async function failures(eventId: string, change?: Change): Promise<string[]> {
  const log = recordedLog({ derived, activation, tape, ...(change === undefined ? {} : { change }) });
  const { checks } = await audit(log, eventId, options);
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}

describe('an audit when the first of two barriers decides', () => {
  it('reaches each kind of outcome again: by a barrier, by the horizon, and VOID', async () => {
    const kinds = [
      outcomes.filter((outcome) => byTouch(outcome) && outcome.verdict === 'HIT'),
      outcomes.filter((outcome) => byTouch(outcome) && outcome.verdict === 'MISS'),
      outcomes.filter(byHorizon),
      outcomes.filter(({ verdict }) => verdict === 'VOID'),
    ];
    for (const some of kinds) {
      expect(some.length).toBeGreaterThan(0);
      for (const { eventId } of some.slice(0, 25)) expect(await failures(eventId)).toEqual([]);
    }
  });

  it('detects an outcome that was decided earlier than it claims', async () => {
    const early = outcomes.find(byTouch)!;
    const later = outcomes.find((outcome) => byHorizon(outcome) && outcome.tape.offset > early.tape.offset)!;
    const { tape: place, causes, observedTime, observedPrice, resolvingTradeId, moveBps, movePoints } = later;
    const moved: Change = (event) =>
      event.eventId === early.eventId
        ? {
            tape: place,
            causes: [early.causes[0]!, causes[1]!],
            observedTime,
            observedPrice,
            resolvingTradeId,
            moveBps,
            movePoints,
          }
        : {};
    expect(await failures(early.eventId, moved)).toContain('the verdict reached again');
  });

  it('detects a VOID although a barrier was touched', async () => {
    const touched = outcomes.find(byTouch)!;
    const voided: Change = (event) =>
      event.eventId === touched.eventId
        ? { ...{ verdict: 'VOID', observedPrice: null, observedTime: null }, resolvingTradeId: null }
        : {};
    expect(await failures(touched.eventId, voided)).toContain('the verdict reached again');
  });
});
