import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** Files and folders of the stack that only their owner may read: they hold passwords, data and logs. */

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Creates a folder closed to everybody but its owner, or closes an existing one. */
export async function privateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  await chmod(folder, OWNER_ONLY_FOLDER);
}

/**
 * Replaces a file atomically. A file that root writes is given to the owner of its folder, who must be able to read it.
 */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, text, { mode: OWNER_ONLY_FILE, flag: 'wx' });
  if (process.getuid?.() === 0) {
    const { uid, gid } = await stat(dirname(file));
    await chown(unfinished, uid, gid);
  }
  await rename(unfinished, file);
}

export function writePrivateJson(file: string, value: unknown): Promise<void> {
  return writePrivateFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** A JSON file of the given shape, or undefined where it is missing or truncated by a full disk or a crash. */
export function readJson<T>(file: string, shape: z.ZodType<T>): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return shape.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
