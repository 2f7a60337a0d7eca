import { createHash, type Hash } from 'node:crypto';

/** A longer line is not a row of market data. It is refused without being held in memory. */
export const LINE_BYTES_MAX = 1024 * 1024;
/** How much of an overlong line is kept, for its dead letter. */
export const OVERLONG_BYTES_KEPT = 64 * 1024;

const LINE_FEED = 0x0a;

/** One line of a file as written, without its line feed. */
export interface FileLine {
  /** Number of the line, from 1. */
  readonly number: number;
  /** The line's bytes, including a carriage return; of an overlong line, the first {@link OVERLONG_BYTES_KEPT}. */
  readonly bytes: Buffer;
  /**
   * Present where the line is longer than {@link LINE_BYTES_MAX}: its full length and the SHA-256 (hex) of the whole
   * line.
   */
  readonly overlong: { readonly length: number; readonly hash: string } | undefined;
}

/** The part of an overlong line that is kept while the rest passes. */
interface OverlongLine {
  readonly kept: Buffer;
  readonly hash: Hash;
  length: number;
}

/**
 * Cuts a stream of chunks into lines, with memory for one chunk and one line of {@link LINE_BYTES_MAX}. A line feed
 * ends a line whatever its content: a broken quote costs one row, never the file.
 */
export class LineSplitter {
  private readonly pending: Buffer[] = [];
  private pendingBytes = 0;
  private overlong: OverlongLine | undefined;
  private count = 0;

  /** The lines completed by this chunk. They share its memory. */
  push(chunk: Buffer): FileLine[] {
    const lines: FileLine[] = [];
    let start = 0;
    while (true) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.append(chunk.subarray(start, end));
      lines.push(this.take());
      start = end + 1;
    }
    if (start < chunk.length) this.append(chunk.subarray(start));
    return lines;
  }

  /** The last line where the file does not end with a line feed. */
  end(): FileLine[] {
    return this.pendingBytes > 0 || this.overlong !== undefined ? [this.take()] : [];
  }

  private append(part: Buffer): void {
    if (this.overlong !== undefined) {
      this.overlong.hash.update(part);
      this.overlong.length += part.length;
      return;
    }
    this.pending.push(part);
    this.pendingBytes += part.length;
    if (this.pendingBytes <= LINE_BYTES_MAX) return;
    const begun = this.joined();
    const kept = Buffer.from(begun.subarray(0, OVERLONG_BYTES_KEPT));
    this.overlong = { kept, hash: createHash('sha256').update(begun), length: begun.length };
    this.forget();
  }

  private take(): FileLine {
    this.count += 1;
    const { overlong } = this;
    if (overlong !== undefined) {
      this.overlong = undefined;
      const whole = { length: overlong.length, hash: overlong.hash.digest('hex') };
      return { number: this.count, bytes: overlong.kept, overlong: whole };
    }
    const line = { number: this.count, bytes: this.joined(), overlong: undefined };
    this.forget();
    return line;
  }

  private joined(): Buffer {
    const [first] = this.pending;
    return this.pending.length === 1 && first !== undefined ? first : Buffer.concat(this.pending);
  }

  private forget(): void {
    this.pending.length = 0;
    this.pendingBytes = 0;
  }
}
