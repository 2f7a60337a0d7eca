import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, frame, hashBody, RECORD_NAMES, sha256Hex } from '../../contracts/codec.ts';
import { StatePage } from '../../contracts/state-page.ts';
import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { DERIVED_TOPICS, type TopicName } from '../../contracts/topics.ts';
import type { Advance } from '../../evaluators/advance.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, eventsOf, run, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { recordOfEvent } from '../../evaluators/outgoing-records.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { recordHashOf, type AnchorRecord } from '../../evaluators/anchor.ts';
import { createPartitionTask, restorePartitionTask } from '../../evaluators/partition-task.ts';
import { STRATEGIES } from '../../evaluators/strategies/catalogue.ts';
import { defineStrategy, neutral } from '../../evaluators/strategies/strategy.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { tapeRecordOf } from '../../tests/support/seeded-tape.ts';
import { certifyPartition, type PartitionOptions, type PartitionResult } from './partition.ts';
import { repairOf } from './repair.ts';
import { z } from 'zod';

const PARTITION = 3;
const INTERVAL = 500;
const configuration = parseConfiguration({ anchorIntervalRecords: INTERVAL, hitRule: { horizonMs: 20_000 } });
const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
type Readable = Exclude<TapeContent, { readonly kind: 'unusable' }>;
const contents: readonly Readable[] = [
  activated(activationOf(configuration, identity)),
  ...syntheticTrades({ seed: 7, count: 2_000 }).map((trade) => traded(trade)),
];
const advances = run(createPartitionTask(PARTITION), contents);

/** The tape and what the engine writes from it. */
function logOf(tape: readonly Readable[] = contents, derived: readonly Advance[] = advances): MemoryLog {
  const log = new MemoryLog();
  log.append(tape.map((content) => tapeRecordOf({ partition: PARTITION, content })));
  for (const advance of derived) {
    log.append(advance.derived.map((record) => recordOfEvent(PARTITION, record)));
    if (advance.anchor !== undefined) log.appendAnchor(advance.anchor);
  }
  return log;
}

const certified = (log: MemoryLog, options: PartitionOptions = {}): Promise<PartitionResult> =>
  certifyPartition(log.access, PARTITION, options);

/** Puts a record in at a place, and numbers the ones after it again. */
function insert(log: MemoryLog, topic: TopicName, at: number, record: Pick<LogRecord, 'value'>): void {
  const records = log.records(topic, PARTITION);
  records.splice(at, 0, { ...records[0]!, value: record.value });
  renumber(records);
}

function renumber(records: LogRecord[]): void {
  records.forEach((record, offset) => (records[offset] = { ...record, offset }));
}

/** A decision with other fields, framed. */
function forged(record: LogRecord, change: Partial<ProbabilityDecision>): Buffer {
  const decision = decodeBody('ProbabilityDecision', record.value!.subarray(5));
  const body = encodeBody('ProbabilityDecision', { ...decision, ...change });
  return frame(RECORD_NAMES.indexOf('ProbabilityDecision') + 1, body);
}

const DECISIONS = 'probability.decisions';

describe('certifyPartition', () => {
  it('finds the whole log equal, and counts it', async () => {
    const { ranges, difference, notDerived } = await certified(logOf());
    expect(difference).toBeUndefined();
    expect(notDerived).toEqual([]);
    const [range] = ranges;
    expect(range!.tape).toMatchObject({ from: 0, to: contents.length, records: contents.length });
    for (const { topic, events, tree, log, digest } of range!.outputs) {
      const wanted = eventsOf(advances).filter((record) => record.topic === topic);
      const own = new MerkleTree();
      for (const { hash } of wanted) own.append(hash);
      expect(events).toBe(wanted.length);
      expect(events).toBeGreaterThan(10);
      expect(log).toEqual({ from: 0, to: wanted.length });
      expect(tree).toEqual({ size: wanted.length, root: own.root() });
      expect(digest).toBe(sha256Hex(Buffer.concat(wanted.map(({ hash }) => hash))));
    }
    expect(range!.anchors).toBe(advances.filter(({ anchor }) => anchor !== undefined).length);
    expect(range!.activations).toHaveLength(1);
  });

  it('sets repetitions with the same bytes aside, and counts them', async () => {
    const log = logOf();
    const decisions = log.records(DECISIONS, PARTITION);
    insert(log, DECISIONS, 20, decisions[15]!);
    insert(log, DECISIONS, decisions.length, decisions[3]!);
    const { ranges, difference } = await certified(log);
    expect(difference).toBeUndefined();
    expect(ranges[0]!.outputs.find(({ topic }) => topic === DECISIONS)!.duplicates).toBe(2);
  });

  it('passes two ranges that meet at an anchor, the second without a tree', async () => {
    const log = logOf();
    const first = await certified(log, { to: 1_000 });
    const second = await certified(log, { from: 1_000 });
    expect([first.difference, second.difference]).toEqual([undefined, undefined]);
    const [one, two] = [first.ranges[0]!, second.ranges[0]!];
    expect(two.start).toMatchObject({ kind: 'ANCHOR', offset: 1_000, stateHash: one.end.stateHash, derivedBy: null });
    for (const [index, { sequences, log: at }] of two.outputs.entries()) {
      expect(sequences.from).toBe(one.outputs[index]!.sequences.to);
      expect(at.from).toBe(one.outputs[index]!.log.to);
    }
    expect(two.outputs[0]!.tree).toBeNull();
    const whole = await certified(log);
    const events = [...one.outputs, ...two.outputs].reduce((sum, output) => sum + output.events, 0);
    expect(whole.ranges[0]!.outputs.reduce((sum, output) => sum + output.events, 0)).toBe(events);
  });

  it('says that an earlier certificate derived the start only when it ends in that state', async () => {
    const log = logOf();
    const { end } = (await certified(log, { to: 'anchor' })).ranges[0]!;
    const after = {
      offset: 2_000,
      tapeId: 'tape',
      statement: 'f00d',
      stateHash: end.stateHash!,
      anchorHash: end.anchorHash!,
    };
    const derivedBy = async (changed: object) =>
      (await certified(log, { after: { ...after, ...changed } })).ranges[0]!.start;
    expect(await derivedBy({})).toMatchObject({ derivedBy: 'f00d' });
    expect(await derivedBy({ stateHash: '00' })).toMatchObject({ derivedBy: null });
    await expect(certified(log, { after: { ...after, tapeId: 'other' } })).rejects.toThrow('of the tape other');
  });

  it('ends at the last anchor before what the engine has not written yet', async () => {
    const log = logOf(contents, advances.slice(0, 1_700));
    const { ranges, difference, notWrittenFrom } = await certified(log);
    expect(difference).toBeUndefined();
    expect(notWrittenFrom).toBeGreaterThanOrEqual(1_700);
    expect(ranges[0]!.tape.to).toBe(1_500);
    expect(ranges[0]!.end.stateHash).not.toBeNull();
    // A named end must be reached.
    expect((await certified(log, { to: 1_900 })).difference).toMatchObject({ kind: 'MISSING', logOffset: undefined });
  });

  it('finds what somebody else wrote where the engine has ended and the tape goes on', async () => {
    const log = logOf(contents, advances.slice(0, 1_700));
    const decisions = log.records(DECISIONS, PARTITION);
    insert(log, DECISIONS, decisions.length, { value: forged(decisions[3]!, { probability: 0.987 }) });
    const { difference } = await certified(log);
    expect(difference).toMatchObject({ kind: 'CHANGED_DUPLICATE', logOffset: decisions.length - 1, sequence: 3 });
  });

  it('leaves after the batch in which it is interrupted', async () => {
    const stop = new AbortController();
    const onRecords = (): void => {
      stop.abort();
    };
    const { ranges, difference, isInterrupted } = await certified(logOf(), { signal: stop.signal, onRecords });
    expect(isInterrupted).toBe(true);
    expect(difference).toBeUndefined();
    expect(ranges[0]!.tape.records).toBeLessThan(10);
  });

  it('refuses a start that is not an anchor', async () => {
    await expect(certified(logOf(), { from: 1_001 })).rejects.toThrow('the nearest before it is at 1000');
  });
});

describe('the first difference', () => {
  const tampered: readonly [string, (log: MemoryLog, records: LogRecord[]) => void, object][] = [
    [
      'a changed event',
      (_, records) => (records[7] = { ...records[7]!, value: forged(records[7]!, { probability: 0.123 }) }),
      { kind: 'CHANGED', logOffset: 7, sequence: 7, fields: [{ field: 'probability', found: '0.123' }] },
    ],
    [
      'a forged event before the true one',
      (log, records) => {
        insert(log, DECISIONS, 7, { value: forged(records[7]!, { confidence: 1 }) });
      },
      {
        kind: 'FORGED',
        logOffset: 7,
        sequence: 7,
        detail: expect.stringContaining('follows at log offset 8') as string,
      },
    ],
    [
      'a repetition with other bytes',
      (log, records) => {
        insert(log, DECISIONS, 30, { value: forged(records[7]!, { confidence: 1 }) });
      },
      { kind: 'CHANGED_DUPLICATE', logOffset: 30, sequence: 7, fields: [{ field: 'confidence', found: '1' }] },
    ],
    [
      'a missing event',
      (_, records) => {
        records.splice(7, 1);
        renumber(records);
      },
      { kind: 'MISSING', logOffset: 7, sequence: 7 },
    ],
    [
      'two events in each other’s place',
      (_, records) => {
        [records[7], records[8]] = [records[8]!, records[7]!];
        renumber(records);
      },
      { kind: 'OUT_OF_ORDER', logOffset: 7, sequence: 8 },
    ],
    [
      'a forged event at the end',
      (_, records) => {
        const last = records.at(-1)!;
        const { sequence } = decodeBody('ProbabilityDecision', last.value!.subarray(5));
        records.push({ ...last, offset: records.length, value: forged(last, { sequence: sequence + 1 }) });
      },
      { kind: 'FORGED', detail: 'the engine derives no event with this sequence from the tape' },
    ],
    [
      'a forged event of a tape offset that does not exist',
      (_, records) => {
        const last = records.at(-1)!;
        const { sequence } = decodeBody('ProbabilityDecision', last.value!.subarray(5));
        const tape = { partition: PARTITION, offset: 1_000_000 };
        records.push({ ...last, offset: records.length, value: forged(last, { sequence: sequence + 1, tape }) });
      },
      { kind: 'FORGED', tapeOffset: 1_000_000 },
    ],
    [
      'a tombstone',
      (log) => {
        insert(log, DECISIONS, 9, { value: null });
      },
      { kind: 'NOT_AN_EVENT', logOffset: 9 },
    ],
    [
      'bytes that are cut off',
      (log, records) => {
        insert(log, DECISIONS, 9, { value: records[9]!.value!.subarray(0, 40) });
      },
      { kind: 'NOT_AN_EVENT', logOffset: 9 },
    ],
    [
      'a record of another topic’s schema',
      (log) => {
        insert(log, DECISIONS, 9, log.records('decision.outcomes', PARTITION)[0]!);
      },
      { kind: 'NOT_AN_EVENT', logOffset: 9 },
    ],
  ];

  it.each(tampered)('names %s', async (_, tamper, expected) => {
    const log = logOf();
    const records = log.records(DECISIONS, PARTITION);
    tamper(log, records);
    const { difference } = await certified(log);
    expect(difference).toMatchObject({ topic: DECISIONS, partition: PARTITION, ...expected });
  });

  it('names an event that was never written in the middle of each output', async () => {
    for (const topic of DERIVED_TOPICS) {
      const log = logOf();
      const records = log.records(topic, PARTITION);
      records.splice(5, 1);
      renumber(records);
      expect((await certified(log)).difference).toMatchObject({ kind: 'MISSING', topic, sequence: 5 });
    }
  });

  it('names events cut off at the end, where an anchor says that they were written', async () => {
    const log = logOf();
    log.records(DECISIONS, PARTITION).splice(-100);
    expect((await certified(log)).difference).toMatchObject({
      kind: 'MISSING',
      topic: DECISIONS,
      logOffset: undefined,
    });
  });

  it('names forged, changed and missing anchors', async () => {
    const [topic, partition] = ['engine.anchors', PARTITION] as const;
    const anchorAs = (log: MemoryLog, at: number, change: object): LogRecord => {
      const record = log.records(topic, partition)[at]!;
      const body = encodeBody('EngineAnchor', { ...decodeBody('EngineAnchor', record.value!.subarray(5)), ...change });
      return { ...record, value: frame(RECORD_NAMES.indexOf('EngineAnchor') + 1, body) };
    };
    const changed = logOf();
    changed.records(topic, partition)[2] = anchorAs(changed, 2, { stateHash: 'ab' });
    expect((await certified(changed)).difference).toMatchObject({
      ...{ kind: 'CHANGED', topic, logOffset: 2, tapeOffset: 1_000 },
      fields: [{ field: 'stateHash', found: '"ab"' }],
    });
    const added = logOf();
    insert(added, topic, 3, anchorAs(added, 2, { tape: { partition, offset: 1_234 } }));
    expect((await certified(added)).difference).toMatchObject({ kind: 'FORGED', topic, tapeOffset: 1_234 });
    const beyond = logOf();
    insert(beyond, topic, 3, anchorAs(beyond, 2, { tape: { partition, offset: 9_999 } }));
    expect((await certified(beyond)).difference).toMatchObject({ kind: 'FORGED', topic, tapeOffset: 9_999 });
    const second = logOf();
    insert(second, topic, 3, anchorAs(second, 2, { previousAnchorHash: null }));
    expect((await certified(second)).difference).toMatchObject({ kind: 'CHANGED', topic, tapeOffset: 1_000 });
    const missing = logOf();
    missing.records(topic, partition).splice(2, 1);
    expect((await certified(missing)).difference).toMatchObject({ kind: 'MISSING', topic, tapeOffset: 1_000 });
    const started = logOf();
    insert(started, topic, 3, anchorAs(started, 2, { previousAnchorHash: null }));
    expect((await certified(started, { from: 1_000 })).difference).toMatchObject({ kind: 'CHANGED', topic });
  });
});

it('cannot tell a changed tape from which everything was derived anew: --repair has the tape looked at first', async () => {
  const changed = contents.map((content, offset) =>
    content.kind === 'trade' && offset === 700
      ? traded({ ...content.trade, size: content.trade.size.plus(content.trade.size) })
      : content,
  );
  const { difference } = await certified(logOf(changed));
  expect(difference).toBeDefined();
  const steps = repairOf([{ ...(await certified(logOf(changed))), difference }]);
  expect(steps.findIndex((step) => step.includes('checkpoints verify'))).toBeLessThan(
    steps.findIndex((step) => step.includes('topics recreate --derived')),
  );
  expect((await certified(logOf(changed, run(createPartitionTask(PARTITION), changed)))).difference).toBeUndefined();
});

describe('a range of another engine', () => {
  it('is not derived, and names the commit that derived it', async () => {
    const foreign = {
      ...activationOf(configuration, identity),
      engineVersion: '3',
      activationId: 'x',
      gitCommit: 'beef',
    };
    const tape = [...contents.slice(0, 1_200), activated(foreign), ...contents.slice(1_200)];
    const log = logOf(tape, run(createPartitionTask(PARTITION), tape.slice(0, 1_201)));
    const { ranges, notDerived, difference } = await certified(log);
    expect(difference).toBeUndefined();
    expect(ranges.map(({ tape: { from, to } }) => [from, to])).toEqual([[0, 1_200]]);
    expect(notDerived).toMatchObject([
      { partition: PARTITION, from: 1_200, to: tape.length, engineVersion: '3', gitCommit: 'beef' },
    ]);
  });

  const foreign = {
    ...activationOf(configuration, identity),
    engineVersion: '3',
    activationId: 'x',
    gitCommit: 'beef',
  };
  const again = { ...activationOf(configuration, identity), activationId: 'y' };
  const tape = [...contents.slice(0, 1_200), ...[activated(foreign), activated(again)], ...contents.slice(1_200)];
  const before = run(createPartitionTask(PARTITION), tape.slice(0, 1_201));

  /** The anchor that the other engine leaves at this engine's activation: here it derived nothing. */
  function handedOver(): AnchorRecord {
    const unchanged = [...contents.slice(0, 1_200), contents[0]!, activated(foreign)];
    const { anchor } = run(createPartitionTask(PARTITION), unchanged).at(-1)!;
    const manifest = { ...anchor!.manifest, engineVersion: '3', tapeRecordHash: recordHashOf(activated(foreign)) };
    const body = encodeBody('EngineAnchor', manifest);
    return { ...anchor!, manifest, body, hash: hashBody('EngineAnchor', body) };
  }

  it('is followed by one of this engine, from the anchor that was handed over', async () => {
    const anchor = handedOver();
    const head = Buffer.concat(anchor.chunks.map(({ state }) => state.bytes));
    const pages = new Map(anchor.pages.map(({ state }) => [state.pageHash!, StatePage.of(state.bytes)]));
    const task = restorePartitionTask(anchor.manifest, head, anchor.hash, pages);
    const log = logOf(tape, [...before, { ...before.at(-1)!, anchor }, ...run(task, tape.slice(1_201))]);
    const { ranges, notDerived, difference } = await certified(log);
    expect(difference).toBeUndefined();
    expect(notDerived).toMatchObject([{ from: 1_200, to: 1_201, gitCommit: 'beef' }]);
    expect(ranges.map(({ tape: { from, to } }) => [from, to])).toEqual([
      [0, 1_200],
      [1_201, tape.length],
    ]);
    expect(ranges[1]!.start).toMatchObject({ kind: 'ANCHOR', offset: 1_201, derivedBy: null });
    expect(ranges[1]!.outputs.every(({ events }) => events > 0)).toBe(true);
  });

  it('goes to the end where no anchor was handed over', async () => {
    const { ranges, notDerived } = await certified(logOf(tape, before));
    expect(ranges).toHaveLength(1);
    expect(notDerived[0]!.reason).toContain('there is no anchor at offset 1201');
  });
});

describe('a strategy that looks ahead', () => {
  /** Knows the next trade's price where there is one: in a run that had the whole file. */
  const next: { price: number | undefined } = { price: undefined };
  const leaking = defineStrategy({
    name: 'LEAKING',
    parameters: z.object({}),
    evaluate: ({ lastPrice }) => ({
      direction: next.price === undefined ? 'NEUTRAL' : next.price > lastPrice.toNumber() ? 'LONG' : 'SHORT',
      probability: next.price === undefined ? 0.5 : 0.9,
      quality: 1,
      indicators: {},
      reasoning: () => '',
    }),
  });

  it('is caught: derived one record at a time, it does not know what it knew', async () => {
    const known = [...STRATEGIES, leaking];
    const own = parseConfiguration({ strategies: { LEAKING: {} }, hitRule: { horizonMs: 20_000 } }, known);
    const tape: Readable[] = [activated(activationOf(own, identity)), ...contents.slice(1)];
    const task = createPartitionTask(PARTITION, { known });
    const written = tape.map((content, offset) => {
      const following = tape[offset + 1];
      next.price = following?.kind === 'trade' ? following.trade.price.toNumber() : undefined;
      return task.advance({ partition: PARTITION, offset, content });
    });
    next.price = undefined;
    const { difference } = await certified(logOf(tape, written), { taskOptions: { known } });
    expect(difference).toMatchObject({ kind: 'CHANGED', topic: 'strategy.results' });
    expect(difference!.fields).toContainEqual(expect.objectContaining({ field: 'direction', expected: '"NEUTRAL"' }));
  });

  it('is caught where it says so, though the log holds the same bytes', async () => {
    const admitting = defineStrategy({
      name: 'ADMITTING',
      parameters: z.object({}),
      evaluate(snapshot) {
        // The snapshot then covers the trade that follows it.
        Object.assign(snapshot, { lastOffset: snapshot.tape.offset + 1 });
        return neutral(1, {}, () => '');
      },
    });
    const known = [...STRATEGIES, admitting];
    const own = parseConfiguration({ strategies: { ADMITTING: {} }, hitRule: { horizonMs: 20_000 } }, known);
    const tape: Readable[] = [activated(activationOf(own, identity)), ...contents.slice(1)];
    const written = run(createPartitionTask(PARTITION, { known }), tape);
    const { difference } = await certified(logOf(tape, written), { taskOptions: { known } });
    expect(difference).toMatchObject({ kind: 'LOOKAHEAD', topic: 'indicator.snapshots', logOffset: 0, sequence: 0 });
  });
});
