import { describe, expect, it } from 'vitest';
import { encodeBody, FINGERPRINTS, sha256Hex } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { EventTypes, Outcome, Trade } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, type DerivedEvent, type DerivedName } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { createPartitionTask, type DerivedRecord } from '../evaluators/partition-task.ts';
import { auditText } from './audit-text.ts';
import { audit, type AuditedLog } from './audit.ts';
import type { Located } from './event-log.ts';

const PARTITION = 2;
const configuration = parseConfiguration({ hitRule: { horizonMs: 20_000 } });
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const trades = [...syntheticTrades({ seed: 7, count: 3_000 })];
const derived = deriveAll();

function deriveAll(): DerivedRecord[] {
  const task = createPartitionTask(PARTITION);
  const fingerprint = FINGERPRINTS.EngineActivated;
  const body = encodeBody('EngineActivated', activation);
  task.advance({ partition: PARTITION, offset: 0, content: { kind: 'activation', activation, fingerprint, body } });
  return trades.flatMap((trade, index) => [
    ...task.advance({
      partition: PARTITION,
      offset: index + 1,
      content: { kind: 'trade', trade, fingerprint: FINGERPRINTS.Trade, body: encodeBody('Trade', trade) },
    }).derived,
  ]);
}

type Change = (
  event: DerivedEvent,
) =>
  | Partial<
      Outcome & EventTypes['ProbabilityDecision'] & EventTypes['StrategyResult'] & EventTypes['IndicatorSnapshot']
    >
  | 'gone';

/** The derived log, in which some events were tampered with, over a tape in which some trades were. */
function logOf({ change = () => ({}), tape = trades }: { change?: Change; tape?: readonly Trade[] } = {}): AuditedLog {
  const located = derived.flatMap(({ topic, event, hash }, offset) => {
    const changed = change(event);
    if (changed === 'gone') return [];
    return [
      {
        topic,
        partition: PARTITION,
        offset,
        hash: hash.toString('hex'),
        event: { ...event, ...changed },
      },
    ];
  });
  const byId = new Map(located.map((entry) => [entry.event.eventId, entry]));
  const byForecast = new Map(
    located.flatMap((entry) =>
      'forecastId' in entry.event ? [[entry.event.forecastId, entry as Located<Outcome>] as const] : [],
    ),
  );
  return {
    find: (id) => Promise.resolve(byId.get(id.text)),
    follow: <Name extends DerivedName>(_name: Name, id: string) =>
      Promise.resolve(byId.get(id) as Located<EventTypes[Name]> | undefined),
    outcomeOf: (forecast) => Promise.resolve(byForecast.get(forecast.eventId)),
    activation: (partition, configHash) =>
      Promise.resolve(
        configHash === activation.configHash
          ? { topic: TAPE_TOPIC, partition, offset: 0, hash: '', event: activation }
          : undefined,
      ),
    async *trades(partition, from, to) {
      for (const [index, event] of tape.entries()) {
        const offset = index + 1;
        await Promise.resolve();
        if (offset >= from && offset <= to)
          yield { topic: TAPE_TOPIC, partition, offset, hash: sha256Hex(String(offset)), event };
      }
    },
  };
}

const options = { listTrades: false, verifyWith: undefined };
const outcome = derived
  .map(({ event }) => event)
  .find(
    (event): event is Outcome => 'forecastId' in event && event.forecastKind === 'DECISION' && event.verdict !== 'VOID',
  )!;
const last = derived
  .map(({ event }) => event)
  .findLast((event) => 'contributions' in event && event.direction !== 'NEUTRAL')!;

/** Names of the checks that failed. */
async function failures(log: AuditedLog, id = outcome.eventId): Promise<string[]> {
  const { checks } = await audit(log, id, options);
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}
const only =
  (match: (event: DerivedEvent) => boolean, changed: ReturnType<Change>): Change =>
  (event) =>
    match(event) ? changed : {};
const isDecision = (event: DerivedEvent) => event.eventId === outcome.forecastId;
const isResult = (event: DerivedEvent) =>
  event.eventId.startsWith('result-') && event.eventId.endsWith('-0') && event.tape.offset === decision.tape.offset;
const isSnapshot = (event: DerivedEvent) =>
  event.eventId.startsWith('snapshot-') && event.tape.offset === decision.tape.offset;
const decision = derived.map(({ event }) => event).find(isDecision)!;

describe('audit', () => {
  it('walks an outcome down to its first and last trade, and passes every check', async () => {
    const report = await audit(logOf(), outcome.eventId, options);
    expect(report.decision?.event.eventId).toBe(outcome.forecastId);
    expect(report.results).toHaveLength(2);
    expect(report.snapshot.event.tape).toEqual(decision.tape);
    expect(report.trades.last.offset).toBe(decision.tape.offset);
    expect(report.trades.count).toBeLessThanOrEqual(report.trades.lastOffset - report.trades.firstOffset + 1);
    expect(report.checks.map(({ passed }) => passed)).not.toContain(false);
    expect(report.checks.length).toBeGreaterThanOrEqual(7);
    const text = auditText(report);
    for (const part of [
      outcome.eventId,
      outcome.forecastId,
      report.snapshot.event.eventId,
      'first trade',
      'last trade',
      'Not checked:',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('says the same of the decision as of its outcome', async () => {
    const { asked, ...report } = await audit(logOf(), outcome.forecastId, options);
    expect(asked).toBe(outcome.forecastId);
    expect(report).toEqual({ ...(await audit(logOf(), outcome.eventId, options)), asked: undefined, ...report });
  });

  it('lists every trade when asked', async () => {
    const report = await audit(logOf(), outcome.forecastId, { ...options, listTrades: true });
    expect(report.trades.all).toHaveLength(report.trades.count);
    expect(auditText(report).match(/^.*trade \d+ {2}/gm)).toHaveLength(report.trades.count);
  });

  it('says that an outcome is pending', async () => {
    const report = await audit(logOf(), last.eventId, options);
    expect(report.pendingUntil).toBe(last.eventTime + 20_000_000);
    expect(auditText(report)).toContain('outcome pending');
    expect(report.checks.every(({ passed }) => passed)).toBe(true);
  });

  it.each([
    ['a forged probability', only(isDecision, { probability: 0.9 }), 'the decision pooled again'],
    ['a turned direction', only(isDecision, { direction: 'NEUTRAL' }), 'the decision pooled again'],
    ['a forged strategy result', only(isResult, { probability: 0.77 }), 'evaluated again'],
    ['a forged confidence', only(isResult, { confidence: 0.99 }), 'evaluated again'],
    ['a forged VWAP', only(isSnapshot, { vwap: 1 }), 'added up anew'],
    ['a forged trade count', only(isSnapshot, { tradeCount: 1 }), 'added up anew'],
    ['a forged last price', only(isSnapshot, { lastPrice: Decimal.of('1') }), 'the last trade is the cause'],
    [
      'a turned verdict',
      only((event) => event.eventId === outcome.eventId, { verdict: outcome.verdict === 'HIT' ? 'MISS' : 'HIT' }),
      'the verdict reached again',
    ],
    [
      'a forged observed price',
      only((event) => event.eventId === outcome.eventId, { observedPrice: Decimal.of('1') }),
      'the verdict reached again',
    ],
    ['a moved decision', only(isDecision, { eventTime: decision.eventTime + 1 }), 'the chain rests on one trade'],
  ] satisfies [string, Change, string][])('notices %s', async (_what, change, check) => {
    expect((await failures(logOf({ change }))).join()).toContain(check);
  });

  it('notices a trade of the tape that was changed', async () => {
    const { offset } = (await audit(logOf(), outcome.eventId, options)).trades.first;
    const tape = trades.with(offset - 1, { ...trades[offset - 1]!, size: Decimal.of('12345') });
    expect((await failures(logOf({ tape }))).join()).toContain('added up anew');
  });

  it('refuses a broken chain, an unknown id and a malformed one, each in a sentence', async () => {
    await expect(audit(logOf({ change: only(isSnapshot, 'gone') }), outcome.eventId, options)).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      message: expect.stringContaining('chain is broken') as string,
    });
    await expect(audit(logOf(), 'decision-2-999999-0', options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(audit(logOf(), 'decision', options)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
