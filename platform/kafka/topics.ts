import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import {
  DEFAULT_PARTITIONS,
  TAPE_TOPIC,
  TOPICS,
  type TopicDefinition,
  type TopicName,
} from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import { ADMIN_DEADLINE_MS, withAdmin } from './client.ts';

// CommonJS: Node finds some of its names only on the default export.
const { ConfigResourceTypes } = kafkajs;

/** The broker's own `default.replication.factor`. */
const REPLICATION_OF_BROKER = -1;

export interface TopicReport {
  readonly topic: TopicName;
  readonly action: 'created' | 'settings changed' | 'unchanged';
  readonly partitions: number;
}

export interface TopicDrift {
  readonly topic: TopicName;
  /** A topic setting, `partitions` or `topic`. */
  readonly setting: string;
  readonly expected: string;
  readonly actual: string;
}

/**
 * Creates what is missing of contracts/topics.ts and mends settings. The number of partitions of a tape that exists
 * never changes: other topics follow it.
 *
 * @param partitions used only when the tape does not exist yet.
 * @throws TapeproofError UNREACHABLE; CHECK_FAILED when a topic has another number of partitions than the tape.
 */
export function applyTopics(kafka: Kafka, partitions: number = DEFAULT_PARTITIONS): Promise<TopicReport[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = await partitionCounts(admin);
    const count = existing.get(TAPE_TOPIC) ?? partitions;
    const missing = TOPICS.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) await createTopics(admin, missing, count);

    const drifted = (await driftOf(admin, count)).filter(({ topic }) => existing.has(topic));
    const mendable = new Set(drifted.filter(({ setting }) => setting !== 'partitions').map(({ topic }) => topic));
    const wrong = drifted.find(({ setting }) => setting === 'partitions');
    if (wrong !== undefined) {
      throw new TapeproofError(
        'CHECK_FAILED',
        `Topic ${wrong.topic} has ${wrong.actual} partitions where the tape has ${wrong.expected}: delete that topic, run "npx tapeproof topics apply" and replay.`,
      );
    }
    if (mendable.size > 0) await alterSettings(admin, mendable);
    return TOPICS.map(({ name }) => ({
      topic: name,
      action: !existing.has(name) ? 'created' : mendable.has(name) ? 'settings changed' : 'unchanged',
      partitions: count,
    }));
  });
}

/**
 * What differs between the broker and contracts/topics.ts; empty when nothing does.
 *
 * @throws TapeproofError UNREACHABLE
 */
export function checkTopics(kafka: Kafka): Promise<TopicDrift[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = await partitionCounts(admin);
    return driftOf(admin, existing.get(TAPE_TOPIC) ?? DEFAULT_PARTITIONS);
  });
}

/**
 * Partitions of the tape.
 *
 * @throws TapeproofError UNREACHABLE, also when there is no tape yet.
 */
export function partitionCount(kafka: Kafka): Promise<number> {
  return withAdmin(kafka, async (admin) => {
    const count = (await partitionCounts(admin)).get(TAPE_TOPIC);
    if (count === undefined) {
      throw new TapeproofError('UNREACHABLE', `Topic ${TAPE_TOPIC} does not exist: run "npx tapeproof topics apply".`);
    }
    return count;
  });
}

async function createTopics(admin: Admin, missing: readonly TopicDefinition[], partitions: number): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    timeout: ADMIN_DEADLINE_MS,
    topics: missing.map(({ name, settings }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: REPLICATION_OF_BROKER,
      configEntries: Object.entries(settings).map(([setting, value]) => ({ name: setting, value })),
    })),
  });
}

async function alterSettings(admin: Admin, topics: ReadonlySet<TopicName>): Promise<void> {
  await admin.alterConfigs({
    validateOnly: false,
    resources: TOPICS.filter(({ name }) => topics.has(name)).map(({ name, settings }) => ({
      type: ConfigResourceTypes.TOPIC,
      name,
      configEntries: Object.entries(settings).map(([setting, value]) => ({ name: setting, value })),
    })),
  });
}

/** Partitions of each topic of ours that exists. */
async function partitionCounts(admin: Admin): Promise<Map<TopicName, number>> {
  const present = new Set(await admin.listTopics());
  const ours = TOPICS.map(({ name }) => name).filter((name) => present.has(name));
  if (ours.length === 0) return new Map();
  const { topics } = await admin.fetchTopicMetadata({ topics: ours });
  return new Map(topics.map(({ name, partitions }) => [name as TopicName, partitions.length]));
}

async function driftOf(admin: Admin, partitions: number): Promise<TopicDrift[]> {
  const existing = await partitionCounts(admin);
  const settings = await settingsOf(admin, [...existing.keys()]);
  return TOPICS.flatMap((definition) => {
    const topic = definition.name;
    const count = existing.get(topic);
    if (count === undefined) return [{ topic, setting: 'topic', expected: 'exists', actual: 'missing' }];
    const drift: TopicDrift[] = [];
    if (count !== partitions) {
      drift.push({ topic, setting: 'partitions', expected: String(partitions), actual: String(count) });
    }
    for (const [setting, expected] of Object.entries(definition.settings)) {
      const actual = settings.get(topic)?.get(setting) ?? 'unset';
      if (actual !== expected) drift.push({ topic, setting, expected, actual });
    }
    return drift;
  });
}

async function settingsOf(admin: Admin, topics: readonly TopicName[]): Promise<Map<string, Map<string, string>>> {
  if (topics.length === 0) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}
