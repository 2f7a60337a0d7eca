import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, FRAME_BYTES, hashBody } from '../contracts/codec.ts';
import type { EngineAnchor } from '../contracts/generated/events.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, perTopic, type DerivedTopic } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../evaluators/fixtures/tape-contents.ts';
import { MerkleTree } from '../evaluators/merkle.ts';
import { recordOfEvent } from '../evaluators/outgoing-records.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { TapeproofError } from '../platform/errors.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { MemoryRoots } from '../tests/support/memory-roots.ts';
import { sampleRegistry } from '../tests/support/sample-log.ts';
import type { RootCheck } from './engine-roots.ts';
import { createEventReader } from './event-reader.adapter.ts';
import { RootWatch } from './root-watch.adapter.ts';

const DECISIONS: DerivedTopic = 'probability.decisions';
const TAPE_ID = 'tape';
const ASSIGNED = DERIVED_TOPICS.map((topic) => [topic, 0] as const);

const configuration = parseConfiguration({
  anchorIntervalRecords: 100,
  hitRules: [{ horizonMs: 20_000, graceMs: 5_000 }],
});
const activation = activationOf(configuration, { tapeId: TAPE_ID, activationId: 'first', gitCommit: 'abc' });
const contents = [activated(activation), ...syntheticTrades({ seed: 9, count: 600 }).map((trade) => traded(trade))];

/** What the engine derives from the tape, with its anchors. */
const whole = new MemoryLog();
/** The anchors that it writes, as they are in the log. */
let anchors: readonly EngineAnchor[];
const last = (): EngineAnchor => anchors.at(-1)!;

beforeAll(() => {
  for (const { derived, anchor } of run(createPartitionTask(0), contents)) {
    whole.append(derived.map((record) => recordOfEvent(0, record)));
    if (anchor !== undefined) whole.appendAnchor(anchor);
  }
  anchors = whole
    .records(ANCHORS_TOPIC, 0)
    .map(({ value }) => decodeBody('EngineAnchor', value!.subarray(FRAME_BYTES)));
  expect(anchors.length).toBeGreaterThan(5);
});

/** The whole log, or the share of it that is written so far. */
function logOf(share = 1): MemoryLog {
  const log = new MemoryLog();
  for (const topic of [...DERIVED_TOPICS, ANCHORS_TOPIC] as const) {
    const records = whole.records(topic, 0);
    log.records(topic, 0).push(...records.slice(0, Math.ceil(records.length * share)));
  }
  return log;
}

/** A store that has applied the whole of a log. */
function storeOf(log: MemoryLog, roots = new MemoryRoots(DERIVED_TOPICS)): MemoryRoots {
  for (const topic of DERIVED_TOPICS) {
    const records = log.records(topic, 0);
    const rows = roots.rows.get(topic)!;
    for (const { value } of records.slice(rows.length)) {
      rows.push({ sequence: rows.length, hash: hashOf(topic, value!.subarray(FRAME_BYTES)) });
    }
    roots.positions.set(topic, { nextOffset: records.length, nextSequence: rows.length });
  }
  return roots;
}

const TYPES = {
  'indicator.snapshots': 'IndicatorSnapshot',
  'strategy.results': 'StrategyResult',
  'probability.decisions': 'ProbabilityDecision',
  'decision.outcomes': 'Outcome',
} as const;
const hashOf = (topic: DerivedTopic, body: Buffer): Buffer => hashBody(TYPES[topic], body);

interface Watched {
  readonly watch: RootWatch;
  readonly compared: RootCheck[];
  readonly failures: (string | undefined)[];
  /** How often all comparisons were reported. */
  readonly reports: { count: number };
}

function watchOf(log: MemoryLog, roots: MemoryRoots): Watched {
  const compared: RootCheck[] = [];
  const failures: (string | undefined)[] = [];
  const reports = { count: 0 };
  const report = {
    compared: (check: RootCheck) => void compared.push(check),
    held: () => void (reports.count += 1),
    failed: (reason: string | undefined) => void failures.push(reason),
  };
  const read = createEventReader(sampleRegistry, { name: 'history' }, 1);
  const { reader } = log.access;
  const watch = new RootWatch({ roots, reader, read, tapeId: TAPE_ID, position: roots.position, report });
  return { watch, compared, failures, reports };
}

function append(log: MemoryLog, changed: Partial<EngineAnchor>): void {
  const body = encodeBody('EngineAnchor', { ...last(), ...changed });
  log.append([{ topic: ANCHORS_TOPIC, partition: 0, key: null, type: 'EngineAnchor', body, timestampUs: 0 }]);
}

async function checksOf(log: MemoryLog, roots: MemoryRoots, topic = DECISIONS): Promise<readonly RootCheck[]> {
  await watchOf(log, roots).watch.round(ASSIGNED);
  return roots.checks.filter((check) => check.topic === topic);
}

const resultsOf = (checks: readonly RootCheck[]): string[] => checks.map(({ result }) => result);
const agreeing = (count: number): string[] => Array.from({ length: count }, () => 'agrees');

describe('RootWatch', () => {
  it('finds that the stored events of every output are those of each anchor', async () => {
    const roots = storeOf(logOf());
    await watchOf(logOf(), roots).watch.round(ASSIGNED);
    expect(roots.checks).toHaveLength(anchors.length * DERIVED_TOPICS.length);
    expect(new Set(resultsOf(roots.checks))).toEqual(new Set(['agrees']));
    for (const topic of DERIVED_TOPICS) {
      const newest = roots.checks.findLast((check) => check.topic === topic);
      expect(newest?.nextSequence).toBe(last().nextSequence[topic]);
    }
  });

  it('finds the same however the log grew, and wherever it was started again', async () => {
    const atOnce = storeOf(logOf());
    await watchOf(logOf(), atOnce).watch.round(ASSIGNED);
    const ordered = (checks: readonly RootCheck[]) =>
      [...checks].sort((left, right) => (left.topic + left.anchor.hash < right.topic + right.anchor.hash ? -1 : 1));
    const shares = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(shares, async (steps) => {
        const [log, roots] = [logOf(0), new MemoryRoots(DERIVED_TOPICS)];
        let { watch } = watchOf(log, roots);
        for (const [share, isRestart] of [...[...steps].sort(([left], [right]) => left - right), [1, true] as const]) {
          for (const topic of [...DERIVED_TOPICS, ANCHORS_TOPIC] as const) {
            const held = log.records(topic, 0);
            held.push(...logOf(share).records(topic, 0).slice(held.length));
          }
          if (isRestart) ({ watch } = watchOf(log, roots));
          await watch.round(ASSIGNED);
          storeOf(log, roots);
          await watch.round(ASSIGNED);
        }
        expect(ordered(roots.checks)).toEqual(ordered(atOnce.checks));
      }),
      { numRuns: 20 },
    );
  });

  it('marks the window in which an event is not the engine’s, and each one after it', async () => {
    const roots = storeOf(logOf());
    const [at, third, fourth] = [anchors[2]!.nextSequence[DECISIONS]! + 1, anchors[2]!, anchors[3]!];
    roots.rows.get(DECISIONS)![at] = { sequence: at, hash: Buffer.alloc(32, 7) };
    const checks = await checksOf(logOf(), roots);
    expect(resultsOf(checks).slice(0, 3)).toEqual(agreeing(3));
    expect(new Set(resultsOf(checks).slice(3))).toEqual(new Set(['differs']));
    expect(checks[3]).toMatchObject({
      ...{ fromSequence: third.nextSequence[DECISIONS], nextSequence: fourth.nextSequence[DECISIONS] },
      difference: 'the stored events have another root',
    });
    expect(new Set(resultsOf(await checksOf(logOf(), roots, 'strategy.results')))).toEqual(new Set(['agrees']));
  });

  it('marks the window of an event that is not stored, and of one that is stored twice', async () => {
    const at = anchors[2]!.nextSequence[DECISIONS]! + 1;
    const lacking = storeOf(logOf());
    lacking.rows.get(DECISIONS)!.splice(at, 1);
    expect((await checksOf(logOf(), lacking))[3]?.difference).toBe(`sequence ${at} is not stored`);
    const twice = storeOf(logOf());
    twice.rows.get(DECISIONS)!.push({ sequence: at, hash: Buffer.alloc(32, 7) });
    expect((await checksOf(logOf(), twice))[3]?.difference).toBe(`sequence ${at} is stored twice`);
  });

  it.each([
    ['as many events as the newest one', 0],
    ['fewer events than the newest one', -1],
  ])('finds a forged anchor of %s', async (_, more) => {
    const log = logOf();
    const size = last().treeSizes[DECISIONS]! + more;
    append(log, {
      nextSequence: { ...last().nextSequence, [DECISIONS]: size },
      treeSizes: { ...last().treeSizes, [DECISIONS]: size },
      treeRoots: { ...last().treeRoots, [DECISIONS]: '00'.repeat(32) },
    });
    const checks = await checksOf(log, storeOf(log));
    expect(resultsOf(checks)).toEqual([...agreeing(anchors.length), 'differs']);
    expect(checks.at(-1)).toMatchObject({ anchor: { logOffset: anchors.length }, nextSequence: size });
  });

  it('refuses a tree that begins where no anchor ends, without reading its events', async () => {
    const log = logOf();
    const size = last().treeSizes[DECISIONS]! - 3;
    append(log, { treeSizes: { ...last().treeSizes, [DECISIONS]: size } });
    const roots = storeOf(log);
    const checks = await checksOf(log, roots);
    expect(checks.at(-1)?.difference).toBe('its tree begins at sequence 3, where no anchor before it ends');
    expect(checks.at(-1)?.storedRoot).toBeUndefined();
  });

  it('passes over anchors of another tape', async () => {
    const log = logOf();
    append(log, { tapeId: 'another', treeRoots: perTopic(() => '00'.repeat(32)) });
    expect(resultsOf(await checksOf(log, storeOf(log)))).toEqual(agreeing(anchors.length));
  });

  it('reports an anchor whose events do not exist, goes on with the next, and settles it when they come', async () => {
    const [log, full] = [logOf(), logOf()];
    // The end of the log is gone, and what follows the newest anchor.
    const from = anchors.at(-2)!.nextSequence[DECISIONS]! + 1;
    const gone = log.records(DECISIONS, 0).splice(from);
    const next = { ...last().nextSequence, [DECISIONS]: from };
    const tree = new MerkleTree();
    for (const { value } of log.records(DECISIONS, 0)) tree.append(hashOf(DECISIONS, value!.subarray(FRAME_BYTES)));
    append(log, {
      ...{ nextSequence: next, treeSizes: { ...last().treeSizes, [DECISIONS]: from } },
      treeRoots: { ...last().treeRoots, [DECISIONS]: tree.root() },
    });
    const roots = storeOf(log);
    const { watch, compared } = watchOf(log, roots);
    await watch.round(ASSIGNED);
    const byAnchor = () => roots.checks.filter(({ topic }) => topic === DECISIONS);
    expect(resultsOf(byAnchor())).toEqual([...agreeing(anchors.length - 1), 'awaits', 'agrees']);
    const missing = last().nextSequence[DECISIONS]! - from;
    expect(byAnchor().at(-2)?.difference).toBe(
      `${missing} of its events do not exist, the first with sequence ${from}`,
    );
    const before = compared.length;
    await watch.round(ASSIGNED);
    expect(compared).toHaveLength(before);
    // By the same process, and by one that starts after it.
    const restarted = new MemoryRoots(DERIVED_TOPICS);
    Object.assign(restarted, { rows: roots.rows, positions: roots.positions, checks: roots.checks });
    log.records(DECISIONS, 0).push(...gone);
    expect(log.records(DECISIONS, 0)).toHaveLength(full.records(DECISIONS, 0).length);
    storeOf(log, roots);
    await watch.round(ASSIGNED);
    expect(new Set(resultsOf(byAnchor()))).toEqual(new Set(['agrees']));
    await watchOf(log, restarted).watch.round(ASSIGNED);
    expect(new Set(resultsOf(restarted.checks))).toEqual(new Set(['agrees']));
  });

  it('waits for events that the store does not have yet', async () => {
    const log = logOf();
    const roots = storeOf(logOf(0.5));
    const { watch } = watchOf(log, roots);
    await watch.round(ASSIGNED);
    expect(new Set(resultsOf(roots.checks))).toEqual(new Set(['agrees']));
    expect(roots.checks.length).toBeLessThan(anchors.length * DERIVED_TOPICS.length);
    storeOf(log, roots);
    await watch.round(ASSIGNED);
    expect(roots.checks).toHaveLength(anchors.length * DERIVED_TOPICS.length);
  });

  it('holds to the trees of earlier engine versions, which begin anew at each anchor, and to a tree after them', async () => {
    const log = logOf(0);
    const later = logOf();
    const places = [0, ...anchors.slice(1, 4).map(({ nextSequence }) => nextSequence[DECISIONS]!)];
    const end = last().nextSequence[DECISIONS]!;
    const rows = storeOf(later).rows.get(DECISIONS)!;
    const rootOf = (from: number, to: number): string => {
      const tree = new MerkleTree();
      for (const { hash } of rows.slice(from, to)) tree.append(hash);
      return tree.root();
    };
    const none = perTopic(() => 0);
    for (const topic of DERIVED_TOPICS) log.records(topic, 0).push(...later.records(topic, 0));
    places.slice(1).forEach((to, index) => {
      const from = places[index]!;
      append(log, {
        ...{ treeRoots: {}, treeSizes: {}, nextSequence: { ...none, [DECISIONS]: to } },
        windowCounts: { [DECISIONS]: to - from },
        windowRoots: { [DECISIONS]: index === 1 ? '11'.repeat(32) : rootOf(from, to) },
      });
    });
    const first = places.at(-1)!;
    append(log, {
      ...{ nextSequence: { ...none, [DECISIONS]: end }, treeSizes: { [DECISIONS]: end - first } },
      treeRoots: { [DECISIONS]: rootOf(first, end) },
    });
    const checks = await checksOf(log, storeOf(log));
    expect(checks.map(({ firstSequence, nextSequence }) => [firstSequence, nextSequence])).toEqual([
      [places[0], places[1]],
      [places[1], places[2]],
      [places[2], places[3]],
      [first, end],
    ]);
    // Such a window that differs says nothing of the ones after it.
    expect(resultsOf(checks)).toEqual(['agrees', 'differs', 'agrees', 'agrees']);
  });

  it('reads the anchors again where their topic was recreated, and compares none twice', async () => {
    const log = logOf();
    const roots = storeOf(log);
    const { watch, compared } = watchOf(log, roots);
    await watch.round(ASSIGNED);
    const before = compared.length;
    const recreated = log.records(ANCHORS_TOPIC, 0).splice(0, Number.POSITIVE_INFINITY);
    log.records(ANCHORS_TOPIC, 0).push(...recreated.slice(0, 2));
    await watch.round(ASSIGNED);
    expect(compared).toHaveLength(before);
    append(log, { treeRoots: perTopic(() => '00'.repeat(32)) });
    await watch.round(ASSIGNED);
    expect(compared.slice(before).map(({ result }) => result)).toEqual(DERIVED_TOPICS.map(() => 'differs'));
  });

  it('goes on after an outage, and reports another failure', async () => {
    const log = logOf();
    const roots = storeOf(log);
    const { watch, compared, failures } = watchOf(log, roots);
    const hashes = roots.hashes.bind(roots);
    const failing = (error: Error) => () => {
      throw error;
    };
    roots.hashes = failing(new TapeproofError('UNREACHABLE', 'Postgres does not answer.'));
    await watch.round(ASSIGNED);
    expect([compared, failures]).toEqual([[], []]);
    roots.hashes = failing(new Error('permission denied'));
    await watch.round(ASSIGNED);
    expect(failures).toEqual(['permission denied']);
    roots.hashes = hashes;
    await watch.round(ASSIGNED);
    expect(compared).toHaveLength(anchors.length * DERIVED_TOPICS.length);
    expect(failures.at(-1)).toBeUndefined();
  });

  it('reports a difference at last, even where an outage ended the round that found it', async () => {
    const log = logOf();
    const roots = storeOf(log);
    const { watch, compared, reports } = watchOf(log, roots);
    await watch.round([]);
    await watch.round(ASSIGNED);
    expect(reports.count).toBe(1);
    append(log, { treeRoots: perTopic(() => '00'.repeat(32)) });
    const earlier = roots.earlier.bind(roots);
    roots.earlier = (named) => {
      if (named.topic === DERIVED_TOPICS[1]) throw new TapeproofError('UNREACHABLE', 'Postgres does not answer.');
      return earlier(named);
    };
    await watch.round(ASSIGNED);
    expect([compared.at(-1)?.result, reports.count]).toEqual(['differs', 1]);
    roots.earlier = earlier;
    await watch.round(ASSIGNED);
    expect(reports.count).toBe(2);
    await watch.round(ASSIGNED);
    expect(reports.count).toBe(2);
  });
});
