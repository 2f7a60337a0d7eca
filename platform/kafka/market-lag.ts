const SECONDS_PER_MS = 1e-3;

/**
 * Market time between two records of a partition, by their event times: the lag of a reader, from the oldest record
 * that it has not committed to the newest one. A file of years ago is behind by its own hours, not by years.
 *
 * @param firstMs, lastMs undefined where the record could not be read.
 * @returns seconds; undefined where one is unknown, and where the newer record has the older stamp: an activation is
 *   stamped by its author's clock, which is not a market time.
 */
export function marketSecondsBetween(firstMs: number | undefined, lastMs: number | undefined): number | undefined {
  if (firstMs === undefined || lastMs === undefined || lastMs < firstMs) return undefined;
  return (lastMs - firstMs) * SECONDS_PER_MS;
}
