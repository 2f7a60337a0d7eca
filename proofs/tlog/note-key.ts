import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto';
import { bytesOfBase64, notUsable, quoted } from './encoding.ts';

/**
 * The keys of signed notes (C2SP signed-note): a name, an Ed25519 key, and what it signs. The key id is made of all
 * three, so one Ed25519 key under two names is two keys.
 */

/** What a key signs: `log` checkpoints (Ed25519), `witness` timestamped cosignatures of them (cosignature/v1). */
export type KeyType = 'log' | 'witness';

const TYPE_BYTE: Readonly<Record<KeyType, number>> = { log: 0x01, witness: 0x04 };
const SIGNER_KEY_START = 'PRIVATE+KEY+';
/** Ed25519 public keys and seeds. */
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
/** As long as a cosigner's name may be in every format of C2SP. */
export const NAME_BYTES_MAX = 255;
/** The fixed beginning of an Ed25519 private key in PKCS #8; the seed follows. */
const PKCS8_START = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** The first four bytes of a hash, big-endian. */
  readonly keyId: number;
}

export interface SignerKey extends VerifierKey {
  readonly privateKey: KeyObject;
}

/** Whether a text may name a key: it holds no white space, plus sign or control character. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

/** @throws TapeproofError NOT_USABLE when the name cannot name a key. */
export function verifierKey(name: string, type: KeyType, publicKey: Buffer): VerifierKey {
  if (!isKeyName(name) || Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw notUsable(
      `${quoted(name)} is not a valid key name: it has 1 to ${NAME_BYTES_MAX} bytes, no white space, plus sign or control character, for example tapeproof.local`,
    );
  }
  return { name, type, publicKey, keyId: keyIdOf(name, type, publicKey) };
}

/** The same key under another name, as a log signs whose origin is that name. */
export function verifierKeyNamed(name: string, key: VerifierKey): VerifierKey {
  return verifierKey(name, key.type, key.publicKey);
}

/** Like {@link verifierKeyNamed}, for signing. */
export function signerKeyNamed(name: string, key: SignerKey): SignerKey {
  return { ...verifierKeyNamed(name, key), privateKey: key.privateKey };
}

function keyIdOf(name: string, type: KeyType, publicKey: Buffer): number {
  const digest = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed(type, publicKey)]), 'buffer');
  return digest.readUInt32BE(0);
}

function typed(type: KeyType, key: Buffer): Buffer {
  return Buffer.concat([Buffer.from([TYPE_BYTE[type]]), key]);
}

function hexOf(keyId: number): string {
  return keyId.toString(16).padStart(2 * KEY_ID_BYTES, '0');
}

/** The key as text: `name+id+base64`. */
export function formatVerifierKey({ name, type, publicKey, keyId }: VerifierKey): string {
  return `${name}+${hexOf(keyId)}+${typed(type, publicKey).toString('base64')}`;
}

/** @throws TapeproofError NOT_USABLE with what is wrong with it. */
export function parseVerifierKey(text: string): VerifierKey {
  if (text.startsWith(SIGNER_KEY_START)) {
    throw notUsable('This is a private key, where a verifier key belongs: never show it to anyone');
  }
  const { name, type, key, keyId } = partsOf(text, `${quoted(text)} is not a valid verifier key`);
  return assertedId(verifierKey(name, type, key), keyId, quoted(text));
}

/** The private key as text: `PRIVATE+KEY+name+id+base64`. */
export function formatSignerKey({ name, type, privateKey, keyId }: SignerKey): string {
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_START.length);
  return `${SIGNER_KEY_START}${name}+${hexOf(keyId)}+${typed(type, seed).toString('base64')}`;
}

/** @throws TapeproofError NOT_USABLE; the message never repeats the key. */
export function parseSignerKey(text: string): SignerKey {
  const wrong = 'The private key is not valid';
  if (!text.startsWith(SIGNER_KEY_START)) {
    throw notUsable(`${wrong}: it begins with ${SIGNER_KEY_START}, as "tapeproof keygen" writes it`);
  }
  const { name, type, key: seed, keyId } = partsOf(text.slice(SIGNER_KEY_START.length), wrong);
  return assertedId(signerKey(name, type, seed), keyId, 'the private key');
}

/**
 * A key from 32 random bytes.
 *
 * @throws TapeproofError NOT_USABLE when the name cannot name a key.
 */
export function signerKey(name: string, type: KeyType, seed: Buffer): SignerKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_START, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { ...verifierKey(name, type, Buffer.from(x, 'base64url')), privateKey };
}

function partsOf(
  text: string,
  wrong: string,
): { readonly name: string; readonly type: KeyType; readonly key: Buffer; readonly keyId: string } {
  // Base64 has plus signs too, a name has none.
  const [, name = '', keyId = '', base64 = ''] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? [];
  if (base64 === '') throw notUsable(`${wrong}: it has three parts, name+id+key`);
  if (!/^[0-9a-f]{8}$/.test(keyId)) throw notUsable(`${wrong}: its id is not eight hexadecimal digits`);
  const bytes = bytesOfBase64(base64);
  if (bytes === undefined) throw notUsable(`${wrong}: its last part is not base64`);
  const type = (['log', 'witness'] as const).find((known) => TYPE_BYTE[known] === bytes[0]);
  if (type === undefined) {
    throw notUsable(`${wrong}: its type ${bytes[0] ?? 0} is neither Ed25519 (1) nor a cosignature (4)`);
  }
  if (bytes.length !== 1 + KEY_BYTES) throw notUsable(`${wrong}: an Ed25519 key has ${KEY_BYTES} bytes`);
  return { name, type, key: bytes.subarray(1), keyId };
}

function assertedId<Key extends VerifierKey>(key: Key, keyId: string, what: string): Key {
  if (hexOf(key.keyId) === keyId) return key;
  throw notUsable(`The id in ${what} does not belong to its name and key: it was mistyped or renamed`);
}

/** As Node's cryptography takes it. */
export function publicKeyObject({ publicKey }: VerifierKey): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }, format: 'jwk' });
}

/** Whether two keys are one, whatever their names. */
export function isSameKey(left: VerifierKey, right: VerifierKey): boolean {
  return left.publicKey.equals(right.publicKey);
}
