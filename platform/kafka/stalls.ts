import { counted } from '../counted.ts';
import { topicPartitionKey } from './topic-partition.ts';
import type { Progress } from './partition-progress.ts';

/**
 * How long a partition with lag may make no progress. Longer than a broker's restart or one transaction of a batch on a
 * busy machine; a longer batch that makes progress is working, not stalled.
 */
export const STALLED_AFTER_MS = 20_000;
/** How long the lag may be unknown while the member has partitions: what is unmeasured cannot be called healthy. */
export const UNKNOWN_LAG_MS_MAX = 30_000;
const MS_PER_S = 1_000;

/** One of this member's partitions, as measured. */
export interface MeasuredPartition {
  readonly topic: string;
  readonly partition: number;
  /** Records in the log that the group has not yet committed. */
  readonly lag: number;
  readonly progress: Progress;
}

/** A partition with lag that makes no progress. */
export interface Stall extends MeasuredPartition {
  readonly sinceMs: number;
}

/** Decides which partitions are stalled, from measurements in order of time, all by one monotonic clock. */
export class StallJudge {
  /** When lag was first seen, unless it has been zero since: a record after a quiet hour is not an hour late. */
  #laggingSince = new Map<string, number>();
  #unknownSince: number | undefined;

  /** @returns the partitions that are stalled. */
  judge(nowMs: number, measured: readonly MeasuredPartition[]): Stall[] {
    this.#unknownSince = undefined;
    const lagging = new Map<string, number>();
    const stalls: Stall[] = [];
    for (const partition of measured) {
      if (partition.lag === 0) continue;
      const key = topicPartitionKey(partition);
      const seenMs = this.#laggingSince.get(key) ?? nowMs;
      lagging.set(key, seenMs);
      const sinceMs = Math.max(seenMs, partition.progress.movedAtMs);
      if (nowMs - sinceMs >= STALLED_AFTER_MS) stalls.push({ ...partition, sinceMs });
    }
    this.#laggingSince = lagging;
    return stalls;
  }

  /** The lag could not be measured. @returns whether it has been unknown for too long. */
  isBlind(nowMs: number): boolean {
    this.#unknownSince ??= nowMs;
    return nowMs - this.#unknownSince >= UNKNOWN_LAG_MS_MAX;
  }

  /** No progress is expected: earlier measurements no longer count. */
  excuse(): void {
    this.#laggingSince.clear();
    this.#unknownSince = undefined;
  }
}

/** For people: the partition that has been stalled longest, and the number of others. */
export function stallText(stalls: readonly Stall[], nowMs: number): string {
  const [oldest, ...others] = stalls.toSorted((left, right) => left.sinceMs - right.sinceMs);
  if (oldest === undefined) return 'no partition is stalled';
  const { topic, partition, lag, progress, sinceMs } = oldest;
  const seconds = Math.round((nowMs - sinceMs) / MS_PER_S);
  const more = others.length === 0 ? '' : `, and ${counted(others.length, 'other partition')}`;
  const reason = progress.reason ?? 'Kafka delivers none of it';
  return `stalled: nothing of ${topic}-${partition} was committed for ${seconds} s, and ${counted(lag, 'record')} wait${more}: ${reason}`;
}
