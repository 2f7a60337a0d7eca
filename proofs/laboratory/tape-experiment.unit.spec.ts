import { describe, expect, it } from 'vitest';
import type { Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { DERIVED_TOPICS, TAPE_TOPIC } from '../../contracts/topics.ts';
import { parseConfiguration, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { forge } from '../../tests/support/sample-log.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { EventLog } from '../event-log.ts';
import { DecisionComparison, type DecisionChange } from './decision-comparison.ts';
import { recordedLog, TAPE_ID } from './fixtures/recorded-tape.ts';
import { LogComparison } from './log-comparison.ts';
import { runOverTape, type TapeExperiment } from './tape-experiment.ts';
import { tapeParts } from '../tape-parts.ts';
import { configurationDifferences, explained } from './what-if.ts';

const HIT_RULE = { horizonMs: 20_000, graceMs: 5_000 };
const RECORDED = parseConfiguration({ hitRule: HIT_RULE, anchorIntervalRecords: 500 });
const LATER = parseConfiguration({ hitRule: HIT_RULE, cadenceMs: 2_000 });
const OTHER = parseConfiguration({
  ...{ hitRule: HIT_RULE, cadenceMs: 1_500 },
  strategies: { VWAP_REVERSION: { weight: 3 }, RANGE_BREAKOUT: { enabled: false } },
});
const TRADES = 2_400;
/** Smaller than usual: after so few outcomes all probabilities are near the reference rate. */
const THRESHOLD = 0.0001;
const trades = syntheticTrades({ seed: 11, count: TRADES, instruments: ['BTC-USDT@binance', 'ETH-USDT@binance'] });
/** Trades before the first activation are skipped, and the configuration changes half-way. */
const records = recordedLog({
  trades,
  activations: new Map([
    [7, RECORDED],
    [1_200, LATER],
  ]),
});

function recorded(of = records): MemoryLog {
  const memory = new MemoryLog();
  memory.append(of);
  return memory;
}

async function run(memory: MemoryLog, experiment: Omit<TapeExperiment, 'parts'> = {}) {
  const { access } = memory;
  const parts = await tapeParts(access, [0, 1]);
  const log = new EventLog(access.reader, access.registry);
  return await runOverTape({ ...access, log }, { parts, ...experiment });
}

async function comparedWithLog(memory: MemoryLog) {
  const { access } = memory;
  const withLog = new LogComparison(new EventLog(access.reader, access.registry));
  const { notDerived } = await run(memory, { withLog });
  return { ...withLog.report(), halted: notDerived };
}

async function whatIf(configuration: EngineConfiguration | undefined, memory = recorded()) {
  const changes: DecisionChange[] = [];
  const withDecisions = new DecisionComparison({
    ...{ threshold: THRESHOLD, firstMax: 3 },
    onChange: (change) => changes.push(change),
  });
  const result = await run(memory, { configuration, withDecisions });
  return { result, report: withDecisions.report(), changes };
}

const events = DERIVED_TOPICS.reduce((sum, topic) => sum + recorded().records(topic, 0).length, 0);

describe('the recorded tape with the recorded configurations', () => {
  it('gives the recorded log byte for byte, across activations', async () => {
    const report = await comparedWithLog(recorded());
    expect(report).toEqual({
      ...{ equal: events, differing: 0, missing: 0, extra: 0, notYetRecorded: 0, notDerived: 0, repeated: 0 },
      ...{ first: null, halted: [] },
    });
    expect(events).toBeGreaterThan(TRADES);
  });

  it('scores the same without bytes and hashes', async () => {
    const { count, tapeId, parts, records: read, complete } = await run(recorded());
    const withBytes = await run(recorded(), { withLog: new LogComparison({ sequenced: nothing }) });
    expect(count.board()).toEqual(withBytes.count.board());
    expect({ tapeId, read, complete }).toEqual({ tapeId: TAPE_ID, read: TRADES + 2, complete: true });
    expect(parts).toEqual([{ partition: 0, from: 0, to: TRADES + 2 }]);
  });

  it('names the first event that has other bytes, field by field', async () => {
    const memory = recorded();
    const decisions = memory.records('probability.decisions', 0);
    decisions[5] = forge(decisions[5]!, { probability: 0.987654 });
    const { equal, differing, first } = await comparedWithLog(memory);
    expect({ equal, differing }).toEqual({ equal: events - 1, differing: 1 });
    expect(first).toMatchObject({ kind: 'bytes', topic: 'probability.decisions', sequence: 5, logOffset: 5 });
    expect(first?.fields).toEqual([
      { field: 'probability', recorded: '0.987654', hypothetical: expect.any(String) as string },
    ]);
  });

  it.each([
    ['is missing', (list: unknown[]) => list.splice(3, 1), { missing: 1, kind: 'missing', sequence: 3 }],
    ['is not there yet', (list: unknown[]) => list.pop(), { notYetRecorded: 1 }],
  ])('counts an event that %s', async (_what, change, { kind, sequence, ...tallies }: Record<string, unknown>) => {
    const memory = recorded();
    change(memory.records('decision.outcomes', 0));
    const report = await comparedWithLog(memory);
    expect(report).toMatchObject({ equal: events - 1, differing: 0, extra: 0, ...tallies });
    if (kind === undefined) expect(report.first).toBeNull();
    else expect(report.first).toMatchObject({ kind, sequence, topic: 'decision.outcomes' });
  });

  it('counts events of the log that the tape does not give', async () => {
    const memory = recorded();
    // The tape ends earlier than the log was derived from.
    memory.records(TAPE_TOPIC, 0).splice(900, 1);
    memory.records(TAPE_TOPIC, 0).forEach((record, offset) => Object.assign(record, { offset }));
    const { differing, missing, extra } = await comparedWithLog(memory);
    expect(differing + missing + extra).toBeGreaterThan(0);
  });

  it('counts what the log has once more, and says so, as it does beside a what-if', async () => {
    const memory = recorded();
    const outcomes = memory.records('decision.outcomes', 0);
    outcomes.push({ ...outcomes[4]!, offset: outcomes.length });
    expect(await comparedWithLog(memory)).toMatchObject({ equal: events, repeated: 1, extra: 0, differing: 0 });
    expect((await whatIf(undefined, memory)).report).toMatchObject({ repeated: 1, changed: { gone: 0 } });
    expect((await whatIf(undefined)).report.repeated).toBe(0);
  });

  it('says where it could derive nothing, which is not equality', async () => {
    const memory = recorded();
    const foreign = {
      ...activationOf(RECORDED, { tapeId: TAPE_ID, activationId: 'b', gitCommit: 'unknown' }),
      engineVersion: '999',
    };
    const tape = memory.records(TAPE_TOPIC, 0);
    memory.append([
      {
        topic: TAPE_TOPIC,
        partition: 0,
        key: null,
        type: 'EngineActivated',
        body: activated(foreign).body,
        timestampUs: 0,
      },
    ]);
    tape.splice(1_800, 0, tape.pop()!);
    tape.forEach((record, offset) => Object.assign(record, { offset }));
    const { halted, notDerived, equal, extra } = await comparedWithLog(memory);
    expect(halted).toEqual([{ partition: 0, fromOffset: 1_800, engineVersion: '999' }]);
    expect(notDerived).toBeGreaterThan(0);
    expect(equal + notDerived).toBe(events);
    expect(extra).toBe(0);
  });
});

describe('what if', () => {
  it('finds nothing changed with the recorded configuration', async () => {
    const memory = recorded(recordedLog({ trades, activations: new Map([[7, RECORDED]]) }));
    const { report, changes } = await whatIf(RECORDED, memory);
    const decisions = memory.records('probability.decisions', 0).length;
    expect(report).toMatchObject({ compared: decisions, alike: decisions, ahead: 0 });
    expect(changes).toEqual([]);
    for (const { difference, n, differenceBand } of report.paired) {
      expect(difference).toBe(0);
      expect(n).toBeGreaterThan(0);
      if (differenceBand !== null) expect(differenceBand).toEqual({ low: 0, high: 0 });
    }
    expect(report.paired).toHaveLength(2);
  });

  it('accounts for every decision of both sides, each kind by its definition', async () => {
    const { report, changes, result } = await whatIf(OTHER);
    const decisions = recorded().records('probability.decisions', 0).length;
    const hypothetical = Object.values(result.count.board().decisions).reduce((sum, count) => sum + count, 0);
    const { changed, alike, compared } = report;
    expect(compared - changed.new).toBe(decisions);
    expect(compared - changed.gone).toBe(hypothetical);
    expect(alike + Object.values(changed).reduce((sum, count) => sum + count, 0)).toBe(compared);
    // The recorded cadence is first quicker and then slower.
    expect(changed.gone).toBeGreaterThan(0);
    expect(changed.new).toBeGreaterThan(0);
    expect(Math.min(changed.direction, changed.probability)).toBeGreaterThan(0);
    for (const { kind, recorded: before, hypothetical: after } of changes) {
      if (kind === 'new') expect(before).toBeUndefined();
      else if (kind === 'gone') expect(after).toBeUndefined();
      else expect(after?.eventId).toBe(before?.eventId);
      if (kind === 'direction') expect(after?.direction).not.toBe(before?.direction);
      if (kind !== 'probability') continue;
      expect(after?.direction).toBe(before?.direction);
      expect(Math.abs((after?.probability ?? 0) - (before?.probability ?? 0))).toBeGreaterThan(THRESHOLD);
    }
    const offsets = changes.map((change) => (change.hypothetical ?? change.recorded)?.tape.offset ?? -1);
    expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
  });

  it('scores pairs on the same outcomes, by hand', async () => {
    const { report } = await whatIf(OTHER);
    const [sides, outcomes] = byHand(OTHER);
    let [weight, sum, n] = [0, 0, 0];
    let lastUs: number | null = null;
    for (const outcome of outcomes.recorded) {
      const pair = sides.get(outcome.forecastId);
      const other = outcomes.hypothetical.get(outcome.forecastId);
      if (outcome.instrument !== 'BTC-USDT@binance' || pair === undefined || other === undefined) continue;
      if (outcome.verdict === 'VOID' || other.verdict === 'VOID') continue;
      const share: number =
        lastUs === null ? 1 : Math.min(1, Math.max(0, (outcome.forecastTime - lastUs) / (HIT_RULE.horizonMs * 1_000)));
      lastUs = outcome.forecastTime;
      const loss = (probability: number, verdict: string) => (probability - (verdict === 'HIT' ? 1 : 0)) ** 2;
      sum += share * (loss(pair[1].probability, other.verdict) - loss(pair[0].probability, outcome.verdict));
      weight += share;
      n += 1;
    }
    const [first] = report.paired;
    expect(first).toMatchObject({ instrument: 'BTC-USDT@binance', n });
    expect(n).toBeGreaterThan(50);
    expect(first?.effectiveN).toBeCloseTo(weight, 9);
    expect(first?.difference).toBeCloseTo(sum / weight, 12);
  });

  it('calls another hit rule another question', async () => {
    const { report } = await whatIf(parseConfiguration({ hitRule: { horizonMs: 30_000 } }));
    expect(report.changed.rule).toBeGreaterThan(0);
    expect(report.changed.direction + report.changed.probability).toBe(0);
    expect(report.paired).toEqual([]);
  });

  it('does not call decisions new that the engine has not come to', async () => {
    const memory = recorded();
    for (const topic of DERIVED_TOPICS) memory.records(topic, 0).splice(memory.records(topic, 0).length / 2);
    const { report } = await whatIf(RECORDED, memory);
    expect(report.ahead).toBeGreaterThan(0);
    expect(report.changed.new).toBe(0);
  });

  it('writes nothing', async () => {
    const memory = recorded();
    const before = JSON.stringify(records.length);
    await whatIf(OTHER, memory);
    expect(
      JSON.stringify(DERIVED_TOPICS.reduce((sum, topic) => sum + memory.records(topic, 0).length, TRADES + 2)),
    ).toBe(before);
  });

  it('keeps the largest changes, and explains a change by what differs on the way to it', async () => {
    const { report, changes } = await whatIf(OTHER);
    const magnitudes = changes.flatMap(({ magnitude }) => magnitude ?? []).sort((left, right) => right - left);
    expect(report.largest.map(({ magnitude }) => magnitude)).toEqual(magnitudes.slice(0, 5));
    expect(report.first).toEqual(changes.slice(0, 3));
    const change = changes.find(({ kind }) => kind === 'probability' || kind === 'direction')!;
    const { decision, snapshot, label } = explained(change, change.snapshot);
    expect(label).toBe('HYPOTHETICAL');
    expect(snapshot).toEqual([]);
    expect(decision).toContainEqual({
      ...{ field: 'contributions.VWAP_REVERSION.weight', recorded: '1', hypothetical: '3' },
    });
    expect(decision.map(({ field }) => field)).not.toContain('configHash');
    expect(configurationDifferences(JSON.stringify(RECORDED), OTHER)).toContainEqual({
      ...{ field: 'strategies.VWAP_REVERSION.weight', recorded: '1', hypothetical: '3' },
    });
  });

  it('ends at a signal, and says how far it came', async () => {
    const controller = new AbortController();
    const onProgress = (read: number) => {
      if (read > 100) controller.abort();
    };
    const result = await run(recorded(), { configuration: OTHER, signal: controller.signal, onProgress });
    expect(result.complete).toBe(false);
    expect(result.parts[0]?.to).toBeLessThan(200);
    expect(result.records).toBe(result.parts[0]?.to);
  });
});

async function* nothing() {
  yield* await Promise.resolve([]);
}

/** Decisions that both sides made with a direction, and all outcomes of decisions, from the engine's step itself. */
function byHand(configuration: EngineConfiguration) {
  const [before, after] = [steppedBy(RECORDED, LATER), steppedBy(configuration)];
  const sides = new Map<string, readonly [ProbabilityDecision, ProbabilityDecision]>();
  for (const [id, decision] of before.decisions) {
    const other = after.decisions.get(id);
    if (other === undefined || decision.direction === 'NEUTRAL' || other.direction === 'NEUTRAL') continue;
    sides.set(id, [decision, other]);
  }
  return [sides, { recorded: [...before.outcomes.values()], hypothetical: after.outcomes }] as const;
}

function steppedBy(first: EngineConfiguration, second?: EngineConfiguration) {
  const task = createPartitionTask(0);
  const decisions = new Map<string, ProbabilityDecision>();
  const outcomes = new Map<string, Outcome>();
  const step = (offset: number, content: TapeContent) => {
    for (const { event, type } of task.advance({ partition: 0, offset, content }).derived) {
      if (type === 'ProbabilityDecision') decisions.set(event.eventId, event as ProbabilityDecision);
      const outcome = event as Outcome;
      if (type === 'Outcome' && outcome.forecastKind === 'DECISION') outcomes.set(outcome.forecastId, outcome);
    }
  };
  const activate = (offset: number, configuration: EngineConfiguration) => {
    const identity = { tapeId: TAPE_ID, activationId: `hand-${offset}`, gitCommit: 'unknown' };
    step(offset, activated(activationOf(configuration, identity)));
  };
  trades.forEach((trade, index) => {
    if (index === 7) activate(7, first);
    if (index === 1_200 && second !== undefined) activate(1_201, second);
    step(index + (index >= 7 ? 1 : 0) + (index >= 1_200 ? 1 : 0), traded(trade));
  });
  return { decisions, outcomes };
}
