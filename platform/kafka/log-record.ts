/** A record as stored in a topic's partition. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Text headers; where a name occurs more than once, the last one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Kafka's record timestamp, milliseconds: the event time. */
  readonly timestampMs: number;
}

/** Shared by all records without headers. */
export const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Consecutive records of one partition, in order. An array is one. */
export interface RecordSequence extends Iterable<LogRecord> {
  readonly length: number;
  /** Negative: from the end. */
  at(index: number): LogRecord | undefined;
}
