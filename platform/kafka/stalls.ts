import { counted } from '../counted.ts';
import { topicPartitionKey } from './topic-partition.ts';
import type { Progress } from './partition-progress.ts';

/**
 * How long a partition with lag may make no progress. Longer than a broker's restart or one transaction of a batch on a
 * busy machine; a longer batch that makes progress is working, not stalled.
 */
export const STALLED_AFTER_MS = 20_000;
/**
 * The same for a partition that waits while others are being worked on: a fetch has as much as fits, of some of the
 * partitions in turn.
 */
export const STARVED_AFTER_MS = 300_000;
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

/** The beginning of a wait. */
interface Waiting {
  readonly sinceMs: number;
  /** {@link Progress.othersBusyMs} when that was noticed. */
  readonly othersBusyMs: number;
}

function waitingSince(nowMs: number, { movedAtMs, othersBusyMs }: Progress, before: Waiting | undefined): Waiting {
  if (before === undefined) return { sinceMs: nowMs, othersBusyMs };
  return movedAtMs > before.sinceMs ? { sinceMs: movedAtMs, othersBusyMs } : before;
}

function isStalled(nowMs: number, { reason, othersBusyMs }: Progress, since: Waiting): boolean {
  const waitedMs = nowMs - since.sinceMs;
  if (reason !== undefined || waitedMs >= STARVED_AFTER_MS) return waitedMs >= STALLED_AFTER_MS;
  return waitedMs - (othersBusyMs - since.othersBusyMs) >= STALLED_AFTER_MS;
}

/** Decides which partitions are stalled, from measurements in order of time, all by one monotonic clock. */
export class StallJudge {
  /** Where there is lag: since when it waits. A record after a quiet hour is not an hour late. */
  #waiting = new Map<string, Waiting>();
  #unknownSince: number | undefined;

  /** @returns the partitions that are stalled. */
  judge(nowMs: number, measured: readonly MeasuredPartition[]): Stall[] {
    this.#unknownSince = undefined;
    const waiting = new Map<string, Waiting>();
    const stalls: Stall[] = [];
    for (const partition of measured) {
      if (partition.lag === 0) continue;
      const key = topicPartitionKey(partition);
      const since = waitingSince(nowMs, partition.progress, this.#waiting.get(key));
      waiting.set(key, since);
      if (isStalled(nowMs, partition.progress, since)) stalls.push({ ...partition, sinceMs: since.sinceMs });
    }
    this.#waiting = waiting;
    return stalls;
  }

  /** The lag could not be measured. @returns whether it has been unknown for too long. */
  isBlind(nowMs: number): boolean {
    this.#unknownSince ??= nowMs;
    return nowMs - this.#unknownSince >= UNKNOWN_LAG_MS_MAX;
  }

  /** No progress is expected: earlier measurements no longer count. */
  excuse(): void {
    this.#waiting.clear();
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
