import { existsSync } from 'node:fs';
import {
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { move } from './move.ts';
import { ALL_SERVICES, type ServiceName } from './options.ts';
import { privateFolder } from './private-file.ts';
import { PROCESS_RECORD, serviceFolder } from './record.ts';
import { run } from './run.ts';
import { serviceUser, type ServiceUser } from './service-user.ts';

/** The folders of the services' data and their owner. */
export interface Custody {
  /** The user that services run as; undefined: this process's user. */
  readonly user: ServiceUser | undefined;
  /** A service's own folder. It exists. */
  folder(name: ServiceName): Promise<string>;
  /** Gives everything in a service's folder to the user it runs as, and closes it to everybody else. */
  handOver(name: ServiceName): Promise<void>;
  /** A folder of programs, or a copy of it, that the user can read. */
  lend(folder: string): Promise<string>;
}

const RECORD = 'outside.path';
const OUTSIDE_PREFIX = 'tapeproof-services-';
const OUTSIDE_PARENT = '/var/tmp';
const EVERYBODY_ENTERS = 0o001;
const EVERYBODY_READS = 0o004;

/**
 * Data is in the stack's folder. Where root starts the stack its services run as another user, who must not enter that
 * folder: their data is then in their own folder beside it, or in one under /var/tmp where root's folders are in the
 * way, as are copies of programs that they could not read.
 */
export async function custodyOf(stackFolder: string): Promise<Custody> {
  const user = await serviceUser(stackFolder);
  if (user === undefined || (await stat(stackFolder)).uid === user.uid) return insideCustody(stackFolder, user);
  return outsideCustody(stackFolder, user);
}

function insideCustody(stackFolder: string, user: ServiceUser | undefined): Custody {
  return {
    user,
    async folder(name) {
      const folder = serviceFolder(stackFolder, name);
      await privateFolder(folder);
      return folder;
    },
    handOver: (name) => own(serviceFolder(stackFolder, name), user),
    lend: (folder) => Promise.resolve(folder),
  };
}

async function outsideCustody(stackFolder: string, user: ServiceUser): Promise<Custody> {
  const outside = (await recordedOutside(stackFolder)) ?? (await makeOutside(stackFolder, user));
  // Each is moved once: services ask for their folders concurrently.
  for (const name of ALL_SERVICES) {
    await mkdir(join(outside, name), { recursive: true, mode: 0o700 });
    await moveInto(join(outside, name), serviceFolder(stackFolder, name));
  }
  return {
    user,
    folder: (name) => Promise.resolve(join(outside, name)),
    handOver: (name) => own(join(outside, name), user),
    lend: (folder) => lendTo(join(outside, 'programs'), folder, user),
  };
}

/** The folder of root's services, if it exists. */
async function recordedOutside(stackFolder: string): Promise<string | undefined> {
  const record = join(stackFolder, RECORD);
  if (!existsSync(record)) return undefined;
  const outside = await readFile(record, 'utf8');
  return existsSync(outside) ? outside : undefined;
}

async function makeOutside(stackFolder: string, user: ServiceUser): Promise<string> {
  const beside = dirname(await realpath(stackFolder));
  const outside = await mkdtemp(join((await everybodyEnters(beside)) ? beside : OUTSIDE_PARENT, OUTSIDE_PREFIX));
  await writeFile(join(stackFolder, RECORD), outside, { mode: 0o600 });
  await chown(outside, user.uid, user.gid);
  return outside;
}

/** Removes the outside folder with all its data. */
export async function removeOutside(stackFolder: string): Promise<void> {
  const outside = await recordedOutside(stackFolder);
  if (outside !== undefined && basename(outside).startsWith(OUTSIDE_PREFIX)) {
    await rm(outside, { recursive: true, force: true });
  }
  await rm(join(stackFolder, RECORD), { force: true });
}

/** The data that a service left in the stack's own folder when it ran as root. */
async function moveInto(home: string, former: string): Promise<void> {
  if (!existsSync(former)) return;
  for (const entry of await readdir(former)) {
    if (entry.startsWith(PROCESS_RECORD)) continue;
    await move(join(former, entry), join(home, entry));
  }
}

/** Closes a folder to everybody but the user. Links themselves change owner, not their targets. */
async function own(folder: string, user: ServiceUser | undefined): Promise<void> {
  if (user !== undefined) await run({ file: 'chown', args: ['-RhP', `${user.uid}:${user.gid}`, folder], cwd: '/' });
  await run({ file: 'chmod', args: ['-R', 'go=', folder], cwd: '/' });
}

async function lendTo(copies: string, folder: string, user: ServiceUser): Promise<string> {
  const real = await realpath(folder);
  if ((await everybodyEnters(dirname(real))) && (await everybodyReads(real))) return real;
  const copy = join(copies, basename(dirname(real)), basename(real));
  if (existsSync(copy)) return copy;
  // Under another name first, so that an interrupted copy is not mistaken for a complete one.
  await rm(`${copy}.unfinished`, { recursive: true, force: true });
  await cp(real, `${copy}.unfinished`, { recursive: true, verbatimSymlinks: true });
  await own(copies, user);
  await rename(`${copy}.unfinished`, copy);
  return copy;
}

async function everybodyEnters(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & EVERYBODY_ENTERS) === 0) return false;
  return dirname(folder) === folder || everybodyEnters(dirname(folder));
}

async function everybodyReads(path: string): Promise<boolean> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return true;
  if ((found.mode & EVERYBODY_READS) === 0) return false;
  if (!found.isDirectory()) return true;
  if ((found.mode & EVERYBODY_ENTERS) === 0) return false;
  for (const entry of await readdir(path)) if (!(await everybodyReads(join(path, entry)))) return false;
  return true;
}
