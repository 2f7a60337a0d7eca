import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ResourcePatternTypes,
  type Kafka,
} from 'kafkajs';
import { TOPICS } from '../../contracts/topics.ts';
import { causesOf } from '../../platform/causes.ts';
import type { Role } from '../../stack/kafka-principals.ts';
import { isAllowed } from '../../stack/kafka-rules.ts';

/** Something that Kafka must refuse, and what it is for people. */
export type Attempt = readonly [what: string, attempt: () => Promise<unknown>];

const OTHER_TOPIC = 'not.ours';
const GROUPS = [
  'tapeproof.engine.5',
  'tapeproof.postgres-history.g1',
  'tapeproof.redis-latest.g1',
  'apicurio-x',
  'other',
];
const ONCE = { retry: { retries: 0 } };

/** Tries everything that a role may not do, each against each topic and group; `end` disconnects. */
export async function deniedAttempts(role: Role, kafka: Kafka): Promise<{ attempts: Attempt[]; end(): Promise<void> }> {
  const producer = kafka.producer({ ...ONCE, allowAutoTopicCreation: false });
  const admin = kafka.admin(ONCE);
  await Promise.all([producer.connect(), admin.connect()]);
  const topics = [...TOPICS.map(({ name }) => name), OTHER_TOPIC];
  const deleteRecords = async (records: Parameters<typeof admin.deleteTopicRecords>[0]) => {
    // kafkajs deletes only where it knows the partition's leader.
    await admin.fetchTopicOffsets(records.topic);
    await admin.deleteTopicRecords(records);
  };
  const onTopics = topics.flatMap((topic) => {
    const forbids = (operation: Parameters<typeof isAllowed>[1]) => !isAllowed(role, operation, 'TOPIC', topic);
    const records = { topic, partitions: [{ partition: 0, offset: '1' }] };
    const settings = { name: topic, configEntries: [{ name: 'retention.ms', value: '1' }] };
    const resources = [{ type: ConfigResourceTypes.TOPIC, ...settings }];
    return [
      ...when(forbids('WRITE'), `write ${topic}`, () =>
        producer.send({ topic, messages: [{ partition: 0, value: 'forged' }] }),
      ),
      ...when(forbids('DELETE'), `delete ${topic}`, () => admin.deleteTopics({ topics: [topic] })),
      ...when(forbids('DELETE'), `delete records of ${topic}`, () => deleteRecords(records)),
      ...when(forbids('ALTER_CONFIGS'), `alter the settings of ${topic}`, () =>
        admin.alterConfigs({ validateOnly: false, resources }),
      ),
      ...when(forbids('CREATE'), `create ${topic}`, () =>
        admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }),
      ),
      ...when(forbids('ALTER'), `add partitions to ${topic}`, () =>
        admin.createPartitions({ topicPartitions: [{ topic, count: 99 }] }),
      ),
    ];
  });
  const onGroups = GROUPS.flatMap((groupId) => [
    ...when(!isAllowed(role, 'READ', 'GROUP', groupId), `join ${groupId}`, () => join(kafka, groupId)),
    ...when(!isAllowed(role, 'DESCRIBE', 'GROUP', groupId), `see ${groupId}`, () => admin.fetchOffsets({ groupId })),
    ...when(!isAllowed(role, 'DELETE', 'GROUP', groupId), `delete ${groupId}`, () => admin.deleteGroups([groupId])),
  ]);
  const rule = {
    principal: `User:tapeproof-${role}`,
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: AclResourceTypes.TOPIC,
    resourceName: 'raw.trades',
    resourcePatternType: ResourcePatternTypes.LITERAL,
  };
  const onRules: Attempt[] = [
    ['grant itself a right', () => admin.createAcls({ acl: [rule] })],
    ['take a right away', () => admin.deleteAcls({ filters: [rule] })],
  ];
  return {
    attempts: [...onTopics, ...onGroups, ...onRules],
    async end() {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    },
  };
}

function when(denied: boolean, what: string, attempt: () => Promise<unknown>): Attempt[] {
  return denied ? [[what, attempt]] : [];
}

/** Rejects with the reason of the refusal. */
async function join(kafka: Kafka, groupId: string): Promise<void> {
  const retry = { retries: 0, restartOnFailure: () => Promise.resolve(false) };
  const consumer = kafka.consumer({ groupId, retry });
  const outcome = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      reject(payload.error);
    });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      resolve();
    });
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: ['raw.trades'] });
    await consumer.run({ eachBatch: () => Promise.resolve() }).catch(() => undefined);
    await outcome;
  } finally {
    await consumer.disconnect();
  }
}

/** Why Kafka refused an attempt; `done` where it did not. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    const answer = await attempt();
    // kafkajs says so where a topic exists already; a principal that may not create it is refused before.
    return answer === false ? 'TOPIC_ALREADY_EXISTS' : 'done';
  } catch (error) {
    return causesOf(error).map(textOf).join(' ');
  }
}

/** kafkajs keeps some reasons beside the causes. */
function textOf(error: Error): string {
  const {
    type,
    partitions = [],
    groups = [],
  } = error as {
    readonly type?: unknown;
    readonly partitions?: readonly { readonly error?: Error }[];
    readonly groups?: readonly { readonly error?: Error }[];
  };
  const within = [...partitions, ...groups].flatMap((each) => (each.error === undefined ? [] : [textOf(each.error)]));
  return [error.name, String(type), error.message, ...within].join(' ');
}
