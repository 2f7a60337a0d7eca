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
import {
  DURABLE_SETTINGS,
  IN_SYNC_EXPECTED,
  IN_SYNC_REPLICAS_MIN,
  IN_SYNC_SETTING,
  isDurableCluster,
  REPLICAS_EXPECTED,
  REPLICAS_MIN,
  weakDefaults,
} from './durability.ts';
import { isRefusedForGood } from './kafka-failure.ts';
import { otherPartitionsRemedy, refuseOtherPartitions } from './tape-label.ts';

// CommonJS: Node finds some of its names only on the default export.
const { ConfigResourceTypes, ConfigSource } = kafkajs;
type ConfigResources = Parameters<Admin['describeConfigs']>[0]['resources'][number]['type'];

/** The broker's name for the topic setting `max.message.bytes`. */
const BROKER_BYTES_SETTING = 'message.max.bytes';
/** Settings of a topic that may be more than ours. */
const MINIMA: ReadonlySet<string> = new Set(['max.message.bytes', IN_SYNC_SETTING]);
/** Of the differences in a broker's defaults: its id follows. */
const BROKER_PREFIX = 'broker ';
/** Kafka's own default. */
const MESSAGE_BYTES_MIN = 1_048_588;

/** Not a setting: replicas are assigned when a topic is created. */
const REPLICAS = 'replicas';
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
  /** A setting, `partitions`, `replicas` or `topic`. */
  readonly setting: string;
  readonly expected: string;
  /** Notes where it is not the topic's own setting. */
  readonly actual: string;
}

/**
 * Creates the missing topics of contracts/topics.ts and corrects settings. The number of partitions of an existing
 * tape never changes: other topics follow it. A cluster of three brokers or more gets durable topics (durability.ts).
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
    const replicas = await replicaCounts(admin, [...existing.keys()]);
    const isDurable = await isDurableCluster(admin, replicas);
    if (missing.length > 0) await createTopics(admin, missing, count, isDurable);

    const drifted = await driftOf(admin, count, isDurable);
    const wrong = drifted.find(({ setting }) => setting === 'partitions');
    if (wrong !== undefined) {
      throw new TapeproofError(
        'CHECK_FAILED',
        `Topic ${wrong.topic} has ${wrong.actual} partitions where the tape has ${wrong.expected}: ${remedyOf(wrong)}.`,
      );
    }
    const wanted = TOPICS.map(({ name, settings }) => ({
      name,
      // More in-sync replicas than a topic has would refuse every record.
      settings:
        isDurable && (replicas.get(name) ?? 0) >= REPLICAS_MIN ? { ...settings, ...DURABLE_SETTINGS } : settings,
    }));
    const mendable = wanted.filter(
      ({ name, settings }) =>
        existing.has(name) && drifted.some(({ topic, setting }) => topic === name && setting in settings),
    );
    if (mendable.length > 0) await alterSettings(admin, mendable);
    return TOPICS.map((definition) => ({
      topic: definition.name,
      action: !existing.has(definition.name)
        ? 'created'
        : mendable.some(({ name }) => name === definition.name)
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
 * @param mustBeDurable - hold the topics also of a cluster with fewer than three brokers to durability.ts.
 * @throws TapeproofError UNREACHABLE
 */
export function checkTopics(kafka: Kafka, activated?: number, mustBeDurable = false): Promise<TopicDrift[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = await partitionCounts(admin);
    const isDurable =
      mustBeDurable || (await isDurableCluster(admin, await replicaCounts(admin, [...existing.keys()])));
    const drift = await driftOf(admin, activated ?? existing.get(TAPE_TOPIC) ?? DEFAULT_PARTITIONS, isDurable);
    return [...drift, ...(await driftOfBrokers(admin, isDurable))];
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
    return recreation(topic);
  }
  if (setting === 'partitions') {
    const loss = 'recreating it would lose its records, which nothing writes again';
    return Number(actual) < Number(expected)
      ? `raise it to ${expected} with Kafka's own tools, which keeps its records (kafka-topics.sh --alter --partitions ${expected}): ${loss}`
      : `copy its records with Kafka's own tools, run "npx tapeproof topics recreate ${topic}" and append them again: ${loss}, and a number of partitions cannot be lowered`;
  }
  if (setting === REPLICAS) {
    if (isWrittenAgain(topic)) return recreation(topic);
    return `give it more with Kafka's own tools (kafka-reassign-partitions.sh), then run "npx tapeproof topics apply": a topic keeps those that it was created with`;
  }
  if (topic.startsWith(BROKER_PREFIX) && setting !== BROKER_BYTES_SETTING) {
    return `set it in the broker's configuration: topics that others create, such as the registry's and Kafka's own, follow it`;
  }
  if (setting === IN_SYNC_SETTING && expected !== IN_SYNC_EXPECTED) {
    return `lower it with Kafka's own tools, or give the topic more replicas: otherwise Kafka refuses every record`;
  }
  if (setting === BROKER_BYTES_SETTING) {
    return `raise it to ${expected} with Kafka's own tools: topics without their own setting, such as the registry's, use it`;
  }
  return 'run "npx tapeproof topics apply"';
}

function recreation(topic: string): string {
  return `stop the engines, run "npx tapeproof topics recreate ${topic}" and start them again: they write it again from the tape`;
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

async function createTopics(
  admin: Admin,
  missing: readonly TopicDefinition[],
  partitions: number,
  isDurable: boolean,
): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    timeout: ADMIN_DEADLINE_MS,
    topics: missing.map(({ name, settings }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: isDurable ? REPLICAS_MIN : REPLICATION_OF_BROKER,
      configEntries: Object.entries({ ...settings, ...(isDurable ? DURABLE_SETTINGS : {}) }).map(
        ([setting, value]) => ({ name: setting, value }),
      ),
    })),
  });
}

/** Settings of an operator besides ours stay. */
async function alterSettings(
  admin: Admin,
  topics: readonly Pick<TopicDefinition, 'name' | 'settings'>[],
): Promise<void> {
  const found = await settingsOf(
    admin,
    topics.map(({ name }) => name),
  );
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map(({ name, settings }) => {
      const own = [...(found.get(name) ?? [])].flatMap(([key, { value, isOwn }]) =>
        isOwn ? [[key, value] as const] : [],
      );
      const all: Record<string, string> = { ...settings };
      // An operator may have chosen more than ours.
      for (const [key, value] of own) if (isAsExpected(key, value, settings[key] ?? value)) all[key] = value;
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

async function driftOf(admin: Admin, partitions: number, isDurable: boolean): Promise<TopicDrift[]> {
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
    return [...drift, ...driftOfReplicas(topic, replicas.get(topic) ?? 1, found?.get(IN_SYNC_SETTING), isDurable)];
  });
}

function driftOfReplicas(
  topic: TopicName,
  replicas: number,
  inSync: Setting | undefined,
  isDurable: boolean,
): TopicDrift[] {
  const drift: TopicDrift[] = [];
  const isTooFew = isDurable && replicas < REPLICAS_MIN;
  if (isTooFew) drift.push({ topic, setting: REPLICAS, expected: REPLICAS_EXPECTED, actual: String(replicas) });
  const found = Number(inSync?.value ?? 1);
  if (found > replicas) {
    drift.push({ topic, setting: IN_SYNC_SETTING, expected: `at most ${replicas}`, actual: textOf(inSync) });
  } else if (isDurable && !isTooFew && found < IN_SYNC_REPLICAS_MIN) {
    drift.push({ topic, setting: IN_SYNC_SETTING, expected: IN_SYNC_EXPECTED, actual: textOf(inSync) });
  }
  return drift;
}

/** A broker's default below our largest record affects topics that others create, such as the registry's. */
async function driftOfBrokers(admin: Admin, isDurable: boolean): Promise<TopicDrift[]> {
  const { brokers } = await admin.describeCluster();
  const drift: TopicDrift[] = [];
  for (const { nodeId } of brokers) {
    const topic = `${BROKER_PREFIX}${nodeId}`;
    const [broker] = await describe(admin, ConfigResourceTypes.BROKER, [String(nodeId)]).catch(whereNotAllowed);
    const settings = new Map(broker?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
    const bytes = settings.get(BROKER_BYTES_SETTING);
    if (bytes !== undefined && Number(bytes) < MESSAGE_BYTES_MIN) {
      drift.push({ topic, setting: BROKER_BYTES_SETTING, expected: String(MESSAGE_BYTES_MIN), actual: bytes });
    }
    if (isDurable) drift.push(...weakDefaults(settings).map((each) => ({ topic, ...each })));
  }
  return drift;
}

/** A role that may use topics may still not read a broker's settings. */
function whereNotAllowed(error: unknown): [] {
  if (isRefusedForGood(error)) return [];
  throw error;
}

function isAsExpected(setting: string, actual: string | undefined, expected: string): boolean {
  return MINIMA.has(setting) ? Number(actual) >= Number(expected) : actual === expected;
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
