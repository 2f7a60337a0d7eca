import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TapeproofError } from '../../platform/errors.ts';
import { openCheckpoint } from '../tlog/checkpoint.ts';
import type { VerifierKey } from '../tlog/note-key.ts';
import { CHECKPOINT_FILE, faultOfFolder, headOf } from './tile-folder.adapter.ts';

/** One published log, as its files show it. */
export interface CheckedFolder {
  /** Its folder, relative. */
  readonly name: string;
  /** Null where its checkpoint cannot be read. */
  readonly origin: string | null;
  readonly size: number | null;
  /** The first thing that is wrong; null where nothing is. */
  readonly fault: string | null;
}

/**
 * Checks the published logs in a folder, which has a folder for each topic with one for each partition; or one log alone.
 *
 * @param logKeys - without any, signatures are not verified.
 * @throws TapeproofError CONFIGURATION where the folder cannot be read; NOT_USABLE where it has no log.
 */
export async function verifyFolders(
  folder: string,
  logKeys: readonly VerifierKey[],
): Promise<readonly CheckedFolder[]> {
  const checked: CheckedFolder[] = [];
  for (const name of await logFoldersIn(folder)) checked.push(await checkedFolder(folder, name, logKeys));
  if (checked.length > 0) return checked;
  throw new TapeproofError(
    'NOT_USABLE',
    `${folder} has no published log: give the folder that "tapeproof publish" wrote.`,
  );
}

async function logFoldersIn(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder, { recursive: false });
  } catch (error) {
    throw new TapeproofError('CONFIGURATION', `${folder} cannot be read (${(error as Error).message}).`, {
      cause: error,
    });
  }
  if (names.includes(CHECKPOINT_FILE)) return ['.'];
  const found: string[] = [];
  for (const topic of names.sort()) {
    const partitions = await readdir(join(folder, topic)).catch(() => []);
    found.push(...partitions.filter((partition) => /^\d+$/.test(partition)).map((partition) => join(topic, partition)));
  }
  return found;
}

async function checkedFolder(folder: string, name: string, logKeys: readonly VerifierKey[]): Promise<CheckedFolder> {
  const at = join(folder, name);
  try {
    const head = await headOf(at);
    if (head === undefined) return { name, origin: null, size: null, fault: 'it has no checkpoint' };
    const { origin, size } = head;
    if (logKeys.length > 0) openCheckpoint(head.note, logKeys);
    return { name, origin, size, fault: (await faultOfFolder(at, head)) ?? null };
  } catch (error) {
    if (!(error instanceof TapeproofError)) throw error;
    return { name, origin: null, size: null, fault: error.message };
  }
}
