import { hash } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import { openCheckpoint, parseCheckpoint, type Checkpoint, type OpenedCheckpoint } from './checkpoint.ts';
import { bytesOfBase64, hashOfBase64, notUsable, numberOfDecimal } from './encoding.ts';
import { inclusionFault, leafHashOf, PROOF_HASHES_MAX } from './merkle-proof.ts';
import { formatVerifierKey, isSameKey, type VerifierKey } from './note-key.ts';
import { NOTE_BYTES_MAX, parseNote, verifiedSignatures, type VerifiedSignature } from './signed-note.ts';

/** Proofs as in C2SP tlog-proof: that a log has an entry, checked with nothing but the keys of the log and its witnesses. */

const FORMAT_LINE = 'c2sp.org/tlog-proof@v1';
const EXTRA_BYTES_MAX = 1_048_576;
/** A proof as a file: the checkpoint, its extra data in base64, and room for the hashes. */
export const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX;

export interface TlogProof {
  /** In ours the event's bytes: see {@link eventBytes}. Nothing vouches for it until its hash is proven. */
  readonly extra?: Buffer;
  /** Of the leaf, from 0. */
  readonly index: number;
  /** From the leaf's sibling up to a child of the root. */
  readonly path: readonly Buffer[];
  /** A signed note, with its cosignatures. */
  readonly checkpoint: string;
}

/** The bytes whose SHA-256 is an event's hash. @param fingerprint - of the schema it was written with, hex. */
export function eventBytes(fingerprint: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(fingerprint, 'hex'), body]);
}

/** The hash that an event's leaf stands for. @param bytes - see {@link eventBytes}. */
export function eventHashOf(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}

export function formatProof({ extra, index, path, checkpoint }: TlogProof): string {
  const lines = [
    FORMAT_LINE,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...path.map((sibling) => sibling.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** @throws TapeproofError NOT_USABLE with what is wrong with it. */
export function parseProof(text: string): TlogProof {
  const [format = ''] = text.split('\n', 1);
  if (format !== FORMAT_LINE) throw notUsable(otherFormat(format));
  const blank = text.indexOf('\n\n');
  if (blank === -1) throw notUsable('The proof is truncated: it has no blank line before its checkpoint');
  const lines = text.slice(FORMAT_LINE.length + 1, blank).split('\n');
  const extra = lines[0]?.startsWith('extra ') === true ? extraOf(lines.shift() ?? '') : undefined;
  const index = numberOfDecimal(/^index (.*)$/.exec(lines.shift() ?? '')?.[1] ?? '');
  if (index === undefined) throw notUsable('The proof has no line "index" with a whole number up to 2^53 − 1');
  if (lines.length > PROOF_HASHES_MAX) throw notUsable(`The proof has more than ${PROOF_HASHES_MAX} hashes`);
  const path = lines.map((line, at) => {
    const sibling = hashOfBase64(line);
    if (sibling === undefined) throw notUsable(`Hash ${at + 1} of the proof is not 32 bytes in base64`);
    return sibling;
  });
  const checkpoint = text.slice(blank + 2);
  parseCheckpoint(parseNote(checkpoint).text);
  return { ...(extra === undefined ? {} : { extra }), index, path, checkpoint };
}

function otherFormat(line: string): string {
  if (line === `${FORMAT_LINE}\r`)
    return 'The line ends of the proof were converted on its way: take it as it was written';
  const [, version] = /^c2sp\.org\/tlog-proof@(v[0-9]{1,9})$/.exec(line) ?? [];
  if (version !== undefined) return `The proof is of version ${version}, and this build reads ${FORMAT_LINE}`;
  return `The file is not a proof: its first line is not ${FORMAT_LINE}`;
}

function extraOf(line: string): Buffer {
  const extra = bytesOfBase64(line.slice('extra '.length));
  if (extra === undefined) throw notUsable('The extra data of the proof is not base64');
  if (extra.length > EXTRA_BYTES_MAX) throw notUsable(`The proof has more than ${EXTRA_BYTES_MAX} bytes of extra data`);
  return extra;
}

/** Whom the reader of a proof trusts. */
export interface ProofPolicy {
  /** The log's key, and its successors: see `logKeysFor` of checkpoint.ts. */
  readonly logKeys: readonly VerifierKey[];
  readonly witnessKeys: readonly VerifierKey[];
  /** How many of these witnesses must have cosigned. */
  readonly witnessesMin: number;
}

/** One thing that a proof was asked for. */
export interface ProofCheck {
  readonly name: string;
  readonly passed: boolean;
  /** The figures, for people. */
  readonly detail: string;
  /** What one trusts who believes it. */
  readonly restsOn: string;
}

/** That a witness saw a checkpoint. */
export interface Witnessed {
  readonly witness: string;
  /** By the witness's clock, ISO 8601 in UTC. */
  readonly time: string;
}

export interface ProofReport {
  /** Hex. */
  readonly eventHash: string;
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** The log's key under the name of its origin, as other tools take it; absent where no signature holds. */
  readonly logKey?: string;
  readonly cosignatures: readonly Witnessed[];
  readonly checks: readonly ProofCheck[];
  readonly notChecked: readonly string[];
}

/**
 * Verifies that the log has an event, that the log signed it, and who witnessed that.
 *
 * @param eventHash - 32 bytes: see {@link eventHashOf}.
 * @throws TapeproofError NOT_USABLE when the proof is of another log, or signed with another key.
 */
export function verifyProof(proof: TlogProof, eventHash: Buffer, policy: ProofPolicy): ProofReport {
  const checkpoint = parseCheckpoint(parseNote(proof.checkpoint).text);
  const log = tried(() => openCheckpoint(proof.checkpoint, policy.logKeys));
  const witnesses = tried(() => cosignaturesOf(proof.checkpoint, policy.witnessKeys));
  const cosignatures = witnesses instanceof TapeproofError ? [] : witnesses;
  return {
    eventHash: eventHash.toString('hex'),
    origin: checkpoint.origin,
    index: proof.index,
    size: checkpoint.size,
    root: checkpoint.root.toString('hex'),
    ...(log instanceof TapeproofError ? {} : { logKey: formatVerifierKey(log.logKey) }),
    cosignatures: cosignatures.map(({ key, timeS = 0 }) => ({ witness: key.name, time: timeOf(timeS) })),
    checks: [
      inclusionCheck(proof, checkpoint, eventHash),
      logCheck(log, checkpoint),
      ...(policy.witnessKeys.length === 0 ? [] : [witnessCheck(witnesses, policy)]),
    ],
    notChecked: [
      'that the event was derived correctly from the tape: the proof is about the log that has it, not about what it says',
      ...(policy.witnessKeys.length === 0
        ? ['when the event was in the log, and that the log shows everybody the same: that takes the key of a witness']
        : []),
    ],
  };
}

/** The result, or the failure of a check. Anything else is not a matter of proof. */
function tried<Result>(check: () => Result): Result | TapeproofError {
  try {
    return check();
  } catch (error) {
    if (error instanceof TapeproofError && error.code === 'CHECK_FAILED') return error;
    throw error;
  }
}

function timeOf(timeS: number): string {
  return new Date(timeS * 1_000).toISOString().replace('.000Z', 'Z');
}

/**
 * The witnesses' signatures of a checkpoint, one for each key.
 *
 * @throws TapeproofError CHECK_FAILED when one of them is wrong.
 */
export function cosignaturesOf(
  checkpointNote: string,
  witnessKeys: readonly VerifierKey[],
): readonly VerifiedSignature[] {
  const all = verifiedSignatures(parseNote(checkpointNote), witnessKeys);
  return all.filter(({ key }, at) => all.findIndex((other) => isSameKey(other.key, key)) === at);
}

function inclusionCheck({ index, path }: TlogProof, { size, root }: Checkpoint, eventHash: Buffer): ProofCheck {
  const fault = inclusionFault({ index, size, leafHash: leafHashOf(eventHash), root }, path);
  return {
    name: 'the event is in the log',
    passed: fault === undefined,
    detail: fault ?? `leaf ${index} of ${size}, by ${path.length} hashes`,
    restsOn: 'SHA-256 alone',
  };
}

function logCheck(log: OpenedCheckpoint | TapeproofError, { origin, size }: Checkpoint): ProofCheck {
  const isWrong = log instanceof TapeproofError;
  return {
    name: 'the log signed it',
    passed: !isWrong,
    detail: isWrong ? log.message : `${origin} at size ${size}`,
    restsOn: 'the key of the log: whoever has it can sign another history',
  };
}

function witnessCheck(
  witnesses: readonly VerifiedSignature[] | TapeproofError,
  { witnessKeys, witnessesMin }: ProofPolicy,
): ProofCheck {
  const isWrong = witnesses instanceof TapeproofError;
  const found = isWrong ? 0 : witnesses.length;
  const times = isWrong ? '' : witnesses.map(({ key, timeS = 0 }) => `, ${key.name} at ${timeOf(timeS)}`).join('');
  return {
    name: 'witnesses cosigned it',
    passed: !isWrong && found >= witnessesMin,
    detail: isWrong ? witnesses.message : `${found} of ${witnessKeys.length} witnesses, ${witnessesMin} needed${times}`,
    restsOn: 'the keys, clocks and memory of these witnesses: the log cannot rewrite what it showed them',
  };
}
