import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeBody, FRAME_BYTES } from '../../contracts/codec.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import { CHECKPOINTS_TOPIC } from '../../contracts/topics.ts';
import { createLog } from '../../platform/log.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { derive, producerInto, tape } from '../../tests/support/small-partition.ts';
import { hasOpenssl, LocalTsa, serveTsa, type TsaServer } from '../../tests/support/local-tsa.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { LOG_KEY } from '../../tests/support/signed-log.ts';
import { authorityAt } from '../timestamps/authority.adapter.ts';
import { parseRoots } from '../timestamps/certificate-path.ts';
import { tokenIn } from '../timestamps/token.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import { recordOfCheckpoint } from './checkpoint-log.adapter.ts';
import { listHeads } from './heads.adapter.ts';
import { PartitionPublisher, type LogStatus } from './publisher.adapter.ts';
import { recordedTimestamp } from './recorded-timestamp.adapter.ts';
import { Timestamping, type TimestampingSettings } from './timestamping.adapter.ts';
import { verifyLogs } from './verification.adapter.ts';

const never = new AbortController().signal;
const round = async (own: PartitionPublisher): Promise<readonly LogStatus[]> => (await own.round(never)) ?? [];
let kept: MemoryLog;
const recorded = (): LogCheckpoint[] =>
  kept.records(CHECKPOINTS_TOPIC, 0).map(({ value }) => decodeBody('LogCheckpoint', value!.subarray(FRAME_BYTES)));

function publisher(): PartitionPublisher {
  const settings = {
    ...{ access: kept.access, producer: producerInto(kept), nowMs: Date.now, telemetry: noTelemetry() },
    log: createLog('checkpoints', 'silent'),
  };
  return new PartitionPublisher({ ...settings, keys: [LOG_KEY], formerKeys: [], witnesses: [] }, 0);
}

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
    kept = new MemoryLog();
  });
  afterAll(async () => {
    await server.close();
    tsa.remove();
  });

  const timestamping = (changed: Partial<TimestampingSettings> = {}): Timestamping =>
    new Timestamping({
      ...{ authority: authorityAt(server.url, roots()), everyMs: 600_000, deadlineMs: 60_000 },
      producer: producerInto(kept),
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
    let failed: readonly LogStatus[] = [];
    const asked = await requestsOf(async () => {
      failed = await own.round([...statuses, ...statuses, ...statuses], never);
    });
    expect(asked).toBeLessThanOrEqual(4);
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
    expect((await verdictsWith()).find((verdict) => verdict.origin === origin)).toMatchObject({
      timestamps: 1,
      fault: expect.stringContaining('something else') as string,
    });
    expect((await recordedTimestamp(kept.access, { origin, size }, roots())).timeUs).toBe(stamp!.time);
    kept.records(CHECKPOINTS_TOPIC, 0).pop();
    forge([{ ...stamp!, time: stamp!.time - 3_600_000_000 }]);
    expect((await verdictsWith()).find((verdict) => verdict.origin === origin)?.fault).toContain(
      'recorded time is not that',
    );
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
