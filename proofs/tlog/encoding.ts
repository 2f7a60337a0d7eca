import { TapeproofError } from '../../platform/errors.ts';

/** How the formats of C2SP write bytes and numbers: each value in exactly one way, so that no two texts mean the same. */

export const HASH_BYTES = 32;

/** Standard base64 with its padding and without spare bits set; undefined for any other text. */
export function bytesOfBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}

/** A hash of 32 bytes in base64; undefined for any other text. */
export function hashOfBase64(text: string): Buffer | undefined {
  const bytes = bytesOfBase64(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
}

/** A decimal number without leading zeroes, up to 2^53 − 1; undefined for any other text. */
export function numberOfDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * @param what - the thing that the bytes should be, for the error: "the proof".
 * @throws TapeproofError NOT_USABLE when they are not UTF-8.
 */
export function textOfUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw notUsable(`${sentenceStart(what)} is not UTF-8 text`, error);
  }
}

export function notUsable(reason: string, cause?: unknown): TapeproofError {
  return new TapeproofError('NOT_USABLE', `${reason}.`, cause === undefined ? undefined : { cause });
}

export function sentenceStart(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** Untrusted text as one short quoted piece of a sentence. */
export function quoted(text: string): string {
  const CHARACTERS_MAX = 80;
  return JSON.stringify(text.length <= CHARACTERS_MAX ? text : `${text.slice(0, CHARACTERS_MAX)}…`);
}
