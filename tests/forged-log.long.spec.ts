import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody, frame, sha256Hex } from '../contracts/codec.ts';
import type { EngineAnchor } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { ANCHORS_TOPIC, DEFAULT_PARTITIONS, DERIVED_TOPICS, STATES_TOPIC, TAPE_TOPIC } from '../contracts/topics.ts';
import { anchorsBackward, readState, type LogAccess, type StoredAnchor } from '../evaluators/anchor-log.adapter.ts';
import { recordHashOf } from '../evaluators/anchor.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { createLog } from '../platform/log.ts';
import { createPool } from '../platform/postgres.ts';
import { World } from './faults/world.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { SEEDED_INSTRUMENTS } from './support/seeded-tape.ts';
import { postgresAdministratorUrl, stackConnections, stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES = 20_000;
const MORE = 2_000;
const DECISIONS = 'probability.decisions';
const [INSTRUMENT = ''] = SEEDED_INSTRUMENTS;
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const HISTORY = 'postgres-history';
const FORGED_ID = `decision-${PARTITION}-999999-0`;
const UNKNOWN_SCHEMA_ID = 987_654;
const CONFLICT = /probability\.decisions-\d+ holds another event at log offset \d+, not decision-/;

/** In order: each test goes on with the log of the one before. Somebody has write access to every topic. */
describe('an engine whose outputs somebody else writes to', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-forged', createLog('test', 'silent'));
  const registry = createRegistry(connections.registryUrl);
  const producer = createRecordProducer(kafka, registry);
  const reader = createLogReader(connections.kafkaBrokers);
  const access: LogAccess = { reader, registry, decode: createTapeDecoder(registry) };
  const started: ObservedProcess[] = [];
  const pool = createPool(postgresAdministratorUrl(), 'test-forged');
  let world: World;
  let traded = 0;

  const start = (...words: readonly string[]): ObservedProcess => {
    const process = new ObservedProcess(connections, words);
    started.push(process);
    return process;
  };
  const startEngine = (): ObservedProcess => start('engine', 'run');
  /** Runs the projector until the store has each event of the log. */
  const project = async (): Promise<void> => {
    const projector = start('projector', 'run', HISTORY);
    const topics = world.topicsOf(HISTORY);
    await until('the history has everything', async () => (await world.lagOf(HISTORY, topics)) === 0);
    expect(await projector.stop()).toBe(0);
  };
  const command = async (...words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await runCommand(words, environmentOf(connections));
    return { exitCode, stdout, stderr };
  };
  const trade = async (count: number): Promise<void> => {
    await world.trade(traded, count);
    traded += count;
  };
  const newestAnchor = async (): Promise<StoredAnchor> => {
    for await (const anchor of anchorsBackward(access, PARTITION)) return anchor;
    throw new Error('there is no anchor');
  };

  /** An anchor at the end of the tape, with a state that nobody derived and without a predecessor. @returns its offset. */
  const forgeAnchor = async (): Promise<number> => {
    const newest = await newestAnchor();
    const offset = await reader.endOffset(TAPE_TOPIC, PARTITION);
    const head = (await readState(access, newest))?.toString('utf8') ?? '';
    const coins = head
      .replace(/"trades":\d+/, '"trades":1000000')
      .replace(/"nextOffset":\d+/, `"nextOffset":${offset}`);
    const bytes = Buffer.from(coins);
    const range = { topic: TAPE_TOPIC, partition: PARTITION, from: offset - 1, to: offset };
    let tapeRecordHash = '';
    for await (const [record] of reader.read(range)) tapeRecordHash = recordHashOf(await access.decode(record!));
    const manifest: EngineAnchor = {
      ...{ ...newest.manifest, tape: { partition: PARTITION, offset }, tapeRecordHash },
      ...{ stateHash: sha256Hex(bytes), stateBytes: bytes.length, stateChunks: 1, previousAnchorHash: null },
    };
    const { tape } = manifest;
    const common = { partition: PARTITION, timestampUs: 0 };
    const state = encodeBody('EngineState', { tape, chunk: 0, chunks: 1, bytes, pageHash: null });
    const at = await reader.endOffset(STATES_TOPIC, PARTITION);
    const headers = { 'state-log-offset': String(at), 'pages-log-offset': String(at) };
    const key = `${PARTITION}:${tape.offset}`;
    await producer.send([{ ...common, topic: STATES_TOPIC, key: `${key}:0`, type: 'EngineState', body: state }]);
    const body = encodeBody('EngineAnchor', manifest);
    await producer.send([{ ...common, topic: ANCHORS_TOPIC, key, type: 'EngineAnchor', body, headers }]);
    return offset;
  };

  /** A decision with the next sequence. @returns its log offset. */
  const forgeDecision = async (): Promise<number> => {
    const end = await reader.endOffset(DECISIONS, PARTITION);
    const records = (await world.recordsOf(DECISIONS)).filter(({ partition }) => partition === PARTITION);
    const last = decodeBody('ProbabilityDecision', bodyOf(records.at(-1)!.value!));
    const event = { ...last, eventId: FORGED_ID, sequence: last.sequence + 1, probability: 0.999 };
    const body = encodeBody('ProbabilityDecision', event);
    const { instrument: key, eventTime: timestampUs } = event;
    await producer.send([
      { topic: DECISIONS, partition: PARTITION, key, type: 'ProbabilityDecision', body, timestampUs },
    ]);
    return end;
  };

  /** The newest anchor once more, with another root of its decisions. @returns its log offset. */
  const forgeRoot = async (): Promise<number> => {
    const end = await reader.endOffset(ANCHORS_TOPIC, PARTITION);
    const { manifest } = await newestAnchor();
    const treeRoots = { ...manifest.treeRoots, [DECISIONS]: '00'.repeat(32) };
    const body = encodeBody('EngineAnchor', { ...manifest, treeRoots });
    const key = `${PARTITION}:${manifest.tape.offset}`;
    await producer.send([
      { topic: ANCHORS_TOPIC, partition: PARTITION, key, type: 'EngineAnchor', body, timestampUs: 0 },
    ]);
    return end;
  };

  beforeAll(async () => {
    world = new World(connections, `${stackOptions().folder}/../test-logs-forged`);
    await world.connect();
    await world.reset(false);
    await world.activate();
    await trade(TRADES);
    const engine = startEngine();
    await world.untilEngineCaughtUp();
    expect(await engine.stop()).toBe(0);
    expect((await newestAnchor()).manifest.previousAnchorHash).not.toBeNull();
  });
  afterAll(async () => {
    for (const process of started) if (process.isAlive) await process.kill();
    await Promise.all([producer.disconnect(), reader.close(), pool.end()]);
    await world.close();
  });

  it('recovers from the true anchor, not from a forged one, and says so', async () => {
    const { offset } = (await newestAnchor()).manifest.tape;
    const anchors = await reader.endOffset(ANCHORS_TOPIC, PARTITION);
    const forgedAt = await forgeAnchor();
    const engine = startEngine();
    const place = { 'tapeproof.tape.partition': PARTITION };
    const rejected = await engine.line('anchor-rejected', place);
    expect(rejected).toMatchObject({ 'tapeproof.tape.offset': forgedAt, 'tapeproof.offset': anchors });
    expect(rejected['tapeproof.reason']).toBe('derived-otherwise');
    const recovered = await engine.line('recovered', place);
    expect(recovered['tapeproof.recovered_from']).toBe(offset);
    expect(recovered['tapeproof.derived_again_from']).toBeLessThan(offset);
    const labels = { partition: String(PARTITION), reason: 'derived-otherwise' };
    expect(await engine.metric('tapeproof_engine_anchors_rejected_total', labels)).toBe(1);
    await trade(MORE);
    await world.untilEngineCaughtUp();
    expect(await engine.stop()).toBe(0);
    // Nothing was written again that the log has.
    const manifests = (await world.recordsOf(ANCHORS_TOPIC)).map(({ value }) => value?.toString('hex'));
    expect(new Set(manifests).size).toBe(manifests.length);
    const { stdout, exitCode } = await runCommand(
      ['audit', '--latest', INSTRUMENT, '--verify', '--json'],
      environmentOf(connections),
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/itself derived again from the anchor \d+ before it, whose state is taken as it is/);
  });

  it('passes over what is not an event while it runs, and counts it', async () => {
    const engine = startEngine();
    await engine.line('recovered', { 'tapeproof.tape.partition': PARTITION });
    const foreign = kafka.producer({
      createPartitioner: () => () => PARTITION,
      ...{ transactionalId: 'test-forged', maxInFlightRequests: 1, idempotent: true },
    });
    await foreign.connect();
    const transaction = await foreign.transaction();
    const values = [null, Buffer.from('text'), frame(UNKNOWN_SCHEMA_ID, Buffer.from('foreign'))];
    await transaction.send({ topic: DECISIONS, messages: values.map((value) => ({ key: null, value })) });
    // Its marker is a record of the log, too, that nobody is given.
    await transaction.commit();
    await foreign.disconnect();
    await engine.line('foreign-record', { 'tapeproof.topic': DECISIONS });
    await until('all are counted', async () => {
      return (await engine.metric('tapeproof_foreign_records_total', { topic: DECISIONS })) === values.length;
    });
    await trade(MORE);
    await world.untilEngineCaughtUp();
    expect(await engine.isReady()).toBe(true);
    expect(await engine.metric('tapeproof_engine_foreign_events_total')).toBe(0);
    expect(await engine.stop()).toBe(0);
  });

  it('reports a forged decision without waiting for a trade, and stops before it would write after it', async () => {
    const engine = startEngine();
    await world.untilEngineCaughtUp();
    await engine.line('recovered', { 'tapeproof.tape.partition': PARTITION });
    const offset = await forgeDecision();
    const place = { 'tapeproof.topic': DECISIONS, 'tapeproof.partition': PARTITION, 'tapeproof.offset': offset };
    await engine.line('foreign-event', { ...place, 'tapeproof.fate': 'ahead' });
    const labels = { topic: DECISIONS, partition: String(PARTITION), fate: 'ahead' };
    expect(await engine.metric('tapeproof_engine_foreign_events_total', labels)).toBe(1);
    await trade(MORE);
    expect(await engine.ended()).toBe(1);
    const stopped = engine.find('consumer-stopped')[0] ?? {};
    expect(String(stopped['message'])).toMatch(CONFLICT);
    expect(String(stopped['message'])).toContain(`at log offset ${offset},`);
    expect(await reader.endOffset(DECISIONS, PARTITION)).toBe(offset + 1);
    // A projector takes it for the engine's: nothing else has its sequence.
    await project();
  });

  it('is not set going again by a forged anchor, but by the remedy that it prints', async () => {
    await forgeAnchor();
    const engine = startEngine();
    expect(await engine.ended()).toBe(1);
    expect(String(engine.find('consumer-stopped')[0]?.['message'])).toMatch(CONFLICT);
    const remedy = await runCommand(['topics', 'recreate', '--derived'], environmentOf(connections));
    expect([remedy.exitCode, remedy.stderr]).toEqual([0, '']);
    const again = startEngine();
    await until('everything is derived again', async () => {
      return (await reader.endOffset(DECISIONS, PARTITION)) > 0 && (await world.lagOf('engine', [TAPE_TOPIC])) === 0;
    });
    // Enough for another anchor in this partition.
    await trade(TRADES);
    await world.untilEngineCaughtUp();
    expect(again.isAlive).toBe(true);
    expect(await again.metric('tapeproof_engine_foreign_events_total')).toBe(0);
    const decisions = (await world.recordsOf(DECISIONS)).map(({ value }) =>
      decodeBody('ProbabilityDecision', bodyOf(value!)),
    );
    expect(decisions.some(({ probability }) => probability === 0.999)).toBe(false);
    expect(await again.stop()).toBe(0);
  });

  it('holds a projector to its roots: a forged decision that is stored is marked, and the printed remedy removes it', async () => {
    const query = async <Row extends object>(text: string): Promise<Row[]> => (await pool.query<Row>(text)).rows;
    const inDoubt = () =>
      query<{ partition: number; forged: boolean }>(
        `SELECT partition, bool_or(event_id = '${FORGED_ID}') AS forged FROM tapeproof.events_in_doubt
          WHERE topic = '${DECISIONS}' GROUP BY partition`,
      );
    // It goes on where it stood, and the log has another event there now; what was no event is not in the log any more.
    await pool.query(
      `UPDATE history_1.projector_positions SET next_offset = next_sequence
        WHERE topic = '${DECISIONS}' AND partition = ${PARTITION}`,
    );
    const projector = start('projector', 'run', HISTORY);
    const place = { 'tapeproof.topic': DECISIONS, 'tapeproof.partition': PARTITION };
    const differs = await projector.line('root-differs', place);
    expect(String(differs['message'])).toContain(`npx tapeproof projector rebuild ${HISTORY} --approve-difference`);
    expect(await inDoubt()).toEqual([{ partition: PARTITION, forged: true }]);
    await until('it is counted', async () => {
      const topic = { projector: HISTORY, topic: DECISIONS };
      return (await projector.metric('tapeproof_projector_roots_differing', topic)) > 0;
    });
    const alarm = new RegExp(
      `${HISTORY}: the events of ${DECISIONS}-${PARTITION} are not those of \\d+ anchors? of the engine`,
    );
    await until('status says so', async () => {
      const { exitCode, stdout } = await command('status');
      return exitCode === 1 && alarm.test(stdout);
    });

    expect(await command('certify', '--repair')).toMatchObject({ exitCode: 0 });
    const rebuilt = await command('projector', 'rebuild', HISTORY, '--approve-difference');
    expect(rebuilt.stdout).toMatch(/The former one differed from \d+ anchors? of the engine/);
    expect(rebuilt.exitCode).toBe(0);
    await projector.line('generation-changed');
    const anchors = (await world.ends(ANCHORS_TOPIC)).reduce((sum, [, , end]) => sum + end, 0);
    await until('every anchor is compared again', async () => {
      const [row] = await query<{ agreeing: string; others: string }>(
        `SELECT count(*) FILTER (WHERE result = 'agrees') AS agreeing, count(*) FILTER (WHERE result <> 'agrees') AS others
           FROM tapeproof.root_checks`,
      );
      expect(row?.others).toBe('0');
      return Number(row?.agreeing) === anchors * DERIVED_TOPICS.length;
    });
    expect(await inDoubt()).toEqual([]);

    const forgedAt = await forgeRoot();
    await projector.line('root-differs', { ...place, 'tapeproof.offset': forgedAt });
    expect(await projector.stop()).toBe(0);
    expect(projector.find('roots-not-compared')).toEqual([]);
    expect((await command('projector', 'list')).stdout).toMatch(/1 DO NOT/);
  });
});
