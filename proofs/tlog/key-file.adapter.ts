import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { TapeproofError } from '../../platform/errors.ts';
import { keepSecret } from '../../platform/security/redaction.ts';
import { textOfUtf8 } from './encoding.ts';
import { formatSignerKey, parseSignerKey, signerKey, type KeyType, type SignerKey } from './note-key.ts';

const SEED_BYTES = 32;
const OWNER_ONLY = 0o600;
const FILE_BYTES_MAX = 4_096;

/**
 * Makes a key and writes it to a new file that only its owner may read.
 *
 * @throws TapeproofError NOT_USABLE for a wrong name, USAGE when the file exists or cannot be written: a key that is
 *   replaced is lost.
 */
export async function createSignerKey(name: string, type: KeyType, path: string): Promise<SignerKey> {
  const key = signerKey(name, type, randomBytes(SEED_BYTES));
  try {
    const file = await open(path, 'wx', OWNER_ONLY);
    try {
      await file.writeFile(`${registered(formatSignerKey(key))}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it exists already, and a key that is replaced is lost' : message;
    throw new TapeproofError(
      'USAGE',
      `The key cannot be written to ${path} (${reason}): name another file with --out.`,
      {
        cause: error,
      },
    );
  }
  return key;
}

/** @throws TapeproofError CONFIGURATION when the file cannot be read; NOT_USABLE when it is not a private key. */
export async function readSignerKey(path: string): Promise<SignerKey> {
  return parseSignerKey(registered((await readBounded(path, FILE_BYTES_MAX, 'key')).trim()));
}

/** No output shows it from here on. */
function registered(key: string): string {
  keepSecret(key);
  keepSecret(key.slice(key.lastIndexOf('+', key.length - 2) + 1));
  return key;
}

/**
 * The text of a file.
 *
 * @param what - for the errors: "key".
 * @throws TapeproofError CONFIGURATION when it cannot be read; NOT_USABLE when it is too long or not UTF-8.
 */
export async function readBounded(path: string, bytesMax: number, what: string): Promise<string> {
  return textOfUtf8(await readBytes(path, bytesMax, what), `the ${what}`);
}

/** Like {@link readBounded}, as bytes. */
export async function readBytes(path: string, bytesMax: number, what: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const bytes = Buffer.alloc(bytesMax + 1);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length);
        if (bytesRead === 0) return bytes.subarray(0, length);
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new TapeproofError(
      'CONFIGURATION',
      `The ${what} ${path} cannot be read (${(error as Error).message}): give the path of a file that this process may read.`,
      { cause: error },
    );
  }
  throw new TapeproofError(
    'NOT_USABLE',
    `The ${what} ${path} has more than ${bytesMax} bytes: give the intended file.`,
  );
}
