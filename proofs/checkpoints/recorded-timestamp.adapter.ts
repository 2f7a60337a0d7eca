import type { X509Certificate } from 'node:crypto';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { answerOf, digestOf, verifyToken } from '../timestamps/token.ts';
import { numberOfDecimal, quoted } from '../tlog/encoding.ts';
import { parseNote } from '../tlog/signed-note.ts';
import { checkpointsBackward } from './checkpoint-log.adapter.ts';
import { LOG_TOPICS } from './log-following.adapter.ts';

/** A recorded time stamp, for tools that know RFC 3161 and nothing of Tapeproof. */
export interface RecordedTimestamp {
  readonly authority: string;
  readonly signer: string;
  /** By the authority's clock, microseconds since 1970. */
  readonly timeUs: number;
  /** What is stamped: the text of the signed note. */
  readonly text: string;
  /** Its SHA-256, hexadecimal. */
  readonly digest: string;
  /** TimeStampResp, DER. */
  readonly answer: Buffer;
}

/**
 * The newest recorded time stamp on a head of a log. Records whose time stamp does not verify are passed over.
 *
 * @param roots - authorities that it must lead to, where given.
 * @throws TapeproofError USAGE when the origin is not that of a log; NOT_FOUND; UNREACHABLE.
 */
export async function recordedTimestamp(
  access: Pick<LogAccess, 'reader' | 'registry'>,
  { origin, size }: { readonly origin: string; readonly size: number },
  roots?: readonly X509Certificate[],
): Promise<RecordedTimestamp> {
  const [partitionText = '', topicName = ''] = origin.split('/').reverse();
  const topic = LOG_TOPICS.find((name) => name === topicName);
  const partition = numberOfDecimal(partitionText);
  if (topic === undefined || partition === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${quoted(origin)} is not the origin of a log, NAME/TAPE/TOPIC/PARTITION: "npx tapeproof checkpoints list" has them.`,
    );
  }
  let fault: string | undefined;
  for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
    if (checkpoint.origin !== origin || checkpoint.size !== size) continue;
    for (const { authority, token } of checkpoint.timestamps) {
      try {
        const { text } = parseNote(checkpoint.note);
        const digest = digestOf(text);
        const { timeUs, signer } = verifyToken(token, { digest, roots });
        return { authority, signer, timeUs, text, digest: digest.toString('hex'), answer: answerOf(token) };
      } catch (error) {
        if (!(error instanceof TapeproofError)) throw error;
        fault ??= error.message;
      }
    }
  }
  throw new TapeproofError(
    'NOT_FOUND',
    `No time stamp is recorded for ${quoted(origin)} at size ${size}${fault === undefined ? '' : ` that verifies (${fault})`}: "npx tapeproof checkpoints list" names the stamped heads.`,
  );
}
