import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, FRAME_BYTES, hashBody } from '../../contracts/codec.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import { CHECKPOINTS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { createLog } from '../../platform/log.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { derive, producerInto, tape } from '../../tests/support/small-partition.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY } from '../../tests/support/signed-log.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import { cosignaturesOf } from '../tlog/tlog-proof.ts';
import { startWitness, type WitnessServer } from '../tlog/witness-server.adapter.ts';
import { WitnessStore } from '../tlog/witness-store.adapter.ts';
import { PartitionPublisher, type LogStatus, type PublisherSettings } from './publisher.adapter.ts';
import { isSound } from './recorded-checkpoint.ts';
import { verifyLogs } from './verification.adapter.ts';

const NOW_MS = 1_764_150_000_000;

let folder: string;
let witness: WitnessServer;
let kept: MemoryLog;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-publisher-'));
  witness = await startOwnWitness(folder);
  kept = new MemoryLog();
});
afterEach(async () => {
  await witness.close();
  await rm(folder, { recursive: true });
});

async function startOwnWitness(state: string): Promise<WitnessServer> {
  const store = await WitnessStore.open(state, WITNESS_KEY);
  const log = createLog('witness', 'silent');
  return await startWitness({
    ...{ key: WITNESS_KEY, logKeys: [LOG_KEY], store, log, host: '127.0.0.1', port: 0 },
    nowS: () => NOW_MS / 1_000,
  });
}

function publisher(log = kept, changed: Partial<PublisherSettings> = {}): PartitionPublisher {
  const settings: PublisherSettings = {
    access: log.access,
    producer: producerInto(log),
    ...{ keys: [LOG_KEY], formerKeys: [], telemetry: noTelemetry(), log: createLog('checkpoints', 'silent') },
    witnesses: [{ key: WITNESS_KEY, url: `http://127.0.0.1:${witness.port}` }],
    nowMs: () => NOW_MS,
  };
  return new PartitionPublisher({ ...settings, ...changed }, 0);
}

const never = new AbortController().signal;
const round = async (own: PartitionPublisher): Promise<readonly LogStatus[]> => (await own.round(never)) ?? [];
const differencesOf = (statuses: readonly LogStatus[]) => statuses.flatMap(({ difference }) => difference ?? []);
const recorded = (log = kept): LogCheckpoint[] =>
  log.records(CHECKPOINTS_TOPIC, 0).map(({ value }) => decodeBody('LogCheckpoint', value!.subarray(FRAME_BYTES)));
const verdictsOf = (log = kept) => verifyLogs(log.access, 1, { keys: [LOG_KEY] }, () => undefined);

describe('PartitionPublisher', () => {
  it('waits for the engine', async () => {
    expect(await publisher().round(never)).toBeUndefined();
  });

  it('signs each log that has grown, with the roots of the engine, and has it cosigned', async () => {
    derive(kept, tape(), 0, 250);
    const own = publisher();
    const first = await round(own);
    expect(first.map(({ topic, signed }) => [topic, signed])).toEqual([
      [TAPE_TOPIC, true],
      ['indicator.snapshots', true],
      ['strategy.results', true],
      ['probability.decisions', true],
      ['decision.outcomes', true],
    ]);
    expect(await round(own)).toMatchObject(first.map(() => ({ signed: false, difference: undefined })));
    derive(kept, tape(), 250);
    expect((await round(own)).every(({ signed }) => signed)).toBe(true);
    const [tapeHead] = recorded();
    expect(tapeHead).toMatchObject({
      origin: 'tapeproof.local/tape/raw.trades/0',
      size: 250,
      signedAt: NOW_MS * 1_000,
    });
    for (const head of recorded()) {
      expect(openCheckpoint(head.note, [LOG_KEY])).toMatchObject({ size: head.size });
      expect(cosignaturesOf(head.note, [WITNESS_KEY])).toHaveLength(1);
      expect(head.cosignatures).toEqual([{ witness: WITNESS_KEY.name, time: NOW_MS * 1_000 }]);
    }
    const anchored = decodeBody('EngineAnchor', kept.records('engine.anchors', 0).at(-1)!.value!.subarray(FRAME_BYTES));
    expect(anchored.treeSizes['probability.decisions']).toBeGreaterThan(50);
    expect((await verdictsOf()).map(({ heads, fault }) => [heads, fault])).toEqual(first.map(() => [2, undefined]));
  });

  it('continues after a restart where it was, and where the log was derived anew', async () => {
    derive(kept, tape(), 0, 200);
    // Left by a process that was replaced: the offsets of a log that is derived anew are others.
    const decisions = kept.records('probability.decisions', 0);
    decisions.push(...decisions.slice(-3).map((record, index) => ({ ...record, offset: decisions.length + index })));
    await round(publisher());
    derive(kept, tape(), 200, 300);
    await round(publisher());
    derive(kept, tape(), 300);
    expect(differencesOf(await round(publisher()))).toEqual([]);
    const anew = new MemoryLog();
    derive(anew);
    anew.records(CHECKPOINTS_TOPIC, 0).push(...kept.records(CHECKPOINTS_TOPIC, 0));
    expect(differencesOf(await round(publisher(anew)))).toEqual([]);
  });

  it('does not hold the log to the anchors of another tape, which a recreated topic may have left', async () => {
    derive(kept, tape(), 0, 300);
    const anchors = kept.records('engine.anchors', 0);
    const { value } = anchors.at(-1)!;
    const manifest = decodeBody('EngineAnchor', value!.subarray(FRAME_BYTES));
    const treeRoots = Object.fromEntries(Object.keys(manifest.treeRoots).map((topic) => [topic, 'ff'.repeat(32)]));
    const appendAnchor = (tapeId: string) => {
      const body = encodeBody('EngineAnchor', { ...manifest, tapeId, treeRoots });
      anchors.push({
        ...anchors.at(-1)!,
        offset: anchors.length,
        value: Buffer.concat([value!.subarray(0, FRAME_BYTES), body]),
      });
    };
    appendAnchor('other');
    expect(differencesOf(await round(publisher()))).toEqual([]);
    appendAnchor(manifest.tapeId);
    expect(differencesOf(await round(publisher()))).not.toEqual([]);
  });

  it('finds a consistent rewrite by what it signed, and a witness by what it saw', async () => {
    derive(kept);
    await round(publisher());
    const rewritten = new MemoryLog();
    derive(rewritten, tape('12345.67'));
    // With the signed heads still there, the process finds it itself.
    rewritten.records(CHECKPOINTS_TOPIC, 0).push(...kept.records(CHECKPOINTS_TOPIC, 0));
    const found = differencesOf(await round(publisher(rewritten)));
    expect(found.join()).toContain('raw.trades-0: its first 401 records are not those that were signed');
    expect((await verdictsOf(rewritten)).find(({ origin }) => origin.includes('raw.trades'))?.fault).toContain(
      'not those',
    );
    // Without them it signs, and the witness refuses.
    rewritten.records(CHECKPOINTS_TOPIC, 0).length = 0;
    const [status] = await round(publisher(rewritten));
    expect(status).toMatchObject({ topic: TAPE_TOPIC, signed: true, cosignatures: [] });
    expect(status!.failures).toMatchObject([{ witness: WITNESS_KEY.name, isRefusal: true }]);
  });

  it('does not sign a log into which somebody else wrote', async () => {
    derive(kept, tape(), 0, 200);
    await round(publisher());
    derive(kept, tape(), 200);
    const forged = kept.records('probability.decisions', 0).at(-1)!;
    const event = decodeBody('ProbabilityDecision', forged.value!.subarray(FRAME_BYTES));
    const body = encodeBody('ProbabilityDecision', { ...event, probability: 0.99 });
    expect(hashBody('ProbabilityDecision', body)).not.toEqual(forged.value);
    kept.append([
      {
        ...{ topic: 'probability.decisions', partition: 0, key: event.instrument, type: 'ProbabilityDecision', body },
        timestampUs: 0,
      },
    ]);
    const statuses = await round(publisher());
    expect(differencesOf(statuses)).toEqual([expect.stringContaining('with other bytes')]);
    expect(statuses.find(({ topic }) => topic === 'probability.decisions')?.signed).toBe(false);
    expect(statuses.filter(({ signed }) => signed)).toHaveLength(4);
  });

  it('passes over heads that others recorded', async () => {
    derive(kept);
    await round(publisher(kept, { keys: [OTHER_LOG_KEY], witnesses: [] }));
    const before = recorded().length;
    expect(differencesOf(await round(publisher()))).toEqual([]);
    expect(recorded()).toHaveLength(2 * before);
  });

  it('passes over heads whose fields are forged beside a true note, and old ones that are recorded again', async () => {
    derive(kept, tape(), 0, 200);
    await round(publisher());
    derive(kept, tape(), 200);
    await round(publisher());
    const heads = recorded();
    const [old, , , , , newest] = heads;
    const forge = (head: LogCheckpoint): void => {
      const body = encodeBody('LogCheckpoint', head);
      kept.append([{ topic: CHECKPOINTS_TOPIC, partition: 0, key: null, type: 'LogCheckpoint', body, timestampUs: 0 }]);
    };
    forge({ ...old!, frontier: old!.frontier.map(() => 'ab'.repeat(32)) });
    forge({ ...newest!, size: newest!.size + 1_000 });
    forge({ ...newest!, root: 'cd'.repeat(32) });
    const other = new MerkleTree();
    for (let leaf = 0; leaf < 500; leaf += 1) other.append(Buffer.alloc(32, leaf));
    forge({ ...newest!, size: 500, root: other.root(), frontier: [...other.toState().frontier] });
    forge(old!);
    expect(await round(publisher())).toMatchObject(heads.slice(5).map(({ size }) => ({ signed: false, size })));
    expect((await verdictsOf())[0]).toMatchObject({ heads: 2, fault: undefined });
    kept.records(TAPE_TOPIC, 0).length = 300;
    expect(differencesOf(await round(publisher()))).toEqual([expect.stringContaining('it has 300 records, and 401')]);
  });

  it('records heads that are sound, and any changed field shows', async () => {
    derive(kept);
    await round(publisher());
    const head = recorded().at(-1)!;
    expect(head.frontier.length).toBeGreaterThan(1);
    expect([isSound(head, [LOG_KEY]), isSound(head, [])]).toEqual([true, true]);
    const changes: Partial<LogCheckpoint>[] = [
      { origin: `${head.origin}0` },
      { size: head.size + 1 },
      { root: 'ab'.repeat(32) },
      { frontier: head.frontier.toReversed() },
      { frontier: head.frontier.slice(1) },
      { note: recorded()[0]!.note },
      { note: 'not a note' },
    ];
    for (const changed of changes) expect([changed, isSound({ ...head, ...changed }, [])]).toEqual([changed, false]);
    expect(isSound(head, [OTHER_LOG_KEY])).toBe(false);
  });

  it('holds the logs to the roots that the engine names', async () => {
    derive(kept, tape(), 0, 300);
    const anchors = kept.records('engine.anchors', 0);
    const named = decodeBody('EngineAnchor', anchors.at(-1)!.value!.subarray(FRAME_BYTES));
    const treeRoots = { ...named.treeRoots, 'strategy.results': named.treeRoots['probability.decisions']! };
    const body = encodeBody('EngineAnchor', { ...named, treeRoots });
    kept.append([{ topic: 'engine.anchors', partition: 0, key: null, type: 'EngineAnchor', body, timestampUs: 0 }]);
    expect(differencesOf(await round(publisher()))).toEqual([
      expect.stringMatching(/^strategy.results-0: its first \d+ events are not those of the engine's anchor/),
    ]);
  });

  it('makes up for a witness that was away', async () => {
    const away = { witnesses: [{ key: WITNESS_KEY, url: 'http://127.0.0.1:1' }] };
    derive(kept, tape(), 0, 100);
    await round(publisher());
    for (const [from, to] of [
      [100, 200],
      [200, 300],
    ] as const) {
      derive(kept, tape(), from, to);
      const [status] = await round(publisher(kept, away));
      expect(status).toMatchObject({ signed: true, failures: [{ isRefusal: false }] });
    }
    derive(kept, tape(), 300);
    // The new process knows only the last head, which nobody cosigned.
    for (const status of await round(publisher())) expect(status).toMatchObject({ signed: true, failures: [] });
  });

  it('finds records that are gone', async () => {
    derive(kept);
    const own = publisher();
    await round(own);
    kept.records('probability.decisions', 0).length = 10;
    expect(differencesOf(await round(own))).toEqual([expect.stringContaining('ends at log offset 10')]);
    expect(differencesOf(await round(publisher()))).toEqual([expect.stringContaining('it has 10 records')]);
    expect((await verdictsOf()).filter(({ fault }) => fault !== undefined)).toHaveLength(1);
  });
});
