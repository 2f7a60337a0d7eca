import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { checkpointsBackward } from './checkpoint-log.adapter.ts';
import { LOG_TOPICS, type LogTopic } from './log-following.adapter.ts';

/** Heads of a log that are looked at for one with a time stamp. */
const HEADS_CONSIDERED_MAX = 256;

/** The newest recorded head of a log, as it is recorded: its signature is not verified. */
export interface LogHead extends Pick<
  LogCheckpoint,
  'origin' | 'topic' | 'partition' | 'size' | 'root' | 'signedAt' | 'cosignatures' | 'note'
> {
  /** The newest of the last {@link HEADS_CONSIDERED_MAX} heads that an authority stamped with the time. */
  readonly stamped: Pick<LogCheckpoint, 'size' | 'timestamps'> | undefined;
}

/** @throws TapeproofError UNREACHABLE */
export async function listHeads(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  partitions: number,
): Promise<readonly LogHead[]> {
  const heads: LogHead[] = [];
  for (const topic of LOG_TOPICS) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const head = await newestHead(access, topic, partition);
      if (head !== undefined) heads.push(head);
    }
  }
  return heads;
}

async function newestHead(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  topic: LogTopic,
  partition: number,
): Promise<LogHead | undefined> {
  let newest: LogCheckpoint | undefined;
  let considered = 0;
  let stamped: LogHead['stamped'];
  for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
    const { size, timestamps } = checkpoint;
    considered += 1;
    newest ??= checkpoint;
    if (timestamps.length > 0) stamped = { size, timestamps };
    if (stamped !== undefined || considered === HEADS_CONSIDERED_MAX) break;
  }
  if (newest === undefined) return undefined;
  const { origin, size, root, signedAt, cosignatures, note } = newest;
  return { origin, topic, partition, size, root, signedAt, cosignatures, note, stamped };
}
