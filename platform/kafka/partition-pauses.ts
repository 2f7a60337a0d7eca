import type { EachBatchPayload } from 'kafkajs';
import { topicPartitionKey, type TopicPartition } from './topic-partition.ts';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;

/** The attempts at each partition without progress, and the growing pauses after them. */
export class PartitionPauses {
  readonly #attempts = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** @returns consecutive attempts without progress, including this one. */
  countAttempt({ topic, partition }: TopicPartition): number {
    const key = topicPartitionKey({ topic, partition });
    const attempts = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempts);
    return attempts;
  }

  /** Resets the count: the next attempt is the first again. */
  progressed({ topic, partition }: TopicPartition): void {
    this.#attempts.delete(topicPartitionKey({ topic, partition }));
  }

  /** Fetches nothing from the payload's partition for a while; its siblings and the heartbeats continue. */
  pause(payload: Pick<EachBatchPayload, 'pause'>, attempts: number): void {
    const resume = payload.pause();
    const delayMs = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(attempts - 1, 10), BACKOFF_MS_MAX);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      resume();
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Resumes nothing from now on. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
