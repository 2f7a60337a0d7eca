import type { TopicName } from '../../contracts/topics.ts';
import type { RecordGroup } from './batch-sender.ts';
import { UNTIMED_TOPICS, type OutgoingRecord } from './outgoing-record.ts';
import { encodeHeader, RecordBatchBuilder } from './record-batch.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** Bounds one request, over all its topics. */
const REQUEST_BYTES_MAX = 4 * 1_048_576;
/** Bounds the time for which one request keeps the process from anything else. */
const REQUEST_RECORDS_MAX = 1_000;
/** A request has one record batch per partition, and the broker refuses a batch above `max.message.bytes` (1 MiB). */
const PARTITION_BYTES_MAX = 900_000;
/** A record's overhead beside key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 48;
/** Keys, mostly instruments, whose bytes are kept. */
const KEYS_KEPT_MAX = 8_192;
/** Batches of one topic whose memory is kept: as many as one send of an engine that is catching up has. */
const FREE_MAX = 5;
const NO_HEADERS: readonly Buffer[] = [];

interface OutgoingGroup extends RecordGroup {
  readonly topic: TopicName;
}

/** Record batches that are sent together, one for each topic-partition. */
export type ProduceRequest = readonly OutgoingGroup[];

/**
 * Splits records, in their order, into requests that the broker accepts. A record becomes bytes when it is added:
 * nothing else of it is kept.
 */
export class RequestBuilder {
  readonly #done: ProduceRequest[] = [];
  /** Of the request in the making, by topic and partition. */
  #groups = new Map<TopicName, Map<number, OutgoingGroup>>();
  /** By topic, of batches that Kafka has: see {@link reuse}. */
  readonly #free = new Map<TopicName, RecordBatchBuilder[]>();
  #bytes = 0;
  #records = 0;
  #emittedAt: readonly Buffer[] | undefined;

  /** @param schemaId - the registry's, of the schema that the body is written with. */
  add(record: OutgoingRecord, schemaId: number): void {
    const { topic, partition, body, timestampUs } = record;
    const key = record.key === null ? null : bytesOfKey(record.key);
    const headers = this.#headersOf(record);
    let bytes = RECORD_OVERHEAD_BYTES + body.length + (key?.length ?? 0);
    for (const header of headers) bytes += header.length;
    let group = this.#groups.get(topic)?.get(partition);
    const isFull =
      this.#records >= REQUEST_RECORDS_MAX ||
      this.#bytes + bytes > REQUEST_BYTES_MAX ||
      (group !== undefined && group.batch.size + bytes > PARTITION_BYTES_MAX);
    if (isFull && this.#records > 0) {
      this.#endRequest();
      group = undefined;
    }
    group ??= this.#open(topic, partition);
    group.batch.add({ key, schemaId, body, timestampMs: Math.floor(timestampUs / 1_000), headers });
    this.#bytes += bytes;
    this.#records += 1;
  }

  /** The requests to be sent, one after the other. It is empty again. */
  take(): ProduceRequest[] {
    if (this.#records > 0) this.#endRequest();
    return this.#done.splice(0);
  }

  /**
   * Takes back requests that Kafka has acknowledged: later ones use their memory. Thrown away it would be free only after a
   * collection of all objects, and V8 collects the more often for it, as memory outside of its heap counts.
   */
  reuse(requests: readonly ProduceRequest[]): void {
    for (const { topic, batch } of requests.flat()) {
      const free = this.#free.get(topic) ?? [];
      if (free.length >= FREE_MAX) continue;
      batch.reset();
      free.push(batch);
      this.#free.set(topic, free);
    }
  }

  /** @returns encoded, `emitted-at` among them. */
  #headersOf({ topic, headers }: OutgoingRecord): readonly Buffer[] {
    if (headers === undefined) return UNTIMED_TOPICS.has(topic) ? NO_HEADERS : this.#emitted();
    const encoded = Object.entries(headers).map(([name, value]) => encodeHeader(name, value));
    return UNTIMED_TOPICS.has(topic) ? encoded : [...encoded, ...this.#emitted()];
  }

  /** The same for all records of a request. */
  #emitted(): readonly Buffer[] {
    return (this.#emittedAt ??= [encodeHeader('emitted-at', new Date().toISOString())]);
  }

  #open(topic: TopicName, partition: number): OutgoingGroup {
    let ofTopic = this.#groups.get(topic);
    if (ofTopic === undefined) this.#groups.set(topic, (ofTopic = new Map<number, OutgoingGroup>()));
    const group = { topic, partition, batch: this.#free.get(topic)?.pop() ?? new RecordBatchBuilder() };
    ofTopic.set(partition, group);
    return group;
  }

  #endRequest(): void {
    const groups = [...this.#groups.values()].flatMap((ofTopic) => [...ofTopic.values()]);
    this.#done.push(groups);
    this.#groups = new Map();
    this.#bytes = this.#records = 0;
    this.#emittedAt = undefined;
  }
}

/** Puts requests, in their order, together as far as the broker accepts them and no topic-partition occurs twice. */
export function joined(requests: readonly ProduceRequest[]): ProduceRequest[] {
  const all: ProduceRequest[] = [];
  let last: Sum | undefined;
  for (const request of requests) {
    const next = sumOf(request);
    if (last !== undefined && fits(last, next)) {
      last.groups.push(...request);
      for (const place of next.places) last.places.add(place);
      last.records += next.records;
      last.bytes += next.bytes;
    } else {
      all.push(next.groups);
      last = next;
    }
  }
  return all;
}

interface Sum {
  readonly groups: OutgoingGroup[];
  readonly places: Set<string>;
  records: number;
  bytes: number;
}

function sumOf(request: ProduceRequest): Sum {
  const sum: Sum = { groups: [...request], places: new Set(request.map(topicPartitionKey)), records: 0, bytes: 0 };
  for (const { batch } of request) {
    sum.records += batch.count;
    sum.bytes += batch.size;
  }
  return sum;
}

function fits(last: Sum, next: Sum): boolean {
  return (
    last.records + next.records <= REQUEST_RECORDS_MAX &&
    last.bytes + next.bytes <= REQUEST_BYTES_MAX &&
    ![...next.places].some((place) => last.places.has(place))
  );
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
