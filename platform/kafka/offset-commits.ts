import type { EachBatchPayload } from 'kafkajs';
import { plain } from './consumer-errors.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** The longest that an applied offset waits. A commit with each batch would cost as many requests as the fetches. */
const COMMIT_INTERVAL_MS = 250;

/** A topic-partition, and the offset before which everything is applied downstream. */
export interface AppliedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

type Membership = Pick<EachBatchPayload, 'commitOffsetsIfNecessary'>;

export interface OffsetCommitsSettings {
  readonly onCommitted: (applied: AppliedOffset) => void;
  /** These offsets stay, and are sent with the next ones. */
  readonly onError: (error: Error, uncommitted: readonly AppliedOffset[]) => void;
}

/**
 * What one membership in a group has applied and still has to commit: all partitions in one request, at its own pace:
 * no batch waits for it, and a quiet partition needs no batch for it.
 */
export class OffsetCommits {
  readonly #settings: OffsetCommitsSettings;
  readonly #waiting = new Map<string, AppliedOffset>();
  #membership: Membership | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: OffsetCommitsSettings) {
    this.#settings = settings;
  }

  /**
   * @param membership payload of the batch. Its commits work between batches too, and while the consumer stops, and are
   *   tried once; those of kafkajs' consumer do nothing then, and would be tried again as the next generation's.
   */
  applied(applied: AppliedOffset, membership: Membership): void {
    if (this.#closed) return;
    this.#membership = membership;
    this.#waiting.set(topicPartitionKey(applied), applied);
    this.#schedule();
  }

  /** Sends all waiting offsets at once; the request leaves before any that the caller makes next. Never rejects. */
  async flush(): Promise<void> {
    const offsets = [...this.#waiting.values()];
    if (this.#closed || this.#membership === undefined || offsets.length === 0) return;
    const topics = Map.groupBy(offsets, ({ topic }) => topic);
    try {
      await this.#membership.commitOffsetsIfNecessary({
        topics: [...topics].map(([topic, partitions]) => ({
          topic,
          partitions: partitions.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
        })),
      });
    } catch (error) {
      this.#settings.onError(plain(error), offsets);
      return;
    }
    for (const applied of offsets) {
      if (this.#waiting.get(topicPartitionKey(applied)) === applied) this.#waiting.delete(topicPartitionKey(applied));
      this.#settings.onCommitted(applied);
    }
    // It keeps its batch's records in memory.
    if (this.#waiting.size === 0) this.#membership = undefined;
  }

  /** The membership is over: uncommitted records are redelivered to the partition's next owner. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      void this.flush().then(() => {
        this.#timer = undefined;
        if (this.#waiting.size > 0 && !this.#closed) this.#schedule();
      });
    }, COMMIT_INTERVAL_MS);
  }
}
