import type { RecordName } from '../../contracts/generated/events.ts';
import { TAPE_TOPIC, type TopicName } from '../../contracts/topics.ts';

/**
 * Topics whose records do not say when they were sent: a header costs writer and readers 1 to 2 µs. Trades carry their
 * time of receipt; a snapshot and its results are sent with their decision.
 */
export const UNTIMED_TOPICS: ReadonlySet<TopicName> = new Set([TAPE_TOPIC, 'indicator.snapshots', 'strategy.results']);

/** A record to append; `send` frames the body with the registry's id. */
export interface OutgoingRecord {
  readonly topic: TopicName;
  /** Explicit: a client's own placement may differ between retries. */
  readonly partition: number;
  readonly key: string | null;
  readonly type: RecordName;
  /** Avro body, written with this build's schema. */
  readonly body: Buffer;
  /** Event time, microseconds: becomes Kafka's record timestamp in milliseconds. */
  readonly timestampUs: number;
  /**
   * Wall-clock facts and hints; `emitted-at` is added, except in {@link UNTIMED_TOPICS}.
   */
  readonly headers?: Readonly<Record<string, string>>;
}
