import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { checkpointsBackward } from './checkpoint-log.adapter.ts';
import { LOG_TOPICS } from './log-following.adapter.ts';

/** The newest recorded head of a log, as it is recorded: its signature is not verified. */
export type LogHead = Pick<
  LogCheckpoint,
  'origin' | 'topic' | 'partition' | 'size' | 'root' | 'signedAt' | 'cosignatures' | 'note'
>;

/** @throws TapeproofError UNREACHABLE */
export async function listHeads(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  partitions: number,
): Promise<readonly LogHead[]> {
  const heads: LogHead[] = [];
  for (const topic of LOG_TOPICS) {
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
        const { origin, size, root, signedAt, cosignatures, note } = checkpoint;
        heads.push({ origin, topic, partition, size, root, signedAt, cosignatures, note });
        break;
      }
    }
  }
  return heads;
}
