import { access, open } from 'node:fs/promises';
import { TapeproofError } from '../platform/errors.ts';
import { assertWritable } from './writable.ts';

/**
 * Said before anything is read.
 *
 * @param option - the option that names the file.
 * @throws TapeproofError USAGE where the file exists, or cannot be written.
 */
export async function assertNewFile(path: string, option: string): Promise<void> {
  await assertWritable(path, option);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw existing(path, option);
}

/** Writes a file that does not exist yet. @throws TapeproofError USAGE */
export async function writeNewFile(path: string, text: string, option: string): Promise<void> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw existing(path, option);
    throw new TapeproofError('USAGE', `${path} cannot be written (${message}): name another file with ${option}.`, {
      cause: error,
    });
  }
}

function existing(path: string, option: string): TapeproofError {
  return new TapeproofError('USAGE', `${path} exists already: name a new file with ${option}, or remove it first.`);
}
