import type { LogReader } from './log-reader.ts';

const SECONDS_PER_MS = 1e-3;

/**
 * Market time between two records of a partition, by their event times: of the lag of a reader, from the oldest record
 * that it has not committed to the newest one. A file of years ago is behind by its own hours, not by years.
 *
 * @returns seconds; undefined where a record cannot be read, and where the newer one has the older stamp: an activation
 *   is stamped by its author's clock, which is not a market time.
 */
export async function marketSecondsBetween(
  reader: Pick<LogReader, 'timestampMs'>,
  topic: string,
  partition: number,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<number | undefined> {
  const first = await reader.timestampMs(topic, partition, from);
  const last = await reader.timestampMs(topic, partition, to);
  if (first === undefined || last === undefined || last < first) return undefined;
  return (last - first) * SECONDS_PER_MS;
}
