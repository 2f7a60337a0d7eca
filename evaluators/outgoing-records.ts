import type { DeadLetter } from '../contracts/generated/events.ts';
import { DEAD_LETTERS_TOPIC } from '../contracts/topics.ts';
import { derivationOf, traceContextOf, traceHeaders } from '../contracts/traceparent.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { DerivedRecord } from './advance.ts';

const US_PER_MS = 1_000;

/** @param headers - see {@link headersFrom}. */
export function recordOfEvent(
  partition: number,
  { topic, type, body, event }: DerivedRecord,
  headers?: OutgoingRecord['headers'],
): OutgoingRecord {
  const record = { topic, partition, key: event.instrument, type, body, timestampUs: event.eventTime };
  return headers === undefined ? record : { ...record, headers };
}

/** The headers of all events derived from a tape record: they continue its trace, if it has one. */
export function headersFrom(cause: LogRecord): OutgoingRecord['headers'] {
  const context = traceContextOf(cause.headers);
  return context === undefined ? undefined : traceHeaders(derivationOf(context));
}

/** @param body the letter, encoded. */
export function recordOfLetter(
  partition: number,
  { deadLetterId }: DeadLetter,
  body: Buffer,
  timestampUs: number,
): OutgoingRecord {
  return { topic: DEAD_LETTERS_TOPIC, partition, key: deadLetterId, type: 'DeadLetter', body, timestampUs };
}

/** Kafka's time stamp of a tape record, which is −1 when its writer gave none. */
export function timestampUsOf({ timestampMs }: Pick<LogRecord, 'timestampMs'>): number {
  return Math.max(timestampMs, 0) * US_PER_MS;
}
