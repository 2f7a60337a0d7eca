import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { withAdmin } from '../../platform/kafka/client.ts';

/** A separate topic for a test. */
export async function createTopic(kafka: Kafka, partitions: number): Promise<string> {
  const topic = `test.${randomUUID()}`;
  await withAdmin(kafka, (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    }),
  );
  return topic;
}

/** Appends texts to a partition with a plain producer: what arrives is under test, not how it got there. */
export async function append(kafka: Kafka, topic: string, partition: number, values: readonly string[]): Promise<void> {
  const producer = kafka.producer({ createPartitioner: () => () => partition, allowAutoTopicCreation: false });
  await producer.connect();
  for (let from = 0; from < values.length; from += 1_000) {
    await producer.send({ topic, messages: values.slice(from, from + 1_000).map((value) => ({ partition, value })) });
  }
  await producer.disconnect();
}

/** The committed offset of each partition; −1 where none exists. */
export function committedOffsets(kafka: Kafka, groupId: string, topic: string): Promise<Map<number, number>> {
  return withAdmin(kafka, async (admin) => {
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map((offsets?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  });
}

export function memberCount(kafka: Kafka, groupId: string): Promise<number> {
  return withAdmin(kafka, async (admin) => (await admin.describeGroups([groupId])).groups[0]?.members.length ?? 0);
}

export function groupState(kafka: Kafka, groupId: string): Promise<string | undefined> {
  return withAdmin(kafka, async (admin) => (await admin.describeGroups([groupId])).groups[0]?.state);
}
