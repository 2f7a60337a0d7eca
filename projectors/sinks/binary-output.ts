import { storable } from './postgres-text.ts';

const UINT32_VALUES = 4_294_967_296;
/** The most bytes that UTF-8 needs for a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;
/** More than any fixed-length value takes, with the lengths before it. */
const FIXED_BYTES_MAX = 64;
const NOT_ASCII = 0x80;

/** A big-endian byte writer; it always has room for a fixed-length value. */
export class BinaryOutput {
  #buffer: Buffer;
  #view: DataView;
  #end = 0;

  constructor(bytesGuess: number) {
    this.#buffer = Buffer.allocUnsafeSlow(bytesGuess + FIXED_BYTES_MAX);
    this.#view = viewOf(this.#buffer);
  }

  taken(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.#end, value);
    this.#end += 2;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#end, value);
    this.#end += 4;
  }

  int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / UINT32_VALUES);
    this.#view.setInt32(this.#end, high);
    this.#view.setUint32(this.#end + 4, value - high * UINT32_VALUES);
    this.#end += 8;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#end, value);
    this.#end += 8;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
  }

  /** A part of some bytes. */
  copy(source: Uint8Array, begin: number, end: number): void {
    this.#reserve(end - begin);
    const buffer = this.#buffer;
    let at = this.#end;
    // A loop: most are shorter than what a call into the engine costs.
    for (let index = begin; index < end; index += 1, at += 1) buffer[at] = source[index] ?? 0;
    this.#end = at;
  }

  /** A finite double from its bytes, little-endian. As in text, −0 is 0. */
  doubleFrom(source: Uint8Array, at: number): void {
    this.#reserve(8);
    const buffer = this.#buffer;
    let rest = 0;
    for (let index = 0; index < 7; index += 1) {
      const byte = source[at + index] ?? 0;
      rest |= byte;
      buffer[this.#end + 7 - index] = byte;
    }
    const first = source[at + 7] ?? 0;
    buffer[this.#end] = rest === 0 && first === 0x80 ? 0 : first;
    this.#end += 8;
  }

  /** UTF-8 from its bytes, preceded by its length: as if it had been read and written by {@link text}. */
  textFrom(source: Buffer, begin: number, end: number): void {
    this.int32(end - begin);
    this.#reserve(end - begin);
    const buffer = this.#buffer;
    let at = this.#end;
    for (let index = begin; index < end; index += 1, at += 1) {
      const byte = source[index] ?? 0;
      if (byte >= NOT_ASCII || byte === 0) {
        this.#end -= 4;
        this.text(source.toString('utf8', begin, end));
        return;
      }
      buffer[at] = byte;
    }
    this.#end = at;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#end] = value;
    this.#end += 1;
  }

  /** Letters of ASCII, without a length. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index += 1) this.#buffer[this.#end + index] = text.charCodeAt(index);
    this.#end += text.length;
  }

  /** UTF-8 preceded by its length, with a byte in between where given. */
  text(value: string, version?: number): void {
    const text = storable(value);
    this.#reserve(FIXED_BYTES_MAX + text.length * BYTES_PER_UNIT_MAX);
    const length = this.hole();
    if (version !== undefined) {
      this.#buffer[this.#end] = version;
      this.#end += 1;
    }
    this.#end += this.#buffer.write(text, this.#end, 'utf8');
    this.fill(length);
  }

  /** Reserves room for a length that is not yet known. */
  hole(): number {
    this.#reserve(4);
    this.#end += 4;
    return this.#end;
  }

  /** Fills in the length of the bytes written since. */
  fill(hole: number): void {
    this.#view.setInt32(hole - 4, this.#end - hole);
  }

  #reserve(bytes: number): void {
    if (this.#buffer.length - this.#end >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2 + bytes);
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
