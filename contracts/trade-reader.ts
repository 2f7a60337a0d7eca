import { decodeBody, readerFor, type BodyReader } from './codec.ts';
import { Decimal } from './decimal.ts';
import { FIRST_TRADE_SCHEMA } from './former-schemas.ts';
import type { TakerSide, Trade } from './generated/events.ts';

const SIDES: readonly TakerSide[] = ['BUY', 'SELL', 'UNKNOWN'];
/** Texts that repeat from trade to trade (venue, instrument, source) are cached by their bytes. */
const TEXT_SLOTS = 256;
/** 2^48 = 281 · 10^12 + 474,976,710,656. */
const WHOLES_OF_2_48 = 281;
const REST_OF_2_48 = 474_976_710_656;
const FRACTION_UNITS = 1e12;
/** With the bytes above the sixth below this, the long division stays below 2^53. */
const HIGH_BOUND = 16_384;
const LOW_BYTES = 6;

let firstReader: BodyReader<'Trade'> | undefined;

/** The reading position; a negative one means that the bytes are not plain. */
let position = 0;

interface TextSlot {
  readonly bytes: Uint8Array;
  readonly text: string;
}
const slots: (TextSlot | undefined)[] = new Array<TextSlot | undefined>(TEXT_SLOTS).fill(undefined);

/**
 * Reads a trade that was written with this build's schema, several times as fast as `decodeBody('Trade', …)`, and with
 * the same result: anything not plain (numbers beyond 2^53, text beyond ASCII, broken bytes) is left to that.
 *
 * @param start - where the body begins, so that a framed value needs no part cut out of it.
 * @throws Error when the bytes are not a trade, or bytes are left over.
 */
export function readTrade(bytes: Buffer, start = 0): Trade {
  return readPlainTrade(bytes, start, true) ?? decodeBody('Trade', bytes.subarray(start));
}

/** Like {@link readTrade}, for a trade written with the first release's schema, which ends with the source. */
export function readFirstTrade(bytes: Buffer, start = 0): Trade {
  return readPlainTrade(bytes, start, false) ?? (firstReader ??= readerFor('Trade', FIRST_TRADE_SCHEMA))(bytes, start);
}

function readPlainTrade(body: Buffer, start: number, hasTail: boolean): Trade | undefined {
  position = start;
  const venue = readRepeatedText(body);
  const instrument = readRepeatedText(body);
  const tradeId = readText(body);
  const eventTime = readLong(body);
  const price = readDecimal(body);
  const size = readDecimal(body);
  const side = SIDES[readLong(body)];
  const receivedAt = readLong(body);
  const source = readRepeatedText(body);
  const suspicious = hasTail && readBoolean(body);
  const conditions = hasTail ? readTexts(body) : NO_TEXTS;
  if (position !== body.length || side === undefined || price === undefined || size === undefined) return undefined;
  return { venue, instrument, tradeId, eventTime, price, size, side, receivedAt, source, suspicious, conditions };
}

/** A zigzag variable-length integer, provided that a double holds it before the sign is decoded. */
function readLong(body: Buffer): number {
  if (position < 0) return -1;
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 8; count += 1) {
    const byte = body[position] ?? -1;
    if (byte < 0) break;
    position += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    scale *= 128;
  }
  position = -1;
  return -1;
}

function readBoolean(body: Buffer): boolean {
  const byte = position < 0 ? -1 : (body[position] ?? -1);
  position = byte === 0 || byte === 1 ? position + 1 : -1;
  return byte === 1;
}

const NO_TEXTS: readonly string[] = [];

/** An array of texts in one block, as we write it; any other form is left to avsc. */
function readTexts(body: Buffer): readonly string[] {
  const count = readLong(body);
  if (count === 0 && position >= 0) return NO_TEXTS;
  if (count < 0 || count > body.length) {
    position = -1;
    return NO_TEXTS;
  }
  const texts: string[] = [];
  while (texts.length < count && position >= 0) texts.push(readRepeatedText(body));
  if (readLong(body) !== 0) position = -1;
  return texts;
}

/** Moves past a length-prefixed run of bytes; its start, or −1. */
function skipRun(body: Buffer): number {
  const length = readLong(body);
  const start = position;
  if (start < 0 || length < 0 || start + length > body.length) {
    position = -1;
    return -1;
  }
  position = start + length;
  return start;
}

function readText(body: Buffer): string {
  const start = skipRun(body);
  return start < 0 ? '' : asciiBetween(body, start, position);
}

function asciiBetween(body: Buffer, start: number, end: number): string {
  for (let index = start; index < end; index += 1) {
    if ((body[index] ?? 0) >= 0x80) {
      position = -1;
      return '';
    }
  }
  return body.toString('latin1', start, end);
}

function readRepeatedText(body: Buffer): string {
  const start = skipRun(body);
  if (start < 0) return '';
  const end = position;
  const length = end - start;
  const first = body[start] ?? 0;
  const last = body[end - 1] ?? 0;
  const index = (length * 31 + first * 7 + last) % TEXT_SLOTS;
  const slot = slots[index];
  if (slot?.bytes.length === length) {
    const { bytes } = slot;
    let at = 0;
    while (at < length && bytes[at] === body[start + at]) at += 1;
    if (at === length) return slot.text;
  }
  const text = asciiBetween(body, start, end);
  if (position >= 0) slots[index] = { bytes: Uint8Array.prototype.slice.call(body, start, end), text };
  return text;
}

/** Like `Decimal.fromBytes`; undefined for bytes that are left to it. */
function readDecimal(body: Buffer): Decimal | undefined {
  const start = skipRun(body);
  if (start < 0 || (body[start] ?? 0) >= 0x80) return undefined;
  const end = position;
  const split = Math.max(start, end - LOW_BYTES);
  let high = 0;
  for (let index = start; index < split; index += 1) {
    high = high * 256 + (body[index] ?? 0);
    if (high >= HIGH_BOUND) return undefined;
  }
  let low = 0;
  for (let index = split; index < end; index += 1) low = low * 256 + (body[index] ?? 0);
  const rest = high * REST_OF_2_48 + low;
  const whole = Math.floor(rest / FRACTION_UNITS);
  return new Decimal(high * WHOLES_OF_2_48 + whole, rest - whole * FRACTION_UNITS);
}
