import { hash } from 'node:crypto';

/**
 * A part of a state, in bytes that never change, named by what it holds: a state that names its pages is written with
 * those pages only that no earlier state was written with.
 */
export interface StatePage {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  readonly bytes: Buffer;
}

/** Names bytes that nobody changes any more. */
export function statePageOf(bytes: Buffer): StatePage {
  return { hash: hash('sha256', bytes, 'hex'), bytes };
}
