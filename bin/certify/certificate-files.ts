import { readFile } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import type { Certificate } from '../../proofs/certify/chain.ts';
import { isSignedBy, parseEnvelope, payloadOf, type SigningKey } from '../../proofs/certify/envelope.ts';
import { parsePublicKey, parseSigningKey } from '../../proofs/certify/keys.ts';
import { digestOf, parseStatement } from '../../proofs/certify/statement.ts';

/** A certificate from its file. */
export interface CertificateFile extends Certificate {
  readonly isSigned: boolean;
}

/**
 * Reads a certificate and checks its form and, with a key, its signature.
 *
 * @throws TapeproofError USAGE where the file cannot be read; CHECK_FAILED where it is not a certificate, or not signed by
 *   this key.
 */
export async function readCertificate(path: string, key?: KeyObject): Promise<CertificateFile> {
  const sealed = parseEnvelope(await textOf(path, 'USAGE'), path);
  if (key !== undefined && sealed.signatures.length === 0) {
    throw new TapeproofError('CHECK_FAILED', `${path} is not signed: nobody vouches for it.`);
  }
  if (key !== undefined && !isSignedBy(sealed, key)) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `${path} is not signed by the key that was given: it was changed, or another key signed it.`,
    );
  }
  const payload = payloadOf(sealed);
  const isSigned = sealed.signatures.length > 0;
  return { name: path, statement: parseStatement(payload, path), digest: digestOf(payload), isSigned };
}

export async function readSigningKey(path: string): Promise<SigningKey> {
  return parseSigningKey(await textOf(path, 'CONFIGURATION'), path);
}

export async function readPublicKey(path: string): Promise<KeyObject> {
  return parsePublicKey(await textOf(path, 'CONFIGURATION'), path);
}

async function textOf(path: string, code: 'USAGE' | 'CONFIGURATION'): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TapeproofError(code, `${path} cannot be read (${(error as Error).message}).`, { cause: error });
  }
}
