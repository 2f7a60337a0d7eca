import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';

/** A part of the tape that is read, from its first record kept. */
export interface TapePart {
  readonly partition: number;
  readonly from: number;
  /** The first offset not read. */
  readonly to: number;
}

/** The parts of the tape that are there now; those without a record are left out. @throws TapeproofError UNREACHABLE */
export async function tapeParts(
  { reader }: { readonly reader: LogReader },
  partitions: readonly number[],
): Promise<readonly TapePart[]> {
  const parts = await Promise.all(
    partitions.map(async (partition) => ({
      partition,
      from: await reader.startOffset(TAPE_TOPIC, partition),
      to: await reader.endOffset(TAPE_TOPIC, partition),
    })),
  );
  return parts.filter(({ from, to }) => to > from);
}
