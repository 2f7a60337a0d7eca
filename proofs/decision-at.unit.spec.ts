import { describe, expect, it } from 'vitest';
import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { parseNewConfiguration } from '../evaluators/new-configuration.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../evaluators/fixtures/tape-contents.ts';
import { decisionAt, type DecisionAt } from './decision-at.ts';
import { lastDecisions } from './decision-search.ts';
import { derivedLog } from '../tests/support/derived-log.ts';

const PARTITION = 1;
const INSTRUMENT = 'BTC-USDT@binance';
const LATER = 'ETH-USDT@binance';
const DELAY_US = 400_000;
const YEAR_US = 31_536_000_000_000;
const configuration = parseConfiguration({
  hitRules: [{ horizonMs: 20_000 }, { horizonMs: 600_000 }, { horizonMs: 60_000 }],
});
const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
const own = syntheticTrades({ seed: 7, count: 900 }).filter(({ instrument }) => instrument === INSTRUMENT);
/** Another one whose market is the same, and whose trades alternate with these. */
const twin = 'SOL-USDT@binance';
const alternating = own.flatMap((trade) => [trade, { ...trade, instrument: twin }]);
/** Another instrument whose whole market is a year later comes first on the tape. */
const others = own.map((trade) => ({
  ...trade,
  instrument: LATER,
  eventTime: trade.eventTime + YEAR_US,
  receivedAt: trade.eventTime + YEAR_US,
}));
const contents = [
  activated(activationOf(configuration, identity)),
  ...[...others, ...alternating].map((trade) => traded(trade)),
];
const { memory, log } = derivedLog(PARTITION, contents, (timeUs) => isoTimeOf(timeUs + DELAY_US));

const decisions: ProbabilityDecision[] = [];
for await (const { event } of log.range(
  'ProbabilityDecision',
  PARTITION,
  0,
  (await log.boundsOfDecisions(PARTITION))[1],
)) {
  if (event.instrument === INSTRUMENT) decisions.push(event);
}
const times = [...new Set(decisions.map(({ eventTime }) => eventTime))];

function at(timeUs: number, asked: { maxAgeMs?: number; nowUs?: number; instrument?: string } = {}) {
  const { maxAgeMs, nowUs = Number.MAX_SAFE_INTEGER, instrument = INSTRUMENT } = asked;
  return decisionAt(log, { instrument, partition: PARTITION, timeUs, maxAgeMs, nowUs });
}

async function answered(...asked: Parameters<typeof at>): Promise<DecisionAt> {
  return (await at(...asked)) ?? expect.fail('there is no decision');
}

describe('the decision at a time', () => {
  it('is the last one at or before it, wherever it is in the log, found by few reads', async () => {
    expect(times.length).toBeGreaterThan(20);
    for (const timeUs of times.filter((_, index) => index % 40 === 0)) {
      memory.ranges.length = 0;
      const { last, next } = await lastDecisions(log, PARTITION, INSTRUMENT, ({ event }) => event.eventTime <= timeUs);
      expect(new Set(last.map(({ event }) => event.eventTime))).toEqual(new Set([timeUs]));
      expect(last).toHaveLength(3);
      expect(next).toBeGreaterThan(last.at(-1)!.offset);
      expect(memory.ranges.length).toBeLessThan(40);
      const between = await answered(timeUs + 1);
      expect(between.decision?.eventTime).toBe(isoTimeOf(timeUs));
    }
  });

  it('is not lost where a restarted engine repeated earlier ones', async () => {
    const records = memory.records('probability.decisions', PARTITION);
    const repeated = records.slice(-12, -6).map((record, index) => ({ ...record, offset: records.length + index }));
    records.push(...repeated);
    const timeUs = times.at(-1)!;
    const found = await answered(timeUs);
    records.splice(-repeated.length);
    expect(decisions.slice(-3).map(({ eventId }) => eventId)).toContain(found.decision?.eventId);
  });

  it('is the one of the hit rule that is still in force', async () => {
    const { tape, eventTime } = decisions.at(-1)!;
    const ofSnapshot = decisions.filter((decision) => decision.tape.offset === tape.offset);
    const inForce = async (ms: number) => (await answered(eventTime + ms * 1_000)).decision?.inForceMs;
    expect(await inForce(1_000)).toBe(60_000);
    expect(await inForce(60_000)).toBe(60_000);
    expect(await inForce(60_001)).toBe(600_000);
    const found = await answered(eventTime + 600_000_000);
    expect(found).toMatchObject({ isInForce: true, decision: { ageMs: 600_000 } });
    expect([...found.alsoThen, found.decision?.eventId].sort()).toEqual(
      ofSnapshot.map(({ eventId }) => eventId).sort(),
    );
  });

  it('is none that is older than its horizon, or than requested', async () => {
    const { eventTime } = decisions.at(-1)!;
    const stale = await answered(eventTime + 600_001_000);
    expect(stale).toMatchObject({ isInForce: false, isPublishedBy: null });
    expect(stale.sentences.join()).toMatch(
      /10 min earlier, which is 0\.001 s older than its horizon of 10 min: no decision was in force/,
    );
    const bounded = await answered(eventTime + 2_000_000, { maxAgeMs: 1_500 });
    expect(bounded.isInForce).toBe(false);
    expect(bounded.sentences.join()).toContain('0.5 s older than the 1.5 s of --max-age');
  });

  it('is none before the first, in the future, or of an instrument without any', async () => {
    const before = await answered(times[0]! - 1);
    expect(before).toMatchObject({ isInForce: false, decision: null });
    expect(before.sentences.join()).toContain(`its first is ${decisions[0]?.eventId ?? ''}`);
    const future = await answered(times.at(-1)! + 10, { nowUs: times.at(-1)! + 5 });
    expect(future.isInForce).toBe(false);
    expect(future.sentences.join()).toContain('is in the future');
    // A market may be ahead of the asker's clock.
    expect((await answered(times[5]!, { nowUs: 0 })).isInForce).toBe(true);
    expect(await at(times[0]!, { instrument: 'XRP-USDT@binance' })).toBeUndefined();
  });

  it('says whether it had been published by then, and which one had', async () => {
    const [former, timeUs] = [times[10]!, times[11]!];
    const published = await answered(timeUs + DELAY_US);
    expect(published).toMatchObject({ isPublishedBy: true, publishedThen: null });
    const early = await answered(timeUs);
    expect(early).toMatchObject({
      ...{ isInForce: true, isPublishedBy: false },
      decision: { eventTime: isoTimeOf(timeUs) },
      publishedThen: { eventTime: isoTimeOf(former) },
    });
    const first = await answered(times[0]!);
    expect(first).toMatchObject({ isPublishedBy: false, publishedThen: null });
    expect(first.sentences.join(' ')).toContain('No decision for BTC-USDT@binance had been published by then');
  });

  it('does not claim publication where the log does not say when', async () => {
    const silent = derivedLog(PARTITION, contents.slice(0, 1 + others.length), () => undefined);
    const timeUs = others.at(-1)!.eventTime;
    const asked = { instrument: LATER, partition: PARTITION, timeUs, maxAgeMs: undefined, nowUs: timeUs };
    expect(await decisionAt(silent.log, asked)).toMatchObject({ isInForce: true, isPublishedBy: null });
  });

  it('is none while the market is closed, which is said', async () => {
    const hours = parseNewConfiguration({ session: { timeZone: 'Etc/UTC', open: '22:00', close: '24:00' } });
    const tape = [activated(activationOf(hours, identity)), ...own.map((trade) => traded(trade))];
    const closed = derivedLog(PARTITION, tape, () => undefined);
    const timeUs = Date.parse('2025-03-26T12:00:00Z') * 1_000;
    const asked = { instrument: INSTRUMENT, partition: PARTITION, timeUs, maxAgeMs: undefined, nowUs: timeUs };
    const found = await decisionAt(closed.log, asked);
    expect(found?.sentences.join()).toContain(
      'no decision was in force (BTC-USDT@binance is outside its trading hours then)',
    );
  });
});
