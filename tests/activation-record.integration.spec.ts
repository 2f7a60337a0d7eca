import { parse } from 'csv-parse/sync';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated, ProbabilityDecision } from '../contracts/generated/events.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { stepAlong } from '../evaluators/recovery.adapter.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { AuditReport } from '../proofs/audit.ts';
import type { DecisionAt } from '../proofs/decision-at.ts';
import { EventLog } from '../proofs/event-log.ts';
import type { ReportedActivation } from '../proofs/reports/activations.ts';
import type { RecommendationsReport } from '../proofs/reports/recommendations.ts';
import { environmentOf, runCommand, startCommand } from './support/command.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, 6);
const HORIZON_MS = 20_000;
const STATED = ['--actor', 'Ann <ann@example.org>', '--reason', 'first trial', '--approver', 'Bo'];
const trades = syntheticTrades({ seed: 11, count: 4_000 }).filter(({ instrument }) => instrument === INSTRUMENT);

let environment: Record<string, string>;
let folder: string;
let engine: ChildProcess;
const reader = createLogReader(stackConnections().kafkaBrokers);
const registry = createRegistry(stackConnections().registryUrl);
const log = new EventLog(reader, registry);

const tapeproof = (...words: string[]) => runCommand(words, environment);

async function json<Value>(...words: string[]): Promise<Value> {
  const { stdout, stderr } = await tapeproof(...words, '--json');
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as Value;
}

async function ingest(name: string, from: number, to: number): Promise<void> {
  const rows = trades
    .slice(from, to)
    .map(({ tradeId, eventTime, instrument, price, size, side }) =>
      [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
    );
  const path = join(folder, name);
  await writeFile(path, ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
  expect(await tapeproof('ingest', 'file', path, '--accept-late')).toMatchObject({ exitCode: 0 });
}

async function configuration(name: string, changes: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `anchorIntervalRecords: 500\nhitRule: { horizonMs: ${HORIZON_MS} }\n${changes}`);
  return path;
}

async function untilEngineHasRead(): Promise<void> {
  const kafka = createKafka(stackConnections().kafkaBrokers, 'activation-record-test');
  await until('the engine has read the tape', async () => {
    return (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0;
  });
}

/** The decisions in the log, in order. */
async function decisions(): Promise<ProbabilityDecision[]> {
  const [start, end] = await log.boundsOfDecisions(PARTITION);
  const found: ProbabilityDecision[] = [];
  for await (const { event } of log.range('ProbabilityDecision', PARTITION, start, end)) found.push(event);
  return found;
}

const activations = async () =>
  (await json<{ activations: ReportedActivation[] }>('report', 'activations')).activations;

beforeAll(async () => {
  const connections = stackConnections();
  await resetStores(connections);
  environment = environmentOf(connections);
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-activation-record-'));
  const config = await configuration('first.yaml', '');
  expect(await tapeproof('activate', '--config', config, ...STATED)).toMatchObject({ exitCode: 0 });
  await ingest('first.csv', 0, 2_000);
  engine = startCommand(['engine', 'run'], environment);
  await untilEngineHasRead();
});
afterAll(async () => {
  engine.kill('SIGKILL');
  await reader.close();
  await rm(folder, { recursive: true });
});

describe('an activation', () => {
  it('says who ordered it, why and by whose approval, in the report and in every audit', async () => {
    const [first] = await activations();
    const stated = { actor: 'Ann <ann@example.org>', reason: 'first trial', approver: 'Bo' };
    expect(first).toMatchObject({ ...stated, missingIn: [], changes: null, revokedBy: null, fault: null });
    expect(first?.places).toHaveLength(6);
    const { provenance } = await json<AuditReport>('audit', '--latest', INSTRUMENT);
    expect(provenance).toMatchObject({
      tapeId: first?.tapeId,
      activation: { ...stated, activationId: first?.activationId, configHash: first?.configHash },
    });
    expect(provenance.sources.map(({ source }) => source.slice(0, 5))).toEqual(['file:']);
    expect(Date.parse(provenance.derived.decision ?? '')).toBeGreaterThan(0);
    const { stdout } = await tapeproof('audit', '--latest', INSTRUMENT);
    expect(stdout).toContain('by          Ann <ann@example.org>; reason: first trial; approved by: Bo');
    expect(stdout).toMatch(/✓ .*\[rests on .*\]/);
  });

  it('takes what it states from the environment, and refuses what a terminal would not show', async () => {
    for (const words of [
      ['--reason', 'a\u001b[2Kb'],
      ['--actor', 'x'.repeat(501)],
      ['--approver', 'a\u202eb'],
    ]) {
      expect(await tapeproof('activate', ...words)).toMatchObject({ exitCode: 2 });
    }
    const config = await configuration('second.yaml', 'cadenceMs: 2000\n');
    environment['TAPEPROOF_REASON'] = 'slower';
    environment['TAPEPROOF_ACTOR'] = 'Cy';
    environment['TAPEPROOF_APPROVER'] = '';
    expect(await tapeproof('activate', '--config', config)).toMatchObject({ exitCode: 0 });
    for (const name of ['REASON', 'ACTOR', 'APPROVER']) environment[`TAPEPROOF_${name}`] = '';
    expect((await activations()).at(-1)).toMatchObject({
      ...{ actor: 'Cy', reason: 'slower', approver: null },
      changes: [{ key: 'cadenceMs', from: '1000', to: '2000' }],
    });
    const { stdout } = await tapeproof('report', 'activations');
    expect(stdout).toContain('cadenceMs: 1000 → 2000');
    const [header = [], ...rows] = parse((await tapeproof('report', 'activations', '--csv')).stdout);
    expect(rows.map((row) => row[header.indexOf('actor')])).toEqual(['Ann <ann@example.org>', 'Cy']);
  });
});

describe('audit --at', () => {
  const at = (time: string, ...words: string[]) =>
    tapeproof('audit', '--at', time, '--instrument', INSTRUMENT, ...words);

  it('answers with the decision in force, and says that it was not published by then', async () => {
    const made = (await decisions())[100]!;
    const time = isoTimeOf(made.eventTime + 1);
    const { exitCode, stdout } = await at(time);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`In force at ${time} by market time: ${made.eventId}`);
    expect(stdout).toMatch(/had NOT been published by then: the engine sent it at .* later/);
    const report = await json<AuditReport & { at: DecisionAt }>('audit', '--at', time, '--instrument', INSTRUMENT);
    expect(report.asked).toBe(made.eventId);
    expect(report.at).toMatchObject({ isInForce: true, isPublishedBy: false, publishedThen: null });
  });

  it.each([
    [
      '2025-03-25T23:08:00',
      2,
      /write it with its zone, for example 2025-03-25T23:08:00Z or 2025-03-25T23:08:00\+01:00/,
    ],
    ['2025-03-25', 2, /write it with its zone/],
    ['2025-02-30T00:00:00Z', 2, /is not a valid time/],
    ['1999-01-01T00:00:00Z', 1, /no decision for BTC-USDT@binance at or before 1999-.*: its first is decision-/],
    ['2999-01-01T00:00:00Z', 1, /is in the future/],
    ['2025-12-31T00:00:00Z', 1, /older than its horizon of 20 s: no decision was in force/],
  ])('answers %s with exit code %i and a sentence', async (time, code, sentence) => {
    const { exitCode, stderr } = await at(time);
    expect(stderr).toMatch(sentence);
    expect(exitCode).toBe(code);
  });

  it('takes its bound from --max-age, and suggests an instrument', async () => {
    const made = (await decisions()).at(-1)!;
    const time = isoTimeOf(made.eventTime + 1_500_000);
    expect(await at(time, '--max-age', '2s')).toMatchObject({ exitCode: 0 });
    const stale = await at(time, '--max-age', '1s');
    expect(stale.stderr).toMatch(/1\.5 s earlier, which is 0\.5 s older than the 1 s of --max-age/);
    expect(stale.exitCode).toBe(1);
    const asJson = await at(time, '--max-age', '1s', '--json');
    expect(asJson.exitCode).toBe(1);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ at: { isInForce: false, decision: { eventId: made.eventId } } });
    const mistyped = await tapeproof('audit', '--at', time, '--instrument', 'BTC-USTD@binance');
    expect(mistyped).toMatchObject({ exitCode: 1 });
    expect(mistyped.stderr).toContain('did you mean BTC-USDT@binance?');
  });
});

describe('report recommendations', () => {
  it('lists each decision of a time with what the regulation asks for', async () => {
    const all = await decisions();
    const asked = all.slice(50, 90);
    const [from, to] = [isoTimeOf(asked[0]!.eventTime), isoTimeOf(all[90]!.eventTime)];
    const words = ['report', 'recommendations', '--instrument', INSTRUMENT, '--from', from, '--to', to];
    const { document, recommendations } = await json<RecommendationsReport>(...words);
    expect(document.join(' ')).toContain('not predictions, and not advice');
    expect(recommendations.map(({ eventId }) => eventId)).toEqual(asked.map(({ eventId }) => eventId));
    const scored = recommendations.find(({ outcome }) => outcome !== null)!;
    const audited = await json<AuditReport>('audit', scored.eventId);
    expect(scored).toMatchObject({
      publishedAt: audited.provenance.derived.decision,
      responsible: { actor: 'Ann <ann@example.org>', activationId: audited.provenance.activation.activationId },
      outcome: { verdict: audited.outcome?.event.verdict, eventId: audited.outcome?.event.eventId },
      substantiation: { sentence: audited.reasoning[scored.eventId] },
      reference: { hash: audited.decision?.hash },
      validity: { horizonMs: HORIZON_MS },
    });
    const text = (await tapeproof(...words)).stdout;
    expect(text).toContain('not advice');
    expect(text).toContain(scored.substantiation.sentence);
    const rows = parse<Record<string, string>>((await tapeproof(...words, '--csv')).stdout, { columns: true });
    expect(rows.map((row) => row['event_id'])).toEqual(asked.map(({ eventId }) => eventId));
    const zoneless = await tapeproof(...words.slice(0, 5), from.slice(0, 19), '--to', to);
    expect(zoneless).toMatchObject({ exitCode: 2 });
    expect(zoneless.stderr).toContain('write it with its zone');
  });
});

describe('a forged activation of another engine version', () => {
  const forgedId = 'forged';

  it('is revoked on the record, and the engine continues as if it had never been', async () => {
    await untilEngineHasRead();
    const [genuine] = await activations();
    await forge(genuine!);
    await ingest('second.csv', 2_000, 2_500);
    const before = (await decisions()).length;
    // A later genuine one does not help.
    expect(await tapeproof('activate', '--config', join(folder, 'first.yaml'))).toMatchObject({ exitCode: 0 });
    expect(await tapeproof('activate', '--revoke', forgedId)).toMatchObject({ exitCode: 2 });
    expect(await tapeproof('activate', '--revoke', 'none', '--reason', 'x')).toMatchObject({ exitCode: 1 });
    const own = await tapeproof('activate', '--revoke', genuine!.activationId, '--reason', 'x');
    expect(own).toMatchObject({ exitCode: 1 });
    expect(own.stderr).toContain('is of this engine version');
    expect((await decisions()).length).toBe(before);
    const config = join(folder, 'first.yaml');
    const revoked = await tapeproof('activate', '--config', config, '--revoke', forgedId, '--reason', 'not ours');
    expect(revoked).toMatchObject({ exitCode: 0 });
    await ingest('third.csv', 2_500, 3_000);
    await untilEngineHasRead();
    expect((await decisions()).length).toBeGreaterThan(before);
    expect((await activations()).find(({ activationId }) => activationId === forgedId)).toMatchObject({
      engineVersion: '999',
      revokedBy: (await activations()).at(-1)?.activationId,
      missingIn: [0, 1, 2, 3, 4, 5].filter((partition) => partition !== PARTITION),
    });
    const { stdout } = await tapeproof('dead-letters');
    expect(stdout).toContain('the activation forged of engine version 999 is revoked by the activation');
  });

  it('leaves a log that is the same when it is derived from the beginning, and audits of it pass', async () => {
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const task = createPartitionTask(PARTITION);
    const [derived, anchors]: [Set<string>, Set<string>] = [new Set(), new Set()];
    for await (const advance of stepAlong(access, task, await reader.endOffset(TAPE_TOPIC, PARTITION))) {
      for (const { hash } of advance.derived) derived.add(hash.toString('hex'));
      if (advance.anchor !== undefined) anchors.add(advance.anchor.hash.toString('hex'));
    }
    expect(task.nextOffset).toBe(await reader.endOffset(TAPE_TOPIC, PARTITION));
    const logged = (await Promise.all(DERIVED_TOPICS.map(hashesIn))).flat();
    expect(new Set(logged)).toEqual(derived);
    expect(new Set(await hashesIn(ANCHORS_TOPIC))).toEqual(anchors);
    const last = (await decisions()).at(-1)!;
    const audited = await tapeproof('audit', last.eventId, '--verify');
    expect(audited.stdout).toMatch(/(\d+) of \1 checks passed/);
    expect(audited.exitCode).toBe(0);
  });

  it('cannot be revoked once an engine has run under it', async () => {
    const { kafkaBrokers } = stackConnections();
    const anchors: string[] = [];
    for await (const records of reader.read({ topic: ANCHORS_TOPIC, partition: PARTITION, from: 0, to: Infinity })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        const anchor = 'reason' in framed ? undefined : framed.as('EngineAnchor');
        if (anchor === undefined) continue;
        anchors.push(anchor.activationId);
        if (anchors.length > 1) continue;
        const producer = createRecordProducer(createKafka(kafkaBrokers, 'test'), registry);
        const body = encodeBody('EngineAnchor', { ...anchor, activationId: forgedId, engineVersion: '999' });
        const where = { topic: ANCHORS_TOPIC, partition: PARTITION, key: null } as const;
        await producer.send([{ ...where, type: 'EngineAnchor', body, timestampUs: 0 }]);
        await producer.disconnect();
      }
    }
    const { exitCode, stderr } = await tapeproof('activate', '--revoke', forgedId, '--reason', 'again');
    expect(stderr).toContain('An engine has run under the activation "forged"');
    expect(exitCode).toBe(1);
  });

  it('does not make the engine continue where another one has written in the meantime', async () => {
    engine.kill('SIGKILL');
    let said = '';
    engine = startCommand(['engine', 'run'], environment);
    engine.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = once(engine, 'close');
    await untilEngineHasRead();
    const [genuine] = await activations();
    await forge(genuine!, 'another');
    await until('the engine waits', () => said.includes('revoke it: '));
    const last = (await decisions()).at(-1)!;
    const producer = createRecordProducer(createKafka(stackConnections().kafkaBrokers, 'test'), registry);
    const body = encodeBody('ProbabilityDecision', { ...last, sequence: last.sequence + 1 });
    const where = { topic: 'probability.decisions', partition: PARTITION, key: last.instrument } as const;
    await producer.send([{ ...where, type: 'ProbabilityDecision', body, timestampUs: last.eventTime }]);
    await producer.disconnect();
    await ingest('fourth.csv', 3_000, 3_200);
    const config = join(folder, 'first.yaml');
    const revoked = await tapeproof('activate', '--config', config, '--revoke', 'another', '--reason', 'not ours');
    expect(revoked).toMatchObject({ exitCode: 0 });
    const [exitCode] = (await ended) as [number];
    expect(exitCode).toBe(1);
    expect(said).toContain(`probability.decisions-${PARTITION}`);
  });

  async function forge({ tapeId }: ReportedActivation, activationId = forgedId): Promise<void> {
    const producer = createRecordProducer(createKafka(stackConnections().kafkaBrokers, 'test'), registry);
    const activation: EngineActivated = {
      ...{ tapeId, activationId, engineVersion: '999', gitCommit: 'none' },
      ...{ configuration: '{}', configHash: sha256Hex('{}'), writerFingerprints: {}, acceptedTapeSchemas: [] },
      ...{ actor: null, reason: null, approver: null, hasUncommittedChanges: null, revokes: [] },
    };
    const body = encodeBody('EngineActivated', activation);
    const where = { topic: TAPE_TOPIC, partition: PARTITION, key: null } as const;
    await producer.send([{ ...where, type: 'EngineActivated', body, timestampUs: Date.now() * 1_000 }]);
    await producer.disconnect();
  }

  async function hashesIn(topic: string): Promise<string[]> {
    const hashes: string[] = [];
    for await (const records of reader.read({ topic, partition: PARTITION, from: 0, to: Infinity })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        if (!('reason' in framed)) hashes.push(framed.hash.toString('hex'));
      }
    }
    return hashes;
  }
});
