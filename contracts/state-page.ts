import { hash } from 'node:crypto';

/**
 * A part of a state, in bytes that never change, named by what it holds: a state that names its pages is written with
 * those pages only that no earlier state was written with.
 */
export class StatePage {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.hash = hash('sha256', bytes, 'hex');
    this.bytes = bytes;
  }

  /** Names bytes that nobody changes any more. */
  static of(bytes: Buffer): StatePage {
    return new StatePage(bytes);
  }
}
