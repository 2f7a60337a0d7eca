import { sign, verify } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import { cosign, cosignedAtS } from './cosignature.ts';
import { bytesOfBase64, notUsable, quoted } from './encoding.ts';
import { isKeyName, publicKeyObject, type SignerKey, type VerifierKey } from './note-key.ts';

/** Signed notes as in C2SP signed-note: a text, a blank line, and signatures, each a line. */

/** A note must be able to hold 16 signatures of 5 kB. */
export const NOTE_BYTES_MAX = 262_144;
const SIGNATURES_MAX = 64;
const KEY_ID_BYTES = 4;
const DASH = '— ';

export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  /** Without the key id. */
  readonly bytes: Buffer;
  /** As it stands in the note, with its newline. */
  readonly line: string;
}

export interface SignedNote {
  /** What is signed, with the newline at its end. Believe it only once a signature is verified. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** As it stands in the note, with its newline. */
  readonly line: string;
  /** Of a witness's cosignature: seconds since 1970. */
  readonly timeS?: number;
}

/** @throws TapeproofError NOT_USABLE with what is wrong with it. */
export function parseNote(note: string): SignedNote {
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX) throw notUsable(`The note has more than ${NOTE_BYTES_MAX} bytes`);
  assertPlainText(note);
  const blank = note.lastIndexOf('\n\n');
  if (blank < 1) throw notUsable('The note is truncated: it has no blank line before its signatures');
  const signatures = note.slice(blank + 2);
  if (!signatures.endsWith('\n')) throw notUsable('The note is truncated: its last line does not end');
  return { text: note.slice(0, blank + 1), signatures: parseSignatureLines(signatures) };
}

/**
 * @param lines - signature lines, each with its newline.
 * @throws TapeproofError NOT_USABLE with what is wrong with them.
 */
export function parseSignatureLines(lines: string): NoteSignature[] {
  assertPlainText(lines);
  if (!lines.endsWith('\n')) throw notUsable('The signatures are truncated: their last line does not end');
  const all = lines.slice(0, -1).split('\n');
  if (all.length > SIGNATURES_MAX) throw notUsable(`The note has more than ${SIGNATURES_MAX} signatures`);
  return all.map(signatureOf);
}

function assertPlainText(text: string): void {
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw notUsable('The note has a control character');
  if (!text.isWellFormed()) throw notUsable('The note is not UTF-8 text');
}

function signatureOf(line: string): NoteSignature {
  const [, name = '', base64 = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  if (!isKeyName(name)) throw notUsable(`${quoted(line)} is not a signature line: "— name signature"`);
  const bytes = bytesOfBase64(base64);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) {
    throw notUsable(`The signature by ${quoted(name)} is not a key id and a signature in base64`);
  }
  return { name, keyId: bytes.readUInt32BE(0), bytes: bytes.subarray(KEY_ID_BYTES), line: `${line}\n` };
}

/**
 * The signatures of known keys, each verified; those of other keys are passed over.
 *
 * @throws TapeproofError CHECK_FAILED when a known key's signature is wrong: nothing of such a note is believed.
 */
export function verifiedSignatures(
  { text, signatures }: SignedNote,
  keys: readonly VerifierKey[],
): readonly VerifiedSignature[] {
  return signatures.flatMap(({ name, keyId, bytes, line }) => {
    const key = keys.find((known) => known.name === name && known.keyId === keyId);
    return key === undefined ? [] : [verifiedSignature(text, key, bytes, line)];
  });
}

function verifiedSignature(text: string, key: VerifierKey, bytes: Buffer, line: string): VerifiedSignature {
  if (key.type === 'witness') {
    const timeS = cosignedAtS(text, key, bytes);
    if (timeS !== undefined) return { key, line, timeS };
  } else if (verify(null, Buffer.from(text), publicKeyObject(key), bytes)) {
    return { key, line };
  }
  throw new TapeproofError(
    'CHECK_FAILED',
    `The signature by ${key.name} does not match the text: one of them was changed after signing.`,
  );
}

/**
 * A signature line for a text, with its newline.
 *
 * @param text - ends with a newline.
 * @param timeS - of a witness's cosignature, seconds since 1970.
 */
export function signatureLine(text: string, key: SignerKey, timeS?: number): string {
  const bytes =
    key.type === 'log' ? sign(null, Buffer.from(text), key.privateKey) : cosign(text, key, requiredTime(timeS));
  const keyId = Buffer.alloc(KEY_ID_BYTES);
  keyId.writeUInt32BE(key.keyId);
  return `${DASH}${key.name} ${Buffer.concat([keyId, bytes]).toString('base64')}\n`;
}

function requiredTime(timeS: number | undefined): number {
  if (timeS === undefined || !Number.isSafeInteger(timeS) || timeS <= 0) {
    throw new RangeError('a cosignature needs a time in whole seconds since 1970');
  }
  return timeS;
}

/** A note from its text and its signature lines, each with its newline. */
export function formatNote(text: string, lines: readonly string[]): string {
  assertPlainText(text);
  if (!text.endsWith('\n') || text === '\n') throw new RangeError('the text of a note ends with a newline');
  return `${text}\n${lines.join('')}`;
}
