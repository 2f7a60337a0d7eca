import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, FRAME_BYTES, hashBody } from '../../contracts/codec.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { hash } from 'node:crypto';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { CHECKPOINTS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { recordOfEvent } from '../../evaluators/outgoing-records.ts';
import { createLog } from '../../platform/log.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { tapeRecordOf } from '../../tests/support/seeded-tape.ts';
import { LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY } from '../../tests/support/signed-log.ts';
import { hasOpenssl, LocalTsa, serveTsa, type TsaServer } from '../../tests/support/local-tsa.ts';
import { authorityAt } from '../timestamps/authority.adapter.ts';
import { parseRoots } from '../timestamps/certificate-path.ts';
import { tokenIn } from '../timestamps/token.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import { cosignaturesOf } from '../tlog/tlog-proof.ts';
import { startWitness, type WitnessServer } from '../tlog/witness-server.adapter.ts';
import { WitnessStore } from '../tlog/witness-store.adapter.ts';
import { recordOfCheckpoint } from './checkpoint-log.adapter.ts';
import { listHeads } from './heads.adapter.ts';
import { PartitionPublisher, type LogStatus, type PublisherSettings } from './publisher.adapter.ts';
import { recordedTimestamp } from './recorded-timestamp.adapter.ts';
import { Timestamping, type TimestampingSettings } from './timestamping.adapter.ts';
import { verifyLogs } from './verification.adapter.ts';

const NOW_MS = 1_764_150_000_000;
const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
const configuration = parseConfiguration({
  anchorIntervalRecords: 100,
  hitRules: [{ horizonMs: 20_000, graceMs: 5_000 }],
});

/** @param price - of the trade in the middle: another one is a rewritten tape. */
function tape(price?: string): Exclude<TapeContent, { readonly kind: 'unusable' }>[] {
  const trades = syntheticTrades({ seed: 3, count: 400 });
  const changed = trades.map((trade, index) =>
    index === 150 && price !== undefined ? { ...trade, price: Decimal.of(price) } : trade,
  );
  return [activated(activationOf(configuration, identity)), ...changed.map((trade) => traded(trade))];
}

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

/** The tape and what the engine derived from it, up to some records of the tape. */
function derive(log: MemoryLog, contents = tape(), from = 0, to = contents.length): void {
  const task = createPartitionTask(0);
  const advances = run(task, contents);
  for (const content of contents.slice(from, to)) log.append([tapeRecordOf({ partition: 0, content })]);
  for (const { derived, anchor } of advances.slice(from, to)) {
    log.append(derived.map((record) => recordOfEvent(0, record)));
    if (anchor !== undefined) log.appendAnchor(anchor);
  }
}

function publisher(log = kept, changed: Partial<PublisherSettings> = {}): PartitionPublisher {
  const settings: PublisherSettings = {
    access: log.access,
    producer: {
      send: (records) => {
        log.append(records);
        return Promise.resolve();
      },
      disconnect: () => Promise.resolve(),
    },
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

/** Needs `openssl`; without it the tests are skipped, and the report says so. */
describe.skipIf(!hasOpenssl)('Timestamping', () => {
  const LOGS = 5;
  let tsa: LocalTsa;
  let server: TsaServer;
  const roots = (name = 'root') => parseRoots(tsa.pem(name));
  const genuine = (query: Buffer) => tsa.reply(query, 'signer');
  const failing = { isRefusal: false };

  beforeAll(async () => {
    tsa = new LocalTsa();
    tsa.root('root');
    tsa.root('other-root');
    tsa.issue('signer');
    server = await serveTsa(genuine);
  });
  beforeEach(() => {
    server.answer = genuine;
  });
  afterAll(async () => {
    await server.close();
    tsa.remove();
  });

  const timestamping = (changed: Partial<TimestampingSettings> = {}): Timestamping =>
    new Timestamping({
      ...{ authority: authorityAt(server.url, roots()), everyMs: 600_000, deadlineMs: 60_000 },
      producer: {
        send: (records) => {
          kept.append(records);
          return Promise.resolve();
        },
        disconnect: () => Promise.resolve(),
      },
      ...{ telemetry: noTelemetry(), log: createLog('checkpoints', 'silent'), nowMs: Date.now },
      ...changed,
    });
  const verdictsWith = (authorities = roots()) =>
    verifyLogs(kept.access, 1, { keys: [LOG_KEY], roots: authorities }, () => undefined);
  /** Requests during some work. */
  const requestsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = server.requests.length;
    await work();
    return server.requests.length - before;
  };

  it('has each head stamped after it was recorded, and records it again', async () => {
    derive(kept);
    const statuses = await round(publisher());
    const own = timestamping();
    const stamped = await own.round(statuses, never);
    expect(stamped.map(({ timestamp }) => timestamp?.isTrusted)).toEqual(Array(LOGS).fill(true));
    const heads = recorded();
    expect(heads).toHaveLength(2 * LOGS);
    for (const head of heads.slice(LOGS)) {
      const first = heads.find(({ origin, timestamps }) => origin === head.origin && timestamps.length === 0);
      expect({ ...head, timestamps: [] }).toEqual(first);
      expect(head.timestamps).toMatchObject([{ authority: new URL(server.url).origin, isTrusted: true }]);
      const { origin, size, timestamps } = head;
      const { digest, answer, text } = await recordedTimestamp(kept.access, { origin, size }, roots());
      expect(digest).toBe(hash('sha256', head.note.slice(0, head.note.indexOf('\n\n') + 1)));
      expect(openCheckpoint(head.note, [LOG_KEY]).note.text).toBe(text);
      expect(tokenIn(answer)).toEqual(timestamps[0]!.token);
      expect(tsa.verify(answer, digest)).toContain('Verification: OK');
      expect(tsa.verify(answer, digest, 'other-root')).toContain('Verification: FAILED');
    }
    expect(await verdictsWith()).toMatchObject(
      heads.slice(0, LOGS).map(() => ({ heads: 1, timestamps: 1, fault: undefined })),
    );
    expect((await listHeads(kept.access, 1)).map(({ stamped: by }) => by?.timestamps.length)).toEqual(
      Array(LOGS).fill(1),
    );
    // Not by a process that is started anew, either.
    const anew = await round(publisher());
    expect(await requestsOf(() => timestamping().round(anew, never))).toBe(0);
    expect(anew.every(({ difference, signed }) => difference === undefined && !signed)).toBe(true);
  });

  it('asks at its cadence, for the newest heads, a few at once', async () => {
    let nowMs = Date.now();
    let open = 0;
    let openMax = 0;
    server.answer = async (query) => {
      openMax = Math.max(openMax, (open += 1));
      const answer = await genuine(query);
      open -= 1;
      return answer;
    };
    const own = timestamping({ nowMs: () => nowMs, everyMs: 200_000 });
    const signing = publisher();
    derive(kept, tape(), 0, 200);
    const first = await round(signing);
    expect(await requestsOf(() => own.round(first, never))).toBe(LOGS);
    expect([openMax > 1, openMax <= 4]).toEqual([true, true]);
    derive(kept, tape(), 200);
    const second = await round(signing);
    expect(await requestsOf(() => own.round(second, never))).toBe(0);
    nowMs += 200_000;
    const third = await round(signing);
    expect(third.some(({ signed }) => signed)).toBe(false);
    expect(await requestsOf(() => own.round(third, never))).toBe(LOGS);
    nowMs += 200_000;
    expect(await requestsOf(() => own.round(third, never))).toBe(0);
    expect((await verdictsWith()).map(({ timestamps }) => timestamps)).toEqual(Array(LOGS).fill(2));
  });

  it('leaves heads without one when the authority is silent, at the cost of one deadline', async () => {
    derive(kept);
    const statuses = await round(publisher());
    server.answer = () => undefined;
    let nowMs = Date.now();
    const telemetry = noTelemetry();
    const own = timestamping({ deadlineMs: 3_000, telemetry, nowMs: () => nowMs });
    const failed = await own.round([...statuses, ...statuses, ...statuses], never);
    expect(failed.map(({ timestampFailure }) => timestampFailure)).toMatchObject(Array(3 * LOGS).fill(failing));
    expect(await requestsOf(() => own.round(statuses, never))).toBe(0);
    expect(await telemetry.metrics.text()).toMatch(
      /tapeproof_checkpoint_timestamp_failures_total{[^}]*reason="silent"[^}]*} 15/,
    );
    expect(recorded()).toHaveLength(LOGS);
    expect((await verdictsWith()).map(({ timestamps, fault }) => [timestamps, fault])).toEqual(
      Array(LOGS).fill([0, undefined]),
    );
    nowMs += 600_000;
    server.answer = genuine;
    expect(await requestsOf(() => own.round(statuses, never))).toBe(LOGS);
  });

  it('records no time stamp that must not be believed, and none on a log that differs', async () => {
    derive(kept);
    const statuses = await round(publisher());
    const other = await timestamping({ authority: authorityAt(server.url, roots('other-root')) }).round(
      statuses,
      never,
    );
    expect(other.map(({ timestampFailure }) => timestampFailure)).toMatchObject(
      Array(LOGS).fill({ isRefusal: true, reason: expect.stringContaining('does not lead to one') as string }),
    );
    const differing = statuses.map((status) => ({ ...status, difference: 'it differs' }));
    expect(await requestsOf(() => timestamping().round(differing, never))).toBe(0);
    expect(recorded()).toHaveLength(LOGS);
    const unverified = await timestamping({ authority: authorityAt(server.url) }).round(statuses, never);
    expect(unverified.map(({ timestamp }) => timestamp?.isTrusted)).toEqual(Array(LOGS).fill(false));
    expect(
      (await verdictsWith(roots('other-root'))).every(({ fault }) => fault?.includes('does not lead to one')),
    ).toBe(true);
  });

  it('finds forged ones among those that are recorded', async () => {
    derive(kept);
    await timestamping().round(await round(publisher()), never);
    const [first, second] = recorded().slice(LOGS);
    const { origin, size } = first!;
    const [stamp] = first!.timestamps;
    const forge = (timestamps: LogCheckpoint['timestamps']) => {
      kept.append([recordOfCheckpoint({ ...first!, timestamps })]);
    };
    forge(second!.timestamps);
    expect((await verdictsWith())[0]).toMatchObject({
      timestamps: 1,
      fault: expect.stringContaining('something else') as string,
    });
    expect((await recordedTimestamp(kept.access, { origin, size }, roots())).timeUs).toBe(stamp!.time);
    kept.records(CHECKPOINTS_TOPIC, 0).pop();
    forge([{ ...stamp!, time: stamp!.time - 3_600_000_000 }]);
    expect((await verdictsWith())[0]?.fault).toContain('recorded time is not that');
    const access = new MemoryLog().access;
    await expect(recordedTimestamp(access, { origin, size })).rejects.toThrow('No time stamp is recorded');
    await expect(recordedTimestamp(access, { origin: 'nonsense', size })).rejects.toThrow('not the origin of a log');
    await expect(recordedTimestamp(kept.access, { origin, size }, roots('other-root'))).rejects.toThrow(
      'that verifies',
    );
  });

  it('stops when it is asked to', async () => {
    derive(kept);
    const statuses = await round(publisher());
    const stop = new AbortController();
    server.answer = () => {
      stop.abort();
      return undefined;
    };
    const left = await timestamping().round(statuses, stop.signal);
    expect(left.map(({ timestamp, timestampFailure }) => timestamp ?? timestampFailure)).toEqual(Array(LOGS));
  });
});
