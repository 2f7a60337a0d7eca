import type { Consumer } from '@platformatic/kafka';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../deadline.ts';
import { TapeproofError } from '../errors.ts';
import { kafkaUnreachable } from './client.ts';
import { fetchOnce, type PartitionResponse } from './fetch-response.ts';
import { isRefusedForGood } from './kafka-failure.ts';
import { loadLibrary } from './library.ts';
import type { LogRecord } from './log-record.ts';
import { connectionTo, leaderOf, MISSING_TOPIC_DEADLINE_MS } from './partition-leader.ts';
import { kafkaSecurityFrom, platformaticSecurity, type KafkaSecurity } from './security.ts';

/** The size of one fetch; the broker returns a larger record batch whole. Measured: more is slower. */
const FETCH_BYTES_MAX = 1_048_576;
/** The size of a fetch for a single record, as in a bisection. */
export const PROBE_BYTES_MAX = 4_096;
const FETCH_WAIT_MS_MAX = 250;
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Without an answer for this long, Kafka is unreachable. A restarted broker is back sooner. */
const OUTAGE_DEADLINE_MS = 60_000;
/** The library's own timeouts are shorter; this one applies even where the library's do not. */
const ATTEMPT_DEADLINE_MS = 20_000;
const RETRY_DELAY_MS = 250;
const IDLE_CLIENTS_MAX = 4;

const LATEST = -1n;
const EARLIEST = -2n;

export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that is read. */
  readonly from: number;
  /** End of the range: the first offset that is not read. */
  readonly to: number;
  /** Of one fetch, where less than usual will do: see {@link PROBE_BYTES_MAX}. */
  readonly fetchBytesMax?: number;
}

/** Reads partitions outside any consumer group: no join, no commit. Reads may run side by side. */
export interface LogReader {
  /** Offset of the first record kept. @throws TapeproofError UNREACHABLE; NOT_FOUND without such a partition. */
  startOffset(topic: string, partition: number): Promise<number>;
  /** Offset that the next record will get. @throws TapeproofError like `startOffset`. */
  endOffset(topic: string, partition: number): Promise<number>;
  /** Like `startOffset`, of the same partition of many topics, by topic, in one request to each of their leaders. */
  startOffsets<Topic extends string>(topics: readonly Topic[], partition: number): Promise<Record<Topic, number>>;
  /** Like `endOffset`, of many topics. */
  endOffsets<Topic extends string>(topics: readonly Topic[], partition: number): Promise<Record<Topic, number>>;
  /**
   * Kafka's timestamp of the first record at or after an offset; undefined where no record is there yet.
   *
   * @throws TapeproofError UNREACHABLE; SEQUENCE_GAP when the offset is not in the log.
   */
  timestampMs(topic: string, partition: number, offset: number): Promise<number | undefined>;
  /**
   * The records of a range, in order, in batches of about a mebibyte; ends at `to`, or at the partition's end if that
   * comes first. Values share the memory of their fetch: copy what is kept for long. Rides out a broker's restart.
   *
   * @throws TapeproofError UNREACHABLE; SEQUENCE_GAP when `from` is no longer in the log, or not yet.
   */
  read(range: LogRange): AsyncGenerator<readonly LogRecord[], void, undefined>;
  close(): Promise<void>;
}

/** @param brokers `host:port` each. @throws TapeproofError CONFIGURATION where the settings of its security are wrong. */
export function createLogReader(brokers: readonly string[], security = kafkaSecurityFrom()): LogReader {
  const clients = new ClientPool(brokers, security);
  return {
    startOffset: (topic, partition) => clients.run((client) => offsetOf(client, topic, partition, EARLIEST)),
    endOffset: (topic, partition) => clients.run((client) => offsetOf(client, topic, partition, LATEST)),
    startOffsets: (topics, partition) => clients.run((client) => offsetsOf(client, topics, partition, EARLIEST)),
    endOffsets: (topics, partition) => clients.run((client) => offsetsOf(client, topics, partition, LATEST)),
    async timestampMs(topic, partition, offset) {
      const range = { topic, partition, from: offset, to: Number.POSITIVE_INFINITY };
      // The broker returns the first record batch whole, however large.
      const { records } = await clients.run((client) => fetchFrom(client, range, offset, 1));
      return records[0]?.timestampMs;
    },
    async *read(range) {
      let next = range.from;
      let progressAt = Date.now();
      while (next < range.to) {
        const fetched = await clients.run((client) => fetchFrom(client, range, next, range.fetchBytesMax));
        if (fetched.records.length > 0) yield fetched.records;
        if (fetched.nextOffset >= fetched.endOffset) return;
        if (fetched.nextOffset > next) progressAt = Date.now();
        else if (Date.now() - progressAt > OUTAGE_DEADLINE_MS) throw kafkaUnreachable();
        next = fetched.nextOffset;
      }
    },
    close: () => clients.close(),
  };
}

type Client = Consumer;

/** The idle clients, and the retries around each use. A client that failed is replaced. */
class ClientPool {
  readonly #brokers: readonly string[];
  readonly #security: KafkaSecurity;
  readonly #idle: Client[] = [];
  readonly #all = new Set<Client>();
  #closed = false;

  constructor(brokers: readonly string[], security: KafkaSecurity) {
    this.#brokers = brokers;
    this.#security = security;
  }

  async run<Value>(work: (client: Client) => Promise<Value>): Promise<Value> {
    const startedAt = Date.now();
    while (true) {
      if (this.#closed) throw new Error('the log reader is closed');
      const client = this.#idle.pop() ?? (await this.#create());
      try {
        const value = await withDeadline(work(client), ATTEMPT_DEADLINE_MS, () => new Error('no answer'));
        if (this.#idle.length < IDLE_CLIENTS_MAX) this.#idle.push(client);
        else this.#discard(client);
        return value;
      } catch (error) {
        this.#discard(client);
        if (error instanceof TapeproofError && error.code !== 'UNREACHABLE') throw error;
        if (isRefusedForGood(error)) throw kafkaUnreachable(error);
        const deadlineMs = error instanceof TapeproofError ? MISSING_TOPIC_DEADLINE_MS : OUTAGE_DEADLINE_MS;
        if (Date.now() - startedAt > deadlineMs) {
          throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
        }
        await sleep(RETRY_DELAY_MS);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#all].map((client) => client.close(true)));
  }

  async #create(): Promise<Client> {
    const { Consumer } = await loadLibrary();
    const client = new Consumer({
      clientId: 'tapeproof-log-reader',
      // The library requires a name; the group is never joined.
      groupId: 'tapeproof-log-reader',
      bootstrapBrokers: [...this.#brokers],
      ...platformaticSecurity(this.#security, this.#brokers),
      autocommit: false,
      autocreateTopics: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      timeout: REQUEST_TIMEOUT_MS,
      retries: 0,
      metadataMaxAge: 300_000,
      maxInflights: 1,
    });
    this.#all.add(client);
    return client;
  }

  #discard(client: Client): void {
    this.#all.delete(client);
    void client.close(true).catch(() => undefined);
  }
}

async function offsetOf(client: Client, topic: string, partition: number, timestamp: bigint): Promise<number> {
  const listed = await listOffsets(client, [topic], partition, timestamp);
  return listed(topic);
}

async function offsetsOf<Topic extends string>(
  client: Client,
  topics: readonly Topic[],
  partition: number,
  timestamp: bigint,
): Promise<Record<Topic, number>> {
  const listed = await listOffsets(client, topics, partition, timestamp);
  return Object.fromEntries(topics.map((topic) => [topic, listed(topic)])) as Record<Topic, number>;
}

/** @returns the offset in the partition of each of the topics. */
async function listOffsets(
  client: Client,
  topics: readonly string[],
  partition: number,
  timestamp: bigint,
): Promise<(topic: string) => number> {
  for (const topic of topics) await leaderOf(client, topic, partition);
  const partitions = Object.fromEntries(topics.map((topic) => [topic, [partition]]));
  const offsets = await client.listOffsets({ topics: [...topics], partitions, timestamp });
  return (topic) => {
    const offset = offsets.get(topic)?.[partition];
    if (offset === undefined) throw new Error(`no offset for partition ${partition} of ${topic}`);
    return Number(offset);
  };
}

interface Fetched {
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
  readonly endOffset: number;
}

async function fetchFrom(
  client: Client,
  range: LogRange,
  offset: number,
  bytesMax = FETCH_BYTES_MAX,
): Promise<Fetched> {
  const { topic, partition, to } = range;
  const { node } = await leaderOf(client, topic, partition);
  let fetched: PartitionResponse;
  try {
    const request = { topic, partition, offset, bytesMax, waitMs: FETCH_WAIT_MS_MAX };
    fetched = await fetchOnce(await connectionTo(client, node), request);
  } catch (error) {
    if (await isApiError(error, 'NOT_LEADER_OR_FOLLOWER')) client.clearMetadata();
    if (!(await isApiError(error, 'OFFSET_OUT_OF_RANGE'))) throw error;
    throw new TapeproofError(
      'SEQUENCE_GAP',
      `Offset ${offset} is not in partition ${partition} of ${topic}: records were deleted, or the topic was recreated.`,
      { cause: error },
    );
  }
  const records: LogRecord[] = [];
  for (const { batch } of fetched.messages) {
    if (batch.isControl || batch.firstOffset >= to) continue;
    for (const record of batch.from(topic, partition, offset)) records.push(record);
  }
  const after = records.findIndex((record) => record.offset >= to);
  return {
    records: after < 0 ? records : records.slice(0, after),
    nextOffset: (fetched.messages.at(-1)?.batch.lastOffset ?? offset - 1) + 1,
    endOffset: Number(fetched.highWatermark),
  };
}

async function isApiError(error: unknown, apiId: string): Promise<boolean> {
  const { findErrorBy } = await loadLibrary();
  return error instanceof Error && findErrorBy(error, 'apiId', apiId) !== null;
}
