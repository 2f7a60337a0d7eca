import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderRefused, StackError, systemCode } from './errors.ts';

const LOCK_WAIT_MS_MAX = 15 * 60_000;
const LOCK_POLL_MS = 100;
const SQLITE_BUSY = 5;
export const LOCK_FILE = 'lock.sqlite';

/**
 * Runs `work` while no other process does so in this folder. The lock is SQLite's file lock, which the kernel
 * releases when its holder dies: a lock can never be stale, so none is ever broken by force.
 * @param onWait called once when somebody else holds the lock.
 * @throws StackError if the folder cannot be created or used.
 */
export async function withFolderLock<T>(folder: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const database = openLock(folder);
  try {
    const deadline = Date.now() + LOCK_WAIT_MS_MAX;
    for (let attempt = 0; !tryLock(database); attempt++) {
      if (attempt === 0) onWait();
      if (Date.now() > deadline) {
        throw new StackError(
          `Another stack command has been running in ${folder} for ${LOCK_WAIT_MS_MAX / 60_000} minutes: end it and run this again.`,
        );
      }
      await sleep(LOCK_POLL_MS);
    }
    return await work();
  } finally {
    database.close();
  }
}

/**
 * Takes a folder for this process alone, until it ends or gives it back.
 *
 * @returns the function that gives it back; undefined where another process has the folder.
 * @throws StackError if the folder cannot be created or used.
 */
export function takeFolder(folder: string): (() => void) | undefined {
  const database = openLock(folder);
  const giveBack = (): void => {
    database.close();
  };
  if (tryLock(database)) return giveBack;
  giveBack();
  return undefined;
}

function openLock(folder: string): DatabaseSync {
  try {
    makeFolder(folder);
    return new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
  } catch (error) {
    throw systemCode(error) === 'ENOSPC' ? error : folderRefused(folder, error);
  }
}

/** Node's own recursive mkdir never returns in a folder that accepts no children, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another command may have created it in between.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
