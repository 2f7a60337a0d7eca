import { decodeBody, FINGERPRINTS, RECORD_NAMES } from '../../contracts/codec.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { readBounded, readBytes } from '../../proofs/tlog/key-file.adapter.ts';
import { proofText } from '../../proofs/tlog/proof-text.ts';
import { eventHashOf, parseProof, PROOF_BYTES_MAX, verifyProof, type TlogProof } from '../../proofs/tlog/tlog-proof.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { writeNewFile } from '../new-file.ts';
import { verifierKeysOf } from '../verifier-keys.ts';

export interface VerifyProofOptions extends JsonOption {
  readonly event?: string;
  readonly eventHash?: string;
  readonly log: readonly string[];
  readonly witness: readonly string[];
  readonly witnesses?: number;
  readonly page?: string;
}

const EVENT_BYTES_MAX = 1_048_576;
const FINGERPRINT_BYTES = 32;

export async function runVerifyProof(file: string | undefined, options: VerifyProofOptions): Promise<void> {
  if (options.page !== undefined) {
    await writePage(file, options.page, options);
    return;
  }
  if (file === undefined) throw new TapeproofError('USAGE', 'Name the proof to verify, or give --page FILE.');
  if (options.log.length === 0) {
    throw new TapeproofError('USAGE', "Give the log's verifier key with --log: a proof is only as good as the key.");
  }
  const logKeys = verifierKeysOf(options.log, 'log', '--log');
  const witnessKeys = verifierKeysOf(options.witness, 'witness', '--witness');
  const witnessesMin = options.witnesses ?? witnessKeys.length;
  if (witnessesMin > witnessKeys.length) {
    throw new TapeproofError(
      'USAGE',
      `--witnesses asks for ${witnessesMin}, and the keys of ${witnessKeys.length} are given: give the others with --witness.`,
    );
  }
  const proof = parseProof(await readBounded(file, PROOF_BYTES_MAX, 'proof'));
  const event = await eventOf(proof, options);
  const report = verifyProof(proof, event.hash, { logKeys, witnessKeys, witnessesMin });
  const proven = report.checks.every(({ passed }) => passed);
  const named = event.bytes === undefined ? undefined : nameOf(event.bytes);
  print(options.json, { proven, event: named ?? null, ...report }, () => proofText(report, named));
  if (!proven) process.exitCode = 1;
}

/** Writes the page to a new file. */
async function writePage(file: string | undefined, page: string, { json }: JsonOption): Promise<void> {
  if (file !== undefined) {
    throw new TapeproofError('USAGE', 'Give a proof or --page, not both: the page checks any proof.');
  }
  const { proofPage } = await import('../../proofs/page/page.adapter.ts');
  await writeNewFile(page, await proofPage(), '--page');
  print(json, { page }, () => `The page is in ${page}: open it in a browser.`);
}

interface AskedEvent {
  readonly hash: Buffer;
  readonly bytes?: Buffer;
}

/** The event that the proof should be about. @throws TapeproofError USAGE where it is not given, or twice. */
async function eventOf({ extra }: TlogProof, { event, eventHash }: VerifyProofOptions): Promise<AskedEvent> {
  if (event !== undefined && eventHash !== undefined) {
    throw new TapeproofError('USAGE', 'Give the event with --event or its hash with --event-hash, not both.');
  }
  if (eventHash !== undefined) {
    if (/^[0-9a-f]{64}$/i.test(eventHash)) return { hash: Buffer.from(eventHash, 'hex') };
    throw new TapeproofError('USAGE', 'The value of --event-hash is not a SHA-256: give 64 hexadecimal digits.');
  }
  const bytes = event === undefined ? extra : await readBytes(event, EVENT_BYTES_MAX, 'event');
  if (bytes !== undefined) return { hash: eventHashOf(bytes), bytes };
  throw new TapeproofError('USAGE', 'The proof holds no event: give it with --event, or its hash with --event-hash.');
}

/** The event's id; undefined where this build does not know its schema. */
function nameOf(bytes: Buffer): string | undefined {
  const fingerprint = bytes.subarray(0, FINGERPRINT_BYTES).toString('hex');
  const name = RECORD_NAMES.find((known) => FINGERPRINTS[known] === fingerprint);
  if (name === undefined) return undefined;
  try {
    const event = decodeBody(name, bytes.subarray(FINGERPRINT_BYTES));
    return 'eventId' in event ? event.eventId : undefined;
  } catch {
    return undefined;
  }
}
