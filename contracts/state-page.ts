import { hash } from 'node:crypto';

/**
 * A part of a state, in bytes that never change, named by its content: a state is written with only those of its pages
 * that no earlier state was written with.
 */
export class StatePage {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.hash = hash('sha256', bytes, 'hex');
    this.bytes = bytes;
  }

  /** Names bytes that no longer change. */
  static of(bytes: Buffer): StatePage {
    return new StatePage(bytes);
  }
}
