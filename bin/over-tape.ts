import type { LogReader } from '../platform/kafka/log-reader.ts';
import { tapeParts, type TapePart } from '../proofs/tape-parts.ts';
import { progressBar } from './progress.ts';

/**
 * Reads the whole tape up to its present end, one partition after the other, with a bar.
 *
 * @param read - reads one part; it passes `onRead` the number of records of each fetch.
 * @throws TapeproofError UNREACHABLE; any error of `read`.
 */
export async function overTape(
  reader: LogReader,
  partitions: number,
  read: (part: TapePart, onRead: (records: number) => void) => Promise<void>,
): Promise<void> {
  const parts = await tapeParts({ reader }, [...Array(partitions).keys()]);
  const total = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  const bar = progressBar('tape');
  let done = 0;
  try {
    for (const part of parts) {
      await read(part, (records) => {
        done += records;
        bar.update({ done, total, unit: 'records', count: done });
      });
    }
  } finally {
    bar.stop();
  }
}
