import { isUtf8 } from 'node:buffer';
import { originOf } from '../../contracts/dead-letter.ts';
import type { DeadLetter as DeadLetterEvent, DeadLetterReason } from '../../contracts/generated/events.ts';
import type { DeadLetter } from '../contract/pipeline.ts';

const SHOWN_BYTES_MAX = 4_096;
/** Reasons that a registry can cause: a later attempt may succeed. */
const OF_SCHEMAS: ReadonlySet<DeadLetterReason> = new Set([
  'UNDECODABLE',
  'UNKNOWN_SCHEMA',
  'SCHEMA_NOT_ACCEPTED',
  'MALFORMED',
]);

/** A dead letter with the beginning of its payload, and what to do about it. */
export function deadLetterAnswer(letter: DeadLetterEvent): DeadLetter {
  const { deadLetterId, source, reader, reason, detail, payloadBytes, payloadHash } = letter;
  const shown = letter.payload.subarray(0, SHOWN_BYTES_MAX);
  return {
    deadLetterId,
    source: { kind: originOf(source), name: source.name, partition: source.partition, position: source.position },
    ...{ reader, reason, detail },
    payloadBase64: shown.toString('base64'),
    payloadText: textOf(shown, letter.payload.length > SHOWN_BYTES_MAX),
    payloadShownBytes: shown.length,
    ...{ payloadBytes, payloadHash },
    retryHint: retryHintOf(letter),
  };
}

/** A character at the end may have been cut. */
function textOf(bytes: Buffer, isCut: boolean): string | null {
  const cuts = isCut ? [0, 1, 2, 3] : [0];
  const fitting = cuts.map((cut) => bytes.subarray(0, bytes.length - cut)).find((part) => isUtf8(part));
  const text = fitting?.toString('utf8');
  return text === undefined || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? null : text;
}

function retryHintOf({ source, reason }: DeadLetterEvent): string {
  if (reason === 'CLOCK_LEAD') {
    return 'If its time is right after all, "npx tapeproof tape release" makes the trade count from there on.';
  }
  if (source.kind === 'FILE') {
    return 'Correct it at its source and ingest that again: what is on the tape already is skipped.';
  }
  if (OF_SCHEMAS.has(reason)) {
    return 'Once the schema registry is right, "npx tapeproof dead-letters retry" takes it back.';
  }
  return 'Its content is refused as it is: have its producer append a correct record.';
}
