import type { Producer } from '@platformatic/kafka';
import type { KafkaAddress } from './client.ts';
import { clientOf, produce } from './batch-sender.ts';
import { fetchOnce } from './fetch-response.ts';
import type { FetchedBatch } from './fetched-batch.ts';
import { loadLibrary, type Library } from './library.ts';
import { connectionTo, leaderOf } from './partition-leader.ts';
import { unplaced } from './record-batch.ts';

const FETCH_BYTES_MAX = 1_048_576;
const FETCH_WAIT_MS_MAX = 250;

/**
 * Reads and appends whole record batches as they are, for copies of a log: every other reader and writer has records.
 * Nothing is tried again, because an unnumbered batch would be appended twice: whoever goes on looks at the end first.
 */
export class BatchCopy {
  readonly #library: Library;
  readonly #client: Producer;

  private constructor(library: Library, client: Producer) {
    this.#library = library;
    this.#client = client;
  }

  static async open(address: KafkaAddress): Promise<BatchCopy> {
    const library = await loadLibrary();
    return new BatchCopy(library, clientOf(library, address));
  }

  /** Some batches from the one that has an offset on; none at the end. @throws the library's error. */
  async fetch(topic: string, partition: number, offset: number): Promise<readonly FetchedBatch[]> {
    const { node } = await leaderOf(this.#client, topic, partition);
    const request = { topic, partition, offset, bytesMax: FETCH_BYTES_MAX, waitMs: FETCH_WAIT_MS_MAX };
    const { messages } = await fetchOnce(await connectionTo(this.#client, node), request);
    return messages.map(({ batch }) => batch);
  }

  /** Appends a stored batch. @returns the offset of its first record here. @throws the library's error. */
  async append(topic: string, partition: number, stored: Buffer): Promise<number> {
    const { node } = await leaderOf(this.#client, topic, partition);
    const batch = { topic, partition, bytes: unplaced(stored, this.#library.crc32c) };
    const [place] = await produce(await connectionTo(this.#client, node), [batch], this.#library);
    if (place === undefined) throw new Error(`no answer for partition ${partition} of ${topic}`);
    return place.baseOffset;
  }

  async close(): Promise<void> {
    await this.#client.close(true).catch(() => undefined);
  }
}
