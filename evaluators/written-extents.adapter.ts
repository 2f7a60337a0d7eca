import { isDerived } from '../contracts/foreign-record.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, type DerivedTopic, type TopicName } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';

/** What recovery and every reader rest on. */
const WRITTEN_TOPICS = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC] as const;

/** Of one partition of a topic. */
interface Extent {
  /** Offset of the first record kept. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
}

export type Extents = ReadonlyMap<TopicName, Extent>;

/**
 * Where that begins and ends what an engine writes of one partition.
 *
 * @throws TapeproofError UNREACHABLE, also where a topic is missing.
 */
export async function extentsOf(reader: LogReader, partition: number): Promise<Extents> {
  const extents = new Map<TopicName, Extent>();
  for (const topic of WRITTEN_TOPICS) {
    const start = await reader.startOffset(topic, partition);
    extents.set(topic, { start, end: await reader.endOffset(topic, partition) });
  }
  return extents;
}

/**
 * A topic that lost records of the partition between two looks: its beginning moved, or it was made anew.
 *
 * @param written - per output, how many events it held before the second look. A log that holds each event once or
 *   oftener has an end that is no less, also where it was made anew and filled again in between.
 */
export function lostTopic(
  before: Extents,
  now: Extents,
  written: Readonly<Record<DerivedTopic, number>>,
): TopicName | undefined {
  return WRITTEN_TOPICS.find((topic) => {
    const [past, present] = [before.get(topic), now.get(topic)];
    if (past === undefined || present === undefined) return false;
    const isShort = isDerived(topic) && present.end < written[topic];
    return isShort || present.end < past.end || present.start > past.start;
  });
}
