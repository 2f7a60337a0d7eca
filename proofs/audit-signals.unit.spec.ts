import { describe, expect, it } from 'vitest';
import type { ContextSignal, ProbabilityDecision } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { onlyStrategies } from '../evaluators/fixtures/only-strategies.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, eventsOf, ofType, run, signalAt, signalled, traded } from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { audit } from './audit.ts';
import { auditText } from './audit-text.ts';
import { Causality } from './certify/causality.ts';
import { recordedLog, type Change } from './fixtures/recorded-log.ts';

const PARTITION = 2;
const SIGNAL_AT = 100;
const configuration = parseConfiguration({
  hitRule: { horizonMs: 20_000 },
  strategies: onlyStrategies({ VWAP_REVERSION: {}, NEWS_SENTIMENT: {} }),
});
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const trades = syntheticTrades({ seed: 7, count: 400 });
const textHash = 'ab'.repeat(32);
const link = 'https://news.example/1';
const signal = signalAt(trades[SIGNAL_AT]!.eventTime, { textHash, link, causes: ['snapshot-2-50-0'] });
const tape: readonly TapeContent[] = [
  activated(activation),
  ...trades.slice(0, SIGNAL_AT).map((trade) => traded(trade)),
  signalled(signal),
  ...trades.slice(SIGNAL_AT).map((trade) => traded(trade)),
];
const signalOffset = SIGNAL_AT + 1;
const advances = run(createPartitionTask(PARTITION), tape);
const derived = eventsOf(advances);
const decision = ofType<ProbabilityDecision>(derived, 'ProbabilityDecision').findLast(
  ({ contributions }) => contributions.find(({ strategy }) => strategy === 'NEWS_SENTIMENT')?.direction === 'LONG',
)!;

const tampered = (changes: Partial<ContextSignal>): readonly TapeContent[] =>
  tape.with(signalOffset, signalled({ ...signal, ...changes }));
const auditOf = (on: readonly TapeContent[] = tape, change?: Change) =>
  audit(recordedLog({ derived, activation, tape: on, ...(change === undefined ? {} : { change }) }), decision.eventId, {
    listTrades: false,
    verifyWith: undefined,
  });

describe('an audit of a decision that used a signal', () => {
  it('walks down to the signal, and shows its source, link and text', async () => {
    const report = await auditOf();
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toContain('the signals were in force');
    expect(report.signals.map(({ offset, event }) => [offset, event])).toEqual([[signalOffset, signal]]);
    const text = auditText(report);
    for (const part of ['NEWS_SENTIMENT  0.8 with', textHash, link, 'news:test', 'snapshot-2-50-0']) {
      expect(text).toContain(part);
    }
  });

  it('says nothing of signals where none was used', async () => {
    const before = ofType<ProbabilityDecision>(derived, 'ProbabilityDecision')[0]!;
    const log = recordedLog({ derived, activation, tape });
    const report = await audit(log, before.eventId, { listTrades: false, verifyWith: undefined });
    expect(report.signals).toEqual([]);
    expect(report.checks.map(({ name }) => name)).not.toContain('the signals were in force');
  });

  it.each<[string, Partial<ContextSignal>, string]>([
    ['another value', { value: -0.8 }, 'NEWS_SENTIMENT evaluated again'],
    ['another confidence', { confidence: 0.1 }, 'NEWS_SENTIMENT evaluated again'],
    ['another instrument', { instrument: 'ETH-USDT@binance' }, 'the signals were in force'],
    ['an earlier end', { validUntil: signal.validFrom + 1 }, 'the signals were in force'],
    ['a value that is not allowed', { value: 2 }, 'the signals were in force'],
  ])('fails when the signal has %s', async (_name, changes, check) => {
    const { checks } = await auditOf(tampered(changes));
    expect(checks.filter(({ passed }) => !passed).map(({ name }) => name)).toContain(check);
  });

  it.each([
    ['a signal that is not there', `signal-${PARTITION}-${signalOffset + 1}-0`],
    ['one of another partition', `signal-${PARTITION + 1}-${signalOffset}-0`],
    ['something else', 'yesterday'],
  ])('finds a broken chain when the result names %s', async (_name, cause) => {
    const change: Change = (event) =>
      'strategy' in event && event.causes.length === 2 ? { causes: [event.causes[0]!, cause] } : {};
    await expect(auditOf(tape, change)).rejects.toMatchObject({ code: 'CHECK_FAILED' });
  });
});

describe('causality', () => {
  function violation(causeOf: (cause: string) => string, on = tape): string | undefined {
    const causality = new Causality(PARTITION, 0);
    for (const [offset, results] of advances.entries()) {
      causality.record(offset, on[offset]!);
      for (const { event } of results.derived) {
        const found = causality.violation({ ...event, causes: event.causes.map(causeOf) });
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
  const named = (offset: number) => (cause: string) =>
    cause.startsWith('signal-') ? `signal-${PARTITION}-${offset}-0` : cause;

  it('finds nothing where results rest on signals before them', () => {
    expect(violation((cause) => cause)).toBeUndefined();
  });

  it.each([
    ['a trade that is called a signal', named(SIGNAL_AT), tape, 'no such record'],
    ['a signal that comes later', named(tape.length), tape, 'lies after it'],
    [
      'a signal that is not in force yet',
      named(signalOffset),
      tampered({ validFrom: signal.validUntil - 1 }),
      'not in force',
    ],
  ])('finds %s', (_name, causeOf, on, words) => {
    expect(violation(causeOf, on)).toContain(words);
  });
});
