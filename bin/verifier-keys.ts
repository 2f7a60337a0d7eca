import { TapeproofError } from '../platform/errors.ts';
import { readBounded } from '../proofs/tlog/key-file.adapter.ts';
import { isSameKey, parseVerifierKey, type KeyType, type VerifierKey } from '../proofs/tlog/note-key.ts';

const FILE_BYTES_MAX = 1_048_576;
/** A verifier key begins with its name and id, which no path is likely to do. */
const KEY_START = /^[^+]+\+[0-9a-f]{8}\+/;

/**
 * The verifier keys that an option names.
 *
 * @param option - for the errors: `--log`.
 * @throws TapeproofError NOT_USABLE, and USAGE where one key is given twice: it would count twice.
 */
export function verifierKeysOf(texts: readonly string[], type: KeyType, option: string): readonly VerifierKey[] {
  const keys = texts.map(parseVerifierKey);
  for (const [at, key] of keys.entries()) {
    if (key.type !== type) {
      const other = option.replace(type === 'log' ? 'log' : 'witness', key.type);
      throw new TapeproofError('NOT_USABLE', `${key.name} is the key of a ${key.type}: give it with ${other}.`);
    }
    if (keys.slice(0, at).some((known) => isSameKey(known, key))) {
      throw new TapeproofError('USAGE', `The key of ${key.name} is given twice with ${option}: give each once.`);
    }
  }
  return keys;
}

/** Like {@link verifierKeysOf}; each text is a key, or a file with one in each line (`#` begins a remark). */
export async function readVerifierKeys(
  texts: readonly string[],
  type: KeyType,
  option: string,
): Promise<readonly VerifierKey[]> {
  const keys: string[] = [];
  for (const text of texts) {
    if (KEY_START.test(text) || text.startsWith('PRIVATE+KEY+')) keys.push(text);
    else {
      const lines = (await readBounded(text, FILE_BYTES_MAX, 'list of keys')).split(/\r?\n/).map((line) => line.trim());
      keys.push(...lines.filter((line) => line !== '' && !line.startsWith('#')));
    }
  }
  return verifierKeysOf(keys, type, option);
}
