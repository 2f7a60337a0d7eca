import { hash } from 'node:crypto';

/** Bytes of SHA-256 that represent an id that is not a number: a collision becomes likely only at 2^64 ids. */
export const ID_HASH_BYTES = 16;
/** Replaces the number for an id that is not a number; sorts after all numbers. */
export const HASHED = Number.POSITIVE_INFINITY;
/** Times that can be written, microseconds from 1970; the last is in 2112. */
export const TIME_US_MAX = 4_503_599_627_370_496;
/** The most bytes of an entry: its time, and its number or hash. */
export const ENTRY_BYTES_MAX = 24;

/** A number with more digits may not fit a double. */
const DIGITS_MAX = 15;
/** Below this, bitwise operators work on a number. */
const SMALL_MAX = 2_147_483_648;
const ZERO = 48;
const NO_BYTES = Buffer.alloc(0);

/** Identity of a trade; pages are ordered by time, then numbers, then other ids by their hash. */
export class IdentityKey {
  timeUs = 0;
  /** The id as a number; {@link HASHED} where it is not one. */
  number = 0;
  /** Where the id is not a number: 16 bytes, one character each. */
  hash = '';

  /** @throws RangeError for a time that is not a whole number from 0 to {@link TIME_US_MAX}. */
  set(tradeId: string, timeUs: number): void {
    if (!Number.isInteger(timeUs) || timeUs < 0 || timeUs > TIME_US_MAX) {
      throw new RangeError(`${timeUs} is not a time in microseconds`);
    }
    this.timeUs = timeUs;
    this.number = numberOf(tradeId);
    if (this.number === HASHED) this.hash = hash('sha256', tradeId, 'binary').slice(0, ID_HASH_BYTES);
  }
}

/** The id as a number, if written without leading zeros; {@link HASHED} for every other id. */
function numberOf(id: string): number {
  const { length } = id;
  if (length === 0 || length > DIGITS_MAX || (length > 1 && id.charCodeAt(0) === ZERO)) return HASHED;
  let number = 0;
  for (let index = 0; index < length; index += 1) {
    const digit = id.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return HASHED;
    number = number * 10 + digit;
  }
  return number;
}

/**
 * Writes the part of an entry that depends on the one before it: the time since that one, with a bit for the kind of
 * id, and a number's difference to `base`. For an id that is not a number its hash follows.
 *
 * @returns where it ends.
 */
export function writeEntryHead(bytes: Buffer, at: number, sinceUs: number, base: number, number: number): number {
  const bit = number === HASHED ? 1 : 0;
  // A varint of 2 × time + bit, which would not fit a double where the time is great.
  const end =
    sinceUs < SMALL_MAX / 2
      ? writeVarint(bytes, at, sinceUs * 2 + bit)
      : writeVarintAfter(bytes, at, (sinceUs % 64) * 2 + bit, Math.floor(sinceUs / 64));
  if (number === HASHED) return end;
  const difference = number - base;
  return writeVarint(bytes, end, difference >= 0 ? difference * 2 : -difference * 2 - 1);
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  if (value >= SMALL_MAX) return writeVarintAfter(bytes, start, value % 128, Math.floor(value / 128));
  let at = start;
  let rest = value | 0;
  while (rest >= 128) {
    bytes[at] = (rest & 127) | 128;
    at += 1;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}

/** Writes a varint, given its lowest seven bits and the others, which are not 0. */
function writeVarintAfter(bytes: Buffer, at: number, low: number, high: number): number {
  bytes[at] = low + 128;
  return writeVarint(bytes, at + 1, high);
}

/** Writes an entry. @returns where it ends. */
export function writeEntry(bytes: Buffer, at: number, sinceUs: number, base: number, key: IdentityKey): number {
  const end = writeEntryHead(bytes, at, sinceUs, base, key.number);
  if (key.number !== HASHED) return end;
  for (let index = 0; index < ID_HASH_BYTES; index += 1) bytes[end + index] = key.hash.charCodeAt(index);
  return end + ID_HASH_BYTES;
}

/** Compares an entry, whose hash, if any, begins at `hashAt`, with a key: below 0 where the entry is first. */
export function compareEntry(bytes: Buffer, timeUs: number, number: number, hashAt: number, key: IdentityKey): number {
  if (timeUs !== key.timeUs) return timeUs - key.timeUs;
  if (number !== key.number) return number < key.number ? -1 : 1;
  if (number !== HASHED) return 0;
  for (let index = 0; index < ID_HASH_BYTES; index += 1) {
    const difference = (bytes[hashAt + index] ?? 0) - key.hash.charCodeAt(index);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Iterates over the entries of a block. */
export class EntryCursor {
  bytes: Buffer = NO_BYTES;
  /** Where the block's header begins. */
  blockAt = 0;
  /** End of the block. */
  end = 0;
  /** Start of the next entry. */
  at = 0;
  /** Time of the last entry passed, or the block's own before the first. */
  timeUs = 0;
  /** Number of the last entry passed; 0 before the first; {@link HASHED} where it has none. */
  number = 0;

  /** The next entry, once {@link peek} has found it. */
  nextUs = 0;
  nextNumber = 0;
  /** Where the part that depends on the previous entry ends, and a hash begins. */
  nextHeadEnd = 0;

  /** The base of the difference by which a number is written. */
  get base(): number {
    return this.number === HASHED ? 0 : this.number;
  }

  /** Reads the next entry without passing it; false at the end of the block. */
  peek(): boolean {
    const { at, bytes } = this;
    if (at >= this.end) return false;
    const first = bytes[at] ?? 0;
    this.nextHeadEnd = at + 1;
    const sinceUs = ((first & 127) >> 1) + (first < 128 ? 0 : 64 * this.readVarint());
    this.nextUs = this.timeUs + sinceUs;
    if ((first & 1) === 1) {
      this.nextNumber = HASHED;
      return true;
    }
    const zigzag = this.readVarint();
    if (zigzag < SMALL_MAX) this.nextNumber = this.base + ((zigzag >>> 1) ^ -(zigzag & 1));
    else this.nextNumber = this.base + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
    return true;
  }

  /** Passes the entry that was just read. */
  pass(): void {
    this.at = this.nextHeadEnd + (this.nextNumber === HASHED ? ID_HASH_BYTES : 0);
    this.timeUs = this.nextUs;
    this.number = this.nextNumber;
  }

  /** Advances to the first entry of the block that is not before a key; true when it is the key's. */
  seek(key: IdentityKey): boolean {
    while (this.peek()) {
      const order = compareEntry(this.bytes, this.nextUs, this.nextNumber, this.nextHeadEnd, key);
      if (order >= 0) return order === 0;
      this.pass();
    }
    return false;
  }

  /** Compares the last entry passed with a key. */
  comparePassed(key: IdentityKey): number {
    return compareEntry(this.bytes, this.timeUs, this.number, this.at - ID_HASH_BYTES, key);
  }

  private readVarint(): number {
    const { bytes } = this;
    let at = this.nextHeadEnd;
    let septet = bytes[at] ?? 0;
    let value = septet & 127;
    for (let shift = 7; septet >= 128 && shift < 28; shift += 7) {
      at += 1;
      septet = bytes[at] ?? 0;
      value |= (septet & 127) << shift;
    }
    for (let scale = 268_435_456; septet >= 128; scale *= 128) {
      at += 1;
      septet = bytes[at] ?? 0;
      value += (septet & 127) * scale;
    }
    this.nextHeadEnd = at + 1;
    return value;
  }
}
