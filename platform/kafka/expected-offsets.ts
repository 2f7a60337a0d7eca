import { TapeproofError } from '../errors.ts';
import { remedyText, type Remedy } from './committed-offsets.ts';
import type { PartitionRecords } from './partition-batch.ts';
import { topicPartitionKey } from './topic-partition.ts';

/** What kafkajs reports about a batch; offsets also count transaction markers, which are not delivered as records. */
interface BatchBounds {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: string | null;
  readonly lastOffset: string;
}

/** Per partition: where the next batch must begin. Where it begins later, records are gone from the log. */
export class ExpectedOffsets {
  readonly #remedy: Remedy | undefined;
  readonly #next = new Map<string, number>();

  constructor(remedy: Remedy | undefined) {
    this.#remedy = remedy;
  }

  set(topic: string, partition: number, offset: number): void {
    this.#next.set(topicPartitionKey({ topic, partition }), offset);
  }

  /** The next batch may begin anywhere. */
  forget(topic: string, partition: number): void {
    this.#next.delete(topicPartitionKey({ topic, partition }));
  }

  clear(): void {
    this.#next.clear();
  }

  /** Skips a batch that holds markers and no record. @returns the offset after it; undefined where that is not new. */
  pass({ topic, partition, firstOffset, lastOffset }: BatchBounds): number | undefined {
    const key = topicPartitionKey({ topic, partition });
    const expected = this.#next.get(key);
    const next = Number(lastOffset) + 1;
    if (firstOffset === null || expected === undefined || Number(firstOffset) > expected || next <= expected) {
      return undefined;
    }
    this.#next.set(key, next);
    return next;
  }

  /** @returns the error where a batch begins too late. */
  gapBefore({ topic, partition, firstOffset: first }: PartitionRecords): TapeproofError | undefined {
    const key = topicPartitionKey({ topic, partition });
    const expected = this.#next.get(key) ?? first;
    this.#next.set(key, expected);
    if (first <= expected) return undefined;
    return new TapeproofError(
      'SEQUENCE_GAP',
      `Partition ${partition} of ${topic} continues at offset ${first} where ${expected} was expected: records are gone from the log${remedyText(topic, this.#remedy)}.`,
    );
  }
}
