/** The first four bytes of a frame, and of a skippable frame; little-endian. */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const MAGIC_BYTES = 4;
const SIZE_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RUN_LENGTH_BLOCK = 1;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/**
 * Splits zstd data at the ends of its frames (RFC 8878, 3.1). A file may have several in succession, and Node's
 * decompressor silently stops at the end of the first.
 */
export class ZstdFrames {
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** Whether there is another frame, or data that is not one; skippable frames are passed over. */
  async hasNext(): Promise<boolean> {
    while (true) {
      const head = await this.peek(MAGIC_BYTES + SIZE_BYTES);
      if (head.length === 0) return false;
      const isSkippable =
        head.length === MAGIC_BYTES + SIZE_BYTES && (head.readUInt32LE() & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;
      if (!isSkippable) return true;
      const length = MAGIC_BYTES + SIZE_BYTES + head.readUInt32LE(MAGIC_BYTES);
      await this.skip(length);
    }
  }

  /** The bytes of the next frame; where the file is truncated or damaged, the rest, for the decompressor to refuse. */
  async *next(): AsyncGenerator<Buffer> {
    const head = await this.peek(MAGIC_BYTES + 1);
    const descriptor = head[MAGIC_BYTES];
    if (descriptor === undefined || head.readUInt32LE() !== FRAME_MAGIC) {
      yield* this.pass(Number.POSITIVE_INFINITY);
      return;
    }
    yield* this.pass(MAGIC_BYTES + 1 + headerBytes(descriptor));
    while (true) {
      const header = await this.peek(BLOCK_HEADER_BYTES);
      if (header.length < BLOCK_HEADER_BYTES) {
        yield* this.pass(BLOCK_HEADER_BYTES);
        return;
      }
      const block = header.readUIntLE(0, BLOCK_HEADER_BYTES);
      const isRun = ((block >> 1) & 3) === RUN_LENGTH_BLOCK;
      yield* this.pass(BLOCK_HEADER_BYTES + (isRun ? 1 : block >> 3));
      if ((block & 1) === 1) break;
    }
    if ((descriptor & 4) !== 0) yield* this.pass(CHECKSUM_BYTES);
  }

  /** The next bytes, without consuming them; fewer at the end. */
  private async peek(length: number): Promise<Buffer> {
    while (this.rest.length < length) {
      const next = await this.source.next();
      if (next.done === true) break;
      this.rest = this.rest.length === 0 ? next.value : Buffer.concat([this.rest, next.value]);
    }
    return this.rest.subarray(0, length);
  }

  private async skip(length: number): Promise<void> {
    const parts = this.pass(length);
    while ((await parts.next()).done !== true);
  }

  private async *pass(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0 && (await this.peek(1)).length > 0) {
      const part = this.rest.subarray(0, Math.min(left, this.rest.length));
      this.rest = this.rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
}

/** Bytes of a frame's header after its descriptor: window, dictionary and size of the content. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = isSingleSegment && sizeFlag === 0 ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  return (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + sizeBytes;
}
