import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TapeproofError } from '../platform/errors.ts';

/**
 * Said before a long log is read.
 *
 * @param option - the option that names the file.
 * @throws TapeproofError USAGE
 */
export async function assertWritable(path: string, option: string): Promise<void> {
  const at = await stat(path).catch(() => undefined);
  if (at?.isDirectory() === true) {
    throw new TapeproofError('USAGE', `${path} is a folder: name a file with ${option}.`);
  }
  try {
    await access(at === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    const { message } = error as Error;
    throw new TapeproofError('USAGE', `${path} cannot be written (${message}): name another file with ${option}.`, {
      cause: error,
    });
  }
}
