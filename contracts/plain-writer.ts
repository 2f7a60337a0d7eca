import { Decimal } from './decimal.ts';

/** Longer bodies are left to avsc. */
const PLAIN_BYTES_MAX = 65_536;
const LONG_BYTES_MAX = 10;
/** The largest number n for which 2n + 1 is exact in a double: 2^52 − 1. */
const LONG_MAX = 4_503_599_627_370_495;
const ASCII_BOUND = 0x80;
const GROUP_UNITS = 128;
/** 2^28, four groups of seven bits: below this, 32-bit integers suffice. */
const FOUR_GROUPS_UNITS = 268_435_456;

/** The buffer for bodies, reused for each one. A write beyond its end has no effect. */
const scratch = Buffer.allocUnsafeSlow(PLAIN_BYTES_MAX + LONG_BYTES_MAX);
const view = new DataView(scratch.buffer);
/** The position of the next write. */
let position = 0;
/** The number of values met that are not plain. */
let misfits = 0;

/** Writes a value at the current position. */
export type Writer<Value> = (value: Value) => void;

/**
 * The Avro body of a value, in about half the time that avsc takes and byte for byte the same; undefined for anything
 * not plain (numbers beyond their type, broken text, a long body, a value of another type): avsc writes that, or
 * reports what is wrong.
 */
export function writePlain<Value>(write: Writer<Value>, value: Value): Buffer | undefined {
  position = 0;
  misfits = 0;
  write(value);
  if (misfits > 0 || position > PLAIN_BYTES_MAX) return undefined;
  const body = Buffer.allocUnsafe(position);
  scratch.copy(body, 0, 0, position);
  return body;
}

export function writeBoolean(value: boolean): void {
  if (typeof value !== 'boolean') misfits += 1;
  scratch[position] = value ? 1 : 0;
  position += 1;
}

export function writeInt(value: number): void {
  if ((value | 0) !== value) misfits += 1;
  writeLong(value);
}

/** Zigzag, seven bits a byte, the lowest first. */
export function writeLong(value: number): void {
  if (!Number.isInteger(value) || value < -LONG_MAX || value > LONG_MAX) {
    misfits += 1;
    return;
  }
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  while (rest >= FOUR_GROUPS_UNITS) {
    const low = rest % FOUR_GROUPS_UNITS;
    scratch[position] = low | 0x80;
    scratch[position + 1] = (low >>> 7) | 0x80;
    scratch[position + 2] = (low >>> 14) | 0x80;
    scratch[position + 3] = (low >>> 21) | 0x80;
    position += 4;
    rest = (rest - low) / FOUR_GROUPS_UNITS;
  }
  let groups = rest | 0;
  while (groups >= GROUP_UNITS) {
    scratch[position] = groups | 0x80;
    position += 1;
    groups >>>= 7;
  }
  scratch[position] = groups;
  position += 1;
}

/** One bit pattern per value: −0 is written as 0. */
export function writeDouble(value: number): void {
  if (!Number.isFinite(value) || position > PLAIN_BYTES_MAX) {
    misfits += 1;
    return;
  }
  view.setFloat64(position, value + 0, true);
  position += 8;
}

export function writeText(text: string): void {
  if (typeof text !== 'string' || text.length > PLAIN_BYTES_MAX) {
    misfits += 1;
    return;
  }
  const { length } = text;
  const begin = position;
  writeLong(length);
  const start = position;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= ASCII_BOUND) {
      position = begin;
      writeUnicode(text);
      return;
    }
    scratch[start + index] = code;
  }
  position = start + length;
}

function writeUnicode(text: string): void {
  const length = Buffer.byteLength(text);
  writeLong(length);
  // Half a surrogate pair is not valid text.
  if (!text.isWellFormed() || position + length > PLAIN_BYTES_MAX) misfits += 1;
  else scratch.write(text, position);
  position += length;
}

export function writeBytes(bytes: Buffer): void {
  if (!Buffer.isBuffer(bytes)) {
    misfits += 1;
    return;
  }
  writeLong(bytes.length);
  if (position + bytes.length <= PLAIN_BYTES_MAX) bytes.copy(scratch, position);
  position += bytes.length;
}

export function writeDecimal(decimal: Decimal): void {
  if (!(decimal instanceof Decimal)) {
    misfits += 1;
    return;
  }
  // Its length takes one byte: it has 13 bytes at most.
  const length = decimal.copyBytes(scratch, position + 1);
  scratch[position] = 2 * length;
  position += 1 + length;
}

/** @param symbols - the enumeration's symbols, in the schema's order. */
export function writeSymbol(symbols: readonly string[], symbol: string): void {
  const index = symbols.indexOf(symbol);
  if (index < 0) misfits += 1;
  else writeLong(index);
}

/** A union of null, first, and another type. */
export function writeNullable<Value>(value: Value | null, write: Writer<Value>): void {
  if (value === null) {
    writeLong(0);
    return;
  }
  writeLong(1);
  write(value);
}

/** All in one block, like avsc. */
export function writeArray<Value>(values: readonly Value[], write: Writer<Value>): void {
  if (!Array.isArray(values)) {
    misfits += 1;
    return;
  }
  const { length } = values;
  if (length > 0) writeLong(length);
  for (let index = 0; index < length; index += 1) write(values[index] as Value);
  writeLong(0);
}

/** One byte sequence per map: keys in ascending order of their UTF-16 code units, all in one block. */
export function writeMap<Value>(map: Readonly<Record<string, Value>>, write: Writer<Value>): void {
  if (typeof map !== 'object') {
    misfits += 1;
    return;
  }
  const keys = inOrder(Object.keys(map));
  if (keys.length > 0) writeLong(keys.length);
  for (const key of keys) {
    // An object orders numeric keys differently, and so does avsc.
    if (key.charCodeAt(0) <= 0x39) misfits += 1;
    writeText(key);
    write(map[key] as Value);
  }
  writeLong(0);
}

/** Sorts in place. Most are in order, and sorting copies even those. */
function inOrder(keys: string[]): string[] {
  for (let index = 1; index < keys.length; index += 1) {
    if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort();
  }
  return keys;
}
