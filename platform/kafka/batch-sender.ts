import type { Connection, Producer } from '@platformatic/kafka';
import { setTimeout as sleep } from 'node:timers/promises';
import { TapeproofError } from '../errors.ts';
import type { KafkaAddress } from './client.ts';
import { hasLostIdentity, isRefusedForGood } from './kafka-failure.ts';
import { loadLibrary, type Library } from './library.ts';
import { connectionTo, leaderOf, MISSING_TOPIC_DEADLINE_MS } from './partition-leader.ts';
import type { ProducerIdentity, RecordBatchBuilder } from './record-batch.ts';
import { platformaticSecurity } from './security.ts';
import { topicPartitionKey } from './topic-partition.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** Kafka waits this long for its replicas. */
const ACKNOWLEDGEMENT_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 35_000;
const METADATA_AGE_MS_MAX = 300_000;
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MS_MAX = 1_000;
const ALL_IN_SYNC_REPLICAS = -1;
/** A sequence is a positive 32-bit integer, and begins anew at 0. */
const SEQUENCES = 2 ** 31;
const PRODUCE = 0;
/** Of Kafka 2.4; brokers up to 4.3 know it. */
const PRODUCE_VERSION = 9;

/** Records of one topic-partition, to be appended together. */
export interface RecordGroup {
  readonly topic: string;
  readonly partition: number;
  readonly batch: RecordBatchBuilder;
}

/** Where Kafka appended a batch; −1 where it does not say. */
export interface Acknowledged {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
}

/** Appends record batches: one send at a time. */
export interface BatchSender {
  /**
   * Resolves when all in-sync replicas have all of them, which may take an outage. The same bytes are sent again after
   * a failure, and the broker appends them once, by the producer's identity and their sequence.
   *
   * @throws the client's error where Kafka refuses them; then some may have been appended, and the sender must be
   *   closed: another batch under the same sequence would count as a repetition.
   */
  send(groups: readonly RecordGroup[]): Promise<readonly Acknowledged[]>;
  /** The error after which it is trying again; undefined while all goes well. */
  readonly failure: unknown;
  close(): Promise<void>;
}

/** A batch that Kafka has not acknowledged yet. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/** Options of the library's clients, which try nothing again by themselves. */
export function clientOptions({ brokers, clientId, security }: KafkaAddress) {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    ...platformaticSecurity(security, brokers),
    autocreateTopics: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    timeout: ACKNOWLEDGEMENT_TIMEOUT_MS,
    retries: 0,
    metadataMaxAge: METADATA_AGE_MS_MAX,
  };
}

/** The client that sends. */
export function clientOf({ Producer }: Library, address: KafkaAddress): Producer {
  return new Producer(clientOptions(address));
}

/** The library has connections, metadata and authentication; its own records cost twice those of kafkajs. */
export class KafkaBatchSender implements BatchSender {
  readonly #address: KafkaAddress;
  #client: Producer | undefined;
  #identity: ProducerIdentity | undefined;
  readonly #sequences = new Map<string, number>();
  #failure: unknown;
  #closed = false;

  constructor(address: KafkaAddress) {
    this.#address = address;
  }

  get failure(): unknown {
    return this.#failure;
  }

  async send(groups: readonly RecordGroup[]): Promise<readonly Acknowledged[]> {
    const library = await loadLibrary();
    const identity = (this.#identity ??= await this.#untilDone(() => this.#identify(library)));
    const waiting = new Set(groups.map((group) => this.#batchOf(group, identity, library)));
    const acknowledged: Acknowledged[] = [];
    await this.#untilDone(async () => {
      const client = this.#connected(library);
      const byLeader = await batchesByLeader(client, waiting);
      const requests = [...byLeader].map(async ([node, batches]) => {
        for (const place of await produce(await connectionTo(client, node), batches, library)) {
          acknowledged.push(place);
          for (const batch of batches)
            if (batch.topic === place.topic && batch.partition === place.partition) waiting.delete(batch);
        }
      });
      const failed = (await Promise.allSettled(requests)).find((request) => request.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      const [left] = waiting;
      if (left !== undefined) throw new Error(`no answer for partition ${left.partition} of ${left.topic}`);
    });
    return acknowledged;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  /** Tries until it succeeds, Kafka refuses, or the sender is closed. */
  async #untilDone<Value>(attempt: () => Promise<Value>): Promise<Value> {
    const startedAt = performance.now();
    for (let delayMs = RETRY_DELAY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_DELAY_MS_MAX)) {
      try {
        const value = await attempt();
        this.#failure = undefined;
        return value;
      } catch (error) {
        this.#failure = error;
        void this.#drop();
        const isMissing = error instanceof TapeproofError && performance.now() - startedAt > MISSING_TOPIC_DEADLINE_MS;
        if (this.#closed || isMissing || isRefusedForGood(error) || hasLostIdentity(error)) throw error;
      }
      await sleep(delayMs);
    }
  }

  async #identify(library: Library): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = await this.#connected(library).initIdempotentProducer({});
    return { id: producerId, epoch: producerEpoch };
  }

  #connected(library: Library): Producer {
    if (this.#closed) throw new Error('the sender is closed');
    this.#client ??= clientOf(library, this.#address);
    return this.#client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close(true).catch(() => undefined);
  }

  #batchOf({ topic, partition, batch }: RecordGroup, identity: ProducerIdentity, { crc32c }: Library): Batch {
    const place = topicPartitionKey({ topic, partition });
    const sequence = this.#sequences.get(place) ?? 0;
    this.#sequences.set(place, (sequence + batch.count) % SEQUENCES);
    return { topic, partition, bytes: batch.finish(identity, sequence, crc32c) };
  }
}

async function batchesByLeader(client: Producer, waiting: ReadonlySet<Batch>): Promise<Map<number, Batch[]>> {
  const byLeader = new Map<number, Batch[]>();
  for (const batch of waiting) {
    const { node } = await leaderOf(client, batch.topic, batch.partition);
    const batches = byLeader.get(node);
    if (batches === undefined) byLeader.set(node, [batch]);
    else batches.push(batch);
  }
  return byLeader;
}

/** @throws the library's error where Kafka refuses a batch. Others of the request may have been appended. */
export async function produce(
  connection: Connection,
  batches: readonly Batch[],
  { Writer, produceV9 }: Library,
): Promise<Acknowledged[]> {
  const request = () =>
    Writer.create()
      .appendString(null)
      .appendInt16(ALL_IN_SYNC_REPLICAS)
      .appendInt32(ACKNOWLEDGEMENT_TIMEOUT_MS)
      .appendArray([...Map.groupBy(batches, ({ topic }) => topic)], (topicWriter, [topic, ofTopic]) => {
        topicWriter.appendString(topic).appendArray(ofTopic, (partitionWriter, { partition, bytes }) => {
          partitionWriter.appendInt32(partition).appendBytes(bytes);
        });
      })
      .appendTaggedFields();
  const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof produceV9.parseResponse>>();
  connection.send(PRODUCE, PRODUCE_VERSION, request, produceV9.parseResponse, true, true, (error, response) => {
    if (response === undefined) reject(error ?? new Error('Kafka gave no answer'));
    else resolve(response);
  });
  const { responses } = await promise;
  return responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, baseOffset }) => ({
      topic: name,
      partition: index,
      baseOffset: Number(baseOffset),
    })),
  );
}
