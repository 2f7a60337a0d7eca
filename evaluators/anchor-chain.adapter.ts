import { anchorsBackward, type LogAccess, type StoredAnchor } from './anchor-log.adapter.ts';

/**
 * The anchors of a partition for one recovery, read from the log's end backward only as far as they are needed, each
 * once however often it was written.
 */
export class AnchorChain {
  readonly #unread: AsyncGenerator<StoredAnchor, void, undefined>;
  readonly #read: StoredAnchor[] = [];
  readonly #byHash = new Map<string, StoredAnchor>();

  constructor(access: LogAccess, partition: number) {
    this.#unread = anchorsBackward(access, partition);
  }

  /** The anchors in the order of {@link anchorsBackward}. */
  async *backward(): AsyncGenerator<StoredAnchor, void, undefined> {
    for (let index = 0; index < this.#read.length || (await this.#readOne()); index += 1) {
      const anchor = this.#read[index];
      if (anchor !== undefined) yield anchor;
    }
  }

  /** The anchor whose manifest has a hash (hex); undefined when the log does not have it. */
  async named(hash: string): Promise<StoredAnchor | undefined> {
    while (!this.#byHash.has(hash)) if (!(await this.#readOne())) return undefined;
    return this.#byHash.get(hash);
  }

  /** The anchors read so far, by the hash (hex) of their manifest. */
  get read(): ReadonlyMap<string, StoredAnchor> {
    return this.#byHash;
  }

  /** @returns false at the log's beginning. */
  async #readOne(): Promise<boolean> {
    const next = await this.#unread.next();
    if (next.done === true) return false;
    const hash = next.value.hash.toString('hex');
    if (this.#byHash.has(hash)) return true;
    this.#byHash.set(hash, next.value);
    this.#read.push(next.value);
    return true;
  }
}
