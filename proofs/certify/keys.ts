import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import type { SigningKey } from './envelope.ts';

const SEED_BYTES = 32;
const KEY_HASH_BYTES = 4;
/** Of Ed25519, in the one-line keys of signed notes. */
const ALGORITHM = 1;
/** DER in front of a seed, and of a public key: RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Reads a key that signs: a PEM file (PKCS #8) of an Ed25519 key, or the one line `PRIVATE+KEY+<name>+<hash>+<base64>`
 * of signed notes.
 *
 * @param path - of the file, for people; its content is never repeated.
 * @throws TapeproofError CONFIGURATION
 */
export function parseSigningKey(text: string, path: string): SigningKey {
  const line = text.trim();
  const note = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(line);
  if (note !== null) {
    const [, name = '', hash = '', data = ''] = note;
    const seed = rawKey(data);
    if (seed !== undefined) {
      const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
      if (noteHash(name, rawPublic(createPublicKey(privateKey))) === hash) {
        return { keyId: `${name}+${hash}`, privateKey };
      }
    }
    throw wrong(path, 'its line is damaged');
  }
  const privateKey = ed25519(() => createPrivateKey(text));
  if (privateKey === undefined) throw wrong(path, 'give the PEM file of an Ed25519 private key, or one of "keygen"');
  return { keyId: keyIdOf(createPublicKey(privateKey)), privateKey };
}

/**
 * Reads a key that verifies: a PEM file of a public key, or the one line `<name>+<hash>+<base64>` of signed notes.
 *
 * @throws TapeproofError CONFIGURATION
 */
export function parsePublicKey(text: string, path: string): KeyObject {
  const note = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  if (note !== null) {
    const [, name = '', hash = '', data = ''] = note;
    const raw = rawKey(data);
    if (raw === undefined || noteHash(name, raw) !== hash) throw wrong(path, 'its line is damaged');
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  }
  if (/^PRIVATE\+KEY|-----BEGIN [A-Z ]*PRIVATE KEY/.test(text)) {
    throw wrong(path, 'it is a private key, and the public one is needed: keep the private one to whoever signs');
  }
  const publicKey = ed25519(() => createPublicKey(text));
  if (publicKey === undefined) throw wrong(path, 'give the PEM file of an Ed25519 public key, or one of "keygen"');
  return publicKey;
}

/** SHA-256 (hex) of the public key in DER. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

function ed25519(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The 32 bytes of a signed note's key; undefined for another algorithm. */
function rawKey(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === 1 + SEED_BYTES && bytes[0] === ALGORITHM ? bytes.subarray(1) : undefined;
}

function rawPublic(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

/** The key id of C2SP signed-note: the beginning of SHA-256 of name, line feed, algorithm and key; hex. */
function noteHash(name: string, raw: Buffer): string {
  const hash = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([ALGORITHM]))
    .update(raw)
    .digest();
  return hash.subarray(0, KEY_HASH_BYTES).toString('hex');
}

function wrong(path: string, why: string): TapeproofError {
  return new TapeproofError('CONFIGURATION', `${path} is not a usable key: ${why}.`);
}
