import type { Kafka } from 'kafkajs';
import { TapeproofError } from '../errors.ts';
import { withAdmin } from './client.ts';

/** The end of a sentence: what to do where records of a topic are gone, read by the group or not. */
export type Remedy = (topic: string) => string;

/** The committed offset of each partition of a topic; −1 where none exists. @throws TapeproofError UNREACHABLE */
export async function committedOffsets(kafka: Kafka, groupId: string, topic: string): Promise<Map<number, number>> {
  return await withAdmin(kafka, async (admin) => {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return new Map((committed?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  });
}

/**
 * Passes when everything that the group has committed is still in the log. kafkajs would silently start over.
 *
 * @throws TapeproofError SEQUENCE_GAP; UNREACHABLE when Kafka does not answer or a topic is missing.
 */
export async function refuseLostRecords(
  kafka: Kafka,
  groupId: string,
  topics: readonly string[],
  remedy?: Remedy,
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    const present = new Set(await admin.listTopics());
    for (const topic of topics) {
      if (!present.has(topic)) {
        throw new TapeproofError('UNREACHABLE', `Topic ${topic} does not exist: run "npx tapeproof topics apply".`);
      }
    }
    const committed = await admin.fetchOffsets({ groupId, topics: [...topics], resolveOffsets: false });
    for (const { topic, partitions } of committed) {
      const kept = new Map((await admin.fetchTopicOffsets(topic)).map((offsets) => [offsets.partition, offsets]));
      for (const { partition, offset } of partitions) {
        const [low, high] = [Number(kept.get(partition)?.low ?? 0), Number(kept.get(partition)?.high ?? 0)];
        if (Number(offset) >= 0 && (Number(offset) < low || Number(offset) > high)) {
          throw new TapeproofError(
            'SEQUENCE_GAP',
            `Group ${groupId} has read partition ${partition} of ${topic} up to offset ${offset}, but the log holds ${low} to ${high}: records are gone${remedyText(topic, remedy)}.`,
          );
        }
      }
    }
  });
}

/** The end of a sentence about lost records. */
export function remedyText(topic: string, remedy: Remedy | undefined): string {
  return remedy === undefined ? '' : `; ${remedy(topic)}`;
}
