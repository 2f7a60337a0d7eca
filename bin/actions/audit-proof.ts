import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';
import { shown } from '../../contracts/statement-text.ts';
import type { AuditReport, CheckpointLookup } from '../../proofs/audit.ts';
import { checkpointsOf, proveEvent, type EventProof } from '../../proofs/checkpoints/event-proof.adapter.ts';
import type { TrustedKeys } from '../../proofs/checkpoints/recorded-checkpoint.ts';
import { checkpointedOf } from '../../proofs/checkpoints/witnessed-before.ts';
import type { Located } from '../../proofs/located.ts';
import { writeNewFile } from '../new-file.ts';
import { readVerifierKeys } from '../verifier-keys.ts';

/** The options that name the keys which checkpoints are held to. */
export interface TrustedKeyOptions {
  readonly logKey: readonly string[];
  readonly witnessKey: readonly string[];
}

/** @throws TapeproofError NOT_USABLE, USAGE, CONFIGURATION for a key or file that is not usable. */
export async function trustedKeysOf({ logKey, witnessKey }: TrustedKeyOptions): Promise<TrustedKeys> {
  return {
    logKeys: await readVerifierKeys(logKey, 'log', '--log-key'),
    witnessKeys: await readVerifierKeys(witnessKey, 'witness', '--witness-key'),
  };
}

/** Looks the checkpoints of an audited event up in `engine.checkpoints`. */
export function lookupIn(access: LogAccess, keys: TrustedKeys): CheckpointLookup {
  return async (located, tapeId, times) => {
    const around = await checkpointsOf(access, located, tapeId, keys);
    // Older than the tree of its log: no checkpoint has it.
    if (around === undefined || located.event.sequence < around.first.firstSequence) return null;
    return checkpointedOf(located.event, around, keys, times);
  };
}

/** Proves the audited event and writes the proof to a new file. @throws TapeproofError see `proveEvent`; USAGE */
export async function writeProof(
  access: LogAccess,
  report: AuditReport,
  keys: TrustedKeys,
  path: string,
): Promise<{ readonly data: object; readonly lines: readonly string[] }> {
  const proof = await proveEvent(access, askedIn(report), report.provenance.tapeId, keys);
  await writeNewFile(path, proof.text, '--proof');
  const { eventId, origin, index, size, cosignatures } = proof;
  const isVerified = keys.logKeys.length > 0;
  return {
    data: { file: path, eventId, origin, index, size, cosignatures, isVerified },
    lines: linesOf(proof, path, isVerified),
  };
}

/** The event that the audit was asked for, which is one of its chain. */
function askedIn({ asked, outcome, decision, results, snapshot }: AuditReport): Located<DerivedEvent> {
  const all: readonly (Located<DerivedEvent> | undefined)[] = [outcome, decision, ...results, snapshot];
  const found = all.find((located) => located?.event.eventId === asked);
  if (found === undefined) throw new RangeError(`${asked} is not in its own chain`);
  return found;
}

function linesOf(
  { eventId, origin, index, size, cosignatures }: EventProof,
  path: string,
  isVerified: boolean,
): string[] {
  const names = cosignatures.map(({ witness }) => shown(witness)).join(', ');
  return [
    '',
    `Proof: ${eventId} is leaf ${index} of ${size} in ${shown(origin)}; written to ${path}`,
    names === ''
      ? '  · no witness signed this checkpoint: it proves no time, and the operator can sign another history'
      : `  · cosigned by ${names}`,
    ...(isVerified ? [] : ["  · the log's signature is not verified: give its key with --log-key"]),
  ];
}
