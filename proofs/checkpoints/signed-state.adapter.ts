import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { checkpointsBackward } from './checkpoint-log.adapter.ts';
import { LOG_TOPICS, type LogTopic } from './log-following.adapter.ts';

/** Heads of a log that are looked at for one that a witness cosigned: more than four hours of them, one a minute. */
const HEADS_CONSIDERED_MAX = 256;
const MS_PER_US = 1e-3;

/** How far one log is signed and cosigned, as it is recorded: no signature is verified. */
export interface SignedState {
  readonly topic: LogTopic;
  readonly partition: number;
  /** Of the newest head. */
  readonly size: number;
  /** Microseconds since 1970. */
  readonly signedAt: number;
  /** The witnesses of the newest head that has some, among the newest {@link HEADS_CONSIDERED_MAX}. */
  readonly witnesses: readonly string[];
  /** Since when the log has had a record that no head covers, milliseconds since 1970; null where all are covered. */
  readonly unsignedSinceMs: number | null;
  /** Since when its heads have had no cosignature, where they had some before; else null. */
  readonly uncosignedSinceMs: number | null;
}

/** The signed logs of a partition. @throws TapeproofError UNREACHABLE */
export async function signedStatesOf(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  partition: number,
): Promise<readonly SignedState[]> {
  const states: SignedState[] = [];
  for (const topic of LOG_TOPICS) {
    const state = await signedStateOf(access, topic, partition);
    if (state !== undefined) states.push(state);
  }
  return states;
}

async function signedStateOf(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  topic: LogTopic,
  partition: number,
): Promise<SignedState | undefined> {
  let newest: LogCheckpoint | undefined;
  let cosigned: LogCheckpoint | undefined;
  /** The oldest head after the newest one that was cosigned. */
  let uncosigned: LogCheckpoint | undefined;
  let considered = 0;
  for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
    newest ??= checkpoint;
    considered += 1;
    if (checkpoint.cosignatures.length > 0) cosigned = checkpoint;
    else uncosigned = checkpoint;
    if (cosigned !== undefined || considered === HEADS_CONSIDERED_MAX) break;
  }
  if (newest === undefined) return undefined;
  return {
    ...{ topic, partition, size: newest.size, signedAt: newest.signedAt },
    witnesses: cosigned?.cosignatures.map(({ witness }) => witness) ?? [],
    unsignedSinceMs: await unsignedSince(access, newest),
    uncosignedSinceMs: cosigned === undefined || uncosigned === undefined ? null : uncosigned.signedAt * MS_PER_US,
  };
}

/** When the first record after a head was written, or when it was signed where that is not on record. */
async function unsignedSince(
  { reader }: Pick<LogAccess, 'reader'>,
  { topic, partition, logOffset, signedAt }: LogCheckpoint,
): Promise<number | null> {
  const signedAtMs = signedAt * MS_PER_US;
  const end = await reader.endOffset(topic, partition);
  // A log that is shorter than its head was cut: it is not signed any more.
  if (end === logOffset) return null;
  const from = Math.max(Math.min(logOffset, end), await reader.startOffset(topic, partition));
  for await (const [record] of reader.read({ topic, partition, from, to: from + 1 })) {
    const writtenAtMs = Date.parse(record?.headers['emitted-at'] ?? '');
    return Number.isNaN(writtenAtMs) ? signedAtMs : Math.max(signedAtMs, writtenAtMs);
  }
  return signedAtMs;
}
