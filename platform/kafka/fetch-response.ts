import type { Connection, Reader } from '@platformatic/kafka';
import { createRequire } from 'node:module';
import { TapeproofError } from '../errors.ts';
import { fetchedBatches, type Decompress, type FetchedBatch } from './fetched-batch.ts';
import { loadLibrary } from './library.ts';

/**
 * kafkajs makes a dozen objects and several 64-bit numbers of each record that it fetches: a fifth of the engine's
 * processor time. So it gets one "message" a record batch, with the fields that it looks at, and our consumer reads the
 * records in it.
 */
export interface BatchMessage {
  /** Of the last record: kafkajs drops messages before the offset that it requested. */
  readonly offset: string;
  /** kafkajs does not deliver these. */
  readonly isControlRecord: boolean;
  readonly batch: FetchedBatch;
}

/** An answer to a fetch, version 11, in the form that kafkajs expects. */
interface FetchResponse {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly PartitionResponse[] }[];
}

export interface PartitionResponse {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly preferredReadReplica: number;
  readonly messages: readonly BatchMessage[];
}

/** Producer id and first offset of an aborted transaction. */
const ABORTED_BYTES = 16;
const OFFSET_BYTES = 8;

/** Reads the fields of an answer in turn. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  bytes(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** An array that is null is empty. */
  array<Value>(read: () => Value): Value[] {
    return Array.from({ length: Math.max(this.int32(), 0) }, read);
  }
}

/** @param bytes - version 11 of https://kafka.apache.org/protocol#The_Messages_Fetch, behind the correlation id. */
export function decodeFetchResponse(bytes: Buffer, decompress: Decompress): FetchResponse {
  const fields = new Fields(bytes);
  const clientSideThrottleTime = fields.int32();
  const errorCode = fields.int16();
  const sessionId = fields.int32();
  const responses = fields.array(() => ({
    topicName: fields.bytes(fields.int16()).toString(),
    partitions: fields.array(() => partitionIn(fields, decompress)),
  }));
  // The broker has not waited itself: by KIP-219 the client does.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

function partitionIn(fields: Fields, decompress: Decompress): PartitionResponse {
  const partition = fields.int32();
  const errorCode = fields.int16();
  const highWatermark = fields.int64().toString();
  // The last stable offset and the log's start.
  fields.bytes(2 * OFFSET_BYTES);
  // Aborted records are read too: nothing here depends on transactions.
  fields.bytes(Math.max(fields.int32(), 0) * ABORTED_BYTES);
  const preferredReadReplica = fields.int32();
  const batches = fetchedBatches(fields.bytes(Math.max(fields.int32(), 0)), decompress);
  const messages = batches.map((batch) => ({
    offset: String(batch.lastOffset),
    isControlRecord: batch.isControl,
    batch,
  }));
  return { partition, errorCode, highWatermark, preferredReadReplica, messages };
}

async function loadDecompress(): Promise<Decompress> {
  const { compressionsAlgorithmsByBitmask: algorithms } = await loadLibrary();
  return (compression, bytes) => {
    const algorithm = algorithms[compression as keyof typeof algorithms];
    if (algorithm !== undefined) return algorithm.decompressSync(bytes);
    throw new TapeproofError('CONFIGURATION', `Kafka sends records compressed in an unknown way (${compression}).`);
  };
}

/** What kafkajs 2.2.4 decodes answers to a fetch with: found anew for each request. */
const kafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode: (bytes: Buffer) => Promise<FetchResponse>;
};

/** From here on every consumer of this process gets {@link BatchMessage}s. */
export async function readWholeBatches(): Promise<void> {
  const decompress = await loadDecompress();
  kafkajs.decode = (bytes) => Promise.resolve().then(() => decodeFetchResponse(bytes, decompress));
}

/** Where one fetch begins, and how much it may return; the broker returns a larger record batch whole. */
export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
  /** The broker holds an empty answer for this long. */
  readonly waitMs: number;
}

const FETCH = 1;
/** Of Kafka 2.3, and the one that kafkajs uses; brokers 4 take the versions from 4 on. */
const FETCH_VERSION = 11;
const NO_REPLICA = -1;
/** Aborted records included: nothing here depends on transactions, and every reader must see the same. */
const READ_UNCOMMITTED = 0;
/** No session: each answer has everything. */
const [NO_SESSION, NO_EPOCH] = [0, -1];
const UNKNOWN = -1;

/** One fetch from one partition. @throws the library's error, by Kafka's name, where Kafka refuses it. */
export async function fetchOnce(
  connection: Connection,
  { topic, partition, offset, bytesMax, waitMs }: FetchRequest,
): Promise<PartitionResponse> {
  const [{ Writer, ProtocolError }, decompress] = await Promise.all([loadLibrary(), loadDecompress()]);
  const request = () =>
    Writer.create()
      .appendInt32(NO_REPLICA)
      .appendInt32(waitMs)
      .appendInt32(1)
      .appendInt32(bytesMax)
      .appendInt8(READ_UNCOMMITTED)
      .appendInt32(NO_SESSION)
      .appendInt32(NO_EPOCH)
      .appendInt32(1)
      .appendString(topic, false)
      .appendInt32(1)
      .appendInt32(partition)
      .appendInt32(UNKNOWN)
      .appendInt64(BigInt(offset))
      .appendInt64(BigInt(UNKNOWN))
      .appendInt32(bytesMax)
      .appendInt32(0)
      .appendString('', false);
  const { promise, resolve, reject } = Promise.withResolvers<FetchResponse>();
  const parse = (_id: number, _key: number, _version: number, reader: Reader) =>
    decodeFetchResponse(reader.buffer.slice(reader.position), decompress);
  connection.send(FETCH, FETCH_VERSION, request, parse, false, false, (error, response) => {
    if (response === undefined) reject(error ?? new Error('Kafka gave no answer'));
    else resolve(response);
  });
  const { errorCode, responses } = await promise;
  if (errorCode !== 0) throw new ProtocolError(errorCode);
  const answer = responses[0]?.partitions[0];
  if (answer === undefined) throw new Error(`no answer for partition ${partition} of ${topic}`);
  if (answer.errorCode !== 0) throw new ProtocolError(answer.errorCode);
  return answer;
}
