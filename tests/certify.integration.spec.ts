import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../contracts/codec.ts';
import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import type { CertifyReport } from '../proofs/certify/certify-text.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const DECISIONS = 'probability.decisions';
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

  const send = async (values: readonly (Buffer | ProbabilityDecision | null)[]): Promise<void> => {
    const producer = kafka.producer({ createPartitioner: () => () => PARTITION });
    const records = createRecordProducer(kafka, createRegistry(connections.registryUrl));
    await producer.connect();
    for (const value of values) {
      if (value === null || Buffer.isBuffer(value)) {
        await producer.send({ topic: DECISIONS, messages: [{ key: null, value }] });
        continue;
      }
      const body = encodeBody('ProbabilityDecision', value);
      const { eventTime: timestampUs } = value;
      await records.send([
        { topic: DECISIONS, partition: PARTITION, key: INSTRUMENT, type: 'ProbabilityDecision', body, timestampUs },
      ]);
    }
    await producer.disconnect();
    await records.disconnect();
  };

  const lastDecision = async (): Promise<{ readonly decision: ProbabilityDecision; readonly offset: number }> => {
    const offset = (await reader.endOffset(DECISIONS, PARTITION)) - 1;
    for await (const [record] of reader.read({
      topic: DECISIONS,
      partition: PARTITION,
      from: offset,
      to: offset + 1,
    })) {
      return { decision: decodeBody('ProbabilityDecision', record!.value!.subarray(5)), offset };
    }
    throw new Error('there is no decision');
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

  it('leaves with a partial result when it is interrupted', async () => {
    const child = startCommand(['certify', '--json'], environmentOf(connections));
    child.stdout!.resume();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    setTimeout(() => child.kill('SIGTERM'), 1_500);
    expect([0, 130, 143]).toContain(await ended);
  });

  it('names a forged decision with the next sequence', async () => {
    const { decision, offset } = await lastDecision();
    await send([{ ...decision, sequence: decision.sequence + 1, eventId: 'decision-forged' }]);
    const { exitCode, report } = await certify();
    expect(exitCode).toBe(1);
    expect(report).toMatchObject({ verdict: 'DIFFERENT', statement: undefined });
    expect(report.results[PARTITION]!.difference).toMatchObject({
      ...{ kind: 'FORGED', topic: DECISIONS, logOffset: offset + 1, sequence: decision.sequence + 1 },
      eventId: 'decision-forged',
    });
    const others = report.results.filter(({ partition }) => partition !== PARTITION);
    expect(others.every(({ difference }) => difference === undefined)).toBe(true);
  });
});
