import { setImmediate as turn } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import type { RecordName } from '../../contracts/generated/events.ts';
import { TAPE_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { withDeadline } from '../deadline.ts';
import { TapeproofError } from '../errors.ts';
import { Metrics } from '../metrics/metrics.ts';
import { KafkaBatchSender, type BatchSender, type RecordGroup } from './batch-sender.ts';
import { addressOf, kafkaUnreachable } from './client.ts';
import { encodeHeader, type BatchRecord } from './record-batch.ts';
import type { Registry } from './registry.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** Bounds one request, over all its topics. */
const REQUEST_BYTES_MAX = 4 * 1_048_576;
/** Bounds the time for which one request keeps the process from anything else. */
const REQUEST_RECORDS_MAX = 1_000;
/** A request has one record batch per partition, and the broker refuses a batch above `max.message.bytes` (1 MiB). */
const PARTITION_BYTES_MAX = 900_000;
/** A record's overhead beside key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 48;
/**
 * Topics whose records do not say when they were sent: a header costs writer and readers 1 to 2 µs. Trades carry their
 * time of receipt; a snapshot and its results are sent with their decision.
 */
export const UNTIMED_TOPICS: ReadonlySet<TopicName> = new Set([TAPE_TOPIC, 'indicator.snapshots', 'strategy.results']);
/** Keys, mostly instruments, whose bytes are kept. */
const KEYS_KEPT_MAX = 8_192;
/** A send without an acknowledgement for this long is an outage. */
const SEND_DEADLINE_MS = 120_000;
const CLOSE_DEADLINE_MS = 5_000;

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

/** Consecutive records that Kafka appended to a partition. */
export interface Appended {
  readonly topic: TopicName;
  readonly partition: number;
  /** Log offset of the first; undefined where Kafka does not say. */
  readonly baseOffset: number | undefined;
  readonly count: number;
}

export interface RecordProducer {
  /**
   * Appends the records, those of a partition in the order given. Resolves when all in-sync replicas have them. Calls
   * that wait for a send under way are then sent together, and a refusal by Kafka fails all of them. After an error
   * some may have been appended: send them all again, readers drop duplicates.
   *
   * @throws TapeproofError UNREACHABLE when Kafka or the registry does not accept them in time; CONFIGURATION when
   *   Kafka refuses them, as it does batches above `max.message.bytes`; REGISTRY_CHANGED.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * A producer with one send in flight. A sender whose send failed is discarded, because the broker would treat its next
 * batch, which has the same sequence, as a repetition of the failed one.
 *
 * @param onAppended - hears of each acknowledgement, per topic and partition, before the `send` it belongs to resolves.
 */
export function createRecordProducer(
  kafka: Kafka,
  registry: Registry,
  metrics: Metrics = new Metrics(),
  onAppended?: (appended: Appended) => void,
): RecordProducer {
  return producerOver(() => new KafkaBatchSender(addressOf(kafka)), registry, metrics, onAppended);
}

/** Like {@link createRecordProducer}, over any sender. */
export function producerOver(
  connect: () => BatchSender,
  registry: Registry,
  metrics: Metrics = new Metrics(),
  onAppended?: (appended: Appended) => void,
): RecordProducer {
  let current: BatchSender | undefined;
  const waiting: Call[] = [];
  let isUnderWay = false;
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  const sendAll = async (records: readonly OutgoingRecord[], schemaIds: SchemaIds): Promise<void> => {
    for (const request of requestsOf(records)) {
      const groups = groupsOf(request, schemaIds);
      try {
        const sender = (current ??= connect());
        const places = await withDeadline(sender.send(groups), SEND_DEADLINE_MS, () =>
          kafkaUnreachable(sender.failure),
        );
        const offsets = new Map(places.map((place) => [topicPartitionKey(place), place.baseOffset]));
        for (const {
          topic,
          partition,
          records: { length: count },
        } of groups) {
          const baseOffset = offsets.get(topicPartitionKey({ topic, partition })) ?? -1;
          metrics.count('tapeproof_producer_records_total', { topic, partition }, count);
          onAppended?.({ topic, partition, baseOffset: baseOffset < 0 ? undefined : baseOffset, count });
        }
      } catch (error) {
        void current?.close();
        current = undefined;
        throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
      }
    }
  };

  // One turn of the event loop after a call: other calls ready by then, such as a fetch's other partitions, are
  // included.
  const sendWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      await turn();
      const schemaIds = new Map<string, number>();
      const calls = await withSchemas(registry, waiting.splice(0), schemaIds);
      try {
        await sendAll(
          calls.flatMap(({ records }) => records),
          schemaIds,
        );
        for (const { sent } of calls) sent.resolve(undefined);
      } catch (error) {
        for (const { sent } of calls) sent.reject(error);
      }
    }
    isUnderWay = false;
  };

  return {
    send(records) {
      if (closed) return Promise.reject(new Error('the producer is disconnected'));
      const sent = Promise.withResolvers<undefined>();
      waiting.push({ records, sent });
      if (!isUnderWay) last = sendWaiting();
      isUnderWay = true;
      return sent.promise;
    },
    async disconnect() {
      closed = true;
      await last;
      if (current === undefined) return;
      await withDeadline(current.close(), CLOSE_DEADLINE_MS, () => kafkaUnreachable()).catch(() => undefined);
    },
  };
}

interface Call {
  readonly records: readonly OutgoingRecord[];
  readonly sent: PromiseWithResolvers<undefined>;
}

/** By {@link schemaKey}. */
type SchemaIds = Map<string, number>;

/** Keeps the calls whose schemas the registry knows and puts their ids into `schemaIds`; rejects the others. */
async function withSchemas(registry: Registry, calls: readonly Call[], schemaIds: SchemaIds): Promise<Call[]> {
  const known: Call[] = [];
  for (const call of calls) {
    try {
      for (const record of call.records) {
        const key = schemaKey(record);
        if (!schemaIds.has(key)) schemaIds.set(key, await registry.idOf(record.topic, record.type));
      }
      known.push(call);
    } catch (error) {
      call.sent.reject(error);
    }
  }
  return known;
}

/** The records of a request by topic and partition, each group in order. */
function groupsOf(records: readonly OutgoingRecord[], schemaIds: SchemaIds): PartitionGroup[] {
  const emittedAt = encodeHeader('emitted-at', new Date().toISOString());
  const groups = new Map<string, PartitionGroup>();
  for (const record of records) {
    const place = topicPartitionKey(record);
    let group = groups.get(place);
    if (group === undefined)
      groups.set(place, (group = { topic: record.topic, partition: record.partition, records: [] }));
    group.records.push({
      key: record.key === null ? null : bytesOfKey(record.key),
      schemaId: schemaIds.get(schemaKey(record)) ?? 0,
      body: record.body,
      timestampMs: Math.floor(record.timestampUs / 1_000),
      headers: headersOf(record, emittedAt),
    });
  }
  return [...groups.values()];
}

interface PartitionGroup extends RecordGroup {
  readonly topic: TopicName;
  readonly records: BatchRecord[];
}

const NO_HEADERS: readonly Buffer[] = [];

function headersOf({ topic, headers }: OutgoingRecord, emittedAt: Buffer): readonly Buffer[] {
  const isTimed = !UNTIMED_TOPICS.has(topic);
  if (headers === undefined) return isTimed ? [emittedAt] : NO_HEADERS;
  const encoded = Object.entries(headers).map(([name, value]) => encodeHeader(name, value));
  return isTimed ? [...encoded, emittedAt] : encoded;
}

const keys = new Map<string, Buffer>();

function bytesOfKey(key: string): Buffer {
  let bytes = keys.get(key);
  if (bytes === undefined) {
    if (keys.size >= KEYS_KEPT_MAX) keys.clear();
    keys.set(key, (bytes = Buffer.from(key)));
  }
  return bytes;
}

function schemaKey({ topic, type }: OutgoingRecord): string {
  return `${topic} ${type}`;
}

/** Splits the records, in order, into requests that the broker accepts. */
export function* requestsOf(records: readonly OutgoingRecord[]): Generator<readonly OutgoingRecord[]> {
  let request: OutgoingRecord[] = [];
  let requestBytes = 0;
  let partitionBytes = new Map<string, number>();
  for (const record of records) {
    const bytes = bytesOf(record);
    const partition = topicPartitionKey(record);
    const filled = partitionBytes.get(partition) ?? 0;
    const full =
      request.length >= REQUEST_RECORDS_MAX ||
      requestBytes + bytes > REQUEST_BYTES_MAX ||
      (filled > 0 && filled + bytes > PARTITION_BYTES_MAX);
    if (full && request.length > 0) {
      yield request;
      request = [];
      requestBytes = 0;
      partitionBytes = new Map();
    }
    request.push(record);
    requestBytes += bytes;
    partitionBytes.set(partition, (partitionBytes.get(partition) ?? 0) + bytes);
  }
  if (request.length > 0) yield request;
}

function bytesOf({ key, body, headers }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + body.length + (key?.length ?? 0) * 3;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0) * 3;
  return bytes;
}
