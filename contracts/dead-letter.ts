import { encodeBody, sha256Hex } from './codec.ts';
import type { DeadLetter, DeadLetterSource, SourceKind } from './generated/events.ts';
import { DEAD_LETTERS_TOPIC } from './topics.ts';
import type { Refusal } from './trade-rules.ts';

/** The most refused bytes that a dead letter carries. */
export const DEAD_LETTER_PAYLOAD_BYTES_MAX = 65_536;
/** The beginning of the source that a venue's stream names in its trades and dead letters. */
export const LIVE_SOURCE_PREFIX = 'live:';
const ID_HASH_DIGITS = 16;

type Payload = Pick<DeadLetter, 'payload' | 'payloadBytes' | 'payloadHash'>;

/**
 * A dead letter's copy of the refused bytes: their beginning, and the length and hash of all.
 *
 * @param whole where `bytes` are the beginning only: length and SHA-256 (hex) of all.
 */
export function deadLetterPayloadOf(
  bytes: Buffer,
  whole: { readonly length: number; readonly hash: string } = { length: bytes.length, hash: sha256Hex(bytes) },
): Payload {
  return {
    payload: bytes.subarray(0, DEAD_LETTER_PAYLOAD_BYTES_MAX),
    payloadBytes: whole.length,
    payloadHash: whole.hash,
  };
}

/** The name of refused content in the ids of dead letters: the beginning of its hash. */
export function contentOfPayload({ payloadHash }: Payload): string {
  return payloadHash.slice(0, ID_HASH_DIGITS);
}

/** The dead letter of a record of a topic. */
export function deadLetterOfRecord(
  reader: string,
  { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
  bytes: Buffer,
  refusal: Refusal,
): DeadLetter {
  const source: DeadLetterSource = { kind: 'TOPIC', name: topic, partition, position: offset };
  return letterOf(reader, `${topic}-${partition}-${offset}`, source, refusal, deadLetterPayloadOf(bytes));
}

/**
 * The dead letter of a row of a file.
 *
 * @param place ordinal: how many rows with this content came before it in the file.
 */
export function deadLetterOfRow(
  reader: string,
  { file, line, ordinal }: { readonly file: string; readonly line: number; readonly ordinal: number },
  payload: Payload,
  refusal: Refusal,
): DeadLetter {
  const source: DeadLetterSource = { kind: 'FILE', name: file, partition: null, position: line };
  return letterOf(reader, `${contentOfPayload(payload)}-${ordinal}`, source, refusal, payload);
}

/** The dead letter of a message of a venue's stream. @param place receivedAt: microseconds since 1970 */
export function deadLetterOfMessage(
  reader: string,
  { venue, receivedAt }: { readonly venue: string; readonly receivedAt: number },
  bytes: Buffer,
  refusal: Refusal,
): DeadLetter {
  const payload = deadLetterPayloadOf(bytes);
  // See originOf.
  const name = `${LIVE_SOURCE_PREFIX}${venue}`;
  const source: DeadLetterSource = { kind: 'FILE', name, partition: null, position: receivedAt };
  return letterOf(reader, `${venue}-${receivedAt}-${contentOfPayload(payload)}`, source, refusal, payload);
}

/** Every dead letter is made here. */
function letterOf(
  reader: string,
  identity: string,
  source: DeadLetterSource,
  { reason, detail }: Refusal,
  payload: Payload,
): DeadLetter {
  return { deadLetterId: `dead-${reader}-${identity}`, source, reader, reason, detail, ...payload };
}

/** The origin of a dead letter. */
export type LetterOrigin = SourceKind | 'VENUE';

/**
 * The origin of a dead letter: VENUE for a message of a venue's stream. It is stored as FILE and recognized by its name:
 * earlier builds could not read a letter whose schema has one more symbol, because their enum has no default.
 */
export function originOf({ kind, name }: Pick<DeadLetterSource, 'kind' | 'name'>): LetterOrigin {
  return kind === 'FILE' && name.startsWith(LIVE_SOURCE_PREFIX) ? 'VENUE' : kind;
}

/** A dead letter as a record of its topic; partition, key and time are its sender's. */
export function recordOfDeadLetter(letter: DeadLetter) {
  return { topic: DEAD_LETTERS_TOPIC, type: 'DeadLetter', body: encodeBody('DeadLetter', letter) } as const;
}
