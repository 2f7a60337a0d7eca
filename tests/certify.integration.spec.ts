import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../contracts/codec.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import {
  ANCHORS_TOPIC,
  DEFAULT_PARTITIONS,
  TAPE_TOPIC,
  TOPIC_OF_DERIVED,
  type DerivedEvent,
} from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { createLog } from '../platform/log.ts';
import type { CertifyReport } from '../proofs/certify/certify-text.ts';
import { logFaults } from '../proofs/certify/against-log.ts';
import { certifyPartition } from '../proofs/certify/partition.ts';
import type { Statement } from '../proofs/certify/statement.ts';
import { environmentOf, runCommand, type CommandResult } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const INTERVAL = 1_000;

/** In order: each forgery stays in the log. */
describe('certify and verify', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-certify', createLog('test', 'silent'));
  const reader = createLogReader(connections.kafkaBrokers);
  let folder: string;

  const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environmentOf(connections));
  const certify = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await tapeproof('certify', '--json', ...words);
    expect(stdout, stderr).not.toBe('');
    return { exitCode, report: JSON.parse(stdout) as CertifyReport };
  };
  const file = (name: string): string => join(folder, name);

  /** Appends to an output of the partition: an event with changed fields, or a tombstone. */
  const forge = async (type: keyof typeof TOPIC_OF_DERIVED, event: DerivedEvent | null): Promise<void> => {
    const topic = TOPIC_OF_DERIVED[type];
    if (event === null) {
      const producer = kafka.producer({ createPartitioner: () => () => PARTITION });
      await producer.connect();
      await producer.send({ topic, messages: [{ key: INSTRUMENT, value: null }] });
      await producer.disconnect();
      return;
    }
    const records = createRecordProducer(kafka, createRegistry(connections.registryUrl));
    const body = encodeBody(type, event as never);
    await records.send([{ topic, partition: PARTITION, key: INSTRUMENT, type, body, timestampUs: event.eventTime }]);
    await records.disconnect();
  };

  const lastOf = async <Name extends keyof typeof TOPIC_OF_DERIVED>(type: Name) => {
    const topic = TOPIC_OF_DERIVED[type];
    const end = await reader.endOffset(topic, PARTITION);
    for await (const [record] of reader.read({ topic, partition: PARTITION, from: end - 1, to: end })) {
      return { event: decodeBody(type, record!.value!.subarray(5)), end };
    }
    throw new Error('there is no event');
  };

  beforeAll(async () => {
    await resetStores(connections);
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-certify-'));
    const rows = syntheticTrades({ seed: 11, count: 4_500 }).map(
      ({ tradeId, eventTime, instrument, price, size, side }) =>
        [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
    );
    await writeFile(file('trades.csv'), ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
    await writeFile(file('engine.json'), JSON.stringify({ anchorIntervalRecords: INTERVAL }));
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeFile(file('key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await writeFile(file('key.pub'), publicKey.export({ format: 'pem', type: 'spki' }));
    const other = generateKeyPairSync('ed25519').publicKey;
    await writeFile(file('other.pub'), other.export({ format: 'pem', type: 'spki' }));
    for (const words of [
      ['activate', '--config', file('engine.json')],
      ['ingest', 'file', file('trades.csv'), '--accept-late'],
    ]) {
      const { exitCode, stderr } = await tapeproof(...words);
      expect(exitCode, stderr).toBe(0);
    }
    const engine = startEngine();
    await until(
      'the engine has read the tape',
      async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
    );
    await engine.stop();
  });
  afterAll(async () => {
    await reader.close();
    await rm(folder, { recursive: true });
  });

  it('certifies the whole log, and the certificate verifies', async () => {
    const { exitCode, report } = await certify('--key', file('key.pem'), '--out', file('whole.json'));
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ verdict: 'DERIVED', isSigned: true });
    const { tape, anchors } = report.results[PARTITION]!.ranges[0]!;
    expect(tape.to).toBe(await reader.endOffset(TAPE_TOPIC, PARTITION));
    expect(anchors).toBeGreaterThan(3);
    const verified = await tapeproof('verify', file('whole.json'), '--key', file('key.pub'), '--against-log');
    expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
    expect(verified.stdout).toContain('VALID: form checked; signed by this key; compared with the log');
  });

  it('goes on where an earlier certificate ends, and both chain', async () => {
    const words = ['--partition', String(PARTITION), '--key', file('key.pem')];
    const first = await certify(...words, '--to', String(2 * INTERVAL), '--out', file('first.json'));
    expect(first.exitCode).toBe(0);
    const next = await certify(...words, '--after', file('first.json'), '--to', 'anchor', '--out', file('next.json'));
    expect(next.exitCode).toBe(0);
    expect(next.report.results[0]!.ranges[0]!.start).toMatchObject({
      ...{ kind: 'ANCHOR', offset: 2 * INTERVAL },
      derivedBy: first.report.statement,
    });
    const chained = await tapeproof('verify', file('first.json'), file('next.json'), '--key', file('key.pub'));
    expect(chained, chained.stderr).toMatchObject({ exitCode: 0 });
    const swapped = await tapeproof('verify', file('next.json'), file('first.json'));
    expect(swapped.exitCode).toBe(1);
    expect(swapped.stdout).toContain('first.json does not continue');
    const trusting = await tapeproof('certify', '--partition', String(PARTITION), '--from', String(2 * INTERVAL));
    expect(trusting.stdout).toContain(`the state of the anchor at ${2 * INTERVAL}: not derived by this run`);
  });

  it('refuses a truncated certificate, another key and what is not signed', async () => {
    const text = await readFile(file('whole.json'), 'utf8');
    await writeFile(file('cut.json'), text.slice(0, text.length / 2));
    expect(await tapeproof('verify', file('cut.json'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is not a certificate, or is cut off') as string,
    });
    expect(await tapeproof('verify', file('whole.json'), '--key', file('other.pub'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is not signed by the key that was given') as string,
    });
    expect(await tapeproof('verify', file('whole.json'), '--key', file('key.pem'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('it is a private key') as string,
    });
    await certify('--partition', String(PARTITION), '--out', file('unsigned.json'));
    expect(await tapeproof('verify', file('unsigned.json'), '--key', file('key.pub'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is not signed: nobody vouches for it') as string,
    });
  });

  it('names a forged outcome with the next sequence', async () => {
    const { event, end } = await lastOf('Outcome');
    await forge('Outcome', { ...event, sequence: event.sequence + 1, eventId: 'outcome-forged' });
    const { exitCode, report } = await certify('--out', file('never.json'));
    expect(exitCode).toBe(1);
    expect(report.verdict).toBe('DIFFERENT');
    expect(report.statement).toBeUndefined();
    expect(existsSync(file('never.json'))).toBe(false);
    expect(report.results[PARTITION]!.difference).toMatchObject({
      ...{ kind: 'FORGED', topic: 'decision.outcomes', logOffset: end, sequence: event.sequence + 1 },
      eventId: 'outcome-forged',
    });
    const others = report.results.filter(({ partition }) => partition !== PARTITION);
    expect(others.every(({ difference }) => difference === undefined)).toBe(true);
    // What was certified before is still there.
    expect(await tapeproof('verify', file('whole.json'), '--against-log')).toMatchObject({ exitCode: 0 });
  });

  it('names a repetition with other bytes, field by field, and the audit of the true one names it too', async () => {
    const { event, end } = await lastOf('ProbabilityDecision');
    await forge('ProbabilityDecision', { ...event, probability: 0.987654 });
    const { exitCode, stdout } = await tapeproof('certify', '--partition', String(PARTITION));
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`CHANGED_DUPLICATE probability.decisions-${PARTITION}, log offset ${end}`);
    expect(stdout).toContain(`probability: expected ${event.probability}, found 0.987654`);
    const audited = await tapeproof('audit', event.eventId, '--verify');
    expect(audited.exitCode).toBe(1);
    expect(audited.stdout).toContain(`holds another event after ${event.eventId}, at log offset ${end}`);
  });

  it('names a tombstone', async () => {
    const { end } = await lastOf('StrategyResult');
    await forge('StrategyResult', null);
    const { report } = await certify('--partition', String(PARTITION));
    expect(report.results[0]!.difference).toMatchObject({
      ...{ kind: 'NOT_AN_EVENT', topic: 'strategy.results', logOffset: end },
    });
  });

  it('is repaired as --repair says: then the log is what was certified before', async () => {
    const anchors = await reader.endOffset(ANCHORS_TOPIC, PARTITION);
    for await (const [record] of reader.read({
      ...{ topic: ANCHORS_TOPIC, partition: PARTITION },
      ...{ from: anchors - 1, to: anchors },
    })) {
      const manifest = decodeBody('EngineAnchor', record!.value!.subarray(5));
      const records = createRecordProducer(kafka, createRegistry(connections.registryUrl));
      const body = encodeBody('EngineAnchor', { ...manifest, previousAnchorHash: null, stateHash: 'f'.repeat(64) });
      const place = { topic: ANCHORS_TOPIC, partition: PARTITION, key: `${PARTITION}:forged` } as const;
      await records.send([{ ...place, type: 'EngineAnchor', body, timestampUs: record!.timestampMs * 1_000 }]);
      await records.disconnect();
    }
    const { stdout } = await tapeproof('certify', '--repair');
    const [recreate] = /npx tapeproof topics recreate --derived/.exec(stdout)!;
    const before = JSON.parse(await readFile(file('whole.json'), 'utf8')) as { readonly payload: string };
    const statement = JSON.parse(Buffer.from(before.payload, 'base64').toString()) as Statement;
    expect(await tapeproof(...recreate.split(' ').slice(2))).toMatchObject({ exitCode: 0 });
    const engine = startEngine();
    const registry = createRegistry(connections.registryUrl);
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    await until('the log is again what the certificate states', async () => {
      for (const range of statement.predicate.ranges) if ((await logFaults(access, range)).length > 0) return false;
      return true;
    });
    await engine.stop();
    const { difference, notWrittenFrom } = await certifyPartition(access, PARTITION, {});
    expect({ difference, notWrittenFrom }).toEqual({ difference: undefined, notWrittenFrom: undefined });
  });

  it('refuses the certificate of another tape', async () => {
    await resetStores(connections);
    expect(await tapeproof('activate', '--config', file('engine.json'))).toMatchObject({ exitCode: 0 });
    const engine = startEngine();
    await until('there is an anchor', async () => (await reader.endOffset(ANCHORS_TOPIC, PARTITION)) > 0);
    await engine.stop();
    const verified = await tapeproof('verify', file('whole.json'), '--against-log');
    expect(verified.exitCode).toBe(1);
    expect(verified.stdout).toMatch(/The certificate is of the tape \S+, and partition \d belongs to the tape/);
  });
});
