import { NO_HEADERS, type LogRecord, type RecordSequence } from './log-record.ts';

const LENGTH_POSITION = 8;
const FORMAT_POSITION = 16;
const ATTRIBUTES_POSITION = 21;
const LAST_OFFSET_DELTA_POSITION = 23;
const FIRST_TIMESTAMP_POSITION = 27;
const NEWEST_TIMESTAMP_POSITION = 35;
const COUNT_POSITION = 57;
const HEAD_BYTES = 61;
/** Before the bytes that the length counts. */
const UNCOUNTED_BYTES = 12;
const FORMAT = 2;

const COMPRESSION = 0b111;
const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;

const GROUP_BITS = 7;
const GROUP_UNITS = 128;
/** As many groups as fit 32 bits without loss. */
const SMALL_BITS_MAX = 28;

/**
 * A record batch of format 2 (https://kafka.apache.org/documentation/#recordbatch) as it was fetched. Its records are
 * read when they are handled: objects for everything that a fetch holds would survive several garbage collections.
 */
export class FetchedBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** A transaction's marker. */
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  /** Its bytes as they were fetched. */
  readonly whole: Buffer;
  readonly #count: number;
  readonly #firstTimestampMs: number;
  /** The log's own time, where it replaces that of the records. */
  readonly #appendedMs: number | undefined;
  /** The records, uncompressed. */
  readonly #bytes: Buffer;

  /** @param bytes - its records, uncompressed. */
  constructor(whole: Buffer, bytes: Buffer) {
    this.whole = whole;
    const attributes = whole.readInt16BE(ATTRIBUTES_POSITION);
    this.firstOffset = Number(whole.readBigInt64BE(0));
    this.lastOffset = this.firstOffset + whole.readInt32BE(LAST_OFFSET_DELTA_POSITION);
    this.isControl = (attributes & CONTROL) !== 0;
    this.isTransactional = (attributes & TRANSACTIONAL) !== 0;
    this.#count = whole.readInt32BE(COUNT_POSITION);
    this.#firstTimestampMs = Number(whole.readBigInt64BE(FIRST_TIMESTAMP_POSITION));
    this.#appendedMs =
      (attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(whole.readBigInt64BE(NEWEST_TIMESTAMP_POSITION));
    this.#bytes = bytes;
  }

  /**
   * Its records from an offset on.
   *
   * @throws RangeError when the bytes are not those of a record batch.
   */
  from(topic: string, partition: number, from: number): FetchedSequence {
    return new FetchedSequence([this], topic, partition, from);
  }

  /** For {@link FetchedSequence}. */
  sourceIn(topic: string, partition: number): RecordSource {
    const { firstOffset } = this;
    const [bytes, firstTimestampMs, appendedMs] = [this.#bytes, this.#firstTimestampMs, this.#appendedMs];
    return { topic, partition, bytes, firstOffset, count: this.#count, firstTimestampMs, appendedMs };
  }
}

/** Decompresses the records of a batch, by the number of the compression in its attributes. @throws where it is not known. */
export type Decompress = (compression: number, bytes: Buffer) => Buffer;

/**
 * The record batches of one partition in an answer to a fetch. The last one may be cut off, and is left out then.
 *
 * @throws RangeError where a batch has another format than 2, which brokers since 0.11 write.
 */
export function fetchedBatches(bytes: Buffer, decompress: Decompress): FetchedBatch[] {
  const batches: FetchedBatch[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= bytes.length) {
    const end = at + UNCOUNTED_BYTES + bytes.readInt32BE(at + LENGTH_POSITION);
    if (end > bytes.length) break;
    const format = bytes.readInt8(at + FORMAT_POSITION);
    if (format !== FORMAT) throw new RangeError(`a record batch has format ${format} and not ${FORMAT}`);
    const compression = bytes.readInt16BE(at + ATTRIBUTES_POSITION) & COMPRESSION;
    const records = bytes.subarray(at + HEAD_BYTES, end);
    const plain = compression === 0 ? records : decompress(compression, records);
    batches.push(new FetchedBatch(bytes.subarray(at, end), plain));
    at = end;
  }
  return batches;
}

/** What the records of a batch have in common. */
interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly firstOffset: number;
  readonly count: number;
  readonly firstTimestampMs: number;
  readonly appendedMs: number | undefined;
}

/**
 * Consecutive records of one partition, from one fetch. Each is made when it is its turn, and again at each further
 * reading: made at once, tens of thousands would outlive several garbage collections.
 */
export class FetchedSequence implements RecordSequence {
  readonly length: number;
  readonly #sources: readonly RecordSource[];
  readonly #from: number;
  readonly #last: LogRecord | undefined;

  /** @throws RangeError when the bytes are not those of record batches. */
  constructor(batches: readonly FetchedBatch[], topic: string, partition: number, from: number) {
    this.#sources = batches.map((batch) => batch.sourceIn(topic, partition));
    this.#from = from;
    let length = 0;
    for (const source of this.#sources) {
      const { count, last } = extentOf(source, from);
      length += count;
      this.#last = last ?? this.#last;
    }
    this.length = length;
  }

  at(index: number): LogRecord | undefined {
    if (index === -1) return this.#last;
    const wanted = index < 0 ? this.length + index : index;
    let current = 0;
    for (const record of this) {
      if (current === wanted) return record;
      current += 1;
    }
    return undefined;
  }

  [Symbol.iterator](): Iterator<LogRecord> {
    return new SequenceIterator(this.#sources, this.#from);
  }
}

/** The records of a batch from an offset on: their number and the last one. */
function extentOf(
  source: RecordSource,
  from: number,
): { readonly count: number; readonly last: LogRecord | undefined } {
  const { bytes, firstOffset } = source;
  let [count, at, last] = [0, 0, 0];
  for (let left = source.count; left > 0; left -= 1) {
    last = at;
    const length = varintAt(bytes, at);
    at = varintEnd + length;
    // Only of a batch that begins before the offset each one's has to be read.
    if (firstOffset >= from || recordAt(source, last).offset >= from) count += 1;
  }
  if (at > bytes.length) throw new RangeError('a record batch ends within a record');
  return { count, last: count === 0 ? undefined : recordAt(source, last) };
}

class SequenceIterator implements Iterator<LogRecord> {
  readonly #sources: readonly RecordSource[];
  readonly #from: number;
  #index = -1;
  #source: RecordSource | undefined;
  #left = 0;
  #at = 0;

  constructor(sources: readonly RecordSource[], from: number) {
    this.#sources = sources;
    this.#from = from;
  }

  next(): IteratorResult<LogRecord> {
    for (;;) {
      while (this.#left === 0) {
        this.#index += 1;
        const source = this.#sources[this.#index];
        if (source === undefined) return { done: true, value: undefined };
        this.#source = source;
        this.#left = source.count;
        this.#at = 0;
      }
      const record = recordAt(this.#source as RecordSource, this.#at);
      this.#left -= 1;
      this.#at = recordEnd;
      if (record.offset >= this.#from) return { done: false, value: record };
    }
  }
}

/** The position behind the record that {@link recordAt} read last. */
let recordEnd = 0;

function recordAt(source: RecordSource, at: number): FetchedRecord {
  const { bytes, firstOffset } = source;
  const length = varintAt(bytes, at);
  const begin = varintEnd;
  recordEnd = begin + length;
  // The attributes of a record are not used.
  const sinceFirstMs = varintAt(bytes, begin + 1);
  const offset = firstOffset + varintAt(bytes, varintEnd);
  return new FetchedRecord(source, offset, sinceFirstMs, varintEnd);
}

/** A record within its batch: what it is asked for is cut out then. */
class FetchedRecord implements LogRecord {
  readonly offset: number;
  readonly #source: RecordSource;
  readonly #sinceFirstMs: number;
  readonly #keyAt: number;

  constructor(source: RecordSource, offset: number, sinceFirstMs: number, keyAt: number) {
    this.#source = source;
    this.offset = offset;
    this.#sinceFirstMs = sinceFirstMs;
    this.#keyAt = keyAt;
  }

  get topic(): string {
    return this.#source.topic;
  }

  get partition(): number {
    return this.#source.partition;
  }

  get timestampMs(): number {
    const { appendedMs, firstTimestampMs } = this.#source;
    return appendedMs ?? firstTimestampMs + this.#sinceFirstMs;
  }

  get value(): Buffer | null {
    const { bytes } = this.#source;
    const keyBytes = varintAt(bytes, this.#keyAt);
    const valueBytes = varintAt(bytes, varintEnd + Math.max(keyBytes, 0));
    return valueBytes < 0 ? null : bytes.subarray(varintEnd, varintEnd + valueBytes);
  }

  get key(): Buffer | null {
    return this.#bytesAt(this.#keyAt);
  }

  get headers(): Readonly<Record<string, string>> {
    this.#bytesAt(this.#keyAt);
    this.#bytesAt(varintEnd);
    const count = varintAt(this.#source.bytes, varintEnd);
    if (count === 0) return NO_HEADERS;
    const texts: Record<string, string> = {};
    for (let left = count; left > 0; left -= 1) {
      const name = this.#bytesAt(varintEnd);
      const value = this.#bytesAt(varintEnd);
      if (name !== null && value !== null) texts[name.toString()] = value.toString();
    }
    return texts;
  }

  /** Bytes behind their length; leaves the position behind them in {@link varintEnd}. */
  #bytesAt(position: number): Buffer | null {
    const length = varintAt(this.#source.bytes, position);
    if (length < 0) return null;
    const begin = varintEnd;
    varintEnd = begin + length;
    return this.#source.bytes.subarray(begin, varintEnd);
  }
}

/** The position behind the number that was read last. */
let varintEnd = 0;

/** A zigzag number of seven bits a byte, the lowest first. Beyond the bytes' end it is 0. */
function varintAt(bytes: Buffer, position: number): number {
  let at = position;
  let byte = bytes[at] ?? 0;
  let zigzag = byte & (GROUP_UNITS - 1);
  for (let bits = GROUP_BITS; byte >= GROUP_UNITS; bits += GROUP_BITS) {
    at += 1;
    byte = bytes[at] ?? 0;
    const group = byte & (GROUP_UNITS - 1);
    // Past 31 bits shifts would lose some.
    zigzag = bits < SMALL_BITS_MAX ? zigzag | (group << bits) : zigzag + group * 2 ** bits;
  }
  varintEnd = at + 1;
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}
