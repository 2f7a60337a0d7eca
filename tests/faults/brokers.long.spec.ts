import {
  Connection,
  describeQuorumV2 as describeQuorum,
  findCoordinatorV6 as findCoordinator,
} from '@platformatic/kafka';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ConfigResourceTypes, type Admin, type Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody } from '../../contracts/codec.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC, TRIALS_TOPIC } from '../../contracts/topics.ts';
import { engineGroup } from '../../evaluators/main.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { applyTopics, checkTopics } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import type { CertifyReport } from '../../proofs/certify/certify-text.ts';
import { custodyOf } from '../../stack/custody.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, killService, stackReset, stackUp } from '../../stack/main.ts';
import { BROKERS, type Broker } from '../../stack/options.ts';
import { environmentOf, runCommand } from '../support/command.ts';
import { ObservedProcess } from '../support/observed-process.ts';
import { SEEDED_INSTRUMENTS, tradeNumber } from '../support/seeded-tape.ts';
import { stackConnections, stackOptions, startAgain, workOn } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ENGINE, sumOf, World } from './world.ts';

/** Enough that a broker can be killed while an ingestion is in the middle of it. */
const FILE_TRADES = 14_000;
const HISTORY = 'postgres-history';
/** In the request for a coordinator. */
const OF_GROUP = 0;
const TEST_TIMEOUT_MS = 480_000;
const silent = (): void => undefined;

/**
 * Three brokers, of which any may be killed. The tests are one story and run in order: the last one compares all that
 * was filed meanwhile with a run without faults.
 */
let folder: string;
let world: World;
let kafka: Kafka;
let admin: Admin;
const running: ObservedProcess[] = [];
let engine: ObservedProcess;
let history: ObservedProcess;
/** Trades in the files so far. */
let filed = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-brokers-'));
  const { partsFolder } = DEFAULT_STACK_OPTIONS;
  const stack = { folder: join(folder, 'stack'), partsFolder, ports: await freePorts() };
  const options = { ...stack, brokers: 3, isShortLived: true } as const;
  workOn({ options, endpoints: await stackUp(options, silent) });
  world = new World(stackConnections(), join(folder, 'logs'));
  await world.connect();
  await world.reset(false);
  await world.activate();
  kafka = createKafka(stackConnections().kafkaBrokers, 'test-brokers', createLog('test', 'silent'));
  admin = kafka.admin();
  await admin.connect();
  engine = start('engine', 'run');
  await until('the engine is ready', () => engine.isReady());
});
afterAll(async () => {
  for (const process of running) if (process.isAlive) await process.kill();
  await admin.disconnect();
  await world.close();
  await stackReset(stackOptions(), silent);
  await rm(folder, { recursive: true });
});

function start(...words: string[]): ObservedProcess {
  const process = new ObservedProcess(stackConnections(), words);
  running.push(process);
  return process;
}

async function nextFile(): Promise<string> {
  const trades = Array.from({ length: FILE_TRADES }, (_, index) => tradeNumber(filed + index));
  filed += FILE_TRADES;
  const rows = trades.map(({ tradeId, eventTime, instrument, price, size, side }) =>
    [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
  );
  const file = join(folder, `${filed}.csv`);
  await writeFile(file, ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
  return file;
}

async function tapeRecords(): Promise<number> {
  return sumOf(await world.ends(TAPE_TOPIC));
}

/** Starts the ingestion of the next file, and stops it where it is once it has appended some of it. */
async function ingestHalf(): Promise<ObservedProcess> {
  const before = await tapeRecords();
  const ingest = start('ingest', 'file', await nextFile());
  await until('some of the file is appended', async () => (await tapeRecords()) > before);
  ingest.freeze();
  expect(await tapeRecords()).toBeLessThan(before + FILE_TRADES);
  return ingest;
}

async function partitionsOfTape() {
  const { topics } = await admin.fetchTopicMetadata({ topics: [TAPE_TOPIC] });
  return topics[0]?.partitions ?? [];
}

async function untilAllInSync(): Promise<void> {
  await until('every broker has every record', async () =>
    (await partitionsOfTape()).every(({ isr }) => isr.length === BROKERS.length),
  );
}

function brokerOf(nodeId: number | undefined): Broker {
  const broker = BROKERS[(nodeId ?? 0) - 1];
  if (broker === undefined) throw new Error(`there is no broker ${nodeId}`);
  return broker;
}

/** Asks one of the brokers, which are all there. */
async function ask<Answer>(question: (connection: Connection) => Promise<Answer>): Promise<Answer> {
  const connection = new Connection('test-brokers');
  try {
    await connection.connect('127.0.0.1', stackOptions().ports.kafka);
    return await question(connection);
  } finally {
    await connection.close();
  }
}

/** The broker whose controller is the active one. */
async function activeController(): Promise<Broker> {
  const metadata = { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] };
  const { topics } = await ask((connection) => describeQuorum.api.async(connection, [metadata]));
  return brokerOf(topics[0]?.partitions[0]?.leaderId);
}

/** The broker that coordinates the engines' group. It also leads partitions of the tape, as each broker does. */
async function coordinator(): Promise<Broker> {
  const { coordinators } = await ask((connection) => findCoordinator.api.async(connection, OF_GROUP, [engineGroup()]));
  return brokerOf(coordinators[0]?.nodeId);
}

async function set(topic: string, name: string, value: string): Promise<void> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] };
  await admin.alterConfigs({ validateOnly: false, resources: [resource] });
}

async function certified(): Promise<CertifyReport> {
  const { stdout, stderr } = await tapeproof('certify', '--json');
  expect(stderr).not.toContain('tapeproof:');
  return JSON.parse(stdout) as CertifyReport;
}

async function loseDisk(broker: Broker): Promise<void> {
  const custody = await custodyOf(stackOptions().folder);
  await rm(join(await custody.folder(broker), 'data'), { recursive: true });
}

const kill = (broker: Broker): Promise<void> => killService(stackOptions(), broker);
const tapeproof = (...words: string[]) => runCommand(words, environmentOf(stackConnections()));

describe('three brokers', () => {
  it('have topics with three replicas, of which two acknowledge; weaker ones are named, and mended where that can be', async () => {
    expect(await checkTopics(kafka, undefined, true)).toEqual([]);
    await set(TRIALS_TOPIC, 'min.insync.replicas', '1');
    const weak = { topic: TRIALS_TOPIC, setting: 'min.insync.replicas', expected: 'at least 2', actual: '1' };
    await until('it is weak', async () => (await checkTopics(kafka)).some(({ setting }) => setting === weak.setting));
    expect(await checkTopics(kafka)).toContainEqual(weak);
    await applyTopics(kafka);
    await until('it is as defined', async () => (await checkTopics(kafka)).length === 0);
    await admin.deleteTopics({ topics: [TRIALS_TOPIC] });
    const configEntries = [{ name: weak.setting, value: '1' }];
    const single = { topic: TRIALS_TOPIC, numPartitions: DEFAULT_PARTITIONS, replicationFactor: 1, configEntries };
    await until('it has one replica', () =>
      admin.createTopics({ waitForLeaders: true, topics: [single] }).then(() => true),
    );
    const replicas = { topic: TRIALS_TOPIC, setting: 'replicas', expected: 'at least 3', actual: '1' };
    await until('the rest is mended', async () => {
      await applyTopics(kafka);
      return isDeepStrictEqual(await checkTopics(kafka), [replicas]);
    });
    await admin.deleteTopics({ topics: [TRIALS_TOPIC] });
    await until('it is as defined', async () => {
      await applyTopics(kafka);
      return (await checkTopics(kafka)).length === 0;
    });
  });

  it(
    'go on without the one that leads partitions of the tape and coordinates the group of the engines',
    async () => {
      const lost = await coordinator();
      expect((await partitionsOfTape()).some(({ leader }) => brokerOf(leader) === lost)).toBe(true);
      const ingest = await ingestHalf();
      await kill(lost);
      // Others still list it as the leader.
      history = start('projector', 'run', HISTORY);
      ingest.thaw();
      expect(await ingest.ended()).toBe(0);
      await world.untilEngineCaughtUp();
      const crashed = engine.find('consumer-crashed').map((line) => String(line['message']));
      expect(crashed).toEqual([expect.stringContaining('not found in the cached metadata')]);
      await until('the projector is ready', () => history.isReady());
      await startAgain(lost);
      await untilAllInSync();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'go on without the active controller, whose disk is lost, while engines are replaced one by one',
    async () => {
      const controller = await activeController();
      const ingest = await ingestHalf();
      await kill(controller);
      ingest.thaw();
      const former = engine;
      engine = start('engine', 'run');
      await until('both share the tape', async () => (await world.membersOf(ENGINE)) === 2);
      expect(await former.stop()).toBe(0);
      expect((await tapeproof('activate', '--reason', 'another build')).exitCode).toBe(0);
      expect(await ingest.ended()).toBe(0);
      await loseDisk(controller);
      await startAgain(controller);
      await untilAllInSync();
      await world.untilEngineCaughtUp();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'refuse records without two of them: each process says so, and goes on when they are back',
    async () => {
      const ingest = await ingestHalf();
      const readers = [engine, history].map((process) => ({ process, from: process.lines.length }));
      await kill('kafka');
      await kill('kafka2');
      ingest.thaw();
      for (const { process, from } of readers) {
        await process.line('stalled', {}, from);
        expect((await process.ask('/ready')).status).toBe(503);
        expect((await process.ask('/health')).status).toBe(200);
        expect(await process.metric('tapeproof_check_ready', { check: 'progress' })).toBe(0);
      }
      const { exitCode, stdout } = await tapeproof('status');
      expect([exitCode, stdout]).toEqual([1, expect.stringContaining('NOT READY')]);
      await startAgain('kafka');
      await startAgain('kafka2');
      // It gives up after a minute; run again, it goes on where it ended.
      const file = ingest.words.at(-1) ?? '';
      if ((await ingest.ended()) !== 0) expect((await tapeproof('ingest', 'file', file)).exitCode).toBe(0);
      await untilAllInSync();
      await world.untilCaughtUp([HISTORY]);
      for (const process of [engine, history]) await until('it is ready', () => process.isReady());
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'have lost and doubled nothing',
    async () => {
      expect((await certified()).verdict).toBe('DERIVED');
      for (const process of [engine, history]) expect(await process.stop()).toBe(0);
      const ids = new Map(SEEDED_INSTRUMENTS.map((instrument) => [instrument, [] as string[]]));
      for (const { key, value } of await world.recordsOf(TAPE_TOPIC)) {
        // Activations have no key.
        if (key !== null) ids.get(String(key))?.push(decodeBody('Trade', bodyOf(value!)).tradeId);
      }
      const each = Array.from({ length: filed / SEEDED_INSTRUMENTS.length }, (_, index) => String(index + 1));
      for (const [instrument, found] of ids) expect(found, instrument).toEqual(each);
      const disturbed = await world.digest();
      expect(await world.runUndisturbed([HISTORY])).toEqual(disturbed);
      expect(disturbed['probability.decisions']).not.toMatch(/^0 /);
      expect(disturbed['postgres decisions']).not.toMatch(/^0 /);
    },
    TEST_TIMEOUT_MS,
  );
});
