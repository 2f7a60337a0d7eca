import type { Kafka } from 'kafkajs';
import { withAdmin } from './client.ts';

export interface GroupLag {
  /** Records of the topics that the group has committed. */
  readonly committed: number;
  /** Records of the topics that it has not. */
  readonly lag: number;
}

/** How far a consumer group is behind the ends of its topics, all partitions added up. */
export async function groupLag(kafka: Kafka, groupId: string, topics: readonly string[]): Promise<GroupLag> {
  return await withAdmin(kafka, async (admin) => {
    const groups = await admin.fetchOffsets({ groupId, topics: [...topics] });
    let committed = 0;
    let lag = 0;
    for (const { topic, partitions } of groups) {
      const reached = new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const position = Math.max(reached.get(partition) ?? 0, Number(low));
        committed += position - Number(low);
        lag += Number(high) - position;
      }
    }
    return { committed, lag };
  });
}
