import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { createLog } from '../platform/log.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import type { AuditReport } from '../proofs/audit.ts';
import type { CoverageReport } from '../proofs/checkpoints/coverage-text.ts';
import { PartitionPublisher } from '../proofs/checkpoints/publisher.adapter.ts';
import { EventLog } from '../proofs/event-log.ts';
import type { RecommendationsReport } from '../proofs/reports/recommendations.ts';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { startTestWitness, type TestWitness } from './support/checkpointed-log.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY } from './support/signed-log.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const HORIZON_MS = 300_000;
const KEYS = ['--log-key', formatVerifierKey(LOG_KEY), '--witness-key', formatVerifierKey(WITNESS_KEY)];

/** In order: a log grows, is signed and cosigned, grows again, and is signed by no witness. */
describe('proofs of a recorded log', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-proofs', createLog('test', 'silent'));
  const reader = createLogReader(connections.kafkaBrokers);
  const registry = createRegistry(connections.registryUrl);
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  const producer = createRecordProducer(kafka, registry);
  const trades = syntheticTrades({ seed: 11, count: 4_500 });
  let folder: string;
  let witness: TestWitness;

  const file = (name: string): string => join(folder, name);
  const tapeproof = (...words: string[]) => runCommand(words, environmentOf(connections));
  const json = async <Value>(...words: string[]): Promise<Value> => {
    const { stdout, stderr } = await tapeproof(...words, '--json');
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout) as Value;
  };

  const ingest = async (name: string, from: number, to: number): Promise<void> => {
    const rows = trades
      .slice(from, to)
      .map(({ tradeId, eventTime, instrument, price, size, side }) =>
        [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
      );
    await writeFile(file(name), ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
    const { exitCode, stderr } = await tapeproof('ingest', 'file', file(name), '--accept-late');
    expect(exitCode, stderr).toBe(0);
    await until('the engine has read it', async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0);
  };

  const checkpoint = async (witnessed: boolean): Promise<void> => {
    witness.timeS = Math.floor(Date.now() / 1_000);
    const publisher = new PartitionPublisher(
      {
        ...{ access, producer, keys: [LOG_KEY], formerKeys: [], telemetry: noTelemetry() },
        witnesses: witnessed ? [{ url: witness.url, key: WITNESS_KEY }] : [],
        log: createLog('test', 'silent'),
        nowMs: () => Date.now(),
      },
      PARTITION,
    );
    const statuses = await publisher.round(new AbortController().signal);
    expect(statuses?.every(({ signed, difference }) => signed && difference === undefined)).toBe(true);
  };

  /** The last decision so far that is not NEUTRAL. */
  const newest = async (): Promise<string> => {
    const found = await new EventLog(reader, registry).newestDecision(
      PARTITION,
      ({ direction }) => direction !== 'NEUTRAL',
    );
    return found?.event.eventId ?? '';
  };

  let cosigned: string;
  let signed: string;
  let unsigned: string;
  beforeAll(async () => {
    await resetStores(connections);
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-proofs-'));
    witness = await startTestWitness();
    await writeFile(file('engine.json'), JSON.stringify({ hitRule: { horizonMs: HORIZON_MS } }));
    const { exitCode, stderr } = await tapeproof('activate', '--config', file('engine.json'));
    expect(exitCode, stderr).toBe(0);
    const engine = startEngine();
    await ingest('first.csv', 0, 2_000);
    cosigned = await newest();
    await checkpoint(true);
    await ingest('second.csv', 2_000, 4_000);
    signed = await newest();
    await checkpoint(false);
    await ingest('third.csv', 4_000, 4_500);
    unsigned = await newest();
    await engine.stop();
  });
  afterAll(async () => {
    await witness.close();
    await producer.disconnect();
    await reader.close();
    await rm(folder, { recursive: true });
  });

  it('writes a proof that verifies with the keys alone', async () => {
    const path = file('decision.tlog-proof');
    const audited = await tapeproof('audit', cosigned, '--proof', path, ...KEYS);
    expect(audited.exitCode, audited.stderr).toBe(0);
    expect(audited.stdout).toContain(`Proof: ${cosigned} is leaf`);
    expect(audited.stdout).toContain('· cosigned by witness.example');
    expect(audited.stdout).toMatch(/cosigned {4}by witness\.example \S+, by the witness's clock \(verified\): /);
    const keys = ['--log', formatVerifierKey(LOG_KEY), '--witness', formatVerifierKey(WITNESS_KEY)];
    const verified = await runCommand(['verify-proof', path, ...keys]);
    expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
    expect(verified.stdout).toMatch(new RegExp(`^${cosigned} [^]*\nPROVEN\\.\n$`));
    const again = await tapeproof('audit', cosigned, '--proof', path);
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('exists already') as string });
  });

  it('proves an outcome and a snapshot, and says where no witness signed', async () => {
    const { outcome, snapshot, provenance } = await json<AuditReport>('audit', cosigned, ...KEYS);
    expect(provenance.checkpointed).toMatchObject({ eventId: cosigned, cosigned: { isVerified: true } });
    expect(provenance.checkpointed?.beforeOutcome).toMatchObject({ beforeDue: null });
    for (const [name, id] of Object.entries({ outcome: outcome?.event.eventId, snapshot: snapshot.event.eventId })) {
      const path = file(`${name}.tlog-proof`);
      const { exitCode, stdout, stderr } = await tapeproof('audit', id ?? '', '--proof', path);
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain("the log's signature is not verified");
      const verified = await runCommand(['verify-proof', path, '--log', formatVerifierKey(LOG_KEY)]);
      expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
    }
    const path = file('signed.tlog-proof');
    const audited = await tapeproof('audit', signed, '--proof', path, ...KEYS);
    expect(audited.exitCode, audited.stderr).toBe(0);
    expect(audited.stdout).toContain('no witness signed this checkpoint');
    expect(audited.stdout).toContain('cosigned    by no witness');
  });

  it('writes none where no checkpoint has the event, or another key signed', async () => {
    for (const [id, ...words] of [[unsigned], [cosigned, '--log-key', formatVerifierKey(OTHER_LOG_KEY)]]) {
      const path = file('none.tlog-proof');
      expect(await tapeproof('audit', id ?? '', '--proof', path, ...words)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('tapeproof checkpoints now') as string,
      });
      await expect(readFile(path)).rejects.toThrow();
    }
  });

  it('refers each reported recommendation to its checkpoint', async () => {
    const words = ['--instrument', INSTRUMENT, '--from', '2025-03-25T00:00:00Z', '--to', '2025-03-27T00:00:00Z'];
    const { recommendations } = await json<RecommendationsReport>('report', 'recommendations', ...words);
    const referenceOf = (id: string) => recommendations.find(({ eventId }) => eventId === id)?.reference.checkpoint;
    const origin = expect.stringMatching(/^tapeproof\.local\/.+\/probability\.decisions\/\d$/) as string;
    expect(referenceOf(cosigned)).toMatchObject({ origin, size: expect.any(Number) as number });
    expect(referenceOf(unsigned)).toBeNull();
  });

  it('publishes the logs, which verify with no service', async () => {
    const published = await tapeproof('publish', '--dir', file('public'), '--log-key', formatVerifierKey(LOG_KEY));
    expect(published, published.stderr).toMatchObject({ exitCode: 0 });
    expect(published.stdout).toContain(`✓ probability.decisions-${PARTITION}: `);
    const again = await json<{ logs: { published: { added: number } | null }[] }>('publish', '--dir', file('public'));
    expect(again.logs.flatMap((log) => log.published?.added ?? [])).toEqual([0, 0, 0, 0, 0]);
    const words = ['publish', '--verify', file('public'), '--log-key', formatVerifierKey(LOG_KEY)];
    const verified = await runCommand(words);
    expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
    expect(verified.stdout).toContain('5 logs VALID.');
    const tile = join(file('public'), 'probability.decisions', String(PARTITION), 'tile/0/000');
    const bytes = await readFile(tile);
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    await writeFile(tile, bytes);
    const spoilt = await runCommand(words);
    expect([spoilt.exitCode, spoilt.stdout]).toEqual([1, expect.stringContaining('tile/0/000 is not what')]);
  });

  it('measures how many decisions were cosigned before their outcome', async () => {
    const report = await json<CoverageReport>('checkpoints', 'coverage', ...KEYS);
    expect(report).toMatchObject({ minHorizonMs: HORIZON_MS, isVerified: { log: true, witnesses: true } });
    expect(report.decisions).toBe(report.covered + report.notCovered + report.pending);
    // Those whose outcome came after the first checkpoint, and those whose outcome was already there.
    expect(report.covered).toBeGreaterThan(0);
    expect(report.notCovered).toBeGreaterThan(0);
    expect(report.pending).toBeGreaterThan(0);
    const none = await json<CoverageReport>('checkpoints', 'coverage', '--min-horizon', '6m');
    expect(none).toMatchObject({ decisions: 0, share: null, delay: null });
  });
});
