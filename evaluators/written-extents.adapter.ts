import { isDerived } from '../contracts/foreign-record.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, type DerivedTopic, type TopicName } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';

/** The topics that recovery and every reader rely on. */
const WRITTEN_TOPICS = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC] as const;

/** The extent of one partition of a topic. */
interface Extent {
  /** Offset of the first record kept. */
  readonly start: number;
  /** Offset that the next record will get. */
  readonly end: number;
}

export type Extents = ReadonlyMap<TopicName, Extent>;

/**
 * The beginnings and ends of an engine's outputs for one partition.
 *
 * @throws TapeproofError UNREACHABLE, also when a topic is missing.
 */
export async function extentsOf(reader: LogReader, partition: number): Promise<Extents> {
  // In this order: a record that is removed or appended in between makes an extent longer, never negative.
  const starts = await reader.startOffsets(WRITTEN_TOPICS, partition);
  const ends = await reader.endOffsets(WRITTEN_TOPICS, partition);
  return new Map(WRITTEN_TOPICS.map((topic) => [topic, { start: starts[topic], end: ends[topic] }] as const));
}

/**
 * A topic that lost records of the partition between two checks: its beginning moved, or it was created again.
 *
 * @param written - per output, how many events it held before the second check. The end of a log that holds each event
 *   at least once is not less than that, even when it was created again and refilled in between.
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

/** Whether nothing was written or removed in between. */
export function areEqual(before: Extents, now: Extents): boolean {
  return WRITTEN_TOPICS.every((topic) => {
    const [past, present] = [before.get(topic), now.get(topic)];
    return past?.start === present?.start && past?.end === present?.end;
  });
}
