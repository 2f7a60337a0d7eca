import type { Base, Connection } from '@platformatic/kafka';
import { TapeproofError } from '../errors.ts';

/** A topic may be unknown briefly after a broker's start. */
export const MISSING_TOPIC_DEADLINE_MS = 3_000;

export interface PartitionLeader {
  readonly topicId: string;
  /** The broker's id. */
  readonly node: number;
}

/**
 * The broker that leads a partition, by metadata that the client keeps.
 *
 * @throws TapeproofError UNREACHABLE where the topic has no such partition or leader yet; NOT_FOUND where the topic has
 *   fewer partitions.
 */
export async function leaderOf(client: Base, topic: string, partition: number): Promise<PartitionLeader> {
  try {
    const metadata = await client.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    const leader = found?.partitions[partition]?.leader;
    if (found !== undefined && leader !== undefined && leader >= 0) return { topicId: found.id, node: leader };
    if (found !== undefined && partition >= found.partitionsCount) throw noSuchPartition(topic, partition, found);
  } catch (error) {
    // The library reports this without an error code.
    if (!(error instanceof Error && error.message.startsWith('Unknown topic'))) throw error;
  }
  throw new TapeproofError(
    'UNREACHABLE',
    `Partition ${partition} of topic ${topic} does not exist: run "npx tapeproof topics apply".`,
  );
}

/** A connection to a broker; the client keeps one for each. */
export async function connectionTo(client: Base, node: number): Promise<Connection> {
  const { brokers } = await client.metadata({ topics: [] });
  const broker = brokers.get(node);
  if (broker === undefined) throw new Error(`broker ${node} is not known`);
  return client.connections.get(broker);
}

function noSuchPartition(topic: string, partition: number, { partitionsCount }: { readonly partitionsCount: number }) {
  return new TapeproofError(
    'NOT_FOUND',
    `There is no partition ${partition} of ${topic}: its ${partitionsCount} partitions count from 0.`,
  );
}
