import { setImmediate as turn } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import type { RecordName } from '../../contracts/generated/events.ts';
import type { TopicName } from '../../contracts/topics.ts';
import { withDeadline } from '../deadline.ts';
import { TapeproofError } from '../errors.ts';
import { Metrics } from '../metrics/metrics.ts';
import { KafkaBatchSender, type BatchSender } from './batch-sender.ts';
import { addressOf, kafkaUnreachable } from './client.ts';
import type { OutgoingRecord } from './outgoing-record.ts';
import type { Registry } from './registry.ts';
import { joined, RequestBuilder, type ProduceRequest } from './request-builder.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** A send without an acknowledgement for this long is an outage. */
const SEND_DEADLINE_MS = 120_000;
const CLOSE_DEADLINE_MS = 5_000;

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

/** Records on their way to a later send. They become bytes when they are added: as objects, thousands would wait. */
export interface RecordCollector {
  /** Records added since the last send. */
  readonly count: number;
  /**
   * @returns a promise only where the registry is asked first: await it before the next.
   * @throws TapeproofError UNREACHABLE, REGISTRY_CHANGED
   */
  add(record: OutgoingRecord): Promise<void> | undefined;
  /** Like {@link RecordProducer.send}, of what was added since the last time; after an error it is lost. */
  send(): Promise<void>;
}

export interface CollectingProducer extends RecordProducer {
  /** Each collects for itself. */
  collector(): RecordCollector;
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
): CollectingProducer {
  return producerOver(() => new KafkaBatchSender(addressOf(kafka)), registry, metrics, onAppended);
}

/** Like {@link createRecordProducer}, over any sender. */
export function producerOver(
  connect: () => BatchSender,
  registry: Registry,
  metrics: Metrics = new Metrics(),
  onAppended?: (appended: Appended) => void,
): CollectingProducer {
  let current: BatchSender | undefined;
  const waiting: Call[] = [];
  let isUnderWay = false;
  let last: Promise<void> = Promise.resolve();
  let closed = false;

  const sendAll = async (requests: readonly ProduceRequest[]): Promise<void> => {
    for (const groups of requests) {
      try {
        const sender = (current ??= connect());
        const places = await withDeadline(sender.send(groups), SEND_DEADLINE_MS, () =>
          kafkaUnreachable(sender.failure),
        );
        const offsets = new Map(places.map((place) => [topicPartitionKey(place), place.baseOffset]));
        for (const { topic, partition, batch } of groups) {
          const { count } = batch;
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
      const calls = waiting.splice(0);
      try {
        await sendAll(await requestsOf(calls, registry));
        for (const { sent } of calls) sent.resolve(undefined);
      } catch (error) {
        for (const { sent } of calls) sent.reject(error);
      }
    }
    isUnderWay = false;
  };

  const send = (content: Call['content']): Promise<void> => {
    if (closed) return Promise.reject(new Error('the producer is disconnected'));
    const sent = Promise.withResolvers<undefined>();
    waiting.push({ content, sent });
    if (!isUnderWay) last = sendWaiting();
    isUnderWay = true;
    return sent.promise;
  };

  return {
    send,
    collector: () => new Collector(registry, send),
    async disconnect() {
      closed = true;
      await last;
      if (current === undefined) return;
      await withDeadline(current.close(), CLOSE_DEADLINE_MS, () => kafkaUnreachable()).catch(() => undefined);
    },
  };
}

interface Call {
  readonly content: readonly OutgoingRecord[] | Encoded;
  readonly sent: PromiseWithResolvers<undefined>;
}

/** What a collector has. */
interface Encoded {
  readonly requests: readonly ProduceRequest[];
}

/** The registry's ids of schemas, each asked for once. */
class SchemaIds {
  readonly #registry: Pick<Registry, 'idOf'>;
  readonly #ids = new Map<TopicName, Map<RecordName, number>>();

  constructor(registry: Pick<Registry, 'idOf'>) {
    this.#registry = registry;
  }

  /** Undefined where it was not asked for. */
  of({ topic, type }: OutgoingRecord): number | undefined {
    return this.#ids.get(topic)?.get(type);
  }

  /** @throws TapeproofError like `Registry.idOf` */
  async ask({ topic, type }: OutgoingRecord): Promise<number> {
    const id = await this.#registry.idOf(topic, type);
    let ofTopic = this.#ids.get(topic);
    if (ofTopic === undefined) this.#ids.set(topic, (ofTopic = new Map<RecordName, number>()));
    ofTopic.set(type, id);
    return id;
  }

  forget(): void {
    this.#ids.clear();
  }
}

class Collector implements RecordCollector {
  readonly #ids: SchemaIds;
  readonly #send: (content: Encoded) => Promise<void>;
  readonly #builder = new RequestBuilder();
  #count = 0;

  constructor(registry: Pick<Registry, 'idOf'>, send: (content: Encoded) => Promise<void>) {
    this.#ids = new SchemaIds(registry);
    this.#send = send;
  }

  get count(): number {
    return this.#count;
  }

  add(record: OutgoingRecord): Promise<void> | undefined {
    const id = this.#ids.of(record);
    if (id === undefined)
      return this.#ids.ask(record).then((answer) => {
        this.#put(record, answer);
      });
    this.#put(record, id);
    return undefined;
  }

  async send(): Promise<void> {
    this.#count = 0;
    // The next records are not sent by what the registry said before these.
    this.#ids.forget();
    const requests = this.#builder.take();
    await this.#send({ requests });
    this.#builder.reuse(requests);
  }

  #put(record: OutgoingRecord, schemaId: number): void {
    this.#builder.add(record, schemaId);
    this.#count += 1;
  }
}

/** What the calls send, in their order; calls with a schema that the registry does not know are rejected. */
async function requestsOf(calls: readonly Call[], registry: Pick<Registry, 'idOf'>): Promise<ProduceRequest[]> {
  const requests: ProduceRequest[] = [];
  const builder = new RequestBuilder();
  const ids = new SchemaIds(registry);
  for (const { content, sent } of calls) {
    if ('requests' in content) {
      requests.push(...builder.take(), ...content.requests);
      continue;
    }
    try {
      for (const record of content) if (ids.of(record) === undefined) await ids.ask(record);
    } catch (error) {
      sent.reject(error);
      continue;
    }
    for (const record of content) {
      const id = ids.of(record);
      if (id !== undefined) builder.add(record, id);
    }
  }
  return joined([...requests, ...builder.take()]);
}
