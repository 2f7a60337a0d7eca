import { TapeproofError } from '../../platform/errors.ts';
import { requestHttp, type HttpAnswer } from '../../platform/security/http.ts';
import type { TlsOptions } from '../../platform/security/tls.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { numberOfDecimal } from './encoding.ts';
import type { VerifierKey } from './note-key.ts';
import { parseNote, parseSignatureLines, verifiedSignatures } from './signed-note.ts';
import { formatAddCheckpoint } from './witness.ts';

/** For one checkpoint, however often the witness must be asked. */
const DEADLINE_MS = 10_000;
/** Another submitter may come first; each time the witness names the size that it then has. */
const ROUNDS_MAX = 3;
const REASON_CHARACTERS_MAX = 200;

/** Proofs from one size of a log to another, as `TreeWindow.consistencyProof` makes them. */
export type ConsistencyProofs = (oldSize: number, newSize: number) => readonly Buffer[] | Promise<readonly Buffer[]>;

export interface WitnessAddress {
  /** The submission prefix; it may hold a password, so no message repeats it. */
  readonly url: string;
  readonly key: VerifierKey;
  readonly tls?: TlsOptions;
}

export interface Cosignature {
  readonly witness: string;
  /** To be added to the checkpoint, with its newline. */
  readonly line: string;
  /** By the witness's clock, seconds since 1970. */
  readonly timeS: number;
}

/**
 * Has a witness cosign a checkpoint, and verifies the cosignature.
 *
 * @param note - the signed checkpoint.
 * @param knownSize - the size that the witness cosigned last, as far as known; 0 where it is not.
 * @throws TapeproofError UNREACHABLE where the witness does not answer in time; CHECK_FAILED where it refuses the
 *   checkpoint or saw a longer log; NOT_USABLE where its answer is not a cosignature by its key; any error of `proofs`.
 */
export async function cosignedBy(
  witness: WitnessAddress,
  note: string,
  knownSize: number,
  proofs: ConsistencyProofs,
  deadlineMs = DEADLINE_MS,
): Promise<Cosignature> {
  const { size } = parseCheckpoint(parseNote(note).text);
  const endMs = performance.now() + deadlineMs;
  let oldSize = Math.min(knownSize, size);
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    const body = formatAddCheckpoint({ oldSize, proof: await proofs(oldSize, size), note });
    const answer = await ask(witness, body, Math.ceil(endMs - performance.now()));
    if (answer.status === 200) return verified(witness, note, answer.text);
    if (answer.status !== 409) throw refused(witness, answer);
    oldSize = sizeNamed(witness, answer.text);
    if (oldSize > size) throw olderThanSeen(witness, oldSize, size);
  }
  throw new TapeproofError(
    'UNREACHABLE',
    `The witness ${witness.key.name} named another size each of ${ROUNDS_MAX} times: something else submits checkpoints of this log.`,
  );
}

async function ask({ url, key, tls = {} }: WitnessAddress, body: string, deadlineMs: number): Promise<HttpAnswer> {
  try {
    if (deadlineMs <= 0) throw new Error('no time is left');
    return await requestHttp(`${url.replace(/\/+$/, '')}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(Buffer.byteLength(body)) },
      ...{ body, deadlineMs, tls },
    });
  } catch (error) {
    // A wrong URL is repeated by Node's error.
    const reason = error instanceof TypeError ? 'its address is not a valid URL' : (error as Error).message;
    throw new TapeproofError('UNREACHABLE', `The witness ${key.name} does not answer (${reason}).`, { cause: error });
  }
}

function sizeNamed({ key }: WitnessAddress, text: string): number {
  const size = text.endsWith('\n') ? numberOfDecimal(text.slice(0, -1)) : undefined;
  if (size !== undefined) return size;
  throw new TapeproofError('NOT_USABLE', `The witness ${key.name} named a size that is not a whole number.`);
}

function refused({ key }: WitnessAddress, { status, text }: HttpAnswer): TapeproofError {
  const reason = JSON.stringify(text.trim().slice(0, REASON_CHARACTERS_MAX));
  // 4xx: the checkpoint; else the witness itself.
  return new TapeproofError(
    status >= 400 && status < 500 ? 'CHECK_FAILED' : 'UNREACHABLE',
    `The witness ${key.name} does not cosign the checkpoint (${status}): ${reason}.`,
  );
}

function olderThanSeen({ key }: WitnessAddress, seen: number, size: number): TapeproofError {
  return new TapeproofError(
    'CHECK_FAILED',
    `The witness ${key.name} has cosigned this log at size ${seen}, and the checkpoint has ${size}: it is an old one, or the log was cut.`,
  );
}

function verified({ key }: WitnessAddress, note: string, lines: string): Cosignature {
  const signatures = parseSignatureLines(lines);
  const [cosignature] = verifiedSignatures({ text: parseNote(note).text, signatures }, [key]);
  if (cosignature?.timeS === undefined) {
    throw new TapeproofError('NOT_USABLE', `The witness ${key.name} answered without a cosignature by its key.`);
  }
  return { witness: key.name, line: cosignature.line, timeS: cosignature.timeS };
}
