import { TapeproofError } from '../../platform/errors.ts';
import { logKeysFor, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { hashOfBase64, notUsable, numberOfDecimal } from './encoding.ts';
import { EMPTY_ROOT } from '../../evaluators/merkle.ts';
import { consistencyFault, PROOF_HASHES_MAX } from './merkle-proof.ts';
import { parseVerifierKey, type VerifierKey } from './note-key.ts';
import { NOTE_BYTES_MAX, parseNote, verifiedSignatures, type SignedNote } from './signed-note.ts';

/** What a witness decides about a checkpoint, as in C2SP tlog-witness. What it remembers and how it signs is elsewhere. */

/** A line of a proof: 44 characters and a newline. */
const HASH_LINE_BYTES = 45;
export const ADD_CHECKPOINT_BYTES_MAX = NOTE_BYTES_MAX + PROOF_HASHES_MAX * HASH_LINE_BYTES + 64;

/** The body of a request `add-checkpoint`. */
export interface AddCheckpoint {
  /** The size that the witness cosigned last. */
  readonly oldSize: number;
  /** From that size to the checkpoint's. */
  readonly proof: readonly Buffer[];
  /** The signed checkpoint. */
  readonly note: string;
}

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${note}`;
}

/** @throws TapeproofError NOT_USABLE with what is wrong with it. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const blank = body.indexOf('\n\n');
  if (blank === -1) throw notUsable('The request is truncated: it has no blank line before the checkpoint');
  const [old = '', ...lines] = body.slice(0, blank).split('\n');
  const oldSize = numberOfDecimal(/^old (.*)$/.exec(old)?.[1] ?? '');
  if (oldSize === undefined) throw notUsable('The first line is not "old" and a size up to 2^53 − 1');
  if (lines.length > PROOF_HASHES_MAX) throw notUsable(`The proof has more than ${PROOF_HASHES_MAX} hashes`);
  const proof = lines.map((line, at) => {
    const hash = hashOfBase64(line);
    if (hash === undefined) throw notUsable(`Hash ${at + 1} of the proof is not 32 bytes in base64`);
    return hash;
  });
  return { oldSize, proof, note: body.slice(blank + 2) };
}

/**
 * What a consistent log never sends. `CONFLICTING_ROOT` convicts it: it signed two trees of one size. `UNPROVEN` does
 * not, since anyone may send a signed checkpoint with a wrong proof.
 */
export type Inconsistency = 'CONFLICTING_ROOT' | 'UNPROVEN';

export type Judgement =
  | {
      readonly kind: 'consistent';
      readonly checkpoint: Checkpoint;
      readonly text: string;
      /** The log's own, verified. */
      readonly logLines: readonly string[];
    }
  /** Not from the size that was cosigned last, which the answer names. */
  | { readonly kind: 'other-size'; readonly size: number }
  | {
      readonly kind: 'refused';
      readonly status: 400 | 403 | 404 | 422;
      readonly reason: string;
      readonly origin?: string;
      readonly inconsistency?: Inconsistency;
    };

/** The tree that a witness cosigned last, of one log. */
export type Cosigned = Pick<Checkpoint, 'size' | 'root'>;

/**
 * Judges a request by what was cosigned before.
 *
 * @param latest - gives the tree cosigned last of an origin; undefined where none was.
 */
export function judge(
  body: string,
  logKeys: readonly VerifierKey[],
  latest: (origin: string) => Cosigned | undefined,
): Judgement {
  try {
    const request = parseAddCheckpoint(body);
    const note = parseNote(request.note);
    const checkpoint = parseCheckpoint(note.text);
    return judgeSigned(request, note, checkpoint, logKeys, latest);
  } catch (error) {
    if (error instanceof TapeproofError) return { kind: 'refused', status: 400, reason: error.message };
    throw error;
  }
}

function judgeSigned(
  request: AddCheckpoint,
  note: SignedNote,
  checkpoint: Checkpoint,
  logKeys: readonly VerifierKey[],
  latest: (origin: string) => Cosigned | undefined,
): Judgement {
  const { origin, size } = checkpoint;
  const refused = (status: 400 | 403 | 404 | 422, reason: string, inconsistency?: Inconsistency): Judgement => ({
    ...{ kind: 'refused', status, reason, origin },
    ...(inconsistency === undefined ? {} : { inconsistency }),
  });
  const keys = logKeysFor(origin, logKeys);
  if (keys.length === 0) return refused(404, 'This witness does not know the log.');
  const logLines = logLinesOf(note, keys);
  if (logLines.length === 0) return refused(403, 'The checkpoint has no valid signature by the key of its log.');
  if (request.oldSize > size) return refused(400, `The old size ${request.oldSize} is greater than ${size}.`);
  const before = latest(origin);
  if (request.oldSize !== (before?.size ?? 0)) return { kind: 'other-size', size: before?.size ?? 0 };
  const fault = emptyTreeFault(checkpoint) ?? growthFault(checkpoint, before, request.proof);
  if (fault === undefined) return { kind: 'consistent', checkpoint, text: note.text, logLines };
  return refused(422, `The checkpoint is not consistent: ${fault}.`, inconsistencyOf(checkpoint, before));
}

/** Undefined for a log that was never cosigned: there is nothing that it could contradict. */
function inconsistencyOf({ size, root }: Checkpoint, before: Cosigned | undefined): Inconsistency | undefined {
  if (before === undefined) return undefined;
  return size === before.size && !root.equals(before.root) ? 'CONFLICTING_ROOT' : 'UNPROVEN';
}

/** The signatures of the log, none where one of them is wrong. */
function logLinesOf(note: SignedNote, keys: readonly VerifierKey[]): readonly string[] {
  try {
    return verifiedSignatures(note, keys).map(({ line }) => line);
  } catch (error) {
    if (error instanceof TapeproofError) return [];
    throw error;
  }
}

function emptyTreeFault({ size, root }: Checkpoint): string | undefined {
  if (size > 0 || root.toString('hex') === EMPTY_ROOT) return undefined;
  return 'the root of a tree without leaves is the hash of nothing';
}

function growthFault({ size, root }: Checkpoint, before: Cosigned | undefined, proof: readonly Buffer[]) {
  const [oldSize, oldRoot] = [before?.size ?? 0, before?.root ?? root];
  return consistencyFault({ oldSize, oldRoot, newSize: size, newRoot: root }, proof);
}

/**
 * The keys of the logs that a witness serves, one in each line; empty lines and those that begin with # are passed over.
 *
 * @throws TapeproofError NOT_USABLE naming the line that is wrong.
 */
export function parseLogKeys(text: string): readonly VerifierKey[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) return [];
    try {
      const key = parseVerifierKey(entry);
      if (key.type === 'log') return [key];
    } catch (error) {
      throw notUsable(`Line ${at + 1} of the logs: ${(error as Error).message.replace(/\.$/, '')}`, error);
    }
    throw notUsable(`Line ${at + 1} of the logs is the key of a witness: give the key of a log`);
  });
}
