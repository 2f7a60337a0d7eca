import { sign, verify } from 'node:crypto';
import { publicKeyObject, type SignerKey, type VerifierKey } from './note-key.ts';

/**
 * The cosignatures of C2SP tlog-cosignature, version 1 (Ed25519): a witness states when it saw a checkpoint, and that it
 * is consistent with all that it had seen of the log.
 */

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** @param noteText - the checkpoint without its signatures, with the newline at its end. */
function cosignedMessage(noteText: string, timeS: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timeS}\n${noteText}`);
}

/** The time (8 bytes) and the signature (64 bytes). @param timeS - seconds since 1970. */
export function cosign(noteText: string, key: SignerKey, timeS: number): Buffer {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(timeS));
  return Buffer.concat([time, sign(null, cosignedMessage(noteText, timeS), key.privateKey)]);
}

/** The time of a cosignature, seconds since 1970; undefined where it is not this key's signature of this text. */
export function cosignedAtS(noteText: string, key: VerifierKey, cosignature: Buffer): number | undefined {
  if (cosignature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const timeS = Number(cosignature.readBigUInt64BE(0));
  // A witness must not leave the time out, and no number here has more than 53 bits.
  if (timeS === 0 || !Number.isSafeInteger(timeS)) return undefined;
  const signature = cosignature.subarray(TIME_BYTES);
  return verify(null, cosignedMessage(noteText, timeS), publicKeyObject(key), signature) ? timeS : undefined;
}
