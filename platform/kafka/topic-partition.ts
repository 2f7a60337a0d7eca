/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Its key in a map: the same for the same topic-partition. */
export function topicPartitionKey({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
