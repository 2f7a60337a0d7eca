import { hashOfBase64, notUsable, numberOfDecimal, quoted } from './encoding.ts';
import { signerKeyNamed, verifierKeyNamed, type SignerKey, type VerifierKey } from './note-key.ts';
import { formatNote, parseNote, signatureLine, verifiedSignatures, type SignedNote } from './signed-note.ts';

/** Checkpoints as in C2SP tlog-checkpoint: a log's name, the size of its tree and the root, signed by the log. */

export interface Checkpoint {
  /** The log's name, `<name>/<tapeId>/<topic>/<partition>` for ours. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
  /** Further lines, which nobody can audit; none in ours. */
  readonly extensions: readonly string[];
}

/** A checkpoint that its log has signed. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: SignedNote;
  /** The log's key, under the name of the origin. */
  readonly logKey: VerifierKey;
}

const ORIGIN_LINE = 'origin, size and root hash, each a line that is not empty';

/** The text of a checkpoint: what the log and its witnesses sign. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), root.toString('base64'), ...extensions].map((line) => `${line}\n`).join('');
}

/**
 * @param text - of a signed note.
 * @throws TapeproofError NOT_USABLE with what is wrong with it.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', sizeText = '', rootText = '', ...extensions] = lines;
  if (lines.length < 3 || lines.includes('')) throw notUsable(`The note is not a checkpoint: it needs ${ORIGIN_LINE}`);
  const size = numberOfDecimal(sizeText);
  if (size === undefined) {
    throw notUsable(`The size of the checkpoint of ${quoted(origin)} is not a whole number up to 2^53 − 1`);
  }
  const root = hashOfBase64(rootText);
  if (root === undefined) {
    throw notUsable(`The root of the checkpoint of ${quoted(origin)} is not a hash of 32 bytes in base64`);
  }
  return { origin, size, root, extensions };
}

/**
 * A checkpoint signed by its log: each key signs under the name of the origin. Two keys sign while one replaces the
 * other.
 *
 * @param keys - of type `log`, each for the origin: see {@link logKeysFor}.
 * @throws TapeproofError NOT_USABLE when a key does not sign for this log.
 */
export function signCheckpoint(checkpoint: Checkpoint, keys: readonly SignerKey[]): string {
  const text = formatCheckpoint(checkpoint);
  const lines = keys.map((key) => {
    if (logKeysFor(checkpoint.origin, [key]).length === 0) {
      throw notUsable(`The key ${quoted(key.name)} does not sign for the log ${quoted(checkpoint.origin)}`);
    }
    return signatureLine(text, signerKeyNamed(checkpoint.origin, key));
  });
  return formatNote(text, lines);
}

/**
 * The keys that an origin's checkpoints may be signed with, under the origin's name: one Tapeproof has a log for each
 * topic and partition, and a key named N signs for the log N and for all logs N/….
 */
export function logKeysFor(origin: string, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  return keys
    .filter(({ type, name }) => type === 'log' && (origin === name || origin.startsWith(`${name}/`)))
    .map((key) => verifierKeyNamed(origin, key));
}

/**
 * Reads a checkpoint and verifies who signed it.
 *
 * @throws TapeproofError NOT_USABLE when it is not a checkpoint, or not one that any of these keys signed; CHECK_FAILED
 *   when the signature is wrong.
 */
export function openCheckpoint(noteText: string, keys: readonly VerifierKey[]): OpenedCheckpoint {
  const note = parseNote(noteText);
  const checkpoint = parseCheckpoint(note.text);
  const logKeys = logKeysFor(checkpoint.origin, keys);
  if (logKeys.length === 0) {
    throw notUsable(
      `The checkpoint is of the log ${quoted(checkpoint.origin)}, and none of the given keys (${keys.map(({ name }) => name).join(', ')}) is that log's`,
    );
  }
  const [signature] = verifiedSignatures(note, logKeys);
  if (signature === undefined) {
    throw notUsable(
      `The checkpoint of ${quoted(checkpoint.origin)} is not signed with this key: another key of that name signed it, or none`,
    );
  }
  return { ...checkpoint, note, logKey: signature.key };
}
