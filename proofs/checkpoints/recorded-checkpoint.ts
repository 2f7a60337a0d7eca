import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { openCheckpoint, parseCheckpoint } from '../tlog/checkpoint.ts';
import type { VerifierKey } from '../tlog/note-key.ts';
import { parseNote } from '../tlog/signed-note.ts';
import { cosignaturesOf } from '../tlog/tlog-proof.ts';

/** A checkpoint as it stands in `engine.checkpoints`, and what its fields are worth. */

/** Whose signatures count. Without keys of one kind its signatures are not verified: the record is taken at its word. */
export interface TrustedKeys {
  readonly logKeys: readonly VerifierKey[];
  readonly witnessKeys: readonly VerifierKey[];
}

/** A witness, and when it cosigned, by its own clock. */
export interface WitnessedAt {
  readonly witness: string;
  /** Seconds since 1970; it cosigned within that second. */
  readonly timeS: number;
}

const US_PER_S = 1_000_000;

/** Whether the log at that checkpoint has the event of a sequence. */
export function covers({ firstSequence, size }: LogCheckpoint, sequence: number): boolean {
  return sequence < firstSequence + size;
}

/** Whether its fields are those of the note, its frontier leads to the root and, with keys, one of them signed it. */
export function isSound(
  { note, origin, size, root, frontier }: LogCheckpoint,
  logKeys: readonly VerifierKey[],
): boolean {
  try {
    const noted = logKeys.length === 0 ? parseCheckpoint(parseNote(note).text) : openCheckpoint(note, logKeys);
    const isSame = noted.origin === origin && noted.size === size && noted.root.toString('hex') === root;
    return isSame && new MerkleTree({ count: size, frontier }).root() === root;
  } catch (error) {
    if (error instanceof TapeproofError || error instanceof RangeError) return false;
    throw error;
  }
}

/** Who cosigned it: verified where there are keys, else as the record says; the earliest first. */
export function witnessedBy(
  { note, cosignatures }: Pick<LogCheckpoint, 'note' | 'cosignatures'>,
  witnessKeys: readonly VerifierKey[],
): readonly WitnessedAt[] {
  const all =
    witnessKeys.length === 0
      ? cosignatures.map(({ witness, time }) => ({ witness, timeS: Math.floor(time / US_PER_S) }))
      : verified(note, witnessKeys);
  return all.toSorted((left, right) => left.timeS - right.timeS);
}

function verified(note: string, witnessKeys: readonly VerifierKey[]): WitnessedAt[] {
  try {
    return cosignaturesOf(note, witnessKeys).map(({ key, timeS = 0 }) => ({ witness: key.name, timeS }));
  } catch (error) {
    if (error instanceof TapeproofError) return [];
    throw error;
  }
}
