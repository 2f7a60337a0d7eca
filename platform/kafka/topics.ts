import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import {
  ANCHORS_TOPIC,
  DEFAULT_PARTITIONS,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TAPE_TOPIC,
  TOPICS,
  type TopicDefinition,
  type TopicName,
} from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import { ADMIN_DEADLINE_MS, withAdmin } from './client.ts';
import { isRefusedForGood } from './kafka-failure.ts';
import { otherPartitionsRemedy, refuseOtherPartitions } from './tape-label.ts';

// CommonJS: Node finds some of its names only on the default export.
const { ConfigResourceTypes, ConfigSource } = kafkajs;
type ConfigResources = Parameters<Admin['describeConfigs']>[0]['resources'][number]['type'];

const REPLICAS_SETTING = 'min.insync.replicas';
/** The broker's name for the topic setting `max.message.bytes`. */
const BROKER_BYTES_SETTING = 'message.max.bytes';
/** Kafka's own default. */
const MESSAGE_BYTES_MIN = 1_048_588;

/** The broker's own `default.replication.factor`. */
const REPLICATION_OF_BROKER = -1;

export interface TopicReport {
  readonly topic: TopicName;
  readonly action: 'created' | 'settings changed' | 'unchanged';
  readonly partitions: number;
}

export interface TopicDrift {
  /** A topic, or `broker <id>` for a broker's default for topics without their own setting. */
  readonly topic: string;
  /** A setting, `partitions` or `topic`. */
  readonly setting: string;
  readonly expected: string;
  /** Notes where it is not the topic's own setting. */
  readonly actual: string;
}

/**
 * Creates the missing topics of contracts/topics.ts and corrects settings. The number of partitions of an existing
 * tape never changes: other topics follow it.
 *
 * @param partitions used only when the tape does not exist yet.
 * @param activated number of partitions that the tape was activated with, where known.
 * @throws TapeproofError UNREACHABLE; CHECK_FAILED when a topic has another number of partitions than the tape, or the
 *   tape another one than it was activated with; CONFIGURATION when the broker refuses a setting.
 */
export function applyTopics(
  kafka: Kafka,
  partitions: number = DEFAULT_PARTITIONS,
  activated?: number,
): Promise<TopicReport[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = await partitionCounts(admin);
    const count = existing.get(TAPE_TOPIC) ?? partitions;
    if (existing.has(TAPE_TOPIC)) refuseOtherPartitions(count, activated);
    const missing = TOPICS.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) await createTopics(admin, missing, count);

    const drifted = await driftOf(admin, count);
    const wrong = drifted.find(({ setting }) => setting === 'partitions');
    if (wrong !== undefined) {
      throw new TapeproofError(
        'CHECK_FAILED',
        `Topic ${wrong.topic} has ${wrong.actual} partitions where the tape has ${wrong.expected}: ${remedyOf(wrong)}.`,
      );
    }
    const mendable = TOPICS.filter(
      ({ name, settings }) =>
        existing.has(name) && drifted.some(({ topic, setting }) => topic === name && setting in settings),
    );
    if (mendable.length > 0) await alterSettings(admin, mendable);
    return TOPICS.map((definition) => ({
      topic: definition.name,
      action: !existing.has(definition.name)
        ? 'created'
        : mendable.includes(definition)
          ? 'settings changed'
          : 'unchanged',
      partitions: count,
    }));
  });
}

/**
 * The differences between the broker and contracts/topics.ts; empty when there are none.
 *
 * @param activated number of partitions that the tape was activated with, where known: else its present number is
 *   assumed.
 * @throws TapeproofError UNREACHABLE
 */
export function checkTopics(kafka: Kafka, activated?: number): Promise<TopicDrift[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = await partitionCounts(admin);
    const drift = await driftOf(admin, activated ?? existing.get(TAPE_TOPIC) ?? DEFAULT_PARTITIONS);
    return [...drift, ...(await driftOfBrokers(admin))];
  });
}

/** A difference in words, without what to do about it. */
export function driftText({ topic, setting, expected, actual }: TopicDrift): string {
  return setting === 'topic' ? `${topic} is missing` : `${topic}: ${setting} is ${actual} and should be ${expected}`;
}

/** What engines derive. Tries, signed heads and the dead letters of files and streams follow from no tape. */
function isWrittenAgain(topic: string): boolean {
  return [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC].some((derived) => derived === topic);
}

/** What to do about a difference, as the end of a sentence. */
export function remedyOf({ topic, setting, expected, actual }: TopicDrift): string {
  if (setting === 'partitions' && topic === TAPE_TOPIC) return otherPartitionsRemedy(Number(actual));
  if (setting === 'partitions' && isWrittenAgain(topic)) {
    return `stop the engines, run "npx tapeproof topics recreate ${topic}" and start them again: they write it again from the tape`;
  }
  if (setting === 'partitions') {
    const loss = 'recreating it would lose its records, which nothing writes again';
    return Number(actual) < Number(expected)
      ? `raise it to ${expected} with Kafka's own tools, which keeps its records (kafka-topics.sh --alter --partitions ${expected}): ${loss}`
      : `copy its records with Kafka's own tools, run "npx tapeproof topics recreate ${topic}" and append them again: ${loss}, and a number of partitions cannot be lowered`;
  }
  if (setting === REPLICAS_SETTING) {
    return `lower it with Kafka's own tools, or give the topic more replicas: otherwise Kafka refuses every record`;
  }
  if (setting === BROKER_BYTES_SETTING) {
    return `raise it to ${expected} with Kafka's own tools: topics without their own setting, such as the registry's, use it`;
  }
  return 'run "npx tapeproof topics apply"';
}

/**
 * Partitions of the tape.
 *
 * @throws TapeproofError UNREACHABLE, also when the tape does not exist yet.
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

/** Partitions of each topic of ours that exists. @throws TapeproofError UNREACHABLE */
export function existingTopics(kafka: Kafka): Promise<ReadonlyMap<TopicName, number>> {
  return withAdmin(kafka, (admin) => partitionCounts(admin));
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

/** Settings of an operator besides ours stay. */
async function alterSettings(admin: Admin, topics: readonly TopicDefinition[]): Promise<void> {
  const found = await settingsOf(
    admin,
    topics.map(({ name }) => name),
  );
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map(({ name, settings }) => {
      const own = [...(found.get(name) ?? [])].filter(([, { isOwn }]) => isOwn).map(([key, { value }]) => [key, value]);
      const all: Record<string, string> = { ...(Object.fromEntries(own) as Record<string, string>), ...settings };
      return {
        type: ConfigResourceTypes.TOPIC,
        name,
        configEntries: Object.entries(all).map(([setting, value]) => ({ name: setting, value })),
      };
    }),
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
  const names = [...existing.keys()];
  const settings = await settingsOf(admin, names);
  const replicas = await replicaCounts(admin, names);
  return TOPICS.flatMap((definition) => {
    const topic = definition.name;
    const count = existing.get(topic);
    if (count === undefined) return [{ topic, setting: 'topic', expected: 'exists', actual: 'missing' }];
    const drift: TopicDrift[] = [];
    if (count !== partitions) {
      drift.push({ topic, setting: 'partitions', expected: String(partitions), actual: String(count) });
    }
    const found = settings.get(topic);
    for (const [setting, expected] of Object.entries(definition.settings)) {
      const actual = found?.get(setting);
      if (!isAsExpected(setting, actual?.value, expected)) {
        drift.push({ topic, setting, expected, actual: textOf(actual) });
      }
    }
    const most = replicas.get(topic) ?? 1;
    const inSync = found?.get(REPLICAS_SETTING);
    if (Number(inSync?.value ?? 1) > most) {
      drift.push({ topic, setting: REPLICAS_SETTING, expected: `at most ${most}`, actual: textOf(inSync) });
    }
    return drift;
  });
}

/** A broker's default below our largest record affects topics that others create, such as the registry's. */
async function driftOfBrokers(admin: Admin): Promise<TopicDrift[]> {
  const { brokers } = await admin.describeCluster();
  const drift: TopicDrift[] = [];
  for (const { nodeId } of brokers) {
    const [broker] = await describe(admin, ConfigResourceTypes.BROKER, [String(nodeId)]).catch(whereNotAllowed);
    const actual = broker?.configEntries.find(({ configName }) => configName === BROKER_BYTES_SETTING)?.configValue;
    if (actual === undefined || Number(actual) >= MESSAGE_BYTES_MIN) continue;
    drift.push({
      ...{ topic: `broker ${nodeId}`, setting: BROKER_BYTES_SETTING, expected: String(MESSAGE_BYTES_MIN), actual },
    });
  }
  return drift;
}

/** A role that may use topics may still not read a broker's settings. */
function whereNotAllowed(error: unknown): [] {
  if (isRefusedForGood(error)) return [];
  throw error;
}

function isAsExpected(setting: string, actual: string | undefined, expected: string): boolean {
  return setting === 'max.message.bytes' ? Number(actual) >= Number(expected) : actual === expected;
}

interface Setting {
  readonly value: string;
  /** The topic's own setting, or else the broker's default. */
  readonly isOwn: boolean;
}

function textOf(setting: Setting | undefined): string {
  if (setting === undefined) return 'unset';
  return setting.isOwn ? setting.value : `${setting.value} (the broker's default)`;
}

async function settingsOf(admin: Admin, topics: readonly TopicName[]): Promise<Map<string, Map<string, Setting>>> {
  if (topics.length === 0) return new Map();
  const resources = await describe(admin, ConfigResourceTypes.TOPIC, topics);
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries.map(({ configName, configValue, configSource }) => [
          configName,
          { value: configValue, isOwn: configSource === ConfigSource.TOPIC_CONFIG },
        ]),
      ),
    ]),
  );
}

async function describe(admin: Admin, type: ConfigResources, names: readonly string[]) {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type, name })),
  });
  return resources;
}

/** For each topic, the smallest number of replicas of a partition. */
async function replicaCounts(admin: Admin, topics: readonly TopicName[]): Promise<Map<string, number>> {
  if (topics.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      Math.min(...partitions.map(({ replicas }) => replicas.length)),
    ]),
  );
}
