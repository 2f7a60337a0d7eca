import type { X509Certificate } from 'node:crypto';
import type { AuthorityTime, LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { digestOf, verifyToken } from '../timestamps/token.ts';
import type { VerifierKey } from '../tlog/note-key.ts';
import { parseNote } from '../tlog/signed-note.ts';
import { checkpointsBackward, faultOf } from './checkpoint-log.adapter.ts';
import { FollowedLog } from './followed-log.ts';
import { beginningOf, follow, LOG_TOPICS, type LogTopic } from './log-following.adapter.ts';

const WINDOW_LEAVES_MAX = 65_536;

/** Whether a log is what was signed. */
export interface LogVerdict {
  readonly origin: string;
  /** Recorded heads that these keys signed, each counted once however often it is recorded. */
  readonly heads: number;
  /** Time stamps on them that were verified; 0 where no authorities are given. */
  readonly timestamps: number;
  /** The newest of these, microseconds since 1970: the log was as it is up to there by this time. */
  readonly stampedAt: number | undefined;
  /** Leaves of the head that it is on. */
  readonly stampedSize: number | undefined;
  /** Leaves of the greatest of them. */
  readonly signedSize: number;
  /** Leaves of the log now. */
  readonly size: number;
  /** The first head that the log contradicts, or time stamp that must not be believed, one sentence; undefined when there is none. */
  readonly fault: string | undefined;
}

/** What a verification rests on. */
export interface Trusted {
  readonly keys: readonly VerifierKey[];
  /** Authorities of time stamps; without them these are not verified. */
  readonly roots?: readonly X509Certificate[] | undefined;
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
  { keys, roots }: Trusted,
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
      await verifyLog(access, { topic, partition, end }, { heads, roots }, (offset) => {
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
  { heads, roots }: Pick<Trusted, 'roots'> & { readonly heads: readonly LogCheckpoint[] },
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
  const { fault, ...stamps } = roots === undefined ? NOT_STAMPED : timestampsOf(heads, roots);
  return {
    ...{ origin: first.origin, heads: new Set(heads.map(({ note }) => note)).size, ...stamps },
    ...{ signedSize: last.size, size: log.size, fault: log.difference ?? fault },
  };
}

const NOT_STAMPED = { timestamps: 0, stampedAt: undefined, stampedSize: undefined, fault: undefined };

/** The time stamps on heads, verified; the first that must not be believed is a fault. @param heads - by size. */
function timestampsOf(
  heads: readonly LogCheckpoint[],
  roots: readonly X509Certificate[],
): Pick<LogVerdict, 'timestamps' | 'stampedAt' | 'stampedSize' | 'fault'> {
  let found: ReturnType<typeof timestampsOf> = NOT_STAMPED;
  for (const { note, size, timestamps } of heads) {
    for (const { authority, time, token } of timestamps) {
      const fault = timestampFault({ note, time, token }, roots);
      if (fault === undefined)
        found = { ...found, timestamps: found.timestamps + 1, stampedAt: time, stampedSize: size };
      else found = { ...found, fault: found.fault ?? `of its ${size} records, by ${authority}: ${fault}` };
    }
  }
  return found;
}

function timestampFault(
  { note, time, token }: Pick<LogCheckpoint, 'note'> & Pick<AuthorityTime, 'time' | 'token'>,
  roots: readonly X509Certificate[],
): string | undefined {
  try {
    const { timeUs } = verifyToken(token, { digest: digestOf(parseNote(note).text), roots });
    return timeUs === time ? undefined : 'the recorded time is not that of the time stamp';
  } catch (error) {
    if (error instanceof TapeproofError) return error.message;
    throw error;
  }
}
