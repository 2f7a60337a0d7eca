import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PARTITIONS, TAPE_TOPIC, TOPICS } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { applyTopics, checkTopics } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { environmentOf, runCommand, type CommandResult } from './support/command.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const BROKER = '1';
const { TOPIC, BROKER: OF_BROKER } = kafkajs.ConfigResourceTypes;
let kafka: Kafka;
let admin: Admin;
let reader: LogReader;
let folder: string;
let file: string;

beforeAll(async () => {
  const { kafkaBrokers } = stackConnections();
  kafka = createKafka(kafkaBrokers, 'test', createLog('test', 'silent'));
  admin = kafka.admin();
  await admin.connect();
  reader = createLogReader(kafkaBrokers);
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-topics-'));
  file = join(folder, 'trades.csv');
  const rows = syntheticTrades({ seed: 5, count: 200 }).map(({ tradeId, eventTime, instrument, price, size, side }) =>
    [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
  );
  await writeFile(file, ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
});
afterAll(async () => {
  await Promise.all([admin.disconnect(), reader.close(), rm(folder, { recursive: true })]);
});
beforeEach(() => resetStores());
afterEach(() => setBroker({}));

const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environmentOf(stackConnections()));
const ingest = (): Promise<CommandResult> => tapeproof('ingest', 'file', file, '--accept-late');

/** The topic's own settings from now on; the others are the broker's defaults. */
async function set(topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries }] });
}

async function setBroker(settings: Readonly<Record<string, string>>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: OF_BROKER, name: BROKER, configEntries }] });
}

async function widen(topics: readonly string[], count: number): Promise<void> {
  await admin.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count })) });
  await until('the partitions are there', async () => {
    const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
    return metadata.topics.every(({ partitions }) => partitions.length === count);
  });
}

async function tapeRecords(): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(TAPE_TOPIC);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

describe('topics check', () => {
  it.each([
    ['cleanup.policy', 'compact', 'delete'],
    ['retention.ms', '3600000', '-1'],
    ['retention.bytes', '1000000', '-1'],
    ['compression.type', 'gzip', 'producer'],
    ['message.timestamp.type', 'LogAppendTime', 'CreateTime'],
    ['message.timestamp.before.max.ms', '3600000', '9223372036854775807'],
    ['message.timestamp.after.max.ms', '3600000', '9223372036854775807'],
    ['max.message.bytes', '10000', '1048588'],
  ])('names %s, and topics apply corrects it', async (setting, actual, expected) => {
    const { settings } = TOPICS[0]!;
    await set(TAPE_TOPIC, { ...settings, [setting]: actual });
    // The broker reports it as soon as its own metadata does.
    await until('the drift is there', async () => (await checkTopics(kafka)).length > 0);
    expect(await checkTopics(kafka)).toContainEqual({ topic: TAPE_TOPIC, setting, expected, actual });
    await applyTopics(kafka);
    await until('the drift is gone', async () => (await checkTopics(kafka)).length === 0);
  });

  it('names broker defaults that matter, and more in-sync replicas than exist', async () => {
    await set(TAPE_TOPIC, { 'min.insync.replicas': '2' });
    await setBroker({ 'message.max.bytes': '20000' });
    await until('the broker has it', async () => (await checkTopics(kafka)).some(({ actual }) => actual === '20000'));
    expect(await checkTopics(kafka)).toEqual(
      expect.arrayContaining([
        {
          topic: TAPE_TOPIC,
          setting: 'max.message.bytes',
          expected: '1048588',
          actual: "20000 (the broker's default)",
        },
        { topic: TAPE_TOPIC, setting: 'min.insync.replicas', expected: 'at most 1', actual: '2' },
        { topic: `broker ${BROKER}`, setting: 'message.max.bytes', expected: '1048588', actual: '20000' },
      ]),
    );
    const { exitCode, stdout } = await tapeproof('topics', 'check');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('run "npx tapeproof topics apply"');
    await applyTopics(kafka);
    // An operator's own settings stay, and are named while they are wrong.
    await until('the rest is left', async () => {
      const settings = (await checkTopics(kafka)).map(({ setting }) => setting);
      return settings.join() === 'min.insync.replicas,message.max.bytes';
    });
  });
});

describe('a topic that accepts none of our batches', () => {
  it('is refused by ingest with what to do, and not as an outage', async () => {
    await set(TAPE_TOPIC, { ...TOPICS[0]!.settings, 'max.message.bytes': '200' });
    const { exitCode, stderr } = await ingest();
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('npx tapeproof topics apply')]);
    expect(stderr).not.toContain('stack up');
    expect(await tapeRecords()).toBe(0);
    await applyTopics(kafka);
    expect((await ingest()).exitCode).toBe(0);
  });
});

describe.each([
  ['the tape', [TAPE_TOPIC]],
  ['every topic', TOPICS.map(({ name }) => name)],
])('partitions added to %s', (_, topics) => {
  it('are refused by every reader and writer, and named by topics check', async () => {
    expect((await tapeproof('activate')).exitCode).toBe(0);
    expect((await ingest()).exitCode).toBe(0);
    const before = await tapeRecords();
    await widen(topics, 2 * DEFAULT_PARTITIONS);
    for (const words of [
      ['ingest', 'file', file, '--accept-late'],
      ['engine', 'run'],
      ['projector', 'run', 'redis-latest'],
      ['activate'],
      ['topics', 'apply'],
    ]) {
      const { exitCode, stderr } = await tapeproof(...words);
      expect([words, exitCode, stderr]).toEqual([words, 1, expect.stringContaining('raw.trades has 12 partitions')]);
      expect(stderr).not.toContain('stack up');
    }
    expect(await tapeRecords()).toBe(before);
    const check = await tapeproof('topics', 'check', '--json');
    expect(check.exitCode).toBe(1);
    const drift = JSON.parse(check.stdout) as { topic: string; setting: string; expected: string; actual: string }[];
    expect(drift).toContainEqual(
      expect.objectContaining({ topic: TAPE_TOPIC, setting: 'partitions', expected: '6', actual: '12' }),
    );
    expect(drift).toHaveLength(topics.length);
  });
});
