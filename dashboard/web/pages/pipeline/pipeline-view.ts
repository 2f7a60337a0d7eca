import type { PipelineResponse, RebuildState } from '../../../contract/pipeline.ts';
import { countText, percentText } from '../../format/numbers.ts';

type PartitionLag = NonNullable<PipelineResponse['lag']['value']>[number];

/** How far one consumer group is behind, over all its partitions. */
export interface GroupLag {
  readonly group: string;
  readonly records: number;
  /** Of the slowest partition; null where it cannot be read for any. */
  readonly marketSeconds: number | null;
  readonly members: number;
  /** Those behind first. */
  readonly partitions: readonly PartitionLag[];
}

/** Groups by name. */
export function groupLags(lag: readonly PartitionLag[]): GroupLag[] {
  return [...Map.groupBy(lag, ({ group }) => group)]
    .map(([group, partitions]) => ({
      group,
      records: partitions.reduce((sum, { records }) => sum + records, 0),
      marketSeconds: partitions.reduce<number | null>(
        (most, { marketSeconds }) => (marketSeconds === null ? most : Math.max(most ?? 0, marketSeconds)),
        null,
      ),
      members: Math.max(...partitions.map(({ members }) => members)),
      partitions: partitions.toSorted(
        (left, right) =>
          right.records - left.records ||
          (left.topic < right.topic ? -1 : left.topic > right.topic ? 1 : left.partition - right.partition),
      ),
    }))
    .sort((left, right) => (left.group < right.group ? -1 : 1));
}

const HOUR_S = 3_600;
const MINUTE_S = 60;

/** Market time behind, for people: `0 s`, `12.5 s`, `4 min`, `2.1 h`. */
export function marketSecondsText(seconds: number | null): string {
  if (seconds === null) return 'not known';
  if (seconds < MINUTE_S) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  return `${(seconds / HOUR_S).toFixed(1)} h`;
}

const SMALL_RATE = 0.1;
const WHOLE_RATE = 100;

/** A rate of records, for people: `3.5 a second`, `18,402 a second`. */
export function rateText(perSecond: number | null): string {
  if (perSecond === null) return 'not measured yet';
  if (perSecond >= WHOLE_RATE) return `${countText(Math.round(perSecond))} a second`;
  return `${Number(perSecond.toFixed(perSecond < SMALL_RATE ? 2 : 1))} a second`;
}

/** Whether the partitions of a group are being handed over, by Kafka's word for its state. */
export function isRebalancing(state: string): boolean {
  return state === 'PreparingRebalance' || state === 'CompletingRebalance';
}

/** How far a rebuild has come. */
export function rebuildText({
  recordsDone,
  recordsWanted,
  recordsPerSecond,
}: NonNullable<RebuildState['building']>): string {
  const share = recordsWanted === 0 ? '' : ` (${percentText(Math.min(1, recordsDone / recordsWanted), 0)})`;
  const done = `${countText(recordsDone)} of ${countText(recordsWanted)} records${share}`;
  if (recordsPerSecond === null) return done;
  if (recordsPerSecond > 0) return `${done}, ${rateText(recordsPerSecond)}`;
  return `${done}, no progress in the last minute: it builds keys or compares, or it was interrupted`;
}
