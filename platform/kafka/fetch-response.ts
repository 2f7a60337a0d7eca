import { createRequire } from 'node:module';
import { TapeproofError } from '../errors.ts';
import { fetchedBatches, type Decompress, type FetchedBatch } from './fetched-batch.ts';

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

interface PartitionResponse {
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

/** What kafkajs 2.2.4 decodes answers to a fetch with: found anew for each request. */
const kafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode: (bytes: Buffer) => Promise<FetchResponse>;
};

/** From here on every consumer of this process gets {@link BatchMessage}s. */
export async function readWholeBatches(): Promise<void> {
  // Loaded here: loading takes longer than starting a whole command.
  const { compressionsAlgorithmsByBitmask: algorithms } = await import('@platformatic/kafka');
  const decompress: Decompress = (compression, bytes) => {
    const algorithm = algorithms[compression as keyof typeof algorithms];
    if (algorithm !== undefined) return algorithm.decompressSync(bytes);
    throw new TapeproofError('CONFIGURATION', `Kafka sends records compressed in an unknown way (${compression}).`);
  };
  kafkajs.decode = (bytes) => Promise.resolve().then(() => decodeFetchResponse(bytes, decompress));
}
