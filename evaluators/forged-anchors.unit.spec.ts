import { describe, expect, it } from 'vitest';
import type { EngineActivated, ProbabilityDecision } from '../contracts/generated/events.ts';
import { encodeBody } from '../contracts/codec.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf, type Placed } from '../tests/support/seeded-tape.ts';
import type { DerivedRecord } from './advance.ts';
import { recordHashOf, type AnchorRecord } from './anchor.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { forgedAnchor, type Forgery } from './fixtures/forged-anchors.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import { activated, bytesOf, eventsOf, pagesOf, run, traded } from './fixtures/tape-contents.ts';
import { recordOfEvent } from './outgoing-records.ts';
import { createPartitionTask, restorePartitionTask } from './partition-task.ts';
import { recoverTask, stepAlong, taskAtAnchor } from './recovery.adapter.ts';

const PARTITION = 3;
const INTERVAL = 500;
const configuration = parseConfiguration({ anchorIntervalRecords: INTERVAL, cadenceMs: 60_000 });
const genuine = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const trades = syntheticTrades({ seed: 5, count: 2_300 }).map((trade) => traded(trade));
const contents: readonly Placed['content'][] = [activated(genuine), ...trades];
const advances = run(createPartitionTask(PARTITION), contents);
const events = eventsOf(advances);
const anchors = advances.flatMap(({ anchor }) => anchor ?? []);
const pages = pagesOf(advances);
/** The anchors at 1, 500, 1,000, 1,500 and 2,000. */
const [, , second, third, last] = anchors;

interface Written {
  readonly tape?: readonly Placed['content'][];
  readonly events?: readonly DerivedRecord[];
  readonly anchors: readonly (AnchorRecord | undefined)[];
}

function logOf({ tape = contents, events: written = events, anchors: held }: Written): MemoryLog {
  const log = new MemoryLog();
  log.append(tape.map((content) => tapeRecordOf({ partition: PARTITION, content })));
  log.append(written.map((event) => recordOfEvent(PARTITION, event)));
  for (const anchor of held) if (anchor !== undefined) log.appendAnchor(anchor);
  return log;
}

async function recovered(log: MemoryLog) {
  const found = await recoverTask(log.access, PARTITION, Number.POSITIVE_INFINITY);
  const { task, base, rejected, isContinuedByAnother } = found;
  const faults = rejected.map(({ anchor, fault }) => [anchor.manifest.tape.offset, fault]);
  return { at: task.nextOffset, base: base?.manifest.tape.offset, faults, isContinuedByAnother };
}

/** Each changes the JSON, or the test would prove nothing. */
const changing = (pattern: RegExp, replacement: string) => (json: string) => json.replace(pattern, replacement);
const COINS = changing(/\[(\d+),"[\d.]+"\]\]\],"depth"/, '[$1,"1000000"]]],"depth"');
/** Every trade's identity is forgotten: it counts again if it is repeated. */
const FORGOTTEN = changing(/("identities":\{[^[]*"pages":)\[[^\]]*\]/, '$1[]');
const PENDING = changing(/("result-[\d-]+","VWAP_REVERSION",)"(?:LONG|SHORT)"/, '$1"NEUTRAL"');
const CALIBRATION = changing(/"slope":[\d.]+,"weights"/g, '"slope":9,"weights"');
const hashOf = (anchor: AnchorRecord | undefined) => anchor!.hash.toString('hex');

describe('an anchor that no engine derived', () => {
  const promised = last!.manifest.nextSequence;

  it.each([
    ['a million coins in one bin, and no predecessor', { json: COINS, manifest: { previousAnchorHash: null } }],
    ['a million coins in one bin, after the true last', { json: COINS }],
    ['another pending forecast', { json: PENDING }],
    ['no identities of trades', { json: FORGOTTEN }],
    ['another calibration', { json: CALIBRATION }],
    ['the right state and wrong roots', { manifest: { treeRoots: third!.manifest.treeRoots } }],
    ['the right state and wrong sizes', { manifest: { treeSizes: third!.manifest.treeSizes } }],
    ['a smaller next sequence', { manifest: { nextSequence: { ...promised, 'decision.outcomes': 0 } } }],
    ['another tape', { manifest: { tapeId: 'other' } }],
    ['another activation', { manifest: { activationId: 'other' } }],
    ['the state of another place', { manifest: { stateHash: third!.manifest.stateHash } }],
  ] satisfies [string, Forgery][])('is passed over: %s', async (_, forgery) => {
    const forged = forgedAnchor(last!, pages, forgery);
    expect(forged.hash).not.toEqual(last!.hash);
    expect(await recovered(logOf({ anchors: [...anchors.slice(0, 4), forged] }))).toMatchObject({
      ...{ at: 1_500, base: 1_000 },
      faults: [[2_000, 'derived-otherwise']],
    });
    // Nor does it hide the true one.
    expect(await recovered(logOf({ anchors: [...anchors, forged] }))).toMatchObject({ at: 2_000, base: 1_500 });
  });

  it.each([
    ['a predecessor that does not exist', 'no-predecessor', { previousAnchorHash: 'ff'.repeat(32) }],
    ['a greater next sequence', 'outputs-behind', { nextSequence: { ...promised, 'decision.outcomes': 9_999 } }],
    ['another tape record', 'not-on-tape', { tapeRecordHash: 'ff' }],
    ['a place beyond the end of the tape', 'not-on-tape', { tape: { partition: PARTITION, offset: 9_999 } }],
    ['a place where no anchor is due', 'not-on-tape', { tape: { partition: PARTITION, offset: 1_999 } }],
  ] as const)('is passed over: %s', async (_, fault, manifest) => {
    const forged = forgedAnchor(last!, pages, { manifest });
    const { at, faults } = await recovered(logOf({ anchors: [...anchors.slice(0, 4), forged] }));
    expect({ at, faults }).toEqual({ at: 1_500, faults: [[forged.manifest.tape.offset, fault]] });
  });

  it('is passed over where its predecessor is later on the tape', async () => {
    const circular = forgedAnchor(second!, pages, { manifest: { previousAnchorHash: hashOf(third) } });
    const log = logOf({ anchors: [...anchors.slice(0, 2), circular, ...anchors.slice(2)] });
    const { task, rejected } = await recoverTask(log.access, PARTITION, 1_000);
    expect(task.nextOffset).toBe(1_000);
    expect(rejected.map(({ fault }) => fault)).toEqual(['no-predecessor']);
  });

  it('is named once for each, and costs one derivation for all that follow the same anchor', async () => {
    const forged = [COINS, PENDING, FORGOTTEN].map((json) => forgedAnchor(last!, pages, { json }));
    const log = logOf({ anchors: [...anchors.slice(0, 4), ...forged] });
    expect((await recovered(log)).faults).toHaveLength(3);
    const derived = log.ranges.filter(({ topic, from }) => topic === TAPE_TOPIC && from === 1_500);
    expect(derived).toHaveLength(1);
  });
});

describe('two forged anchors in a row', () => {
  /** The second is derived from the first by the engine itself. */
  function inARow(json: (text: string) => string, previousAnchorHash = hashOf(second)): AnchorRecord[] {
    const first = forgedAnchor(third!, pages, { json, manifest: { previousAnchorHash } });
    const all = new Map([...pages, ...pagesOf([{ derived: [], deadLetters: [], anchor: first }])]);
    const task = restorePartitionTask(first.manifest, bytesOf(first), first.hash, all);
    const next = run(task, contents.slice(1_500, 2_000)).at(-1)!.anchor!;
    expect(next.manifest.tape.offset).toBe(2_000);
    return [first, next];
  }

  it('are found by the first published event that they change', async () => {
    const held = [...anchors.slice(0, 3), ...inARow(COINS)];
    expect(await recovered(logOf({ anchors: held }))).toMatchObject({
      ...{ at: 1_000, base: 500 },
      faults: [
        [2_000, 'outputs-differ'],
        [1_500, 'derived-otherwise'],
      ],
    });
  });

  it('are found where no engine survives the state', async () => {
    const first = forgedAnchor(third!, pages, { json: changing(/"waiting":\[\]/, '"waiting":[null]') });
    const next = forgedAnchor(last!, pages, { manifest: { previousAnchorHash: hashOf(first) } });
    expect(await recovered(logOf({ anchors: [...anchors.slice(0, 3), first, next] }))).toMatchObject({
      ...{ at: 1_000 },
      faults: [
        [2_000, 'derived-otherwise'],
        [1_500, 'derived-otherwise'],
      ],
    });
  });

  it.each(['this is not a state', '{"format":5}'])('are found where the first one has no state: %s', async (state) => {
    const first = forgedAnchor(third!, pages, { json: () => state });
    const next = forgedAnchor(last!, pages, { manifest: { previousAnchorHash: hashOf(first) } });
    expect(await recovered(logOf({ anchors: [...anchors.slice(0, 3), first, next] }))).toMatchObject({
      ...{ at: 1_000 },
      faults: [
        [2_000, 'state-missing'],
        [1_500, 'derived-otherwise'],
      ],
    });
  });

  it('are found where the outputs do not have the events between them', async () => {
    const until = events.filter(({ event }) => event.tape.offset < 1_500);
    const held = [...anchors.slice(0, 3), ...inARow(FORGOTTEN)];
    expect(await recovered(logOf({ events: until, anchors: held }))).toMatchObject({
      ...{ at: 1_000 },
      faults: [
        [2_000, 'outputs-behind'],
        [1_500, 'derived-otherwise'],
      ],
    });
  });

  it('are taken while what they change sleeps: docs/security.md says so', async () => {
    // An activation that is still to come would have no effect.
    const asleep = changing(/"activationIds":\["first"\]/, '"activationIds":["first","planned"]');
    const held = [...anchors.slice(0, 3), ...inARow(asleep)];
    expect(await recovered(logOf({ anchors: held }))).toMatchObject({ at: 2_000, base: 1_500, faults: [] });
  });
});

describe('an anchor after a conflict', () => {
  const place = events.findIndex(({ topic, event }) => topic === 'probability.decisions' && event.tape.offset >= 1_600);
  const decision = events[place]!.event as ProbabilityDecision;
  const body = encodeBody('ProbabilityDecision', { ...decision, probability: 0.999 });
  const changed = events.with(place, { ...events[place]!, body });

  it.each([
    ['the true one', last],
    ['a forged one', forgedAnchor(last!, pages, { json: COINS })],
    ['one without a predecessor', forgedAnchor(last!, pages, { manifest: { previousAnchorHash: null } })],
  ])('does not lift it: %s', async (_, anchor) => {
    const { at, faults } = await recovered(logOf({ events: changed, anchors: [...anchors.slice(0, 4), anchor] }));
    expect([at, faults.length]).toEqual([1_500, 1]);
  });
});

describe('an anchor of another engine', () => {
  const foreign: EngineActivated = { ...genuine, engineVersion: '3', activationId: 'x', gitCommit: 'beef' };
  const again = { ...genuine, activationId: 'again' };
  const ofVersion3 = (json: string) =>
    json
      .replace(`"engineVersion":"${ENGINE_VERSION}"`, '"engineVersion":"3"')
      .replace('"activationId":"first"', '"activationId":"x"');
  const manifest = { engineVersion: '3', activationId: 'x' };
  const before = contents.slice(0, 1_200);

  /** A tape on which another engine ran between two activations of this one, and the anchors of all of them. */
  function cutOver() {
    const tape = [...before, activated(foreign), activated(again), ...contents.slice(1_200)];
    const own = run(createPartitionTask(PARTITION), tape.slice(0, 1_201));
    const halt = own.at(-1)!.anchor!;
    const handed = forgedAnchor(halt, pagesOf(own), {
      json: (json) => ofVersion3(json).replace('"nextOffset":1200', '"nextOffset":1201'),
      manifest: {
        ...{ ...manifest, tape: { partition: PARTITION, offset: 1_201 }, previousAnchorHash: hashOf(halt) },
        tapeRecordHash: recordHashOf(activated(foreign)),
      },
    });
    const task = restorePartitionTask(handed.manifest, bytesOf(handed), handed.hash, pagesOf(own));
    const later = run(task, tape.slice(1_201));
    return { tape, own, handed, later, events: eventsOf([...own, ...later]) };
  }

  it('counts where that engine handed over, and so do those derived from it', async () => {
    const { tape, own, handed, later, events: written } = cutOver();
    const halted = own.flatMap(({ anchor }) => anchor ?? []);
    const atHandOver = logOf({ tape, events: written, anchors: [...halted, handed] });
    expect(await recovered(atHandOver)).toMatchObject({ at: 1_201, base: 1_201, faults: [] });
    const derived = later.flatMap(({ anchor }) => anchor ?? []);
    const places = derived.map(({ manifest: { tape: place } }) => place.offset);
    expect(places).toEqual([1_202, 1_500, 2_000]);
    for (const [index, offset] of places.entries()) {
      const held = [...halted, handed, ...derived.slice(0, index + 1)];
      const found = await recovered(logOf({ tape, events: written, anchors: held }));
      // The first whole window reaches back to the hand-over.
      expect(found).toMatchObject({ at: offset, base: index < 2 ? 1_201 : 1_500, faults: [] });
    }
  });

  it('does not count where its state is not the one that it names, or says something else than itself', async () => {
    const { tape, own, handed, events: written } = cutOver();
    const halted = own.flatMap(({ anchor }) => anchor ?? []);
    const coins = forgedAnchor(handed, pagesOf(own), { json: COINS });
    const changedState = { ...handed, pages: coins.pages, chunks: coins.chunks };
    const { nextSequence } = handed.manifest;
    const fewer = { nextSequence: { ...nextSequence, 'decision.outcomes': 0 } };
    expect(nextSequence['decision.outcomes']).toBeGreaterThan(0);
    for (const forged of [changedState, forgedAnchor(handed, pagesOf(own), { manifest: fewer })]) {
      const found = await recovered(logOf({ tape, events: written, anchors: [...halted, forged] }));
      expect(found).toMatchObject({ at: 1_200, faults: [[1_201, 'state-missing']] });
    }
  });

  it.each([
    ['another engine takes over', { ...again, engineVersion: '4' }],
    ['the activation names another hash than its configuration has', { ...again, configHash: 'ff'.repeat(32) }],
    ['the activation is of another tape', { ...again, tapeId: 'other' }],
  ] as const)('does not count for this one where %s', async (_, taking) => {
    const { tape, own, handed } = cutOver();
    const halted = own.flatMap(({ anchor }) => anchor ?? []);
    const changed = [...tape.slice(0, 1_201), activated(taking), ...tape.slice(1_202)];
    const found = await recovered(logOf({ tape: changed, events: eventsOf(own), anchors: [...halted, handed] }));
    expect(found).toMatchObject({ at: 1_200, isContinuedByAnother: true });
  });

  it('does not count elsewhere, and is not a fault: that engine writes such anchors', async () => {
    const forged = forgedAnchor(last!, pages, { manifest, json: ofVersion3 });
    expect(await recovered(logOf({ anchors: [...anchors.slice(0, 4), forged] }))).toEqual({
      ...{ at: 1_500, base: 1_000, faults: [], isContinuedByAnother: true },
    });
  });

  it.each([
    ['an activation that is not on the tape', 'nowhere'],
    ['the other one of before, which this one followed', 'x'],
    ['the activation of this engine', 'again'],
  ])('does not count at an activation of this engine while this one ran, naming %s', async (_, activationId) => {
    const { tape: before, own, handed, later } = cutOver();
    const tape = [...before.slice(0, 2_300), activated({ ...again, activationId: 'third' }), ...before.slice(2_300)];
    const written = [...own, ...later].slice(0, 2_301);
    const base = written.findLast(({ anchor }) => anchor !== undefined)!.anchor!;
    const place = { partition: PARTITION, offset: 2_300 };
    const forged = forgedAnchor(base, pagesOf(written), {
      manifest: {
        ...{ engineVersion: '3', activationId, tape: place },
        tapeRecordHash: recordHashOf(tape[2_299]!),
      },
      json: (json) =>
        json
          .replace('"engineVersion":"5"', '"engineVersion":"3"')
          .replace('"activationId":"again"', `"activationId":"${activationId}"`)
          .replace('"nextOffset":2000', '"nextOffset":2300'),
    });
    const anchored = written.flatMap(({ anchor }) => anchor ?? []);
    const held = [...anchored.slice(0, 4), handed, ...anchored.slice(4), forged];
    const found = await recovered(logOf({ tape, events: eventsOf(written), anchors: held }));
    expect(found).toMatchObject({ at: 2_000, isContinuedByAnother: true });
    // Nor does one that this engine derives from it.
    const all = pagesOf([...written, { derived: [], deadLetters: [], anchor: forged }]);
    const task = restorePartitionTask(forged.manifest, bytesOf(forged), forged.hash, all);
    const [next] = run(task, [tape[2_300]!]);
    expect(next?.anchor?.manifest.tape.offset).toBe(2_301);
    const continued = await recovered(logOf({ tape, events: eventsOf(written), anchors: [...held, next?.anchor] }));
    expect(continued).toMatchObject({ at: 2_000, isContinuedByAnother: true });
  });
});

describe('taskAtAnchor', () => {
  it('takes the anchor of exactly one offset, its state as it is', async () => {
    const forged = forgedAnchor(last!, pages, { json: COINS });
    const log = logOf({ anchors: [...anchors.slice(0, 4), forged] });
    expect((await taskAtAnchor(log.access, PARTITION, 2_000))?.anchor.hash).toEqual(forged.hash);
    expect(await taskAtAnchor(log.access, PARTITION, 1_999)).toBeUndefined();
  });
});

it('a recovery derives the same as from the beginning, from each anchor on', async () => {
  const log = logOf({ anchors });
  const { task } = await recoverTask(log.access, PARTITION, Number.POSITIVE_INFINITY);
  const hashes: string[] = [];
  for await (const { derived } of stepAlong(log.access, task, contents.length)) {
    hashes.push(...derived.map(({ hash }) => hash.toString('hex')));
  }
  expect(hashes.length).toBeGreaterThan(5);
  expect(events.slice(-hashes.length).map(({ hash }) => hash.toString('hex'))).toEqual(hashes);
});
