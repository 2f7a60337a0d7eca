const HASH_BYTES = 32;
/** Events of one output whose hashes are kept: a repetition by another process is seldom of an older one. */
const HASHES_MAX = 2_048;

/** The hashes of the newest events of one output, in the order of their sequences. */
export class RecentHashes {
  readonly #first: number;
  readonly #hashes = Buffer.alloc(HASHES_MAX * HASH_BYTES);
  #next: number;

  /** @param nextSequence - of the first event that will be added. */
  constructor(nextSequence: number) {
    this.#first = this.#next = nextSequence;
  }

  /** Sequence of the next event. */
  get nextSequence(): number {
    return this.#next;
  }

  /** @param hash - of the event with the next sequence. */
  add(hash: Buffer): void {
    hash.copy(this.#hashes, (this.#next % HASHES_MAX) * HASH_BYTES);
    this.#next += 1;
  }

  /** Whether the event with a sequence has a hash; undefined for one that is too old, or not added yet. */
  isEqual(sequence: number, hash: Buffer): boolean | undefined {
    if (sequence < Math.max(this.#first, this.#next - HASHES_MAX) || sequence >= this.#next) return undefined;
    const at = (sequence % HASHES_MAX) * HASH_BYTES;
    return hash.equals(this.#hashes.subarray(at, at + HASH_BYTES));
  }
}
