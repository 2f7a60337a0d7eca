/** The identity by which a broker recognises a batch that it has already appended. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** A record as Kafka stores it, with an Avro body. */
export interface BatchRecord {
  readonly key: Buffer | null;
  /** The registry's id of the schema that `body` is written with. */
  readonly schemaId: number;
  readonly body: Buffer;
  readonly timestampMs: number;
  /** Each made by {@link encodeHeader}. */
  readonly headers: readonly Buffer[];
}

const LENGTH_POSITION = 8;
const LEADER_EPOCH_POSITION = 12;
const FORMAT_POSITION = 16;
const CRC_POSITION = 17;
/** The CRC covers everything from here on. */
const ATTRIBUTES_POSITION = 21;
const LAST_OFFSET_DELTA_POSITION = 23;
const FIRST_TIMESTAMP_POSITION = 27;
const NEWEST_TIMESTAMP_POSITION = 35;
const PRODUCER_ID_POSITION = 43;
const PRODUCER_EPOCH_POSITION = 51;
const SEQUENCE_POSITION = 53;
const COUNT_POSITION = 57;
const HEAD_BYTES = 61;
const FORMAT = 2;
/** The registry's magic byte and the schema id, before each Avro body. */
const FRAME_BYTES = 5;
const ATTRIBUTES_BYTES = 1;
const NULL_LENGTH = -1;
const GROUP_UNITS = 128;
/** Below this in magnitude, 32-bit integers suffice for zigzag. */
const SMALL = 1_073_741_824;

/** A builder's first buffer. */
const FIRST_BYTES = 1_024;

/**
 * A record batch of format 2 (https://kafka.apache.org/documentation/#recordbatch), uncompressed, in the making. Each
 * record becomes bytes when it is added, with its schema frame: a client's objects per record cost more processor time
 * than the engine's whole step, and records that wait as objects outlive several garbage collections.
 */
export class RecordBatchBuilder {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #end = HEAD_BYTES;
  #count = 0;
  #firstMs = 0;
  #newestMs = Number.NEGATIVE_INFINITY;

  /** Records so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#end;
  }

  add(record: BatchRecord): void {
    const { timestampMs } = record;
    const index = this.#count;
    if (index === 0) this.#firstMs = timestampMs;
    const length = lengthOf(record, index, this.#firstMs);
    this.#ensure(varintBytes(length) + length);
    this.#end = writeVarint(this.#bytes, length, this.#end);
    this.#end = writeRecord(this.#bytes, record, index, this.#firstMs, this.#end);
    this.#count += 1;
    if (timestampMs > this.#newestMs) this.#newestMs = timestampMs;
  }

  /** Begins another batch in the same memory: the bytes of the last one must not be used any more. */
  reset(): void {
    this.#end = HEAD_BYTES;
    this.#count = 0;
    this.#newestMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Ends the batch: nothing can be added any more.
   *
   * @param sequence - the first record's number among those of this producer in this topic-partition.
   * @param crc32c - CRC-32C (Castagnoli) of bytes.
   * @returns the bytes of the batch.
   * @throws RangeError when there are no records.
   */
  finish({ id, epoch }: ProducerIdentity, sequence: number, crc32c: (bytes: Buffer) => number): Buffer {
    const count = this.#count;
    if (count === 0) throw new RangeError('a record batch needs a record');
    const bytes = this.#bytes.subarray(0, this.#end);
    // The broker gives the offset.
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(this.#end - LEADER_EPOCH_POSITION, LENGTH_POSITION);
    bytes.writeInt32BE(-1, LEADER_EPOCH_POSITION);
    bytes.writeInt8(FORMAT, FORMAT_POSITION);
    bytes.writeInt16BE(0, ATTRIBUTES_POSITION);
    bytes.writeInt32BE(count - 1, LAST_OFFSET_DELTA_POSITION);
    bytes.writeBigInt64BE(BigInt(this.#firstMs), FIRST_TIMESTAMP_POSITION);
    bytes.writeBigInt64BE(BigInt(this.#newestMs), NEWEST_TIMESTAMP_POSITION);
    bytes.writeBigInt64BE(id, PRODUCER_ID_POSITION);
    bytes.writeInt16BE(epoch, PRODUCER_EPOCH_POSITION);
    bytes.writeInt32BE(sequence, SEQUENCE_POSITION);
    bytes.writeInt32BE(count, COUNT_POSITION);
    bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_POSITION)), CRC_POSITION);
    return bytes;
  }

  #ensure(more: number): void {
    const needed = this.#end + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** The batch of records that are all at hand; see {@link RecordBatchBuilder.finish}. */
export function encodeRecordBatch(
  records: readonly BatchRecord[],
  identity: ProducerIdentity,
  sequence: number,
  crc32c: (bytes: Buffer) => number,
): Buffer {
  const batch = new RecordBatchBuilder();
  for (const record of records) batch.add(record);
  return batch.finish(identity, sequence, crc32c);
}

/** What a batch that its producer does not number has in place of its number. */
const NOT_NUMBERED = -1;

/**
 * A stored batch as it can be appended elsewhere: its records with their bytes and time stamps, without the offset, the
 * leader and the producer that it had.
 */
export function unplaced(stored: Buffer, crc32c: (bytes: Buffer) => number): Buffer {
  const bytes = Buffer.from(stored);
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(NOT_NUMBERED, LEADER_EPOCH_POSITION);
  bytes.writeBigInt64BE(BigInt(NOT_NUMBERED), PRODUCER_ID_POSITION);
  bytes.writeInt16BE(NOT_NUMBERED, PRODUCER_EPOCH_POSITION);
  bytes.writeInt32BE(NOT_NUMBERED, SEQUENCE_POSITION);
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_POSITION)), CRC_POSITION);
  return bytes;
}

/** The part of a stored batch that {@link unplaced} leaves as it is: two batches with the same have the same records. */
export function contentOf(stored: Buffer): readonly Buffer[] {
  return [stored.subarray(ATTRIBUTES_POSITION, PRODUCER_ID_POSITION), stored.subarray(COUNT_POSITION)];
}

export function firstOffsetOf(stored: Buffer): number {
  return Number(stored.readBigInt64BE(0));
}

export function lastOffsetOf(stored: Buffer): number {
  return firstOffsetOf(stored) + stored.readInt32BE(LAST_OFFSET_DELTA_POSITION);
}

/** The length of the batch that begins there, bytes; undefined where the bytes end within its head. */
export function batchBytesAt(bytes: Buffer, at: number): number | undefined {
  return at + HEAD_BYTES > bytes.length ? undefined : LEADER_EPOCH_POSITION + bytes.readInt32BE(at + LENGTH_POSITION);
}

/** A record's header as it stands in a batch. */
export function encodeHeader(name: string, value: string): Buffer {
  const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
  const head = Buffer.alloc(varintBytes(nameBytes.length) + nameBytes.length + varintBytes(valueBytes.length));
  const at = writeVarint(head, nameBytes.length, 0);
  nameBytes.copy(head, at);
  writeVarint(head, valueBytes.length, at + nameBytes.length);
  return Buffer.concat([head, valueBytes]);
}

/** The bytes of a record behind its length. */
function lengthOf({ key, body, timestampMs, headers }: BatchRecord, index: number, firstMs: number): number {
  const value = FRAME_BYTES + body.length;
  let length =
    ATTRIBUTES_BYTES +
    varintBytes(timestampMs - firstMs) +
    varintBytes(index) +
    varintBytes(key === null ? NULL_LENGTH : key.length) +
    (key?.length ?? 0) +
    varintBytes(value) +
    value +
    varintBytes(headers.length);
  for (const header of headers) length += header.length;
  return length;
}

/** @returns the position behind it. */
function writeRecord(bytes: Buffer, record: BatchRecord, index: number, firstMs: number, begin: number): number {
  const { key, schemaId, body, timestampMs, headers } = record;
  bytes[begin] = 0;
  let at = writeVarint(bytes, timestampMs - firstMs, begin + ATTRIBUTES_BYTES);
  at = writeVarint(bytes, index, at);
  at = writeVarint(bytes, key === null ? NULL_LENGTH : key.length, at);
  if (key !== null) {
    bytes.set(key, at);
    at += key.length;
  }
  at = writeVarint(bytes, FRAME_BYTES + body.length, at);
  bytes[at] = 0;
  bytes.writeInt32BE(schemaId, at + 1);
  bytes.set(body, at + FRAME_BYTES);
  at = writeVarint(bytes, headers.length, at + FRAME_BYTES + body.length);
  for (const header of headers) {
    bytes.set(header, at);
    at += header.length;
  }
  return at;
}

/** Zigzag: 0, −1, 1, −2 … become 0, 1, 2, 3 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = zigzag(value); rest >= GROUP_UNITS; rest = Math.floor(rest / GROUP_UNITS)) count += 1;
  return count;
}

/** Seven bits a byte, the lowest first. @returns the position behind it. */
function writeVarint(bytes: Buffer, value: number, begin: number): number {
  let at = begin;
  let rest = zigzag(value);
  while (rest >= SMALL) {
    bytes[at] = (rest % GROUP_UNITS) | GROUP_UNITS;
    at += 1;
    rest = Math.floor(rest / GROUP_UNITS);
  }
  let groups = rest | 0;
  while (groups >= GROUP_UNITS) {
    bytes[at] = (groups & 0x7f) | GROUP_UNITS;
    at += 1;
    groups >>>= 7;
  }
  bytes[at] = groups;
  return at + 1;
}
