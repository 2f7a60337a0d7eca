import { sha256Hex } from './codec.ts';
import type { DeadLetter } from './generated/events.ts';
import type { Refusal } from './trade-rules.ts';

/** The most refused bytes that a dead letter carries. */
export const DEAD_LETTER_PAYLOAD_BYTES_MAX = 65_536;

/** A dead letter's copy of the refused bytes: their beginning, and the length and hash of all. */
export function deadLetterPayloadOf(bytes: Buffer): Pick<DeadLetter, 'payload' | 'payloadBytes' | 'payloadHash'> {
  return {
    payload: bytes.subarray(0, DEAD_LETTER_PAYLOAD_BYTES_MAX),
    payloadBytes: bytes.length,
    payloadHash: sha256Hex(bytes),
  };
}

/** The dead letter of a record of a topic. */
export function deadLetterOfRecord(
  reader: string,
  { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
  bytes: Buffer,
  { reason, detail }: Refusal,
): DeadLetter {
  return {
    deadLetterId: `dead-${reader}-${topic}-${partition}-${offset}`,
    source: { kind: 'TOPIC', name: topic, partition, position: offset },
    reader,
    reason,
    detail,
    ...deadLetterPayloadOf(bytes),
  };
}
