/**
 * Verifies a proof (c2sp.org/tlog-proof@v1) with nothing but the Web Cryptography API, as `tapeproof verify-proof` does
 * with Node's: a second implementation, written from the standards, which comes to the same verdicts. The page that has it
 * imports nothing, so neither does this file.
 */

export type Verdict = 'PROVEN' | 'NOT PROVEN' | 'NOT USABLE';

export interface Step {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
  /** What one trusts who believes it. */
  readonly restsOn: string;
}

export interface Asked {
  /** Verifier keys as texts. */
  readonly logKeys: readonly string[];
  readonly witnessKeys: readonly string[];
  /** By default all. */
  readonly witnessesMin?: number | undefined;
  /** Hex; by default that of the event in the proof. */
  readonly eventHash?: string | undefined;
}

export interface Result {
  readonly verdict: Verdict;
  /** Why it is not usable; else empty. */
  readonly reason: string;
  readonly steps: readonly Step[];
  /** The log, and the leaf's place in it; empty where it is not usable. */
  readonly place: string;
  /** Hex; empty where it is not usable. */
  readonly eventHash: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Key {
  readonly name: string;
  readonly isWitness: boolean;
  readonly publicKey: Bytes;
  readonly keyId: number;
}

interface Signature {
  readonly name: string;
  readonly keyId: number;
  readonly bytes: Bytes;
}

interface Note {
  readonly text: string;
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
  readonly signatures: readonly Signature[];
}

const FORMAT = 'c2sp.org/tlog-proof@v1';
const HASH_BYTES = 32;
const HASHES_MAX = 63;
const EXTRA_BYTES_MAX = 1_048_576;
const NOTE_BYTES_MAX = 262_144;
const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX;
const SIGNATURES_MAX = 64;
const NAME_BYTES_MAX = 255;
const [LOG_TYPE, WITNESS_TYPE] = [1, 4];
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;

/** A proof, key or question that cannot be used: verify-proof ends with 2. */
class NotUsable extends Error {}
/** A signature that does not match: verify-proof ends with 1. */
class WrongSignature extends Error {}

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const same = (left: Bytes, right: Bytes): boolean =>
  left.length === right.length && left.every((byte, at) => byte === right[at]);

function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

function hexOf(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Standard base64, written in the one way; undefined for any other text. */
function fromBase64(text: string): Bytes | undefined {
  if (text === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const decoded = atob(text);
  return btoa(decoded) === text ? Uint8Array.from(decoded, (character) => character.charCodeAt(0)) : undefined;
}

function hashFrom(text: string): Bytes | undefined {
  const bytes = fromBase64(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}

function wholeNumber(text: string): number | undefined {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function isName(name: string): boolean {
  return name !== '' && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

function uint32(bytes: Bytes): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

async function keyOf(name: string, type: number, publicKey: Bytes): Promise<Key> {
  if (!isName(name) || bytesOf(name).length > NAME_BYTES_MAX) throw new NotUsable(`“${name}” cannot name a key`);
  const digest = await sha256(joined(bytesOf(`${name}\n`), Uint8Array.of(type), publicKey));
  return { name, isWitness: type === WITNESS_TYPE, publicKey, keyId: uint32(digest) };
}

async function parseKey(text: string, type: number): Promise<Key> {
  if (text.startsWith('PRIVATE+KEY+')) throw new NotUsable('This is a private key: never show it to anyone');
  const [, name = '', id = '', base64 = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) ?? [];
  const bytes = fromBase64(base64);
  if (bytes?.length !== 1 + HASH_BYTES)
    throw new NotUsable(`“${text.slice(0, 80)}” is not a verifier key (name+id+key)`);
  const found = bytes[0];
  if (found !== LOG_TYPE && found !== WITNESS_TYPE) throw new NotUsable(`The key of ${name} is of an unknown type`);
  if (found !== type)
    throw new NotUsable(
      `The key of ${name} is of a ${found === LOG_TYPE ? 'log' : 'witness'}: put it into the other field`,
    );
  const key = await keyOf(name, type, bytes.slice(1));
  if (key.keyId !== Number.parseInt(id, 16)) {
    throw new NotUsable(`The id in the key of ${name} does not belong to it: it was mistyped or renamed`);
  }
  return key;
}

async function parseKeys(texts: readonly string[], type: number): Promise<readonly Key[]> {
  const keys = await Promise.all(texts.map((text) => parseKey(text, type)));
  const twice = keys.find((key, at) => keys.slice(0, at).some(({ publicKey }) => same(publicKey, key.publicKey)));
  if (twice !== undefined) throw new NotUsable(`The key of ${twice.name} is given twice`);
  return keys;
}

function parseNote(note: string): Note {
  if (bytesOf(note).length > NOTE_BYTES_MAX) throw new NotUsable('The checkpoint is too long');

  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new NotUsable('The checkpoint has a control character');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 1) throw new NotUsable('The checkpoint is truncated: no blank line is before its signatures');
  if (!note.endsWith('\n') || note.length === blank + 2) throw new NotUsable('The checkpoint is truncated');
  const text = note.slice(0, blank + 1);
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', sizeText = '', rootText = ''] = lines;
  const [size, root] = [wholeNumber(sizeText), hashFrom(rootText)];
  if (lines.length < 3 || lines.includes('') || size === undefined || root === undefined) {
    throw new NotUsable('The checkpoint does not have origin, size and root');
  }
  const signatureLines = note.slice(blank + 2, -1).split('\n');
  if (signatureLines.length > SIGNATURES_MAX) throw new NotUsable('The checkpoint has too many signatures');
  return { text, origin, size, root, signatures: signatureLines.map(signatureOf) };
}

function signatureOf(line: string): Signature {
  const [, name = '', base64 = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = fromBase64(base64);
  if (!isName(name) || bytes === undefined || bytes.length <= 4) {
    throw new NotUsable('The checkpoint has a line that is not a signature');
  }
  return { name, keyId: uint32(bytes), bytes: bytes.slice(4) };
}

interface Proof {
  readonly extra: Bytes | undefined;
  readonly index: number;
  readonly path: readonly Bytes[];
  readonly note: Note;
}

function parseProof(bytes: Bytes): Proof {
  if (bytes.length > PROOF_BYTES_MAX) throw new NotUsable('The file is too long for a proof');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotUsable('The file is not UTF-8 text');
  }
  if (text.split('\n', 1)[0] !== FORMAT)
    throw new NotUsable(`The file is not a proof: its first line is not ${FORMAT}`);
  const blank = text.indexOf('\n\n');
  if (blank === -1) throw new NotUsable('The proof is truncated: no blank line is before its checkpoint');
  const lines = text.slice(FORMAT.length + 1, blank).split('\n');
  const extraText = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice('extra '.length) : undefined;
  const extra = extraText === undefined ? undefined : fromBase64(extraText);
  if (extraText !== undefined && (extra === undefined || extra.length > EXTRA_BYTES_MAX)) {
    throw new NotUsable('The event in the proof is not base64, or too long');
  }
  const index = wholeNumber(/^index (.*)$/.exec(lines.shift() ?? '')?.[1] ?? '');
  if (index === undefined) throw new NotUsable('The proof has no line “index” with a whole number');
  if (lines.length > HASHES_MAX) throw new NotUsable(`The proof has more than ${String(HASHES_MAX)} hashes`);
  const path = lines.map((line) => {
    const hash = hashFrom(line);
    if (hash === undefined) throw new NotUsable('A hash of the proof is not 32 bytes in base64');
    return hash;
  });
  return { extra, index, path, note: parseNote(text.slice(blank + 2)) };
}

/** RFC 9162, 2.1.3.2. @returns why it is not proven; undefined where it is. */
async function inclusionFault({ index, path, note }: Proof, eventHash: Bytes): Promise<string | undefined> {
  if (index >= note.size) return `leaf ${String(index)} is not in a tree of ${String(note.size)}`;
  let [place, last] = [index, note.size - 1];
  let hash = await sha256(joined(Uint8Array.of(0), eventHash));
  const halve = (): void => {
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  };
  for (const sibling of path) {
    if (last === 0) return 'the proof has too many hashes';
    if (place % 2 === 1 || place === last) {
      hash = await sha256(joined(Uint8Array.of(1), sibling, hash));
      while (place % 2 === 0 && place !== 0) halve();
    } else {
      hash = await sha256(joined(Uint8Array.of(1), hash, sibling));
    }
    halve();
  }
  if (last !== 0) return 'the proof has too few hashes';
  return same(hash, note.root) ? undefined : 'the hashes of the proof do not lead to the root';
}

async function isSigned({ publicKey }: Key, message: Bytes, signature: Bytes): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const key = await crypto.subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
  return await crypto.subtle.verify({ name: 'Ed25519' }, key, signature, message);
}

interface Verified {
  readonly key: Key;
  /** Of a cosignature, seconds since 1970. */
  readonly timeS: number;
}

/** The signatures of these keys, each key once. @throws WrongSignature where one of them does not match. */
async function signaturesBy(keys: readonly Key[], { text, signatures }: Note): Promise<readonly Verified[]> {
  const verified: Verified[] = [];
  for (const { name, keyId, bytes } of signatures) {
    const key = keys.find((known) => known.name === name && known.keyId === keyId);
    if (key === undefined) continue;
    const timeS = key.isWitness && bytes.length > TIME_BYTES ? Number(new DataView(bytes.buffer).getBigUint64(0)) : 0;
    const isTimed = !key.isWitness || (timeS > 0 && Number.isSafeInteger(timeS));
    const message = key.isWitness ? `cosignature/v1\ntime ${String(timeS)}\n${text}` : text;
    const signature = key.isWitness ? bytes.slice(TIME_BYTES) : bytes;
    if (!isTimed || !(await isSigned(key, bytesOf(message), signature))) {
      throw new WrongSignature(`the signature by ${name} does not match the text: one of them was changed`);
    }
    if (!verified.some(({ key: known }) => same(known.publicKey, key.publicKey))) verified.push({ key, timeS });
  }
  return verified;
}

async function tried(work: Promise<readonly Verified[]>): Promise<readonly Verified[] | WrongSignature> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WrongSignature) return error;
    throw error;
  }
}

async function logStep(logKeys: readonly Key[], note: Note): Promise<Step> {
  const { origin, size } = note;
  // One key stands for all logs below its name; it signs under the name of the log.
  const ours = logKeys.filter(({ name }) => origin === name || origin.startsWith(`${name}/`));
  if (ours.length === 0)
    throw new NotUsable(`The proof is of the log ${origin}, and none of the log keys is that log's`);
  const named = await Promise.all(ours.map(({ publicKey }) => keyOf(origin, LOG_TYPE, publicKey)));
  const signed = await tried(signaturesBy(named, note));
  if (!(signed instanceof WrongSignature) && signed.length === 0) {
    throw new NotUsable(`The checkpoint of ${origin} is not signed with this key`);
  }
  return {
    name: 'The log signed it',
    passed: !(signed instanceof WrongSignature),
    detail: signed instanceof WrongSignature ? signed.message : `${origin}, at size ${String(size)}`,
    restsOn: 'the key of the log: whoever has it can sign another history',
  };
}

async function witnessStep(witnessKeys: readonly Key[], needed: number, note: Note): Promise<Step> {
  const found = await tried(signaturesBy(witnessKeys, note));
  const isWrong = found instanceof WrongSignature;
  const times = isWrong
    ? ''
    : found.map(({ key, timeS }) => `, ${key.name} at ${new Date(timeS * 1_000).toISOString()}`).join('');
  return {
    name: 'Witnesses cosigned it',
    passed: !isWrong && found.length >= needed,
    detail: isWrong
      ? found.message
      : `${String(found.length)} of ${String(witnessKeys.length)} witnesses, ${String(needed)} needed${times}`,
    restsOn: 'the keys, clocks and memory of these witnesses: the log cannot rewrite what it showed them',
  };
}

/** Verifies a proof. @param bytes - of the file. */
export async function verify(bytes: Bytes, asked: Asked): Promise<Result> {
  try {
    return await verified(bytes, asked);
  } catch (error) {
    if (!(error instanceof NotUsable)) throw error;
    return { verdict: 'NOT USABLE', reason: `${error.message}.`, steps: [], place: '', eventHash: '' };
  }
}

async function verified(bytes: Bytes, asked: Asked): Promise<Result> {
  if (asked.logKeys.length === 0) throw new NotUsable('The verifier key of the log is missing');
  const logKeys = await parseKeys(asked.logKeys, LOG_TYPE);
  const witnessKeys = await parseKeys(asked.witnessKeys, WITNESS_TYPE);
  const needed = asked.witnessesMin ?? witnessKeys.length;
  if (needed > witnessKeys.length) throw new NotUsable('More witnesses are needed than keys are given');
  const proof = parseProof(bytes);
  const { note, index, path, extra } = proof;
  const hash = asked.eventHash === undefined ? extra && (await sha256(extra)) : fromHex(asked.eventHash);
  if (hash === undefined) throw new NotUsable('The proof holds no event, and its hash is not given');
  const fault = await inclusionFault(proof, hash);
  const steps: Step[] = [
    {
      name: 'The event is in the log',
      passed: fault === undefined,
      detail: fault ?? `leaf ${String(index)} of ${String(note.size)}, by ${String(path.length)} hashes`,
      restsOn: 'SHA-256 alone',
    },
    await logStep(logKeys, note),
    ...(witnessKeys.length === 0 ? [] : [await witnessStep(witnessKeys, needed, note)]),
  ];
  return {
    verdict: steps.every(({ passed }) => passed) ? 'PROVEN' : 'NOT PROVEN',
    reason: '',
    steps,
    place: `leaf ${String(index)} of ${String(note.size)} in ${note.origin}`,
    eventHash: hexOf(hash),
  };
}

function fromHex(text: string): Bytes {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new NotUsable('The hash of the event is not 64 hexadecimal digits');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Whether this browser can verify Ed25519 signatures. */
export async function hasEd25519(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']);
    return true;
  } catch {
    return false;
  }
}
