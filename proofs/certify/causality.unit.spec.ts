import { describe, expect, it } from 'vitest';
import type { TapeContent } from '../../contracts/tape-content.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';
import type { Outcome } from '../../contracts/generated/events.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded, watermarked, watermarkOf } from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { Causality } from './causality.ts';

const PARTITION = 0;
const configuration = parseConfiguration({
  hitRules: [
    { horizonMs: 20_000, graceMs: 5_000 },
    { kind: 'FIRST_TOUCH', horizonMs: 60_000, minMoveBps: 1, graceMs: 5_000 },
  ],
});
const trades = syntheticTrades({ seed: 9, count: 1_500 });
const endUs = Math.max(...trades.map(({ eventTime }) => eventTime));
const contents: readonly TapeContent[] = [
  activated(activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' })),
  ...trades.map((trade) => traded(trade)),
  watermarked(watermarkOf(['BTC-USDT@binance'], endUs + 3_600_000_000)),
];
const advances = run(createPartitionTask(PARTITION), contents);

/** The first violation when events are changed. */
function violation(change: (event: DerivedEvent) => object = () => ({}), from = 0): string | undefined {
  const causality = new Causality(PARTITION, from);
  for (const [offset, { derived }] of advances.entries()) {
    if (offset < from) continue;
    causality.record(offset, contents[offset]!);
    for (const { event } of derived) {
      const found = causality.violation({ ...event, ...change(event) });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

const isOutcome = (event: DerivedEvent): event is Outcome => 'forecastId' in event;
const verdicts = advances.flatMap(({ derived }) => derived.flatMap(({ event }) => (isOutcome(event) ? [event] : [])));

describe('Causality', () => {
  it('finds nothing in what the engine derives, by both rules, with hits and voids', () => {
    expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['HIT', 'MISS', 'VOID']));
    expect(new Set(verdicts.map(({ hitRuleKind }) => hitRuleKind))).toEqual(new Set(['MOVE', 'FIRST_TOUCH']));
    expect(violation()).toBeUndefined();
  });

  it('passes a range from the middle, and counts the causes before it', () => {
    const causality = new Causality(PARTITION, 700);
    for (const [offset, { derived }] of advances.entries()) {
      if (offset < 700) continue;
      causality.record(offset, contents[offset]!);
      for (const { event } of derived) expect(causality.violation(event)).toBeUndefined();
    }
    expect(causality.beforeRange).toBeGreaterThan(0);
  });

  const late = 900;
  it.each<[string, (event: DerivedEvent) => object, string]>([
    [
      'a cause that lies after the event',
      (event) => (event.tape.offset > late ? { causes: [`trade-${PARTITION}-${event.tape.offset + 1}-0`] } : {}),
      'lies after it on the tape',
    ],
    [
      'a cause of another partition',
      (event) => (event.tape.offset > late ? { causes: [`trade-5-${event.tape.offset}-0`] } : {}),
      'in another partition',
    ],
    [
      'a cause that is another kind of record',
      (event) => (event.tape.offset > late ? { causes: [`watermark-${PARTITION}-${event.tape.offset}-0`] } : {}),
      'the tape has no such record',
    ],
    ['a cause that never was', (event) => ({ causes: [event.eventId] }), 'was not there before it'],
    ['an id of another place', (event) => ({ eventId: `decision-5-${event.tape.offset}-0` }), 'names another place'],
    ['a cause in other words', () => ({ causes: ['yesterday'] }), 'is not a record'],
    ['no cause', () => ({ causes: [] }), 'names no cause'],
    ['a place that is not its own', ({ tape }) => ({ tape: { ...tape, offset: tape.offset - 1 } }), 'was derived at'],
    ['another time than its cause’s', (event) => ('lastOffset' in event ? { eventTime: 1 } : {}), 'its time is not'],
    [
      'figures of later trades',
      (event) => ('lastOffset' in event ? { lastOffset: event.lastOffset + 1 } : {}),
      'its figures cover the tape',
    ],
    [
      'a calibration from a later outcome',
      (event) =>
        'calibration' in event && event.calibration !== null
          ? { calibration: { ...event.calibration, lastOutcomeOffset: event.tape.offset + 1 } }
          : {},
      'its calibration rests on an outcome',
    ],
    [
      'an outcome before its forecast is due',
      (event) =>
        isOutcome(event) && event.verdict !== 'VOID' && event.hitRuleKind === 'MOVE'
          ? { observedTime: event.dueTime - 1 }
          : {},
      'before that is due',
    ],
    [
      'another due time than the forecast’s',
      (event) => (isOutcome(event) ? { dueTime: event.dueTime - 1 } : {}),
      'its due time is not',
    ],
  ])('names %s', (_what, change, expected) => {
    expect(violation(change)).toContain(expected);
  });

  it('names an outcome of a forecast that was resolved before', () => {
    const first = verdicts[0]!;
    const change = (event: DerivedEvent) =>
      isOutcome(event) && event.eventId !== first.eventId
        ? { forecastId: first.forecastId, causes: [first.forecastId, ...event.causes.slice(1)] }
        : {};
    expect(violation(change)).toContain('was not there before it');
  });
});
