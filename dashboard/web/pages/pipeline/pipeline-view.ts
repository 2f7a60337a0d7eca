import type { PipelineResponse } from '../../../contract/pipeline.ts';

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
