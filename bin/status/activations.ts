import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { anchorsBackward, type LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { PartitionActivation } from './status.ts';

/** Records at each end of a partition in which an activation is searched where there is no anchor. */
export const RECORDS_AT_AN_END = 2_000;

/**
 * The activation in force in each partition, by its newest anchor; before the first anchor the last activation near an
 * end of the tape: whoever begins a tape activates first, or puts a file of trades on it and activates then.
 *
 * @returns none for a partition where none is found.
 * @throws TapeproofError UNREACHABLE
 */
export async function activationsOf(access: LogAccess, partitions: number): Promise<PartitionActivation[]> {
  const found = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      for await (const { manifest } of anchorsBackward(access, partition)) {
        const { engineVersion, gitCommit, configHash, tape } = manifest;
        return { partition, engineVersion, gitCommit, configHash, asOfOffset: tape.offset, isAnchored: true };
      }
      return await withoutAnchor(access, partition);
    }),
  );
  return found.filter((activation) => activation !== undefined);
}

async function withoutAnchor(access: LogAccess, partition: number): Promise<PartitionActivation | undefined> {
  const { reader } = access;
  const start = await reader.startOffset(TAPE_TOPIC, partition);
  const end = await reader.endOffset(TAPE_TOPIC, partition);
  const headEnd = Math.min(start + RECORDS_AT_AN_END, end);
  const tail = await lastIn(access, partition, Math.max(headEnd, end - RECORDS_AT_AN_END), end);
  return tail ?? (await lastIn(access, partition, start, headEnd));
}

async function lastIn(
  { reader, decode }: LogAccess,
  partition: number,
  from: number,
  to: number,
): Promise<PartitionActivation | undefined> {
  let found: PartitionActivation | undefined;
  if (from >= to) return found;
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
    for (const record of records) {
      const content = await decode(record);
      if (content.kind !== 'activation') continue;
      const { engineVersion, gitCommit, configHash } = content.activation;
      found = { partition, engineVersion, gitCommit, configHash, asOfOffset: record.offset, isAnchored: false };
    }
  }
  return found;
}
