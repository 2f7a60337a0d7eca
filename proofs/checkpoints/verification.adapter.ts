import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { VerifierKey } from '../tlog/note-key.ts';
import { checkpointsBackward, faultOf } from './checkpoint-log.adapter.ts';
import { FollowedLog } from './followed-log.ts';
import { beginningOf, follow, LOG_TOPICS, type LogTopic } from './log-following.adapter.ts';

const WINDOW_LEAVES_MAX = 65_536;

/** Whether a log is what was signed. */
export interface LogVerdict {
  readonly origin: string;
  /** Recorded heads that these keys signed. */
  readonly heads: number;
  /** Leaves of the greatest of them. */
  readonly signedSize: number;
  /** Leaves of the log now. */
  readonly size: number;
  /** The first head that the log contradicts, one sentence; undefined when there is none. */
  readonly fault: string | undefined;
}

/**
 * Reads every log from its beginning and holds it to every recorded head that these keys signed. Logs without such a
 * head are left out.
 *
 * @param onProgress - called with the records read and those that there are.
 * @throws TapeproofError UNREACHABLE
 */
export async function verifyLogs(
  access: LogAccess,
  partitions: number,
  keys: readonly VerifierKey[],
  onProgress: (done: number, total: number) => void,
): Promise<readonly LogVerdict[]> {
  const signed: { topic: LogTopic; partition: number; heads: readonly LogCheckpoint[]; end: number }[] = [];
  for (const topic of LOG_TOPICS) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const heads = await headsOf(access, topic, partition, keys);
      if (heads.length > 0)
        signed.push({ topic, partition, heads, end: await access.reader.endOffset(topic, partition) });
    }
  }
  const total = signed.reduce((sum, { end }) => sum + end, 0);
  const verdicts: LogVerdict[] = [];
  let before = 0;
  for (const { topic, partition, heads, end } of signed) {
    verdicts.push(
      await verifyLog(access, { topic, partition, end }, heads, (offset) => {
        onProgress(before + offset, total);
      }),
    );
    before += end;
  }
  return verdicts;
}

/** By size. */
async function headsOf(
  access: LogAccess,
  topic: LogTopic,
  partition: number,
  keys: readonly VerifierKey[],
): Promise<readonly LogCheckpoint[]> {
  const heads: LogCheckpoint[] = [];
  for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
    if (faultOf(checkpoint, checkpoint.origin, keys) === undefined) heads.push(checkpoint);
  }
  return heads.sort((left, right) => left.size - right.size);
}

async function verifyLog(
  access: LogAccess,
  { topic, partition, end }: { readonly topic: LogTopic; readonly partition: number; readonly end: number },
  heads: readonly LogCheckpoint[],
  onProgress: (offset: number) => void,
): Promise<LogVerdict> {
  const [first] = heads;
  const last = heads.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('a log without a head is not verified');
  const log = new FollowedLog(topic, partition, await beginningOf(access, topic, partition, first.firstSequence));
  for (const { size, root } of heads) log.holdToSigned({ size, root });
  while (log.logOffset < end && log.difference === undefined) {
    await follow(access, log, end, WINDOW_LEAVES_MAX);
    log.forget();
    onProgress(log.logOffset);
  }
  if (log.size < last.size) log.differ(`it has ${log.size} records, and ${last.size} were signed`);
  return { origin: first.origin, heads: heads.length, signedSize: last.size, size: log.size, fault: log.difference };
}
